"""From DOT to files: whichever renderer there is, and an error that says what to install where there is none."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from archdsl.diagnostics.diagrams import CannotRender, NoPdf, NoRenderer, UnknownPictureFormat
from archdsl.emit.diagram import Diagram, diagram
from archdsl.emit.diagram import render as rendering
from archdsl.errors import SpecError
from tests.emit.diagram.pictures import TOWERS, network, read


@pytest.fixture(scope="module")
def towers() -> Diagram:
    return diagram(network(TOWERS, "Towers"))


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A path on which there is nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, no_dot: None) -> None:
    monkeypatch.setattr(rendering, "pure_dot", lambda: None)


def test_it_works_with_no_dot_on_the_path(towers: Diagram, no_dot: None) -> None:
    assert rendering.system_dot() is None
    assert read(towers.svg()).of("node")
    assert towers.png(dpi=72).startswith(b"\x89PNG")


def test_a_png_is_fit_for_print(towers: Diagram) -> None:
    from struct import unpack

    across, down = unpack(">II", towers.png()[16:24])
    page = read(towers.svg())
    assert across == pytest.approx(page.width * 300 / 72, rel=0.02)
    assert down == pytest.approx(page.height * 300 / 72, rel=0.02)


def test_the_wheel_draws_pngs_first_and_dot_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "system_dot", lambda: Path("dot"))
    monkeypatch.setattr(rendering, "pure_dot", lambda: Path("graphviz-pure"))
    assert [p.name for p in rendering.renderers("png")] == ["graphviz-pure", "dot"]
    assert [p.name for p in rendering.renderers("svg")] == ["dot", "graphviz-pure"]


def test_a_pdf_without_dot_is_made_from_the_svg(towers: Diagram, no_dot: None) -> None:
    pytest.importorskip("svglib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert towers.pdf().startswith(b"%PDF")


def test_a_pdf_by_dot(towers: Diagram) -> None:
    if rendering.system_dot() is None:
        pytest.skip("Graphviz's dot is not installed")
    assert towers.pdf().startswith(b"%PDF")


def test_a_pdf_with_neither_says_what_to_install(
    towers: Diagram, no_dot: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "svglib.svglib", None)
    with pytest.raises(SpecError) as caught:
        towers.pdf()
    assert isinstance(caught.value.diagnostics[0], NoPdf)
    assert "archdsl[pdf]" in str(caught.value)


def test_no_renderer_at_all(towers: Diagram, nothing: None) -> None:
    with pytest.raises(SpecError) as caught:
        towers.svg()
    assert isinstance(caught.value.diagnostics[0], NoRenderer)
    assert "graphviz-pure" in str(caught.value)


def test_a_renderer_that_complains_is_passed_over(
    towers: Diagram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bad = tmp_path / "dot"
    bad.write_text("#!/bin/sh\necho 'Warning: node conv, size too small for label' >&2\necho '<svg/>'\n")
    bad.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert isinstance(rendering.run(bad, towers.dot, "svg"), CannotRender)
    assert read(towers.svg()).of("node")


def test_where_all_complain_the_first_complaint_is_told(
    towers: Diagram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rendering, "renderers", lambda format: [Path("/bin/false"), tmp_path / "missing"])
    with pytest.raises(SpecError) as caught:
        towers.svg()
    (found,) = caught.value.diagnostics
    assert isinstance(found, CannotRender)
    assert found.renderer == "false"


@pytest.mark.parametrize("line", ["Warning: Warning: no value for width of non-ASCII character 195. Falling back to x"])
def test_only_the_harmless_warning_is_ignored(line: str, towers: Diagram, tmp_path: Path) -> None:
    loud = tmp_path / "loud"
    loud.write_text(f"#!/bin/sh\necho '{line}' >&2\necho '<svg/>'\n")
    loud.chmod(0o755)
    assert isinstance(rendering.run(loud, towers.dot, "svg"), CannotRender)


# ---- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("dot", b"digraph")])
def test_a_file_is_written_whole(towers: Diagram, tmp_path: Path, ending: str, begins: bytes) -> None:
    path = towers.save(tmp_path / f"new folder/towers.{ending}")
    assert path.read_bytes().startswith(begins)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_file_that_cannot_be_drawn_is_not_touched(towers: Diagram, tmp_path: Path, nothing: None) -> None:
    path = tmp_path / "towers.svg"
    path.write_text("before")
    with pytest.raises(SpecError):
        towers.save(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["towers", "towers.jpg", "towers.svg.bak"])
def test_an_ending_that_says_no_format(towers: Diagram, tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError) as caught:
        towers.save(tmp_path / name)
    assert isinstance(caught.value.diagnostics[0], UnknownPictureFormat)
    assert not list(tmp_path.iterdir())


def test_a_notebook_shows_the_picture(towers: Diagram) -> None:
    bundle = towers._repr_mimebundle_()
    assert bundle["image/svg+xml"] == towers._repr_svg_() == towers.svg()
    assert bundle["text/plain"].startswith("<diagram of Towers.")


def test_drawing_needs_neither_torch_nor_onnx() -> None:
    program = """
import sys
from archdsl.model import load
load("lenet5").diagram().svg()
assert not {"torch", "onnx", "numpy", "matplotlib", "reportlab"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
