"""What a paper asks of a figure: its width, its font, its format."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from archdsl.cli import main
from archdsl.emit.diagram import diagram
from archdsl.model import load
from tests.emit.diagram.pictures import Picture, read
from tests.emit.diagram.survey import faults

NETWORKS = Path(__file__).parent / "networks"


def drawn(capsys: pytest.CaptureFixture[str], *arguments: str) -> Picture:
    assert main(["viz", *arguments, "-o", "-"]) == 0
    return read(capsys.readouterr().out)


@pytest.mark.parametrize("spec", ["resnet50", "lenet5", "googlenet", str(NETWORKS / "wide.arch")])
@pytest.mark.parametrize(("width", "points"), [("column", 252), ("3.5in", 252), ("89mm", 252.3), ("page", 504)])
def test_a_figure_is_no_wider_than_asked_and_can_be_read(
    spec: str, width: str, points: float, capsys: pytest.CaptureFixture[str]
) -> None:
    page = drawn(capsys, spec, "--width", width)
    assert page.width <= points + 0.5
    assert not list(faults(page))  # no text under 6 pt among them


@pytest.mark.parametrize("width", ["0in", "wide", "-3in", "1in", "9999in", "3", "nan pt", "1e3pt", ""])
def test_a_width_that_is_none_is_refused(width: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["viz", "lenet5", f"--width={width}"])
    assert caught.value.code == 2
    assert "is no width" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["6", "0", "-9", "big", "1e1", "999"])
def test_a_font_size_under_which_small_texts_cannot_be_read_is_refused(
    size: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["viz", "lenet5", f"--font-size={size}"])
    assert caught.value.code == 2
    assert "7.2 to 72" in capsys.readouterr().err


def test_a_larger_font_enlarges_the_figure_within_the_width(capsys: pytest.CaptureFixture[str]) -> None:
    usual = drawn(capsys, "lenet5")
    large = drawn(capsys, "lenet5", "--font-size", "18")
    assert large.width == pytest.approx(2 * usual.width, rel=0.01)
    assert drawn(capsys, "resnet50", "--font-size", "12", "--width", "page").width <= 504.5


def test_texts_of_another_font_keep_to_their_places(capsys: pytest.CaptureFixture[str]) -> None:
    page = drawn(capsys, "lenet5", "--font", "Courier <New>")
    for element in page.root.iter("{http://www.w3.org/2000/svg}text"):
        assert element.get("font-family", "").startswith("Courier <New>, Arial")
        assert float(element.get("textLength", "0")) > 0
        assert element.get("lengthAdjust") == "spacingAndGlyphs"
    assert not list(faults(page))


def test_caption_and_key_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    def words(*arguments: str) -> str:
        return " ".join(text.words for text in drawn(capsys, "lenet5", *arguments).texts)

    assert "convolution" in words()
    assert "parameters" in words()
    assert "convolution" not in words("--no-key")
    assert "61,706" not in words("--no-caption")
    assert "convolution" in words("--no-caption")
    assert "Right:" not in words("--no-caption", "--no-key")


# ---- TikZ and EPS ------------------------------------------------------------------------------------------


def test_tikz_has_every_text_and_compiles(tmp_path: Path) -> None:
    figure = diagram(load("resnet50").graph)
    text = figure.tikz()
    for word in ("Bottleneck", r"$\times$3", "identity", "25,557,032~parameters"):
        assert word in text
    assert text.count(r"\node[") == len(read(figure.svg()).texts)
    if shutil.which("pdflatex") is None:
        return
    (tmp_path / "figure.tex").write_text(text)
    (tmp_path / "doc.tex").write_text(
        r"\documentclass{article}\usepackage{tikz}\usepackage{graphicx}\begin{document}\input{figure.tex}\end{document}"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "doc.tex"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-1000:]


def test_names_of_a_spec_are_no_commands_of_latex_or_postscript(tmp_path: Path) -> None:
    spec = tmp_path / "m.arch"
    spec.write_text("arch 1\nmodel M_1 {\n  input x_1: [N, 8]\n  a: linear(8) -> it + 50.0\n  output y_2\n}\n")
    figure = load(str(spec)).diagram()
    assert r"x\_1" in figure.tikz()
    eps = figure.encoded("eps").decode("ascii")
    assert "(x_1)" in eps
    assert eps.count("(") == eps.count(")")


def test_eps_is_framed_by_its_bounding_box(tmp_path: Path) -> None:
    path = load("resnet50").diagram().save(tmp_path / "r.eps")
    text = path.read_text("ascii")
    assert text.startswith("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 ")
    box = re.search(r"BoundingBox: 0 0 (\d+) (\d+)", text)
    assert box is not None
    page = read(load("resnet50").diagram().svg())
    assert abs(int(box[1]) - page.width) <= 1
    assert abs(int(box[2]) - page.height) <= 1
    if shutil.which("gs") is None:
        return
    done = subprocess.run(
        ["gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=nullpage", str(path)], capture_output=True
    )
    assert done.returncode == 0
    assert not done.stdout


def test_all_levels_are_set_in_columns() -> None:
    (panel,) = diagram(load("resnet50").graph, depth=3).figure.panels
    page = read(diagram(load("resnet50").graph, depth=3).svg())
    assert page.height < 900
    aside = [item for item in panel.items if getattr(item, "is_aside", False)]
    assert [" · ".join(item.details) for item in aside] == [
        "256×56×56 · 16.9 k", "512×28×28 · 132 k", "1024×14×14 · 526 k", "2048×7×7 · 2.10 M",
    ]  # fmt: skip
