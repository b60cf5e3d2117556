"""Polynomials over integers that are at least 0: proofs that they are never negative.

Sound, not complete: all coefficients are nonnegative, or become so by successive difference substitution
(x = x' + y where x >= y, and y = y' + x + 1 elsewhere), or a square is completed. With one variable it is exact.
"""

from __future__ import annotations

from itertools import product

from archdsl.dims.atoms import Terms
from archdsl.dims.budget import Budget
from archdsl.dims.evaluate import column, is_polynomial, substitute, symbols, weight
from archdsl.dims.newton import newton_form, sign_runs
from archdsl.dims.size import Dim, Size, constant_term, from_terms, symbol

MAX_SUBSTITUTIONS = 5
"""Depth of successive difference substitution."""
MODULI = (2, 3, 4, 5, 7, 8, 9)
"""Numbers of which a polynomial may be shown to be no multiple."""
MAX_RESIDUES = 1 << 12
"""Most points that are tried for one of them."""
_LARGE = 1_000


def never_negative(size: Size, budget: Budget) -> bool:
    """Whether a polynomial could be proved >= 0 for all values >= 0. Raises `Exhausted`."""
    if isinstance(size, int):
        return size >= 0
    if not is_polynomial(size) or _negative_somewhere(size, budget):
        return False
    return _is_square_and_more(size, budget) or _proved(size, budget, MAX_SUBSTITUTIONS)


def never_zero(size: Size, budget: Budget) -> bool:
    """Whether a polynomial could be proved to be 0 nowhere, for values >= 0. Raises `Exhausted`."""
    if isinstance(size, int):
        return size != 0
    if not is_polynomial(size):
        return False
    return never_negative(size - 1, budget) or never_negative(-size - 1, budget) or _never_zero_modulo(size, budget)


def _never_zero_modulo(size: Dim, budget: Budget) -> bool:
    """Whether the polynomial is a multiple of some small number nowhere: its residue is periodic."""
    names = sorted(symbols(size))
    for modulus in MODULI:
        count = modulus ** len(names)
        if count > MAX_RESIDUES:
            return False
        budget.spend(count * weight(size))
        points = list(product(range(modulus), repeat=len(names)))
        columns = {name: [point[place] for point in points] for place, name in enumerate(names)}
        if all(value % modulus for value in column(size, columns, count)):
            return True
    return False


def _is_square_and_more(size: Dim, budget: Budget) -> bool:
    """Complete the square in a symbol: with p = a x**2 + b x + c, 4 a (p + 1) >= 4 a (c + 1) - b**2.

    Where a is at least 1 and the right side too, p is above -1, and it is an integer.
    """
    for name in sorted(symbols(size)):
        powers: list[Terms] = [{}, {}, {}]
        for monomial, coefficient in size.terms.items():
            if monomial.count(name) > 2:
                break
            powers[monomial.count(name)][tuple(atom for atom in monomial if atom != name)] = coefficient
        else:
            c, b, a = (from_terms(terms) for terms in powers)
            budget.spend(weight(size) ** 2)
            if a != 0 and never_negative(a - 1, budget) and never_negative(4 * a * (c + 1) - b * b - 1, budget):
                return True
    return False


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
