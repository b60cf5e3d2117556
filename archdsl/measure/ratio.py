"""Fractions of sizes, whole wherever they are whole."""

from __future__ import annotations

from math import gcd
from typing import NamedTuple

from archdsl.dims import Size, dmin


class Ratio(NamedTuple):
    """``num / den``, in lowest terms where both are plain numbers. Made by `ratio`."""

    num: Size
    den: Size = 1

    def least(self, other: Ratio) -> Ratio:
        """The lesser of two."""
        if self == other:
            return self
        return ratio(dmin(self.num * other.den, other.num * self.den), self.den * other.den)

    def __str__(self) -> str:
        if self.den == 1:
            return str(self.num)
        parts = (str(part) if isinstance(part, int) else f"({part})" for part in self)
        return "/".join(parts)


def ratio(num: Size, den: Size) -> Ratio:
    """``num / den`` for a ``den`` that is at least 1."""
    whole = exact_quotient(num, den)
    if whole is not None:
        return Ratio(whole)
    if isinstance(num, int) and isinstance(den, int):
        common = gcd(num, den)
        return Ratio(num // common, den // common)
    return Ratio(num, den)


def exact_quotient(size: Size, divisor: Size) -> Size | None:
    """``size / divisor`` where that can be seen to be whole, else None."""
    if divisor == 1:
        return size
    whole = size // divisor
    return whole if whole * divisor == size else None
