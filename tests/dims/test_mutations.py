"""The theorems are guarded: where one is got wrong, brute force finds a wrong verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archdsl.dims import profile as profiles
from archdsl.dims.decide import decide
from archdsl.dims.facts import Sign, difference

from .brute_force import check
from .expressions import on_numbers, on_sizes

QUESTIONS = [
    (["H"], "H * (H + 1) // 2 % 2", "0"),
    (["H"], "(H * H + H) // 4 * 4", "H * H + H"),
    (["H"], "(H * (H + 1) * (H + 2) // 6) % 3", "H % 3"),
    (["H"], "H * H // 2 + H // 2", "(H * H + H) // 2"),
    (["H"], "4 * (H // 4)", "H - H % 2"),
    (["H"], "H // 6 * 6", "H // 2 * 2"),
    (["H"], "(H + 3) // 4", "(H + 1) // 2"),
    (["H"], "H * H", "3 * H - 2"),
    (["H"], "H * H * H", "6 * H * H - 11 * H + 6"),
    (["H", "W"], "(H - 1) * (H - 2) * (W - 1)", "0"),
    (["H", "W"], "(H * H * W // 2) * 2", "H * W * H"),
    (["H", "W"], "(H * (H - 1) // 2 * W) // 2 * 2", "H * (H - 1) // 2 * W"),
    (["H", "W"], "(H // 3) * (W // 2) * 6", "(H - H % 3) * W"),
    (["H"], "max(H - 3, 0) // 2 * 2", "max(H - 3, 0)"),
    (["H"], "(H * H) // 9 * 9 + H % 2", "H * H"),
]


def all_verdicts_are_so() -> None:
    """Raise `AssertionError` at a wrong verdict."""
    for names, a, b in QUESTIONS:
        for operator in ("==", ">="):
            sign: Sign = operator
            holds = on_numbers(f"({a}) {operator} ({b})", names)
            verdict = decide(*difference(on_sizes(a), sign, on_sizes(b)))
            check(verdict, lambda values, holds=holds: bool(holds(**values)), names)


def test_as_it_is() -> None:
    all_verdicts_are_so()


def half_the_period(right: Callable[..., Any]) -> Callable[..., Any]:
    def mutant(size: Any, name: str) -> Any:
        shape = right(size, name)
        return shape and shape._replace(period=max(1, shape.period // 2))

    return mutant


def one_value_less(right: Callable[..., int]) -> Callable[..., int]:
    return lambda period, degree: period * max(1, degree)


@pytest.mark.parametrize(
    ("name", "mutation"),
    [("profile", half_the_period), ("samples", one_value_less)],
)
def test_a_wrong_theorem_is_caught(monkeypatch: pytest.MonkeyPatch, name: str, mutation: Callable[[Any], Any]) -> None:
    from archdsl.dims import classes, identity, single

    mutant = mutation(getattr(profiles, name))
    for module in (profiles, classes, identity, single):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, mutant)
    with pytest.raises(AssertionError):
        all_verdicts_are_so()


def test_a_period_too_short_for_floors_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The period of a floor grows by the divisor, where nothing better is known."""
    right = profiles._floor_profile

    def mutant(atom: Any, name: str, known: Any) -> Any:
        shape = right(atom, name, known)
        return shape._replace(period=shape.period // 2) if shape.growth is None else shape

    monkeypatch.setattr(profiles, "_floor_profile", mutant)
    with pytest.raises(AssertionError):
        all_verdicts_are_so()


def test_a_growth_that_is_not_constant_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where the growth is constant may the period grow by less than the divisor."""
    right = profiles._monomial_profile

    def mutant(monomial: Any, name: str, known: Any) -> Any:
        shape = right(monomial, name, known)
        return shape._replace(growth=0) if shape.growth is None else shape

    monkeypatch.setattr(profiles, "_monomial_profile", mutant)
    with pytest.raises(AssertionError):
        all_verdicts_are_so()
