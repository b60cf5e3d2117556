"""Lints: shipped specs are clean, or say why they are not; a comment switches one off."""

from __future__ import annotations

import pytest

from archdsl.checks.report import check
from archdsl.compiler import Spec, from_text, open_spec, shipped_specs


@pytest.mark.parametrize("path", shipped_specs(), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_shipped_specs_are_clean_or_say_why(path) -> None:
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    assert [f"{d.code} {d.span}" for d in check(spec).diagnostics] == []


LAYERS = "conv1: conv(8, 3) -> bn1: batchnorm"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}\n  output y }}", ["A0411"]),
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}  # allow: bias-before-norm\n  output y }}", []),
        ("model M {{ input x: [N, 3, 8, 8]\n  # allow: bias-before-norm (as published)\n  {0}\n  output y }}", []),
        ("# allow: bias-before-norm\nmodel M {{ input x: [N, 3, 8, 8]\n  {0}\n  output y }}", []),
        ("## A model.\n# allow: unused, bias-before-norm\nmodel M {{ input x: [N, 3, 8, 8]\n  {0}\n  output y }}", []),
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}\n  relu  # allow: bias-before-norm\n  output y }}", ["A0411"]),
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}  # allow: rows-lost\n  output y }}", ["A0411"]),
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}  # allow: bias-before\n  output y }}", ["A0411", "A0410"]),
    ],
)
def test_a_comment_switches_a_lint_off_where_it_stands(text: str, found: list[str]) -> None:
    assert [d.code for d in check(from_text(text.format(LAYERS))).diagnostics] == found


@pytest.mark.parametrize(
    "body",
    [
        "conv1: conv(8, 3) as low\n  bn1: batchnorm\n  low + it",  # the bias is read elsewhere
        "conv1: conv(8, 3, stride=2, pad=1)",  # only padding is left over
        "conv1: conv(8, 1, stride=2)",  # gaps are meant
        "residual { conv1: conv(8, 3, pad=1) } shortcut { project: conv(8, 1) }",  # the shape changes
        "conv1: conv(8, 3) -> dropout -> conv2: conv(8, 3) -> norm: layernorm(axis=1)",
        "global_avgpool -> flatten -> head: linear(10)",
    ],
)
def test_what_is_meant_is_not_raised(body: str) -> None:
    report = check(from_text(f"model M {{ input x: [N, 3, 8, 8]\n  {body}\n  output y }}"))
    assert report.diagnostics == ()


def test_warnings_are_no_errors() -> None:
    report = check(from_text(f"model M {{ input x: [N, 3, 8, 8]\n  {LAYERS}\n  output y }}"))
    assert report.ok
    (lint,) = report.diagnostics
    assert lint.notes == (
        "see Ioffe & Szegedy, Batch Normalization (2015), section 3.2",
        "to keep it, say why: `# allow: bias-before-norm`",
    )
