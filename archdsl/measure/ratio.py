"""Fractions of sizes: how far a step moves, how many cells are seen. Exact, and whole wherever they are whole."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import NamedTuple

from archdsl.dims import Size, dmax, dmin


class Ratio(NamedTuple):
    """``num / den``, in lowest terms where both are plain numbers. Made by `ratio`."""

    num: Size
    den: Size = 1

    def times(self, num: Size, den: Size = 1) -> Ratio:
        return ratio(self.num * num, self.den * den)

    def plus(self, other: Ratio) -> Ratio:
        if self.den == other.den:
            return ratio(self.num + other.num, self.den)
        return ratio(self.num * other.den + other.num * self.den, self.den * other.den)

    def least(self, other: Ratio) -> Ratio:
        return self if self == other else self._extreme(other, dmin)

    def most(self, other: Ratio) -> Ratio:
        return self if self == other else self._extreme(other, dmax)

    def _extreme(self, other: Ratio, choose: Callable[[Size, Size], Size]) -> Ratio:
        return ratio(choose(self.num * other.den, other.num * self.den), self.den * other.den)

    def ceil(self) -> Size:
        """The least whole number that is not less."""
        return self.num if self.den == 1 else -(-self.num // self.den)

    def __str__(self) -> str:
        if self.den == 1:
            return str(self.num)
        parts = (str(part) if isinstance(part, int) else f"({part})" for part in self)
        return "/".join(parts)


ZERO = Ratio(0)
ONE = Ratio(1)


def ratio(num: Size, den: Size = 1) -> Ratio:
    """``num / den`` for a ``den`` that is at least 1."""
    if den == 1:
        return Ratio(num)
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
