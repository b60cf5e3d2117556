"""Sizes of several symbols as polynomials: symbolic divisors eliminated, residue classes apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import lcm, prod
from typing import NamedTuple

from archdsl.dims.atoms import Atom, Floor
from archdsl.dims.budget import Budget
from archdsl.dims.evaluate import (
    compounds,
    has_symbolic_divisor,
    is_polynomial,
    linear_symbols,
    replace,
    substitute,
    symbols,
    weight,
)
from archdsl.dims.facts import Facts
from archdsl.dims.profile import profile
from archdsl.dims.ranges import Range
from archdsl.dims.size import Dim, Size, symbol

MAX_CLASSES = 4096
"""Residue classes that one proof may look at."""


class Eliminated(NamedTuple):
    """A size in which a floor by a symbolic divisor has become a symbol of its own.

    The symbols ``from_zero`` start at 0 instead of 1. They cover all values of the old ones where ``num``,
    that which was divided, is not negative.
    """

    size: Size
    from_zero: frozenset[str]
    num: Size


def eliminate(size: Dim) -> Eliminated | None:
    """Eliminate the floor by a symbolic divisor, if there is one; None if it cannot be done.

    ``num // den`` becomes q by num = q * den + r and den = r + 1 + t, with q, r, t >= 0; two symbols that
    occur linearly, one in num and one in den, are solved for. What was known of these two is dropped.
    """
    if not has_symbolic_divisor(size):
        return Eliminated(size, frozenset(), 0)
    for atom in sorted(_symbolic_floors(size), key=lambda atom: atom.rank):
        num, den = atom.num, atom.den
        if not isinstance(num, Dim) or not isinstance(den, Dim):
            continue
        if not (is_polynomial(num) and is_polynomial(den)):
            continue
        solved = _solved_for(num, den)
        if solved is not None:
            return _eliminated(size, atom, num, den, *solved)
    return None


def _symbolic_floors(size: Dim) -> list[Floor]:
    return [atom for atom in compounds(size) if isinstance(atom, Floor) and isinstance(atom.den, Dim)]


def _solved_for(num: Dim, den: Dim) -> tuple[str, str] | None:
    """A symbol of the dividend that the divisor has not, and one of the divisor, both linear."""
    in_num = [name for name in linear_symbols(num) if num.terms[name,] == 1 and name not in symbols(den)]
    in_den = [name for name in linear_symbols(den) if den.terms[name,] == 1]
    return (in_num[0], in_den[0]) if in_num and in_den else None


def _eliminated(size: Dim, atom: Floor, num: Dim, den: Dim, in_num: str, in_den: str) -> Eliminated:
    q, r, t = (f"{in_num}/{part}" for part in "qrt")  # no identifiers: they clash with no one's symbols
    new_den = symbol(r) + 1 + symbol(t)
    new_num = symbol(q) * new_den + symbol(r)
    replacements: dict[Atom, Size] = {in_den: new_den - (den - symbol(in_den))}
    replacements[in_num] = new_num - replace(num - symbol(in_num), dict(replacements))
    replacements[atom] = symbol(q)
    return Eliminated(replace(size, replacements), frozenset((q, r, t)), num)


def class_polynomials(eliminated: Eliminated, facts: Facts, budget: Budget) -> Iterator[Size] | None:
    """The size on every residue class x = r + L q of its symbols, in terms of q >= 0, one after the other.

    Upper bounds are not looked at. None where the size is no quasi-polynomial, or the classes are too many.
    """
    size = eliminated.size
    names = sorted(symbols(size))
    choices: list[list[tuple[int, int]]] = []
    for name in names:
        shape = profile(size, name)
        if shape is None:
            return None
        known = Range(lo=0) if name in eliminated.from_zero else facts.range_of(name)
        period = lcm(shape.period, known.m)
        if period > MAX_CLASSES:
            return None
        starts = range(known.lo, known.lo + period)
        choices.append([(period, start) for start in starts if start % known.m in known.residues])
    if prod(map(len, choices)) > MAX_CLASSES:
        return None
    return (_on_class(size, names, choice, budget) for choice in product(*choices))


def _on_class(size: Size, names: list[str], choice: tuple[tuple[int, int], ...], budget: Budget) -> Size:
    """The size on one class, given the period and the first value for each symbol."""
    budget.spend(8 * weight(size))
    return substitute(
        size, {name: period * symbol(name) + start for name, (period, start) in zip(names, choice, strict=True)}
    )
