"""Arguments of every kind: what is none of the kind is refused, with what is expected and what was found."""

from __future__ import annotations

import pytest

from archdsl.checks.report import check
from archdsl.compiler import from_text
from archdsl.diagnostics.render import render

SIZES = "a size, or a list with one for each axis"
PADS = 'an integer at least 0, a list with that or [before, after] for each axis, or "same"'
MODES = '"nearest" or "linear" or "bilinear" or "bicubic" or "trilinear"'
FILLS = '"constant" or "reflect" or "replicate" or "circular"'

WRONG = [
    ("conv(0, 3)", "a size (an integer, at least 1), got 0"),
    ("conv(true, 3)", "a size (an integer, at least 1), got true"),
    ("conv(8, 2.5)", f"{SIZES}, got 2.5"),
    ("conv(8, [])", f"{SIZES}, got []"),
    ('conv(8, ["a", 1])', 'a size (an integer, at least 1), got "a"'),
    ("adaptive_avgpool(H)", "an integer at least 1, or a list with one for each axis, got H"),
    ("adaptive_avgpool([2, H])", "a known integer, at least 1, got H"),
    ("roll(axis=2, by=0.5)", "an integer, got 0.5"),
    ("conv(8, 3, pad=-1)", f"{PADS}, got -1"),
    ('conv(8, 3, pad="some")', f'{PADS}, got "some"'),
    ("conv(8, 3, pad=[[1, 2, 3], 1])", f"{PADS}, got [[1, 2, 3], 1]"),
    ("conv(8, 3, pad=[[1, -1], 1])", f"{PADS}, got [[1, -1], 1]"),
    ("softmax(axis=1.0)", "an axis (an integer; -1 is the last), got 1.0"),
    ("softmax(axis=true)", "an axis (an integer; -1 is the last), got true"),
    ("layernorm(axis=[])", "an axis, or a list of axes, got []"),
    ("layernorm(axis=[1, 0.5])", "an axis (an integer; -1 is the last), got 0.5"),
    ("dropout(true)", "a probability (0 to 1), got true"),
    ("dropout(1.5)", "a probability (0 to 1), got 1.5"),
    ("dropout(-0.5)", "a probability (0 to 1), got -0.5"),
    ("batchnorm(eps=-1)", "a number, at least 0, got -1"),
    ('clamp(min="a")', 'a number, got "a"'),
    ('maximum(it, "a")', 'a number or a value, got "a"'),
    ("maximum(it, relu)", "a number or a value, got the layer `relu`"),
    ('conv(8, 3, bias="no")', 'true or false, got "no"'),
    ("rearrange(3)", "a string, got 3"),
    ('gelu("fast")', '"none" or "tanh", got "fast"'),
    ('resize("area", scale=2)', f'{MODES}, got "area"'),
    ('pad(axis=2, before=1, mode="zero")', f'{FILLS}, got "zero"'),
    ("conv(8, 3, init=3)", "an initial value such as `zeros` or `normal(std=0.01)`, got 3"),
]


def said(statement: str) -> str:
    text = f"arch 1\nmodel M {{\n  input x: [N, 4, H, W]\n  {statement}\n  output y\n}}\n"
    return render(check(from_text(text)).diagnostics)


@pytest.mark.parametrize(("statement", "reason"), WRONG)
def test_what_is_of_another_kind_is_refused(statement: str, reason: str) -> None:
    title, _, rest = said(statement).partition("\n")
    assert title.startswith("error[A0206]: invalid `")
    assert title.endswith(f": expected {reason}")
    assert " --> <spec>:4:" in rest


@pytest.mark.parametrize(
    "statement",
    [
        "c: conv(H, [3, W])",
        'c: conv(8, 3, pad="same")',
        "c: conv(8, 3, pad=[[1, 0], 1])",
        "c: conv(8, 3, init=zeros)",
        "adaptive_avgpool([2, 3])",
        "roll(axis=2, by=-3)",
        "softmax(axis=-1)",
        "n: layernorm(axis=[1, 2, 3])  # allow: input-axis",
        *("dropout(0)", "dropout(1)", "clamp(min=0, max=1.5)", "maximum(it, 2)", "maximum(it, x)", 'gelu("tanh")'),
        'resize("bilinear", scale=2)',
        'pad(axis=2, before=1, mode="circular")',
    ],
)
def test_what_is_of_the_kind_is_taken(statement: str) -> None:
    assert "error" not in said(statement)
