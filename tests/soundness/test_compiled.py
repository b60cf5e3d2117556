"""What ``check`` accepts compiles, runs and has an ONNX file: a share of the long run, and what it found."""

from __future__ import annotations

from random import Random

import pytest
import torch

from archdsl.checks.report import check
from archdsl.compiler import from_text

from .compiled import Outcome, judge, one
from .grown import Tally

SPECS = 40

torch.set_num_threads(1)


def spec(*lines: str, shape: str = "[N, 4, 8, 8]") -> str:
    return "\n".join(
        ["arch 1", "model M {", f"  input x: {shape}", *(f"  {line}" for line in lines), "  output y", "}", ""]
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("group", range(4))
def test_specs_that_are_accepted_go_through(group: int) -> None:
    tally, outcome = Tally(), Outcome()
    faults = [one(0, number, tally, outcome) for number in range(group, SPECS, 4)]
    assert [fault for fault in faults if fault is not None] == []
    assert outcome.counts["specs"] == len(faults)
    assert outcome.counts["ONNX equal"] >= len(faults) // 2


FITS = (
    spec("param p: [] = constant(-1)", "it * p"),
    spec("param p: [] = normal(0.02)", "it + p"),
    spec("param p: [4, 1, 1] = constant(-1)", "it + p"),
    spec("param p: [] = zeros", "param q: [] = ones", "p + it * q"),
    spec("c: conv(4, 1, init=kaiming_normal, bias_init=constant(3))"),
    spec("c: conv(4, 1, init=trunc_normal(0.02, low=-0.04, high=0.04))"),
    spec("param p: [8, 8] = xavier_uniform", "it + p"),
    spec("param p: [8] = uniform(1e38)", "it * 0.0 + p"),
    spec("let m: none", "m"),
    spec("let m: none", "add { m; { it * 2.0 -> m } }"),
    spec("let m: [none, none]", "m[0] -> m[1]"),
    spec("let f = none", "let m: f", "c: conv(4, 1) -> m"),
    spec("n: layernorm(axis=[-2, -1], affine=false)", shape="[N, 4, T]"),
    spec("buffer b: [8] = [0.5 * k for k in 0..8] -> { it as half; sin } -> it + 1", "it + b"),
    spec("buffer b: [2] = [1.0, 2.0] -> exp", "let m: sin", "m", "it + b[0]"),
    spec("buffer b: [8] = [0.5 * k for k in 0..8] -> { it as half; sin } -> it + 1", "it + b"),
    spec("buffer b: [2] = [1.0, 2.0] -> k: exp", "let m: sin", "m", "it + b[0]"),
    spec("let m: [none, conv(4, 1)]", "m[0] -> m[1]"),
    spec("it.shape[0] == it"),
    spec("it.shape[2] != 1.0 * it", shape="[N, 4, H, W]"),
    spec("let v = it.shape[0] == ([it, x] -> add)", "l: {", "}"),
    spec("c: conv(4, 3, pad=1)", "it[:, :, it.shape[2] // 2:]", shape="[N, 4, H, W]"),
    spec("c: conv(4, 3, pad=1)", "it[:, :, 1:it.shape[2], it.shape[3] - 1:]", shape="[N, 4, H, W]"),
    spec("1.5 // floor(it)"),
    spec("it // (it * 0.0)"),
    spec("it // 2.0"),
    spec("p: prelu", shape="[]"),
    spec('reduce("n c h w -> ", "mean") as m', "{ p: prelu } -> it * x"),
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", FITS)
def test_it_fits(text: str) -> None:
    outcome = Outcome()
    judge(text, outcome, Random(0))
    assert outcome.counts["ONNX equal"] == 1


REFUSED = {
    "param p: [4] = kaiming_normal; it + p": "needs the fan-in of the weight",
    "param p: [] = xavier_uniform; it + p": "needs the fan-in of the weight",
    "c: conv(4, 1, bias_init=kaiming_uniform)": "needs the fan-in of the weight",
    "b: batchnorm(init=xavier_normal)": "needs the fan-in of the weight",
    "p: prelu(init=kaiming_normal)": "needs the fan-in of the weight",
    "c: conv(4, 1, init=trunc_normal(0))": "`std` must be greater than 0",
    "c: conv(4, 1, init=trunc_normal(1.0, low=2, high=1))": "`low` must be less than `high`",
    "c: conv(4, 1, init=trunc_normal(1.0, low=1, high=1))": "`low` must be less than `high`",
    "c: conv(4, 1, init=constant(1e39))": "is too large for float32",
    "c: conv(4, 1, init=constant(2 ** 63))": "more than 64 bits",
    "c: conv(4, 1, init=normal(-1e50))": "is too large for float32",
    "c: conv(4, 1, init=uniform(3e38))": "half of the largest float32",
    "c: conv(4, 1, init=kaiming_normal(slope=1e50))": "is too large for float32",
    "buffer b: [8] = [1.0] * [k for k in 0..8] -> k: { sin }; it + b": "a module is not allowed here",
    "buffer b: [2] = [1.0, 2.0] -> k: seq { sin }; it + b[0]": "a module is not allowed here",
    "let m: conv(4, 1); m; let k: m; k": "a second declaration of the same module",
    "let m: conv(4, 1); m; let k: [m, m]; k[0]": "a second declaration of the same module",
}


@pytest.mark.parametrize(
    "merge", ["concat(axis=-1) { it; it }", "concat { it; it * 2.0 }", "[it, it] -> concat(axis=-1)"]
)
def test_single_numbers_cannot_be_joined_along_an_axis(merge: str) -> None:
    report = check(from_text(spec(merge, shape="[]")))
    assert [d.severity for d in report.diagnostics] == ["error"]


@pytest.mark.parametrize("statements", REFUSED)
def test_it_is_refused(statements: str) -> None:
    errors = [d for d in check(from_text(spec(statements))).diagnostics if d.severity == "error"]
    assert len(errors) == 1
    assert REFUSED[statements] in errors[0].message
