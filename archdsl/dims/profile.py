"""How a size depends on one symbol: its period and its degree.

With constant divisors, a size f is in each symbol v a quasi-polynomial: there is a period L such that on
every residue class v = r + L q, whatever the other symbols, f is a polynomial in q with integer
coefficients. Proof, and the rules for L: a symbol is one for L = 1. Sums and products of such polynomials
are such polynomials, for the lcm of the periods. Of ``g // m``, with g such a polynomial in q, put
q = s + m t: as (s + m t)**j is s**j plus m times an integer polynomial in t, so g is g(s) plus m times
one, and ``g // m`` is ``g(s) // m`` plus that one; the period grows by m. If g grows by a known constant
G in each period, the growth by m / gcd(G, m) is enough. Degrees add in products and stay in floors.
"""

from __future__ import annotations

from math import gcd, lcm
from typing import NamedTuple

from archdsl.dims.atoms import Atom, Floor, Monomial, Pos
from archdsl.dims.size import Dim, Size


class Profile(NamedTuple):
    """On each class modulo ``period`` a polynomial of at most this degree.

    ``growth`` is f(v + period) - f(v) where that is one known constant for all v and all other symbols.
    """

    period: int
    degree: int
    growth: int | None


STEADY = Profile(1, 0, 0)
"""The profile of what does not depend on the symbol."""


def profile(size: Size, name: str) -> Profile | None:
    """The profile of a size in one symbol; None where it stands under a symbolic divisor.

    A maximum counts as if it had settled on one of its sides for good, on each class: see `settled_from`
    in `archdsl.dims.single`.
    """
    return _profile(size, name, {})


def samples(period: int, degree: int) -> int:
    """How many successive values determine a quasi-polynomial: degree + 1 on every class."""
    return period * (degree + 1)


def _profile(size: Size, name: str, known: dict[Atom, Profile | None]) -> Profile | None:
    if isinstance(size, int):
        return STEADY
    period, degree, growths = 1, 0, list[tuple[int, Profile]]()
    for monomial, coefficient in size.terms.items():
        part = _monomial_profile(monomial, name, known)
        if part is None:
            return None
        period, degree = lcm(period, part.period), max(degree, part.degree)
        growths.append((coefficient, part))
    growth: int | None = 0
    for coefficient, part in growths:
        if part.growth is None:
            return Profile(period, degree, None)
        growth += coefficient * part.growth * (period // part.period)
    return Profile(period, degree, growth)


def _monomial_profile(monomial: Monomial, name: str, known: dict[Atom, Profile | None]) -> Profile | None:
    period, degree, growth = 1, 0, 0
    for atom in monomial:
        part = _atom_profile(atom, name, known)
        if part is None:
            return None
        period, degree, growth = lcm(period, part.period), degree + part.degree, part.growth
    if degree == 0:  # constant on each class
        return Profile(period, 0, 0)
    return Profile(period, degree, growth if len(monomial) == 1 else None)


def _atom_profile(atom: Atom, name: str, known: dict[Atom, Profile | None]) -> Profile | None:
    if isinstance(atom, str):
        return Profile(1, 1, 1) if atom == name else STEADY
    if name not in atom.symbols:
        return STEADY
    if atom not in known:
        known[atom] = _pos_profile(atom, name, known) if isinstance(atom, Pos) else _floor_profile(atom, name, known)
    return known[atom]


def _pos_profile(atom: Pos, name: str, known: dict[Atom, Profile | None]) -> Profile | None:
    inner = _profile(atom.arg, name, known)
    return inner._replace(growth=None) if inner and inner.degree else inner


def _floor_profile(atom: Floor, name: str, known: dict[Atom, Profile | None]) -> Profile | None:
    inner = _profile(atom.num, name, known)
    if inner is None or isinstance(atom.den, Dim):
        return None
    if inner.degree <= 1 and inner.growth is not None:
        times = atom.den // gcd(inner.growth, atom.den)
        return Profile(inner.period * times, inner.degree, inner.growth * times // atom.den)
    return Profile(inner.period * atom.den, inner.degree, None)
