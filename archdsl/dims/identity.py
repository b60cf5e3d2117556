"""Equality of sizes of several symbols, by the theorem that a box of values settles it.

A size f is in each symbol v, on every residue class modulo its period L, a polynomial of degree d at most.
So f is 0 everywhere if and only if it is 0 on the box of all v in lo..lo + L * (d + 1): on each class that
is a grid of d + 1 values for every symbol, on which only the zero polynomial vanishes. This is complete
for any number of symbols, as long as the box is within the budget.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import lcm, prod
from typing import NamedTuple

from archdsl.dims.atoms import CONSTANT, Monomial, Terms, atom_symbols
from archdsl.dims.budget import Budget, Exhausted
from archdsl.dims.evaluate import column, evaluate, has_max, has_symbolic_divisor, substitute, symbols, weight
from archdsl.dims.facts import Facts, Member, Relation
from archdsl.dims.polynomial import never_zero
from archdsl.dims.profile import profile, samples
from archdsl.dims.ranges import Range, make_range
from archdsl.dims.search import completed, least
from archdsl.dims.several import proves_nonnegative
from archdsl.dims.size import Dim, Size, from_terms, symbol
from archdsl.dims.verdict import PROVED, Refuted, Verdict, When

MAX_CLEAN_CLASSES = 2048
"""Residue classes that may be searched for stray zeros."""

Decide = Callable[[Size, Facts, Budget], Verdict]
"""Decides ``size == 0``: the questions about parts go back to where they came from."""


def decide_separate(size: Dim, facts: Facts, budget: Budget, decide: Decide) -> Verdict | None:
    """Decide ``size == 0`` where symbols occur apart from each other; None where they do not help."""
    names = sorted(symbols(size))
    if len(names) < 2:
        return None
    parts = _independent_parts(size)
    if len(parts) > 1:
        return _decide_sum(size, parts, facts, budget, decide)
    for name in names:
        verdict = _decide_product(size, name, facts, budget, decide)
        if verdict is not None:
            return verdict
    return None


def _independent_parts(size: Dim) -> list[Dim]:
    """The size, less its constant, as a sum of sizes that have no symbol in common."""
    parts: list[tuple[frozenset[str], Terms]] = []
    for monomial, coefficient in size.terms.items():
        if monomial == CONSTANT:
            continue
        names, terms = frozenset[str]().union(*map(atom_symbols, monomial)), {monomial: coefficient}
        apart: list[tuple[frozenset[str], Terms]] = []
        for other_names, other_terms in parts:
            if names.isdisjoint(other_names):
                apart.append((other_names, other_terms))
            else:
                names, terms = names | other_names, {**other_terms, **terms}
        parts = [*apart, (names, terms)]
    return [Dim(terms) for _, terms in parts]


def _decide_sum(size: Dim, parts: list[Dim], facts: Facts, budget: Budget, decide: Decide) -> Verdict | None:
    """g(H) + h(W) + c vanishes everywhere iff g and h are constant and the sum is 0."""
    if has_symbolic_divisor(size):
        return None
    for part in parts:
        base = evaluate(part, least(symbols(part), facts))
        if decide(part - base, facts, budget) != PROVED:
            return None
    point = least(symbols(size), facts)
    return Refuted(point) if evaluate(size, point) else PROVED


def _decide_product(size: Dim, name: str, facts: Facts, budget: Budget, decide: Decide) -> Verdict | None:
    """With f a sum of g(name) * M(others): if every g vanishes, f does. If f is g * M with M >= 1, iff."""
    factors: dict[Monomial, Terms] = {}
    for monomial, coefficient in size.terms.items():
        own = tuple(atom for atom in monomial if name in atom_symbols(atom))
        rest = tuple(atom for atom in monomial if name not in atom_symbols(atom))
        factors.setdefault(rest, {})[own] = coefficient
    verdicts: dict[Monomial, Verdict] = {}
    for rest, terms in factors.items():
        factor = from_terms(terms)
        if symbols(factor) != frozenset((name,)):
            return None
        verdicts[rest] = decide(factor, facts, budget)
    if all(verdict == PROVED for verdict in verdicts.values()):
        return PROVED
    if len(verdicts) > 1:
        return None
    ((rest, verdict),) = verdicts.items()
    if not proves_nonnegative(Dim({rest: 1}) - 1, facts, budget):
        return None
    return completed(verdict, symbols(size), facts)


class _Box(NamedTuple):
    """All points of the box, and the values there; ``periods`` and ``points`` in the order of ``names``."""

    names: list[str]
    periods: list[int]
    points: list[tuple[int, ...]]
    values: list[int]


def decide_box(fact: Relation, facts: Facts, budget: Budget) -> Verdict | None:
    """Decide ``size == 0`` on the box; None where there is a maximum or a symbolic divisor.

    Raises `Exhausted` for a box beyond the budget.
    """
    box = _box(fact.size, facts, budget)
    if box is None:
        return None
    bad = [point for point, value in zip(box.points, box.values, strict=True) if value]
    if not bad:
        return PROVED
    example = _least_allowed(bad, box.names, facts)
    if example is None:
        return None
    bad_classes = {_class_of(point, box.periods) for point in bad}
    good_classes = {_class_of(point, box.periods) for point in box.points} - bad_classes
    members = _as_ranges(good_classes, box, facts)
    if not members:
        return When((fact,), True, example)
    return When(members, _no_zero_on(bad_classes, fact.size, box, facts, budget), example)


def _box(size: Dim, facts: Facts, budget: Budget) -> _Box | None:
    if has_max(size) or has_symbolic_divisor(size):
        return None
    names = sorted(symbols(size))
    periods: list[int] = []
    lengths: list[int] = []
    for name in names:
        shape = profile(size, name)
        if shape is None:
            return None
        known = facts.range_of(name)
        period = lcm(shape.period, known.m)
        length = samples(period, shape.degree)
        periods.append(period)
        lengths.append(length if known.hi is None else min(length, known.hi - known.lo + 1))
    budget.spend(prod(lengths) * (weight(size) + len(names)))
    points = list(
        product(*(_members(facts.range_of(name), length) for name, length in zip(names, lengths, strict=True)))
    )
    columns = {name: [point[place] for point in points] for place, name in enumerate(names)}
    return _Box(names, periods, points, column(size, columns, len(points)))


def _members(known: Range, length: int) -> list[int]:
    return [value for value in range(known.lo, known.lo + length) if value in known]


def _least_allowed(points: list[tuple[int, ...]], names: list[str], facts: Facts) -> dict[str, int] | None:
    if not facts.relations:
        return dict(zip(names, min(points, key=_smallness), strict=True))
    examples = (dict(zip(names, point, strict=True)) for point in sorted(points, key=_smallness))
    return next(filter(facts.allow, examples), None)


def _smallness(point: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
    return max(point), sum(point), point


def _class_of(point: tuple[int, ...], periods: list[int]) -> tuple[int, ...]:
    return tuple(value % period for value, period in zip(point, periods, strict=True))


def _as_ranges(classes: set[tuple[int, ...]], box: _Box, facts: Facts) -> tuple[Member, ...]:
    """The classes as one range for each symbol; empty if they are none, or no product of ranges."""
    residues = [{found[place] for found in classes} for place in range(len(box.names))]
    if not classes or prod(map(len, residues)) != len(classes):
        return ()
    members: list[Member] = []
    for name, period, allowed in zip(box.names, box.periods, residues, strict=True):
        known = facts.range_of(name)
        found = make_range(period, allowed, known.lo, known.hi)
        if found is not None and found != known:
            members.append(Member(name, found))
    return tuple(members)


def _no_zero_on(classes: set[tuple[int, ...]], size: Dim, box: _Box, facts: Facts, budget: Budget) -> bool:
    """Whether the size could be shown to vanish at no point of these classes.

    That a class is not all zeros does not say that it has none: without this the ranges are sufficient only.
    """
    if len(classes) > MAX_CLEAN_CLASSES:
        return False
    try:
        return all(never_zero(_on_class(found, size, box, facts), budget) for found in sorted(classes))
    except Exhausted:
        return False


def _on_class(residues: tuple[int, ...], size: Dim, box: _Box, facts: Facts) -> Size:
    """The size on one class, as a polynomial in the number of periods from its first point."""
    replacements: dict[str, Size] = {}
    for name, period, residue in zip(box.names, box.periods, residues, strict=True):
        lo = facts.range_of(name).lo
        replacements[name] = period * symbol(name) + lo + (residue - lo) % period
    return substitute(size, replacements)
