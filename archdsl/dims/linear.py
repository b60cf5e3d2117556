"""Proofs by linear combination: a polynomial is never negative where it is a sum of others that are not.

Each monomial counts as a variable of its own. The multipliers come from the simplex method on integers, and every
combination that it finds is computed anew before it counts: what is accepted does not rest on the search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd, lcm
from typing import NamedTuple, TypeAlias

from archdsl.dims.atoms import CONSTANT, Monomial, Terms
from archdsl.dims.budget import Budget
from archdsl.dims.size import Dim, Size

MAX_PIVOTS = 120
"""Steps of the simplex method for one proof."""

_Row: TypeAlias = dict[int, int]
"""An equation: a coefficient for each column, and what they add up to under `_SUM`."""
_SUM = -1
_VALUE = -2
"""The column of what is maximized."""


class Multipliers(NamedTuple):
    """How many times each of the known polynomials is taken, and the target against them."""

    known: Mapping[int, int]
    target: int


def follows(target: Size, known: Sequence[Dim], budget: Budget) -> bool:
    """Whether ``target > -1`` is a linear combination of ``known``, all of them at least 0. Raises `Exhausted`.

    Also where the known ones cannot all be at least 0.
    """
    if isinstance(target, int):
        return target >= 0
    for goal in (target.terms, {}):  # the second time only whether the known contradict each other
        search = _Search(goal, [size.terms for size in known])
        for _ in range(MAX_PIVOTS):
            if search.found is not None and _is_proof(target, known, search.found):
                return True
            if not search.step(budget):
                break
        if search.is_feasible():
            return False
    return False


def _is_proof(target: Dim, known: Sequence[Dim], times: Multipliers) -> bool:
    """Whether a multiple of the target, less multiples of the known, is a constant above what makes it -1."""
    if min([times.target, *times.known.values()]) < 0:
        return False
    left = {monomial: times.target * coefficient for monomial, coefficient in target.terms.items()}
    for place, factor in times.known.items():
        for monomial, coefficient in known[place].terms.items():
            left[monomial] = left.get(monomial, 0) - factor * coefficient
    constant = left.pop(CONSTANT, 0)
    return not any(left.values()) and constant > -times.target


class _Search:
    """The simplex method: maximizes the constant that is left when multiples of the known are taken from the target.

    There is an equation for each monomial, and a column for each known polynomial. The basis of an equation is the
    column that is solved for; None, at first, where that is an artificial one, which the first phase drives to 0.
    """

    def __init__(self, target: Terms, known: Sequence[Terms]) -> None:
        monomials = {monomial: None for terms in (target, *known) for monomial in terms if monomial != CONSTANT}
        rows: dict[Monomial, _Row] = {monomial: {_SUM: target.get(monomial, 0)} for monomial in monomials}
        self._value: _Row = {_VALUE: 1, _SUM: target.get(CONSTANT, 0)}
        for place, terms in enumerate(known):
            for monomial, coefficient in terms.items():
                (self._value if monomial == CONSTANT else rows[monomial])[place] = coefficient
        self._rows = [row if row[_SUM] >= 0 else {c: -x for c, x in row.items()} for row in rows.values()]
        self._basis: list[int | None] = [_lone(row, self._rows) for row in self._rows]
        self._missing: _Row = {_SUM: 0}
        for row, basic in zip(self._rows, self._basis, strict=True):
            if basic is None:
                _subtract(self._missing, row, 1, 1)
            elif basic in self._value:
                _subtract(self._value, row, row[basic], self._value[basic])
        self.found: Multipliers | None = None
        self._check()

    def step(self, budget: Budget) -> bool:
        """One pivot; False where there is none to make. What may be a proof is in ``found``."""
        goal = self._value if self.is_feasible() else self._missing
        column = min((c for c in goal if c >= 0), key=lambda c: (goal[c], c), default=None)
        if column is None or goal[column] >= 0:
            return False
        place = self._leaving(column)
        if place is None:  # the multipliers grow without a bound: the known contradict each other
            self.found = self._multipliers(column, 0)
            return goal is self._value
        self._pivot(place, column, budget)
        self._check()
        return True

    def is_feasible(self) -> bool:
        """Whether some combination has the target's terms, constant aside."""
        return not self._missing.get(_SUM)

    def _check(self) -> None:
        """Whether what is solved for may be a proof."""
        if self.is_feasible() and self._value.get(_SUM, 0) > -self._value[_VALUE]:
            self.found = self._multipliers(_SUM, 1)

    def _leaving(self, column: int) -> int | None:
        """The equation that limits the column most: an artificial one that is 0 already must stay so."""
        best = None
        for place, row in enumerate(self._rows):
            coefficient, total = row.get(column, 0), row.get(_SUM, 0)
            if coefficient and not total and self._basis[place] is None:
                return place
            if coefficient > 0 and (best is None or total * best[1] < best[0] * coefficient):
                best = total, coefficient, place
        return best and best[2]

    def _pivot(self, place: int, column: int, budget: Budget) -> None:
        pivot = self._rows[place]
        if pivot[column] < 0:
            pivot = self._rows[place] = {c: -x for c, x in pivot.items()}
        for row in (*self._rows, self._value, self._missing):
            if row is not pivot and column in row:
                budget.spend(2 * (len(pivot) + len(row)))
                _subtract(row, pivot, pivot[column], row[column])
        self._basis[place] = column

    def _multipliers(self, column: int, target: int) -> Multipliers:
        """The solution for so much of a column: for `_SUM` that of the equations, else the way on which it grows."""
        sign = 1 if column == _SUM else -1
        basics = {b: row for b, row in zip(self._basis, self._rows, strict=True) if b is not None and column in row}
        common = lcm(*(row[b] for b, row in basics.items()))
        times = {b: sign * row[column] * (common // row[b]) for b, row in basics.items()}
        if column != _SUM:
            times[column] = common
        return Multipliers(times, target * common)


def _lone(row: _Row, rows: Sequence[_Row]) -> int | None:
    """A column that occurs, with a positive coefficient, in this equation only."""
    columns = (c for c, x in row.items() if c >= 0 and x > 0)
    return next((c for c in columns if sum(c in other for other in rows) == 1), None)


def _subtract(row: _Row, pivot: _Row, scale: int, times: int) -> None:
    """``row = scale * row - times * pivot``, made small."""
    if scale != 1:
        for column in row:
            row[column] *= scale
    for column, coefficient in pivot.items():
        left = row.get(column, 0) - times * coefficient
        if left:
            row[column] = left
        else:
            row.pop(column, None)
    common = gcd(*row.values())
    if common > 1:
        for column in row:
            row[column] //= common
