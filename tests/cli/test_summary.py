"""``archdsl summary`` and ``archdsl compare``."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.cli import tables
from archdsl.dims import Size, dmax, evaluate, symbol
from archdsl.views.numbers import exact, in_bytes, short


def test_the_table_and_the_totals(archdsl) -> None:
    ran = archdsl("summary", "resnet50")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "ResNet50: image [N, 3, 224, 224] -> logits [N, 1000]"
    assert "conv1: conv 7×7, 64, /2  [N, 64, 112, 112]       9,408   118 M   236 M       7       2  3.21 MB" in lines
    assert any(line.startswith("  1–5: Bottleneck ×5     [N, 1024, 14, 14]   1,117,184") for line in lines)
    assert "parameters  25,557,032 trainable, 53,173 in buffers" in lines
    assert "MACs        4,089,184,256 (4.09 G)" in lines
    assert "stored      102 MB float32 + 424 B int64" in lines
    assert "FLOPs: 2 for each MAC, 1 for each other elementary operation" in " ".join(lines)
    assert all(line == line.rstrip() for line in lines)


def test_rows_of_symbolic_size_are_polynomials_and_a_line_says_so(archdsl) -> None:
    ran = archdsl("summary", "Stacked3x3")
    assert "36.9 K·H·W" in ran.out
    assert "Costs are polynomials in H and W; --input Nx64x224x224 computes numbers.\n" in ran.out
    hint = re.search(r"--input (\S+)", ran.out)
    assert hint is not None
    numbers = archdsl("summary", "Stacked3x3", "--input", hint[1]).out
    assert "3,699,376,128 (3.70 G)" in numbers
    assert "polynomials" not in numbers


def test_a_symbolic_summary_fits_in_80_columns(archdsl, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its shapes: sizes are wrapped, and costs are shortened."""
    monkeypatch.setenv("COLUMNS", "80")
    ran = archdsl("summary", "unet", "--input", "Nx1xHxW", "--depth", "1")
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    heading = next(line for line in lines if line.startswith("layer")).split()
    assert heading == ["layer", "output", "params", "MACs"]
    down = next(line for line in lines if line.startswith("down1: Double"))
    assert "≈ 55.3 K·H·W - …" in down
    assert any("[N, 64, H//2-2, W//2-2]" in line for line in lines)
    assert "≈: division without rounding, …: terms of lower degree; --format json" in " ".join(lines)
    assert len(lines) < 100


def test_preconditions_are_told(archdsl, spec) -> None:
    path = spec("model M { input x: [N, 3, H, W]; a: conv(4, 7); output y }")
    assert "Preconditions: H and W must be at least 7." in archdsl("summary", path).out


def test_the_batch(archdsl) -> None:
    assert "Costs for N = 32." in archdsl("summary", "lenet5", "--batch", "32").out
    facts = json.loads(archdsl("summary", "lenet5", "--batch", "32", "--format", "json").out)
    assert facts["totals"]["macs"] == 32 * 416_520
    ran = archdsl("summary", "lenet5", "--batch-size", "32", "--input", "8x1x32x32")
    assert ran.code == 1
    assert "--batch-size is not possible" in ran.err


@pytest.mark.parametrize("wrong", [["--batch", "0"], ["--batch", "x"], ["--depth", "0"], ["--depth", "-1"],
                                   ["--sort", "size"], ["--optimizer", "lion"]])  # fmt: skip
def test_wrong_usage(archdsl, wrong: list[str]) -> None:
    ran = archdsl("summary", "lenet5", *wrong)
    assert (ran.code, ran.out) == (2, "")


def test_depth(archdsl) -> None:
    shallow = archdsl("summary", "resnet50", "--depth", "1").out
    assert "Bottleneck" not in shallow
    assert "1 of 4 levels: --depth 2 shows more." in shallow
    assert "downsample: seq" in archdsl("summary", "resnet50", "--depth", "99").out


def test_sort(archdsl) -> None:
    lines = archdsl("summary", "resnet50", "--sort", "macs", "--depth", "1").out.splitlines()
    order = [line.split(":")[0] for line in lines if ": seq" in line]
    assert order == ["layer3", "layer2", "layer4", "layer1"]


def test_the_optimizer(archdsl) -> None:
    assert "with adamw" in archdsl("summary", "lenet5").out
    text = " ".join(archdsl("summary", "lenet5", "--optimizer", "sgd").out.split())
    assert "530 KB with sgd: weights 247 KB + gradients 247 KB + optimizer 0 B + activations 36.4 KB" in text


def test_faults_are_diagnostics(archdsl, spec) -> None:
    ran = archdsl("summary", "no/such.arch")
    assert (ran.code, ran.out) == (1, "")
    assert "error[A0601]" in ran.err
    ran = archdsl("summary", spec("model M { input x: [N, 3, 8, 8]; c: conv(4, 9); output y }"))
    assert ran.code == 1
    assert "error[A0302]" in ran.err


def test_a_narrow_terminal_does_without_columns_and_says_so(archdsl, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (100, 80, 60, 40, 20):
        monkeypatch.setattr("archdsl.cli.summary_table.terminal_width", lambda width=width: width)
        out = archdsl("summary", "resnet50").out
        assert max(map(len, out.splitlines())) <= width
        assert ("too narrow for" in " ".join(out.split())) == (width < 100)


def test_compare(archdsl) -> None:
    ran = archdsl("compare", "InceptionNaive", "InceptionReduced")
    assert ran.code == 0
    first, second = ran.out.splitlines()[2:4]
    assert first.split()[:2] == ["InceptionNaive", "1,089,952"]
    assert second.split()[:6] == ["InceptionReduced", "346,720", "×0.318", "271", "M", "×0.318"]
    assert "ratio to InceptionNaive" in ran.out


def test_compare_symbolic_sizes(archdsl) -> None:
    out = archdsl("compare", "Single5x5", "Stacked3x3").out
    assert "102 K·H·W" in out
    assert "×0.72" in out
    facts = json.loads(archdsl("compare", "Single5x5", "Stacked3x3", "--format", "json").out)["networks"]
    assert facts[1]["ratios"]["macs"] == 0.72
    assert facts[1]["ratios"]["training_bytes"] is None  # depends on the size
    assert facts[1]["totals"]["macs"] == "73728 * H * W"


def test_compare_tells_inputs_that_differ(archdsl) -> None:
    assert "[N, 1, 32, 32]" in archdsl("compare", "lenet5", "resnet50").out
    assert "[N, 3, 224, 224]" not in archdsl("compare", "ResNet18", "resnet50").out


def test_compare_a_spec_with_itself_at_other_paths(archdsl, spec) -> None:
    text = "model M {{ input x: [N, 3, 8, 8]; c: conv({}, 1); output y }}"
    ran = archdsl("compare", spec(text.format(4), "a.arch"), spec(text.format(8), "b.arch"))
    assert "a.arch" in ran.out
    assert "b.arch" in ran.out
    assert "×2" in ran.out


def test_compare_tells_all_faults(archdsl) -> None:
    ran = archdsl("compare", "resnet50", "nix.arch", "nux.arch")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("error[A0601]") == 2
    assert archdsl("compare", "resnet50").code == 2


def test_compare_in_a_narrow_terminal(archdsl, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (90, 70, 50):
        monkeypatch.setattr(tables, "terminal_width", lambda width=width: width)
        out = archdsl("compare", "resnet50", "VGG16").out
        assert max(map(len, out.splitlines())) <= width
        assert "×5.41" in out


def test_figures() -> None:
    height = symbol("H")
    assert [short(n) for n in (0, 7, 999, 1000, 9_994, 9_995, 99_950, 999_499, 999_500, 4_089_184_256)] == [
        *("", "7", "999", "1.00 K", "9.99 K", "10.0 K", "100 K", "999 K", "1.00 M", "4.09 G")
    ]
    assert in_bytes(0) == "0 B"
    assert in_bytes(602_112) == "602 KB"
    assert exact(36_864 * height + 1234) == "36,864 * H + 1,234"
    assert in_bytes(4 * height) == "4 B·H"
    assert in_bytes(4 * height + 8) == "4 B·H + 8 B"


H, W = symbol("H"), symbol("W")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (H, "H"),
        (36_864 * H * W, "36.9 K·H·W"),
        (12 * H * H - 1_500_000, "12·H² - 1.50 M"),
        (H * H * H - W, "H³ - W"),
        (-H, "- H"),
        ((H + 1) // 2 * 8, "≈ 4·H + 4"),
        ((H // 8) * (W // 8), "≈ 0.0156·H·W"),
        (((H + 4) // 16) * 16 - 188, "≈ H - 184"),
        (dmax(H, 7), "max(H, 7)"),
        (H // W, "H//W"),
    ],
)
def test_a_symbolic_size_is_a_short_sum(size: Size, text: str) -> None:
    assert short(size) == text


def test_terms_that_do_not_fit_are_left_out() -> None:
    size = 37_440 * H * W - 148_608 * H - 148_608 * W + 592_128
    assert [short(size, room=room) for room in (5, 20, 30, 60)] == [
        "37.4 K·H·W - …",
        "37.4 K·H·W - …",
        "37.4 K·H·W - 149 K·H - …",
        "37.4 K·H·W - 149 K·H - 149 K·W + 592 K",
    ]


@given(st.integers(1, 3), st.lists(st.integers(-3, 3).filter(bool), min_size=1, max_size=6), st.integers(1, 9))
def test_a_short_size_is_near_the_size(power: int, coefficients: list[int], divisor: int) -> None:
    """For large sizes: the text is evaluated by Python, and divisions that are not rounded matter little."""
    terms = [c * H**power * W**i for i, c in enumerate(coefficients)]
    size = sum(terms[1:], terms[0]) // divisor
    text = short(size, room=1_000).replace("≈ ", "").replace("·", "*").replace("²", "**2").replace("³", "**3")
    text = re.sub(r"(\d) ([KMG])\b", lambda found: found[1] + {"K": "e3", "M": "e6", "G": "e9"}[found[2]], text)
    values = {"H": 100_003, "W": 70_001}
    exact_value = size if isinstance(size, int) else evaluate(size, values)
    assert eval(text.replace("^", "**"), {}, values) == pytest.approx(exact_value, rel=0.01, abs=2)


# ---- for other programs --------------------------------------------------------------------------------------


def flat(rows: list[dict]) -> list[dict]:
    return [found for row in rows for found in (row, *flat(row["children"]))]


def test_csv_has_the_numbers_of_json(archdsl) -> None:
    table = list(csv.DictReader(io.StringIO(archdsl("summary", "resnet18", "--format", "csv", "--depth", "9").out)))
    rows = flat(json.loads(archdsl("summary", "resnet18", "--format", "json").out)["rows"])
    assert len(table) == len(rows)
    for line, row in zip(table, rows, strict=True):
        assert (line["params"], line["macs"], line["times"]) == (
            str(row["params"]),
            str(row["macs"]),
            str(row["times"]),
        )
        assert line["path"] == (row["path"] or row["name"])
    table = list(csv.DictReader(io.StringIO(archdsl("compare", "lenet5", "alexnet", "--format", "csv").out)))
    networks = json.loads(archdsl("compare", "lenet5", "alexnet", "--format", "json").out)["networks"]
    assert [(line["model"], int(line["params"])) for line in table] == [
        (network["model"], network["totals"]["params"]) for network in networks
    ]


AWKWARD = "model M_1 {\n  input x_0: [N, 3, 8, 8]\n  a_b_: seq { conv_1: conv(4, 3) -> relu }\n  output y\n}\n"


def test_markdown_is_one_table_with_its_text_escaped(archdsl, spec) -> None:
    lines = archdsl("summary", spec(AWKWARD), "--format", "markdown").out.splitlines()
    assert lines[0].startswith("| layer")
    assert set(lines[1]) <= set("|:-")
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert any(line.startswith("| &emsp;conv\\_1: conv 3×3, 4 ") for line in lines)
    assert lines[-1].startswith("| total ")
    ran = archdsl("compare", "lenet5", "alexnet", "--format", "markdown")
    assert "×988" in ran.out


def test_latex_sets_the_tables(archdsl, spec, tmp_path: Path) -> None:
    tables = [
        archdsl("summary", spec(AWKWARD), "--format", "latex").out,
        archdsl("summary", "resnet18", "--format", "latex").out,
        archdsl("summary", "unet", "--input", "Nx1xHxW", "--depth", "1", "--format", "latex").out,
        archdsl("compare", "Single5x5", "Stacked3x3", "--format", "latex").out,
    ]
    assert all(table.startswith("\\begin{tabular}{l") and "\\toprule" in table for table in tables)
    assert "\\quad{}conv\\_1: conv 3$\\times$3, 4" in tables[0]
    assert "".join(tables).isascii()
    if shutil.which("pdflatex") is None:
        pytest.skip("there is no pdflatex")
    body = "\n\n".join(tables)
    (tmp_path / "doc.tex").write_text(
        f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}\n{body}\\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "doc.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout.decode(errors="replace")[-2_000:]


def test_no_torch_and_no_rich_where_none_is_needed() -> None:
    code = (
        "import sys; from archdsl.cli import main; main(['summary', 'lenet5', '--format', 'json']);"
        "sys.exit(' '.join({'torch', 'rich', 'onnx', 'numpy', 'sympy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.startswith("{")
    assert ran.stderr.strip() == ""
