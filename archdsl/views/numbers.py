"""Numbers as tables show them: sizes, counts and bytes, exact or short. Symbolic ones are short sums of products."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from archdsl.dims import Floor, Size, show
from archdsl.dims.atoms import Atom

_UNITS = ("", "K", "M", "G", "T", "P", "E")
MAX_SUM = 60
"""Characters of a symbolic size, unless a cell has less room."""

Polynomial = dict[tuple[str, ...], Fraction]
"""Coefficients by the names that are multiplied."""


def exact(size: Size) -> str:
    """``25,557,032``; ``36,864 * H * W``."""
    if isinstance(size, int):
        return f"{size:,}"
    return re.sub(r"\d{4,}", lambda number: f"{int(number.group()):,}", show(size))


def short(size: Size, unit: str = "", room: int = MAX_SUM) -> str:
    """Three digits and a unit: ``4.09 G``, ``602 KB``, ``36.9 K·H·W``; nothing for 0.

    Of a symbolic size the terms of highest degree that fit, with ``…`` for others; ``≈`` if divisions are not rounded.
    """
    if isinstance(size, int):
        return _rounded(size, unit) if size else ""
    return _sum_text(size, unit, room)


def in_bytes(size: Size, room: int = MAX_SUM) -> str:
    """Bytes, in powers of 1,000: ``3.21 MB``."""
    return short(size, "B", room) or "0 B"


def _rounded(number: Fraction | int, unit: str = "") -> str:
    value, power = float(number), 0
    while value >= 999.5 and power < len(_UNITS) - 1:
        value, power = value / 1000, power + 1
    digits = 0 if power == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    text = f"{value:.{digits}f}" if power or number.denominator == 1 else f"{value:.3g}"
    return f"{text} {_UNITS[power]}{unit}".rstrip()


# ---- symbolic sizes ----------------------------------------------------------------------------------------


def _sum_text(size: Size, unit: str, room: int) -> str:
    polynomial = _without_rounding(size)
    if polynomial is None:
        text = _compact(exact(size))
        return text if len(text) <= room else f"{text[: room - 1]}…"
    terms = sorted(((names, c) for names, c in polynomial.items() if c), key=lambda term: (-len(term[0]), term[0]))
    text = "≈ " if _rounds(size) else ""
    for place, (names, coefficient) in enumerate(terms):
        sign = ("- " if coefficient < 0 else "") if place == 0 else (" - " if coefficient < 0 else " + ")
        longer = f"{text}{sign}{_product(names, abs(coefficient), unit)}"
        rest = " + …" if place + 1 < len(terms) else ""
        if place and len(longer) + len(rest) > room:
            return f"{text}{sign}…"
        text = longer
    return text


def _product(names: tuple[str, ...], coefficient: Fraction, unit: str) -> str:
    """``36.9 K·H·W``, ``12·C²``, ``H``; with a unit ``4 B·H``."""
    powers = [name if count == 1 else f"{name}{_SUPERSCRIPTS.get(count, f'^{count}')}" for name, count in
              Counter(names).items()]  # fmt: skip
    has_number = coefficient != 1 or unit or not names
    return "·".join([*([_rounded(coefficient, unit)] if has_number else []), *powers])


_SUPERSCRIPTS = {2: "²", 3: "³"}


def _without_rounding(size: Size) -> Polynomial | None:
    """The size as a polynomial, with ``a // n`` taken as a / n; None if it has a maximum or divides by a size."""
    if isinstance(size, int):
        return {(): Fraction(size)}
    total: Polynomial = {}
    for monomial, coefficient in size.terms.items():
        product: Polynomial = {(): Fraction(coefficient)}
        for atom in monomial:
            factor = _factor(atom)
            if factor is None:
                return None
            product = _times(product, factor)
        for names, share in product.items():
            total[names] = total.get(names, Fraction(0)) + share
    return total


def _factor(atom: Atom) -> Polynomial | None:
    if isinstance(atom, str):
        return {(atom,): Fraction(1)}
    if not isinstance(atom, Floor) or not isinstance(atom.den, int):
        return None
    numerator, divisor = _without_rounding(atom.num), atom.den
    return None if numerator is None else {names: share / divisor for names, share in numerator.items()}


def _times(left: Polynomial, right: Polynomial) -> Polynomial:
    product: Polynomial = {}
    for (names, share), (more, other) in ((a, b) for a in left.items() for b in right.items()):
        joined = tuple(sorted((*names, *more)))
        product[joined] = product.get(joined, Fraction(0)) + share * other
    return product


def _rounds(size: Size) -> bool:
    """Whether the size has a division."""
    return not isinstance(size, int) and any(not isinstance(atom, str) for monomial in size.terms for atom in monomial)


def compact_shape(text: str) -> str:
    """A shape with symbolic sizes in fewer characters: ``[N, 2, 16·((H+4)//16)-188]``."""
    return _compact(text)


def _compact(text: str) -> str:
    return re.sub(r" (//|[-+%]) ", r"\1", text.replace(" * ", "·").replace("**2", "²"))
