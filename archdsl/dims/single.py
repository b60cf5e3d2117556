"""Questions about one symbol: decided for every relation, with the whole set of solutions.

On each residue class modulo the period the size is a polynomial, and `newton.sign_runs` gives its signs
exactly, to infinity. So the solutions are known as finitely many runs, and can be described.
"""

from __future__ import annotations

from math import lcm
from typing import NamedTuple

from archdsl.dims.atoms import Pos
from archdsl.dims.budget import Budget
from archdsl.dims.evaluate import (
    column,
    column_where_defined,
    compounds,
    has_max,
    has_symbolic_divisor,
    weight,
)
from archdsl.dims.facts import Member, Relation, Sign, satisfies
from archdsl.dims.newton import newton_form, sign_runs
from archdsl.dims.profile import profile, samples
from archdsl.dims.ranges import Range, make_range
from archdsl.dims.size import Dim
from archdsl.dims.verdict import PROVED, Refuted, Verdict, When


class Run(NamedTuple):
    """From ``first`` to ``last`` (None: for ever), in steps of the period, the answer is the same."""

    first: int
    last: int | None
    good: bool


class Solution(NamedTuple):
    """The answer for every allowed value: runs in the residue classes modulo ``period``."""

    period: int
    runs: list[Run]


def decide_single(fact: Relation, name: str, known: Range, budget: Budget) -> Verdict | None:
    """Whether the relation holds for all values of its one symbol, or for which.

    None where a divisor is symbolic and the values are infinitely many. Raises `Exhausted`.
    """
    solution = _solve(fact.size, fact.sign, name, known, budget)
    return _verdict(fact, name, known, solution) if solution else None


def _solve(size: Dim, sign: Sign, name: str, known: Range, budget: Budget) -> Solution | None:
    shape = None if has_symbolic_divisor(size) else profile(size, name)
    period = lcm(shape.period, known.m) if shape else known.m
    if known.hi is not None and (shape is None or known.hi - known.lo < samples(period, shape.degree)):
        return Solution(period, _point_runs(size, sign, name, known, known.hi + 1, budget))
    if shape is None:
        return None
    start = settled_from(size, name, known.lo, budget)
    runs = _point_runs(size, sign, name, known, start, budget)
    budget.spend(period * (shape.degree + 2) ** 2)
    values = _evaluated(size, name, start, samples(period, shape.degree), budget)
    for offset in range(period):
        if (start + offset) % known.m in known.residues:
            runs += _class_runs(values[offset::period], sign, start + offset, period, known.hi)
    return Solution(period, runs)


def _evaluated(size: Dim, name: str, start: int, count: int, budget: Budget) -> list[int]:
    """The values of a size without symbolic divisors at ``start, start + 1, ...``."""
    budget.spend(count * weight(size))
    return column(size, {name: range(start, start + count)}, count)


def _point_runs(size: Dim, sign: Sign, name: str, known: Range, stop: int, budget: Budget) -> list[Run]:
    """A run for each single allowed value below ``stop``."""
    budget.spend(max(0, stop - known.lo) * weight(size))
    points = [value for value in range(known.lo, stop) if value in known]
    values = column_where_defined(size, {name: points}, len(points))
    return [Run(x, x, satisfies(y, sign)) for x, y in zip(points, values, strict=True) if y is not None]


def _class_runs(values: list[int], sign: Sign, first: int, period: int, hi: int | None) -> list[Run]:
    """The runs of one residue class, given the size at ``first`` and as many periods on as it takes."""
    runs: list[Run] = []
    pieces = sign_runs(newton_form(values))
    ends = [piece.start - 1 for piece in pieces[1:]]
    for piece, end in zip(pieces, [*ends, None], strict=True):
        start = first + period * piece.start
        last = None if end is None else first + period * end
        if hi is not None:
            if start > hi:
                break
            last = hi - (hi - first) % period if last is None else min(last, hi - (hi - first) % period)
        runs.append(Run(start, last, satisfies(piece.sign, sign)))
    return runs


def settled_from(size: Dim, name: str, lo: int, budget: Budget) -> int:
    """A value from which on no maximum in the size changes sides any more, on any residue class."""
    start = lo
    maxima = [atom for atom in compounds(size) if isinstance(atom, Pos)] if has_max(size) else []
    for atom in sorted(maxima, key=lambda atom: atom.rank):  # the inner ones, which are smaller, first
        start = _arg_settled_from(atom.arg, name, start, budget)
    return start


def _arg_settled_from(arg: Dim, name: str, start: int, budget: Budget) -> int:
    """Likewise for the sign of one argument, when all maxima inside have settled at ``start``."""
    shape = profile(arg, name)
    if shape is None:
        return start
    budget.spend(shape.period * (shape.degree + 2) ** 2)
    values = _evaluated(arg, name, start, samples(shape.period, shape.degree), budget)
    last = [sign_runs(newton_form(values[offset :: shape.period]))[-1] for offset in range(shape.period)]
    return max(start + (offset + shape.period * piece.start if piece.start else 0) for offset, piece in enumerate(last))


def _verdict(fact: Relation, name: str, known: Range, solution: Solution) -> Verdict:
    """Describe the solutions as a range, if one describes them."""
    good = [run for run in solution.runs if run.good]
    bad = [run for run in solution.runs if not run.good]
    if not bad:
        return PROVED
    example = {name: min(run.first for run in bad)}
    if not good:
        return Refuted(example)
    finite = known.hi is None and all(run.last is not None for run in good)
    final = _final_range(solution, known)
    if final is not None and all(run.first in final for run in good):
        return When((Member(name, final),), True, example, finite)
    bounded = _bounded_range(solution.period, good, bad)
    if bounded is not None:
        return When((Member(name, bounded),), True, example, finite)
    if final is not None:
        return When((Member(name, final),), False, example, finite)
    return When((fact,), True, example, finite)


def _final_range(solution: Solution, known: Range) -> Range | None:
    """The classes that are good at the end, from where the last of them has become good."""
    classes: dict[int, list[Run]] = {}
    for run in solution.runs:
        classes.setdefault(run.first % solution.period, []).append(run)
    residues: list[int] = []
    start = known.lo
    for residue, runs in classes.items():
        if not max(runs, key=lambda run: run.first).good:
            continue
        residues.append(residue)
        start = max([start, *(run.last + 1 for run in runs if not run.good and run.last is not None)])
    return make_range(solution.period, residues, start, known.hi)


def _bounded_range(period: int, good: list[Run], bad: list[Run]) -> Range | None:
    """The range from the least solution to the greatest in the residue classes of solutions, if exact."""
    lasts = [run.last for run in good if run.last is not None]
    if len(lasts) < len(good):
        return None
    lo, hi = min(run.first for run in good), max(lasts)
    residues = {run.first % period for run in good}
    for run in bad:
        if run.first % period in residues and run.first <= hi:
            least = run.first + max(0, -(-(lo - run.first) // period)) * period
            if least <= (hi if run.last is None else min(hi, run.last)):
                return None
    return make_range(period, residues, lo, hi)
