"""``archdsl summary`` and ``archdsl compare``."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from archdsl.cli import tables
from archdsl.cli.number_format import exact, in_bytes, short
from archdsl.dims import symbol


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
    assert "36,864 * H * W" in ran.out
    assert "Costs for N = 1, as polynomials in H and W." in ran.out


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
    assert "102,400 * H * W" in out
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
    assert in_bytes(4 * height) == "4 * H B"
    assert in_bytes(4 * height + 8) == "(4 * H + 8) B"


def test_no_torch_and_no_rich_where_none_is_needed() -> None:
    code = (
        "import sys; from archdsl.cli import main; main(['summary', 'lenet5', '--format', 'json']);"
        "sys.exit(' '.join({'torch', 'rich', 'onnx', 'numpy', 'sympy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.startswith("{")
    assert ran.stderr.strip() == ""
