"""Polynomials over integers that are at least 0: proofs that they are never negative.

Sound, not complete: all coefficients are nonnegative, or become so by successive difference substitution
(x = x' + y where x >= y, and y = y' + x + 1 elsewhere). With one variable the answer is exact.
"""

from __future__ import annotations

from archdsl.dims.budget import Budget
from archdsl.dims.evaluate import column, is_polynomial, substitute, symbols, weight
from archdsl.dims.newton import newton_form, sign_runs
from archdsl.dims.size import Dim, Size, constant_term, symbol

MAX_SUBSTITUTIONS = 5
"""Depth of successive difference substitution."""
_LARGE = 1_000


def never_negative(size: Size, budget: Budget) -> bool:
    """Whether a polynomial could be proved >= 0 for all values >= 0. Raises `Exhausted`."""
    if isinstance(size, int):
        return size >= 0
    return is_polynomial(size) and not _negative_somewhere(size, budget) and _proved(size, budget, MAX_SUBSTITUTIONS)


def _negative_somewhere(size: Dim, budget: Budget) -> bool:
    """Whether a glance at a few points refutes it: cheap, and most proofs that fail, fail here."""
    names = sorted(symbols(size))
    rows = [[0] * len(names), [1] * len(names), [_LARGE] * len(names)]
    for place in range(len(names)):
        for value, others in ((1, 0), (_LARGE, 0), (_LARGE, 1), (0, _LARGE)):
            row = [others] * len(names)
            row[place] = value
            rows.append(row)
    budget.spend(len(rows) * weight(size))
    values = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return min(column(size, values, len(rows))) < 0


def _proved(size: Size, budget: Budget, depth: int) -> bool:
    if isinstance(size, int):
        return size >= 0
    budget.spend(weight(size))
    if all(coefficient >= 0 for coefficient in size.terms.values()):
        return True
    if constant_term(size) < 0:
        return False
    names = sorted(symbols(size))
    if len(names) == 1:
        return _proved_single(size, names[0])
    if depth == 0:
        return False
    x, y = _pair(size, names)
    upper = substitute(size, {x: symbol(x) + symbol(y)})
    lower = substitute(size, {y: symbol(x) + symbol(y) + 1})
    return _proved(upper, budget, depth - 1) and _proved(lower, budget, depth - 1)


def _proved_single(size: Dim, name: str) -> bool:
    count = max(map(len, size.terms)) + 1
    values = column(size, {name: range(count)}, count)
    return all(piece.sign >= 0 for piece in sign_runs(newton_form(values)))


def _pair(size: Dim, names: list[str]) -> tuple[str, str]:
    """Two symbols to compare: of a negative monomial, the smallest, for it is the hardest to outweigh."""
    negative = [monomial for monomial, coefficient in size.terms.items() if coefficient < 0]
    smallest = min(negative, key=lambda monomial: (len(monomial), [str(atom) for atom in monomial]))
    candidates = sorted({atom for atom in smallest if isinstance(atom, str)})
    others = [name for name in names if name not in candidates]
    first, second = (candidates + others)[:2]
    return first, second
