"""Quotients of sizes, exact: what ``/`` and floats make of sizes in a claim, where nothing has to be a whole number."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from archdsl.dims import Dim, Size
from archdsl.dims.show import operand
from archdsl.record import record


@record(slots=True)
class Quotient:
    """``num / den``, where ``den`` is at least 1 for all sizes."""

    num: Size
    den: Size

    def __str__(self) -> str:
        return f"{operand(self.num)} / {operand(self.den)}"

    def __floor__(self) -> Size:
        return self.num // self.den

    def __ceil__(self) -> Size:
        return -(-self.num // self.den)


Exact = int | float | Dim | Quotient


def as_quotient(value: Exact) -> Quotient:
    """A number as a quotient; a float is the decimal fraction that it is written as. Raises `ValueError`."""
    if isinstance(value, Quotient):
        return value
    if not isinstance(value, float):
        return Quotient(value if isinstance(value, Dim) else int(value), 1)
    if not isfinite(value):
        raise ValueError(f"{value} is not a number")
    digits, _, exponent = repr(value).partition("e")
    whole, _, places = digits.partition(".")
    power = int(exponent or 0) - len(places)
    return simplified(int(whole + places) * 10 ** max(power, 0), 10 ** max(-power, 0))


def simplified(num: Size, den: Size) -> Quotient:
    """The quotient, as a whole number where it is one at a glance."""
    whole = num // den
    return Quotient(whole, 1) if whole * den == num else Quotient(num, den)


def _sum(a: Quotient, b: Quotient) -> Quotient:
    return simplified(a.num * b.den + b.num * a.den, a.den * b.den)


def _product(a: Quotient, b: Quotient) -> Quotient:
    return simplified(a.num * b.num, a.den * b.den)


def _divided(a: Quotient, b: Quotient) -> Quotient:
    if isinstance(b.num, int) and b.num < 0:
        return simplified(-a.num * b.den, a.den * -b.num)
    return simplified(a.num * b.den, a.den * b.num)


def _floored(a: Quotient, b: Quotient) -> Quotient:
    divided = _divided(a, b)
    return Quotient(divided.num // divided.den, 1)


def _remainder(a: Quotient, b: Quotient) -> Quotient:
    return _sum(a, _product(Quotient(-1, 1), _product(_floored(a, b), b)))


OPERATIONS: dict[str, Callable[[Quotient, Quotient], Quotient]] = {
    "+": _sum,
    "-": lambda a, b: _sum(a, Quotient(-b.num, b.den)),
    "*": _product,
    "/": _divided,
    "//": _floored,
    "%": _remainder,
}
"""On quotients. What divides must be at least 1, or a number that is not 0: `ZeroDivisionError`."""
