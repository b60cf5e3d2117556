"""A layer whose result is unused, in a statement whose name nobody reads: one fault is reported once."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.checks.report import check
from archdsl.compiler import Spec, from_text, open_spec
from archdsl.diagnostics.base import Diagnostic

CLOSED = "input x: [N, 8, 8, 8]\n  {}\n  x -> relu\n  output y"


def reported(found: tuple[Diagnostic, ...]) -> list[tuple[str, str]]:
    return [(d.code, d.span.text) for d in found if d.span]


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ("tanh as low", [("A0211", "low")]),  # both begin at the same place
        ("c: conv(8, 3) as low", [("A0211", "low")]),
        ("let low = sin(x)", [("A0211", "low")]),  # both end at the same place
        ("let low = 1 + sin(x) * 2", [("A0211", "low")]),
        ("let a = sin(x)\n  let b = cos(x)", [("A0211", "a"), ("A0211", "b")]),
        ("x -> c: conv(8, 3)", [("A0223", "conv(8, 3)")]),
        ("x -> c: conv(8, 3)\n  let b = cos(x)", [("A0223", "conv(8, 3)"), ("A0211", "b")]),
        ("let b = 3\n  x -> c: conv(8, 3)", [("A0211", "b"), ("A0223", "conv(8, 3)")]),
    ],
)
def test_told_once(statements: str, found: list[tuple[str, str]]) -> None:
    text = "arch 1\nmodel M {\n  " + CLOSED.format(statements) + "\n}\n"
    assert reported(check(from_text(text)).diagnostics) == found


def test_a_statement_of_another_file_is_another(tmp_path: Path) -> None:
    """The layer's place in its file lies within that of the unread statement in this one."""
    used = f"arch 1\n# {'-' * 60}\nblock B {{\n  input x: [N, 8, H, W]\n  sin(x) as _\n  x -> relu\n}}\n"
    (tmp_path / "b.arch").write_text(used)
    statement = f"let low = {' + '.join(['10000000'] * 20)}"
    text = f'arch 1\nuse B from "b.arch"\nmodel M {{\n  input x: [N, 8, 8, 8]\n  {statement}\n  b: B\n  output y\n}}\n'
    (tmp_path / "m.arch").write_text(text)
    spec = open_spec(str(tmp_path / "m.arch"))
    assert isinstance(spec, Spec)
    assert text.index(statement) < used.index("sin(x)") < text.index(statement) + len(statement) - len("sin(x)")
    assert sorted(reported(check(spec).diagnostics)) == [("A0211", "low"), ("A0223", "sin(x)")]
