"""Examples: small sizes, and a few large ones, at which a relation fails or holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

from archdsl.dims.atoms import TooLarge
from archdsl.dims.budget import Budget, Exhausted
from archdsl.dims.evaluate import column_where_defined, symbols, weight
from archdsl.dims.facts import Contradiction, Facts, Relation, satisfies
from archdsl.dims.ranges import Range, make_range
from archdsl.dims.size import Size, symbol
from archdsl.dims.verdict import Refuted, Values, Verdict, When

GRID = 1 << 14
"""Points of the grid of small values."""
_SHARE = 4
"""The part of the budget that a grid may cost at most: one in so many."""
_FAR = (10, 100, 1_000, 100_000)


class Witnesses(NamedTuple):
    """Values at which a relation fails, and values at which it holds, each as small as could be found."""

    failing: Values | None
    holding: Values | None


class _Grid(NamedTuple):
    """Points to try, by the values of each symbol; the ``near`` first ones are all up to some size, the least first."""

    columns: tuple[tuple[int, ...], ...]
    length: int
    near: int


def witnesses(fact: Relation, facts: Facts, budget: Budget, *, grid: int = GRID) -> Witnesses:
    """Look for an example of either kind among the values that the facts allow. Raises `Exhausted`."""
    names = sorted(_related(symbols(fact.size), facts))
    found = _grid(names, fact.size, facts, grid, budget)
    columns = dict(zip(names, found.columns, strict=True))
    values = column_where_defined(fact.size, columns, found.length)
    allowed = _allowed(columns, found.length, facts, budget)
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
    return Witnesses(_values(columns, failing), _values(columns, holding))


def sample(facts: Facts, names: Iterable[str]) -> dict[str, int] | None:
    """Values of these symbols that the facts allow, the least of those that are tried; None if none of those are.

    Raises `Contradiction` where no others are left.
    """
    wanted = sorted(names)
    solved = facts.substitutions
    free = frozenset[str]().union(*(symbols(solved.get(name, symbol(name))) for name in wanted))
    free = free.union(*(symbols(fact.size) for fact in facts.relations))
    try:
        found = _grid(sorted(free), 1, facts, GRID, Budget())
        columns: dict[str, Sequence[int]] = dict(zip(sorted(free), found.columns, strict=True))
        allowed = _allowed(columns, found.length, facts, Budget())
        sizes = [column_where_defined(solved.get(name, symbol(name)), columns, found.length) for name in wanted]
    except (Exhausted, TooLarge):
        return None
    rows = (row for row, is_allowed in zip(zip(*sizes, strict=True), allowed, strict=False) if is_allowed)
    least_row = min((row for row in rows if None not in row), key=_smallness, default=None)
    if least_row is not None:
        return dict(zip(wanted, least_row, strict=True))
    ranges = [facts.range_of(name) for name in sorted(free)]
    if (
        all(known.hi is not None for known in ranges)
        and prod(known.count(known.hi or 0) for known in ranges) == found.near
    ):
        raise Contradiction("no sizes are left")
    return None


def _smallness(point: Sequence[int]) -> tuple[int, int, Sequence[int]]:
    return max(point, default=0), sum(point), point


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


def _values(columns: Mapping[str, Sequence[int]], place: int | None) -> dict[str, int] | None:
    return None if place is None else {name: column[place] for name, column in columns.items()}


def _allowed(columns: Mapping[str, Sequence[int]], count: int, facts: Facts, budget: Budget) -> list[bool]:
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


def _grid(names: list[str], size: Size, facts: Facts, grid: int, budget: Budget) -> _Grid:
    """The points to try for a size, which are paid for. Raises `Exhausted`."""
    cost = weight(size)
    found = _points(tuple(facts.range_of(name) for name in names), min(grid, budget.left // (_SHARE * cost)))
    budget.spend(found.length * cost)
    return found


@lru_cache(maxsize=32)
def _points(ranges: tuple[Range, ...], grid: int) -> _Grid:
    """Points to try, the small ones first."""
    limit = _limit(ranges, grid)
    side = int(grid ** (1 / max(len(ranges), 1)))
    if limit is not None:
        near = list(product(*(known.up_to(limit) for known in ranges)))
    else:
        near = list(product(*(known.first(side) for known in ranges))) if side >= 3 else _star(ranges)
    points = [*sorted(near, key=_smallness), *_far(ranges)]
    columns = tuple(zip(*points, strict=True)) if ranges else ()
    return _Grid(columns, len(points), len(near) if limit is not None else 0)


def _limit(ranges: tuple[Range, ...], grid: int) -> int | None:
    """The greatest size up to which all values make so many points at most; None if those are hardly any."""

    def fits(limit: int) -> bool:
        return prod(known.count(limit) for known in ranges) <= grid

    low = max((known.first(3)[-1] for known in ranges), default=1)
    if not fits(low):
        return None
    high = low + 1
    while fits(high) and high - low <= grid:
        high += high - low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _star(ranges: tuple[Range, ...]) -> list[tuple[int, ...]]:
    """For many symbols: the diagonal, and the axes through the least point."""
    steps = [known.first(16) for known in ranges]
    origin = [values[0] for values in steps]
    points = {tuple(values[min(i, len(values) - 1)] for values in steps) for i in range(16)}
    for place, values in enumerate(steps):
        points |= {(*origin[:place], value, *origin[place + 1 :]) for value in values}
    return list(points)


def _far(ranges: tuple[Range, ...]) -> list[tuple[int, ...]]:
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
