"""Proofs by linear combination: what follows holds at every point, and what is known to follow is found."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import Dim, Range, Size, evaluate, symbol
from archdsl.dims.budget import Budget, Exhausted
from archdsl.dims.facts import NOTHING, Facts, relation
from archdsl.dims.linear import Multipliers, _is_proof, follows
from archdsl.dims.relaxation import is_certain

from .expressions import examples, on_numbers, on_sizes, texts

X, Y = symbol("X"), symbol("Y")


def known(*sizes: Size) -> list[Dim]:
    return [size for size in sizes if isinstance(size, Dim)]


FOLLOWS = [
    (X + Y, [X, Y]),
    (3 * X + 2 * Y - 5, [X - 1, Y - 1]),
    (X - Y, [X - 7, 7 - Y]),
    (3 * X, [4 * X + 1]),  # above -1, and an integer
    (X * Y, [X * Y - X, X]),
    (-X, [X - 2, 1 - X]),  # there are no such values
    (5 * Y - 3, [X - Y - 1, Y - X]),
]


@pytest.mark.parametrize(("target", "facts"), FOLLOWS)
def test_what_follows_is_proved(target: Dim, facts: list[Size]) -> None:
    assert follows(target, known(*facts), Budget())


DOES_NOT_FOLLOW = [
    (X - Y, [X, Y]),
    (2 * X, [2 * X + 2]),  # X may be -1
    (X - 1, [X]),
    (X * Y, [X, Y]),  # each monomial counts as a variable of its own
    (-X, [X]),
    (X, []),
]


@pytest.mark.parametrize(("target", "facts"), DOES_NOT_FOLLOW)
def test_what_does_not_follow_is_not_proved(target: Dim, facts: list[Size]) -> None:
    assert not follows(target, known(*facts), Budget())


@st.composite
def linear(draw: st.DrawFn) -> Size:
    a, b, c = (draw(st.integers(-3, 3)) for _ in range(3))
    return a * X + b * Y + c


@examples(300)
@given(linear(), st.lists(linear(), max_size=5))
def test_what_is_proved_holds_at_every_point(target: Size, facts: list[Size]) -> None:
    if not isinstance(target, Dim) or not follows(target, known(*facts), Budget()):
        return
    for x, y in product(range(-9, 10), repeat=2):
        point = {"X": x, "Y": y}
        if all(evaluate(size, point) >= 0 for size in known(*facts)):
            assert evaluate(target, point) >= 0, point


def test_a_combination_is_computed_anew() -> None:
    """What the search hands over does not count unless it adds up."""
    facts = known(X - 1, Y - 1)
    assert _is_proof(X + Y - 2, facts, Multipliers({0: 1, 1: 1}, 1))  # type: ignore[arg-type]
    assert _is_proof(2 * X - 2, facts, Multipliers({0: 4}, 2))  # type: ignore[arg-type]
    for wrong in ({0: 1}, {0: 2, 1: 1}, {0: 1, 1: 1, 2: 1}):
        if max(wrong) < len(facts):
            assert not _is_proof(X + Y - 2, facts, Multipliers(wrong, 1))  # type: ignore[arg-type]
    assert not _is_proof(X + Y - 3, facts, Multipliers({0: 1, 1: 1}, 1))  # type: ignore[arg-type]
    assert not _is_proof(-X, facts, Multipliers({0: -1}, 1))  # type: ignore[arg-type]
    assert not _is_proof(X - 1, facts, Multipliers({0: 1}, -1))  # type: ignore[arg-type]
    assert not _is_proof(X, known(X, -X), Multipliers({0: 1, 1: 1}, 0))  # type: ignore[arg-type]
    assert _is_proof(X, known(X - 1, -X), Multipliers({0: 1, 1: 1}, 0))  # type: ignore[arg-type]


def test_work_is_charged() -> None:
    with pytest.raises(Exhausted):
        follows(X + 3 * Y - 4, known(X - Y, Y - 1), Budget(1))  # type: ignore[arg-type]
    size = on_sizes("H - H // W")
    budget = Budget(10)
    assert isinstance(size, Dim)
    assert not is_certain(size, NOTHING, budget)
    assert 0 <= budget.left <= 10


CERTAIN = [
    "H - H // W",
    "W - 1 - H % W",
    "(H + C) // W - H // W - C // W",
    "H // W - H // (W + C)",
    "C * H - (C // W) * (H // W) * W ** 2",
    "(H * C) // W - C * (H // W)",
    "max(H, W) - (H + W) // 2",
    "max(H - W + 1, 0) - H // W",
    "H * W - H - W + 1",
    "1 - (H // W) * (W // H)",
]


@pytest.mark.parametrize("text", CERTAIN)
def test_bounds_on_floors_prove(text: str) -> None:
    size = on_sizes(text)
    assert isinstance(size, Dim)
    assert is_certain(size, NOTHING, Budget())
    assert not is_certain(size - 100 * on_sizes("H"), NOTHING, Budget())  # type: ignore[arg-type]


def test_facts_are_used() -> None:
    H, W, C = (symbol(name) for name in "HWC")
    assert not is_certain(H - 5, NOTHING, Budget())  # type: ignore[arg-type]
    assert is_certain(H - 5, Facts({"H": Range(lo=5)}), Budget())  # type: ignore[arg-type]
    assert is_certain(9 - H * 1, Facts({"H": Range(hi=9)}), Budget())  # type: ignore[arg-type]
    assert not is_certain(8 - H * 1, Facts({"H": Range(hi=9)}), Budget())  # type: ignore[arg-type]
    above = relation(H - W, ">=")
    assert not isinstance(above, bool)
    assert is_certain(H * C - W * C, Facts(relations=(above,)), Budget())  # type: ignore[arg-type]
    equal = relation(H - 2 * W, "==")
    assert not isinstance(equal, bool)
    for size in (H - 2 * W, 2 * W - H):
        assert is_certain(size, Facts(relations=(equal,)), Budget())  # type: ignore[arg-type]
    assert is_certain(H // 4 * 4 - H, Facts({"H": Range(4, frozenset({0}), 4)}), Budget())  # type: ignore[arg-type]


@examples(150, long_factor=60)
@given(texts(["H", "W"], 3, maxima=True, symbolic_divisors=True))
def test_what_is_certain_is_so_by_brute_force(text: str) -> None:
    size = on_sizes(text)
    if not isinstance(size, Dim) or not is_certain(size, NOTHING, Budget()):
        return
    value = on_numbers(text, ["H", "W"])
    for h, w in product(range(1, 20), repeat=2):
        assert value(H=h, W=w) >= 0, (h, w)
