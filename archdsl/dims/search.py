"""Examples: small sizes, and a few large ones, at which a relation fails or holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from archdsl.dims.budget import Budget
from archdsl.dims.evaluate import column_where_defined, symbols, weight
from archdsl.dims.facts import Facts, Relation, satisfies
from archdsl.dims.ranges import Range, make_range
from archdsl.dims.verdict import Refuted, Values, Verdict, When

GRID = 2048
"""Points of the grid of small values."""
_FAR = (10, 100, 1_000, 100_000)


class Witnesses(NamedTuple):
    """Values at which a relation fails, and values at which it holds, each as small as could be found."""

    failing: Values | None
    holding: Values | None


def witnesses(fact: Relation, facts: Facts, budget: Budget, *, grid: int = GRID) -> Witnesses:
    """Look for an example of either kind among the values that the facts allow. Raises `Exhausted`."""
    names = sorted(_related(symbols(fact.size), facts))
    points = _points([facts.range_of(name) for name in names], grid)
    budget.spend(len(points) * weight(fact.size))
    columns = {name: [point[place] for point in points] for place, name in enumerate(names)}
    values = column_where_defined(fact.size, columns, len(points))
    allowed = _allowed(columns, len(points), facts, budget)
    failing = holding = None
    for place, value in enumerate(values):
        if value is None or not allowed[place]:
            continue
        if satisfies(value, fact.sign):
            holding = place if holding is None else holding
        else:
            failing = place if failing is None else failing
        if failing is not None and holding is not None:
            break
    return Witnesses(_values(names, points, failing), _values(names, points, holding))


def least(names: Iterable[str], facts: Facts) -> dict[str, int]:
    """The least value of each symbol."""
    return {name: facts.range_of(name).lo for name in sorted(names)}


def _related(names: frozenset[str], facts: Facts) -> frozenset[str]:
    """These symbols, and those that the facts relate to them, at first or at second hand."""
    while True:
        wider = names.union(*(symbols(known.size) for known in facts.about(names)))
        if wider == names:
            return names
        names = wider


def completed(verdict: Verdict, names: Iterable[str], facts: Facts) -> Verdict:
    """The verdict, with the least values of those symbols of which its example says nothing."""
    match verdict:
        case Refuted(example=example) | When(example=example):
            return replace(verdict, example={**least(names, facts), **example})
        case _:
            return verdict


def _values(names: list[str], points: list[tuple[int, ...]], place: int | None) -> dict[str, int] | None:
    return None if place is None else dict(zip(names, points[place], strict=True))


def _allowed(columns: Mapping[str, list[int]], count: int, facts: Facts, budget: Budget) -> list[bool]:
    """Which of the points the relations among the facts allow."""
    allowed = [True] * count
    for fact in facts.relations:
        if symbols(fact.size) <= columns.keys():
            budget.spend(count * weight(fact.size))
            values = column_where_defined(fact.size, columns, count)
            allowed = [
                before and value is not None and satisfies(value, fact.sign)
                for before, value in zip(allowed, values, strict=True)
            ]
    return allowed


def _points(ranges: list[Range], grid: int) -> list[tuple[int, ...]]:
    """Points to try, the small ones first."""
    side = int(grid ** (1 / len(ranges)))
    near = list(product(*(known.first(side) for known in ranges))) if side >= 3 else _star(ranges)
    return [*sorted(near, key=lambda point: (max(point), sum(point), point)), *_far(ranges)]


def _star(ranges: list[Range]) -> list[tuple[int, ...]]:
    """For many symbols: the diagonal, and the axes through the least point."""
    steps = [known.first(16) for known in ranges]
    origin = [values[0] for values in steps]
    points = {tuple(values[min(i, len(values) - 1)] for values in steps) for i in range(16)}
    for place, values in enumerate(steps):
        points |= {(*origin[:place], value, *origin[place + 1 :]) for value in values}
    return list(points)


def _far(ranges: list[Range]) -> list[tuple[int, ...]]:
    """Points of which one coordinate, or all, or all but one, are large."""
    origin = tuple(known.lo for known in ranges)
    points: dict[tuple[int, ...], None] = {}
    for distance in _FAR:
        far = tuple(_at_least(known, distance) for known in ranges)
        points[far] = None
        for place in range(len(ranges)):
            points[(*origin[:place], far[place], *origin[place + 1 :])] = None
            points[(*far[:place], origin[place], *far[place + 1 :])] = None
    return list(points)


def _at_least(known: Range, value: int) -> int:
    """The first member from ``value`` on, else the last."""
    above = make_range(known.m, known.residues, max(value, known.lo), known.hi)
    return above.lo if above else known.hi or known.lo
