"""Symbolic sizes: integers, and polynomials over symbols, floors and maxima, in normal form.

Whatever is constant *is* an ``int``, so a network of plain sizes runs on Python's own arithmetic. All
else is a `Dim`: a polynomial with integer coefficients whose monomials are sorted tuples of atoms. An
atom is a symbol (a name, standing for an integer that is at least 1), a `Floor` or a `Pos`.

The normal form of ``//`` is exact on all integers and folds every chain of convolutions and poolings,
however deep, into one floor; so most questions of equality end in a comparison of two dictionaries.
A symbolic divisor is taken to be at least 1: who divides by one must require it.
"""

# pyright: reportUnnecessaryIsInstance=false
# Python calls operators with operands of any type, which then decide themselves.

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import NoReturn, TypeAlias, final

from archdsl.dims.atoms import (
    CONSTANT,
    MAX_BITS,
    Atom,
    Floor,
    Monomial,
    Pos,
    Terms,
    monomial_rank,
    rank,
    too_large,
)
from archdsl.dims.show import show

MAX_TERMS = 2_000
"""Most terms of one size."""
MAX_PRODUCT = 10_000
"""Most pairs of terms that one multiplication may form."""
MAX_DEGREE = 64
"""Most atoms of one monomial."""


@final
class Dim:
    """A symbolic size that is not constant: ``{monomial: coefficient}``, without zero coefficients.

    ``==`` and the hash are structural: the same normal form. Whether two sizes are equal for all values
    of their symbols is the question that `archdsl.dims.equal` answers. There is no order and no truth
    value, so that nobody writes ``if h > 7`` and gets an answer that means nothing. Immutable.
    """

    __slots__ = ("_hash", "terms")

    terms: Terms
    _hash: int | None

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._hash = None

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dim):
            return NotImplemented  # a value of the network that is compared with a size decides
        return self is other or self.terms == other.terms

    def __bool__(self) -> NoReturn:
        raise TypeError("a symbolic size has no truth value: ask equal(), at_least() or truth()")

    def __add__(self, other: Size) -> Size:
        if isinstance(other, Dim):
            return _sum(self.terms, other.terms)
        if not isinstance(other, int):
            return NotImplemented
        if other == 0:
            return self
        terms = dict(self.terms)
        constant = terms.get(CONSTANT, 0) + other
        if constant:
            terms[CONSTANT] = constant
        else:
            del terms[CONSTANT]
        return Dim(terms)

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return Dim({monomial: -coefficient for monomial, coefficient in self.terms.items()})

    def __sub__(self, other: Size) -> Size:
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        return self + -other

    def __rsub__(self, other: int) -> Size:
        return -self + other

    def __mul__(self, other: Size) -> Size:
        if isinstance(other, Dim):
            return _product(self.terms, other.terms)
        if not isinstance(other, int):
            return NotImplemented
        if other == 0:
            return 0
        terms = {monomial: coefficient * other for monomial, coefficient in self.terms.items()}
        _check_coefficients(terms)
        return Dim(terms)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Size:
        if not isinstance(exponent, int):
            return NotImplemented
        if exponent < 0:
            raise ValueError("the exponent of a size must not be negative")
        power: Size = 1
        for _ in range(exponent):  # ends soon, for the degree is capped
            power = power * self
        return power

    def __floordiv__(self, other: Size) -> Size:
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        return floordiv(self, other)

    def __rfloordiv__(self, other: int) -> Size:
        return floordiv(other, self)

    def __mod__(self, other: Size) -> Size:
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        return self - other * floordiv(self, other)

    def __rmod__(self, other: int) -> Size:
        return other - self * floordiv(other, self)

    def __str__(self) -> str:
        return show(self)

    __repr__ = __str__


Size: TypeAlias = int | Dim


def symbol(name: str) -> Dim:
    """The size called ``name``: an unknown integer that is at least 1."""
    return Dim({(name,): 1})


def known(sizes: Iterable[Size]) -> tuple[int, ...] | None:
    """The sizes as integers; None where one is symbolic."""
    found: list[int] = []
    for size in sizes:
        if not isinstance(size, int):
            return None
        found.append(size)
    return tuple(found)


def from_atom(atom: Atom) -> Dim:
    """The size that is one atom."""
    return Dim({(atom,): 1})


def from_terms(terms: Terms) -> Size:
    """The size with these terms, none of them zero: an ``int`` where it is constant."""
    if len(terms) > 1:
        if len(terms) > MAX_TERMS:
            too_large(f"it has {len(terms)} terms")
        return Dim(terms)
    if not terms:
        return 0
    return terms[CONSTANT] if CONSTANT in terms else Dim(terms)


def constant_term(size: Dim) -> int:
    """The constant of the polynomial."""
    return size.terms.get(CONSTANT, 0)


def lead(size: Dim) -> Monomial:
    """The first monomial, in the stable order, that is not the constant."""
    return min((monomial for monomial in size.terms if monomial), key=monomial_rank)


def variable_gcd(size: Dim) -> int:
    """The greatest common divisor of all coefficients but the constant."""
    return gcd(*(coefficient for monomial, coefficient in size.terms.items() if monomial))


def floor_divided(size: Dim, divisor: int) -> Dim:
    """The size with every coefficient floor-divided; exact for all but the constant term."""
    terms = {monomial: coefficient // divisor for monomial, coefficient in size.terms.items()}
    if terms.get(CONSTANT) == 0:
        del terms[CONSTANT]
    return Dim(terms)


def quotient(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    """``monomial / divisor``, or None where it does not divide."""
    rest = list(monomial)
    for atom in divisor:
        if atom not in rest:
            return None
        rest.remove(atom)
    return tuple(rest)


def pos(size: Size) -> Size:
    """``max(size, 0)``. Of ``d`` and ``-d`` one is kept, by ``max(-d, 0) == max(d, 0) - d``."""
    if isinstance(size, int):
        return max(size, 0)
    if size.terms[lead(size)] < 0:
        return pos(-size) + size
    common = gcd(*size.terms.values())
    return common * from_atom(Pos(floor_divided(size, common)))


def dmax(a: Size, b: Size) -> Size:
    """The greater of two sizes."""
    return b + pos(a - b)


def dmin(a: Size, b: Size) -> Size:
    """The lesser of two sizes."""
    return a - pos(a - b)


def floordiv(size: Size, divisor: Size) -> Size:
    """``size // divisor`` in normal form, rounding down as Python does.

    Exact on all integers for a divisor that is an ``int``. A symbolic one is taken to be at least 1.
    Raises `ZeroDivisionError`, and `TooLarge` beyond the caps.
    """
    if isinstance(divisor, Dim):
        return _floor_by_symbolic(size, divisor)
    if divisor < 0:
        return floordiv(-size, -divisor)
    if isinstance(size, int):
        return size // divisor
    if divisor == 1:
        return size
    if divisor == 0:
        raise ZeroDivisionError("a size divided by zero")
    whole, rest = _whole_multiples(size, divisor)
    if isinstance(rest, int):  # 0 <= rest < divisor
        return _halves_merged(whole)
    return whole + _floor_of_rest(rest, divisor)


def _whole_multiples(size: Dim, divisor: int) -> tuple[Size, Size]:
    """``(whole, rest)`` with size == divisor * whole + rest and all coefficients of rest in 0..divisor."""
    whole: Terms = {}
    rest: Terms = {}
    for monomial, coefficient in size.terms.items():
        times, left = divmod(coefficient, divisor)
        if times:
            whole[monomial] = times
        if left:
            rest[monomial] = left
    return from_terms(whole), from_terms(rest)


def _floor_of_rest(rest: Dim, divisor: int) -> Size:
    """The floor of a size whose coefficients lie in 0..divisor."""
    common = gcd(variable_gcd(rest), divisor)
    if common > 1:  # (g A + c) // (g n) == (A + c // g) // n
        return floordiv(floor_divided(rest, common), divisor // common)
    inner = _inner_floor(rest, (1, divisor - 1))
    if inner is not None:
        return _flattened(rest, inner, divisor)
    if 2 * rest.terms[lead(rest)] > divisor:  # of x and -1 - x, the one that has the smaller lead
        return -1 - floordiv(-1 - rest, divisor)
    return from_atom(Floor(rest, divisor))


def _inner_floor(size: Dim, coefficients: tuple[int, ...]) -> Floor | None:
    """The first term that is a floor alone, with one of these coefficients."""
    found = [
        monomial[0]
        for monomial, coefficient in size.terms.items()
        if len(monomial) == 1 and coefficient in coefficients and isinstance(monomial[0], Floor)
    ]
    return min(found, key=rank) if found else None


def _flattened(size: Dim, inner: Floor, divisor: Size) -> Size:
    """``size // divisor`` where ``size`` is ``inner + e`` or ``(divisor - 1) * inner + e``.

    ``(a // n + e) // m == (a + n * e) // (n * m)`` for every e; and -(a // n) == (n - 1 - a) // n.
    """
    rest = size - from_atom(inner) * size.terms[inner,]
    if size.terms[inner,] == 1:
        return floordiv(inner.num + inner.den * rest, inner.den * divisor)
    lowered = inner.den * rest - inner.num + (inner.den - 1)
    return from_atom(inner) + floordiv(lowered, inner.den * divisor)


def _halves_merged(size: Size) -> Size:
    """Rewrite ``x - x // 2`` as ``(x + 1) // 2``.

    Keeps padding to an even size one floor, and readable. Equality does not rest on it: for the divisor
    2 a floor and its negation have no canonical choice, and the decision procedure settles them.
    """
    if isinstance(size, int):
        return size
    halves = [
        monomial[0]
        for monomial, coefficient in size.terms.items()
        if coefficient < 0 and len(monomial) == 1 and isinstance(monomial[0], Floor)
    ]
    for half in sorted(halves, key=rank):
        if not isinstance(half.den, int) or half.den % 2:
            continue
        times = -size.terms[half,]
        x = floordiv(half.num, half.den // 2)
        if isinstance(x, Dim) and _contains(size, x, times):
            return _halves_merged(size + times * (from_atom(half) - x + floordiv(x + 1, 2)))
    return size


def _contains(size: Dim, part: Dim, times: int) -> bool:
    """Whether ``times * part``, constant aside, is a sum of terms of ``size`` with positive signs."""
    return all(
        coefficient > 0 and size.terms.get(monomial, 0) >= times * coefficient
        for monomial, coefficient in part.terms.items()
        if monomial
    )


def _floor_by_symbolic(size: Size, divisor: Dim) -> Size:
    """``size // divisor`` for a divisor that is taken to be at least 1."""
    if isinstance(size, int):
        if size < 0:
            return -1 - _floor_by_symbolic(-1 - size, divisor)
        return from_atom(Floor(size, divisor)) if size else 0
    whole = _symbolic_multiples(size, divisor)
    if whole is not None:
        return whole + _floor_by_symbolic(size - whole * divisor, divisor)
    inner = _inner_floor(size, (1,))
    if inner is not None:
        return _flattened(size, inner, divisor)
    common = gcd(variable_gcd(size), *divisor.terms.values())
    if common > 1:
        return floordiv(floor_divided(size, common), floor_divided(divisor, common))
    factor = shared_symbol(size, divisor)
    if factor is not None:
        return floordiv(without_symbol(size, factor), without_symbol(divisor, factor))
    if size.terms[lead(size)] < 0:
        return -1 - _floor_by_symbolic(-1 - size, divisor)
    return from_atom(Floor(size, divisor))


def _symbolic_multiples(size: Dim, divisor: Dim) -> Size | None:
    """What can be seen to divide out of ``size``, if anything."""
    if size == divisor:
        return 1
    if len(divisor.terms) == 1:
        return _monomial_multiples(size, divisor)
    head = max(divisor.terms, key=lambda monomial: (len(monomial), monomial_rank(monomial)))
    degree = max(map(len, size.terms))
    for monomial in sorted(size.terms, key=monomial_rank):
        times, left = divmod(size.terms[monomial], divisor.terms[head])
        factor = quotient(monomial, head)
        if left or factor is None or len(monomial) < degree:
            continue
        whole = from_terms({factor: times})
        rest = size - whole * divisor
        if isinstance(rest, int) or len(rest.terms) < len(size.terms):
            return whole
    return None


def _monomial_multiples(size: Dim, divisor: Dim) -> Size | None:
    """What a divisor of one term divides out of each term of ``size``, if anything."""
    ((head, scale),) = divisor.terms.items()
    whole: Terms = {}
    for monomial, coefficient in size.terms.items():
        factor = quotient(monomial, head)
        if factor is not None and coefficient // scale:
            whole[factor] = coefficient // scale
    return from_terms(whole) if whole else None


def shared_symbol(*sizes: Dim) -> str | None:
    """The first symbol that divides every term of every one of these sizes."""
    monomials = [monomial for size in sizes for monomial in size.terms]
    candidates = sorted({atom for atom in monomials[0] if isinstance(atom, str)})
    for name in candidates:
        if all(name in monomial for monomial in monomials):
            return name
    return None


def without_symbol(size: Dim, factor: str) -> Size:
    """The size divided by a symbol that divides every term."""
    terms: Terms = {}
    for monomial, coefficient in size.terms.items():
        place = monomial.index(factor)
        terms[monomial[:place] + monomial[place + 1 :]] = coefficient
    return from_terms(terms)


def _sum(left: Terms, right: Terms) -> Size:
    terms = dict(left)
    for monomial, coefficient in right.items():
        coefficient += terms.get(monomial, 0)
        if coefficient:
            terms[monomial] = coefficient
        else:
            del terms[monomial]
    return from_terms(terms)


def _product(left: Terms, right: Terms) -> Size:
    if len(left) * len(right) > MAX_PRODUCT:
        too_large(f"a product would have {len(left) * len(right)} terms")
    terms: Terms = {}
    for first, factor in left.items():
        for second, other in right.items():
            monomial = tuple(sorted(first + second, key=rank)) if first and second else first + second
            terms[monomial] = terms.get(monomial, 0) + factor * other
    if max(map(len, terms)) > MAX_DEGREE:
        too_large(f"its degree is {max(map(len, terms))}")
    _check_coefficients(terms)
    return from_terms({monomial: coefficient for monomial, coefficient in terms.items() if coefficient})


def _check_coefficients(terms: Terms) -> None:
    for coefficient in terms.values():
        if coefficient.bit_length() > MAX_BITS:
            too_large(f"a coefficient has {coefficient.bit_length()} bits")
