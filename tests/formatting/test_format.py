"""The layout: comments kept, the tree unchanged, idempotent; and what it looks like."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.formatting import format_source
from archdsl.source import Source
from archdsl.syntax.parse import comments_of, parse
from tests.formatting.drawn import Draw, respaced

ROOT = Path(__file__).parents[2]
SPECS = sorted([*ROOT.glob("specs/**/*.arch"), *ROOT.glob("examples/**/*.arch")])


def formatted(text: str) -> str:
    result = format_source(Source("<test>", text))
    assert isinstance(result, str), [(d.message, str(d.span)) for d in result]
    return result


def meaning(text: str) -> str:
    file, problems = parse(Source("<test>", text))
    assert not problems
    return repr(file.definitions)


def words_of_comments(text: str) -> list[str]:
    return sorted(word for comment in comments_of(Source("<test>", text)) for word in comment.text.split())


def holds(text: str) -> str:
    """What must be true of the layout of any text."""
    once = formatted(text)
    assert meaning(once) == meaning(text)
    assert words_of_comments(once) == words_of_comments(text)
    assert formatted(once) == once
    assert not any(line != line.rstrip() for line in once.splitlines())
    assert "\n\n\n" not in once
    return once


@pytest.mark.parametrize("path", SPECS, ids=lambda p: str(p.relative_to(ROOT)))
def test_shipped_specs_are_laid_out(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text, "run: archdsl fmt specs examples"


@given(st.integers(0, 2**64))
@settings(max_examples=150)
def test_drawn_specs(seed: int) -> None:
    holds(Draw(Random(seed)).spec())


@given(st.integers(0, 2**64), st.sampled_from(SPECS))
@settings(max_examples=40)
def test_shipped_specs_in_other_spacings(seed: int, path: Path) -> None:
    holds(respaced(path.read_text(encoding="utf-8"), Random(seed)))


@given(st.integers(0, 2**64))
@settings(max_examples=100)
def test_drawn_specs_in_other_spacings(seed: int) -> None:
    holds(respaced(Draw(Random(seed)).spec(), Random(seed)))


def test_a_deep_text_needs_no_deep_stack() -> None:
    for text in (
        "let a = " + "-" * 5000 + "1",
        "let a = " + " ** ".join(["2"] * 5000),
        "block A { " + "if 1 == 1 { relu } else " * 2000 + "{ tanh } }",
    ):
        once = formatted(text)
        assert formatted(once) == once


LOOKS = {
    "spaces": (
        "model  A( n=1,m )  {input  x:[N,3,H]\n y:f( a,b = 2 )->relu  as z:[ N ]\n"
        "let k=[ 1,-2 ** 3,0 .. n ]\noutput y}",
        "model A(n = 1, m) {\n  input x: [N, 3, H]\n  y: f(a, b=2) -> relu as z: [N]\n"
        "  let k = [1, -2 ** 3, 0..n]\n  output y\n}\n",
    ),
    "a body on one line stays on it": ("block A { a; b }", "block A { a; b }\n"),
    "a body on several lines stays so": ("block A { a\n b }", "block A {\n  a\n  b\n}\n"),
    "short statements stay together": ("block A {\n a; b\n\n\n c\n}", "block A {\n  a; b\n\n  c\n}\n"),
    "branches are alike": (
        "block A {\n if a { b } else {\n c\n }\n}",
        "block A {\n  if a {\n    b\n  } else {\n    c\n  }\n}\n",
    ),
    "a chain keeps its lines, with the arrow at their start": (
        "block A {\n a -> b ->\n c\n}",
        "block A {\n  a -> b\n    -> c\n}\n",
    ),
    "a table keeps its rows": (
        "let t = [\n [1, 2],[3, 4],\n   [5, 6]\n]",
        "let t = [\n  [1, 2], [3, 4],\n  [5, 6],\n]\n",
    ),
    "a list of numbers is filled": (
        f"let t = [{', '.join(['100'] * 40)}]",
        "let t = [\n"
        + "  " + ", ".join(["100"] * 23) + ",\n"
        + "  " + ", ".join(["100"] * 17) + ",\n]\n",
    ),
    "comments stay where they are": (
        "# top\nblock A { # open\n  a  # one\n   b # two\n\n #  why\n c\n # end\n}",
        "# top\nblock A {  # open\n  a  # one\n  b  # two\n\n  #  why\n  c\n  # end\n}\n",
    ),
    "comments in one column stay in one": (
        "block A {\n  a        # one\n  b -> c   # two\n  d # three\n}",
        "block A {\n  a       # one\n  b -> c  # two\n  d  # three\n}\n",
    ),
    "definitions of several lines stand apart": (
        "arch 1\nblock A {\n a\n}\n## b\nblock B { b }\nblock C { c }",
        "arch 1\n\nblock A {\n  a\n}\n\n## b\nblock B { b }\nblock C { c }\n",
    ),
    "a long call": (
        f"let x = f({'a' * 60}=1, {'b' * 60}=2)",
        f"let x = f(\n  {'a' * 60}=1,\n  {'b' * 60}=2,\n)\n",
    ),
    "a long chain": (
        f"block A {{\n {'a' * 60} -> {'b' * 60}\n}}",
        f"block A {{\n  {'a' * 60}\n    -> {'b' * 60}\n}}\n",
    ),
    "a body at the end of a chain breaks before the chain does": (
        f"block A {{\n {'a' * 50} -> concat {{ {'b' * 50}; {'c' * 50} }}\n}}",
        f"block A {{\n  {'a' * 50} -> concat {{\n    {'b' * 50}\n    {'c' * 50}\n  }}\n}}\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), LOOKS.values(), ids=LOOKS)
def test_looks(before: str, after: str) -> None:
    assert holds(before) == after
