"""What an operator's argument may be. A kind takes an elaborated value and returns it in the form that the facets use.

A list of the language arrives as a Python list and leaves as a tuple. Sizes are ``int | Dim``.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias, TypeGuard, TypeVar

from archdsl.dims import Dim, Size
from archdsl.init import MAX_FLOAT, Init
from archdsl.op import Kind, Needs, Op, Operand, Reject, parameters, show, symbolic_sizes
from archdsl.record import record

MOST_CELLS = 2**31 - 1
"""torch counts the cells of a window in 32 bits."""
MOST_WHOLE = 2**63 - 1
"""Every other whole number has 64 bits."""

T = TypeVar("T")
PerAxis: TypeAlias = Size | tuple[Size, ...]
"""One size for all axes, or one for each."""


def require_at_most(value: int, most: int) -> None:
    """
    Raises:
        Reject: a whole number is beyond what torch can hold.
    """
    if abs(value) > most:
        raise Reject(f"{show(value)} is too large: the largest integer here is {most:,}")


def require_float32(value: float) -> None:
    """
    Raises:
        Reject: a number is beyond those of float32.
    """
    if not abs(value) <= MAX_FLOAT:
        raise Reject(f"{show(value)} is too large for float32, whose largest number is 3.4e38")


def is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


@record
class SizeKind(Kind):
    """A whole number, at least ``least`` (None: any sign); or a symbolic size, unless it must be ``known``."""

    least: int | None
    expected: str
    known: bool = False
    most: int = MOST_WHOLE

    def accept(self, value: object) -> object:
        if isinstance(value, Dim):
            if self.known:
                raise self.reject(value)
            return value
        if not is_int(value) or (self.least is not None and value < self.least):
            raise self.reject(value)
        require_at_most(value, self.most)
        return value


class AxisKind(Kind):
    """A known whole number; negative ones count from the last axis."""

    expected = "an axis (an integer; -1 is the last)"

    def accept(self, value: object) -> object:
        if not is_int(value):
            raise self.reject(value)
        return value


class OneAxisKind(AxisKind):
    """An axis where other libraries take several."""

    def accept(self, value: object) -> object:
        try:
            return super().accept(value)
        except Reject as reject:
            help = "one axis at a time: `pad(2, 1, 1) -> pad(3, 1, 1)`, `roll(1, 3) -> roll(2, 3)`"
            raise Reject(reject.message, help=help if isinstance(value, list | tuple) else None) from None


@record
class PerAxisKind(Kind):
    """One of ``element`` for every axis, or a list with one for each."""

    element: Kind
    expected: str

    def accept(self, value: object) -> object:
        if isinstance(value, list | tuple):
            if not value:
                raise self.reject(value)
            return tuple(self.element.accept(v) for v in value)
        try:
            return self.element.accept(value)
        except Reject as reject:
            raise (reject if is_int(value) and abs(value) > MOST_CELLS else self.reject(value)) from None


class PadKind(Kind):
    """Padding: of every spatial axis, or a list with that of each: as many cells on both sides, or [before, after]."""

    expected = 'an integer at least 0, a list with that or [before, after] for each axis, or "same"'
    words: tuple[str, ...] = ("same",)

    def accept(self, value: object) -> object:
        if value in self.words:
            return value
        try:
            return tuple(self._side(v) for v in value) if isinstance(value, list | tuple) else PADDING.accept(value)
        except Reject:
            raise self.reject(value) from None

    def _side(self, value: object) -> object:
        if not isinstance(value, list | tuple):
            return PADDING.accept(value)
        if len(value) != 2:
            raise self.reject(value)
        return tuple(PADDING.accept(v) for v in value)


@record
class EitherKind(Kind):
    """The first of several kinds that accepts."""

    kinds: tuple[Kind, ...]
    expected: str
    words: tuple[str, ...]

    def accept(self, value: object) -> object:
        for kind in self.kinds:
            try:
                return kind.accept(value)
            except Reject:
                continue
        raise self.reject(value)


@record
class NumberKind(Kind):
    """A number between bounds (both included; None: open)."""

    low: float | None
    high: float | None
    expected: str

    def accept(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.reject(value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise self.reject(value)
        require_float32(value)
        return value if isinstance(value, float) else float(value)


class ScalarKind(Kind):
    """A number as it was written: a whole one stays whole, and so does what it is combined with."""

    expected = "a number"

    def accept(self, value: object) -> object:
        if not isinstance(value, int | float):
            raise self.reject(value)
        if isinstance(value, int):
            require_at_most(value, MOST_WHOLE)
        require_float32(value)
        return int(value) if isinstance(value, bool) else value


class FlagKind(Kind):
    expected = "true or false"

    def accept(self, value: object) -> object:
        if not isinstance(value, bool):
            help = f"write `{'true' if value else 'false'}`" if is_int(value) and value in (0, 1) else None
            raise Reject(self.reject(value).message, help=help)
        return value


class TextKind(Kind):
    expected = "a string"

    def accept(self, value: object) -> object:
        if not isinstance(value, str):
            raise self.reject(value)
        return value


@record
class ChoiceKind(Kind):
    """One of some words, given as a string."""

    expected: str
    words: tuple[str, ...]

    def accept(self, value: object) -> object:
        if value not in self.words:
            raise self.reject(value)
        return value


class InitKind(Kind):
    expected = "an initial value such as `zeros` or `normal(std=0.01)`"

    def accept(self, value: object) -> Init:
        if isinstance(value, type) and issubclass(value, Init):
            try:
                return value()
            except TypeError:
                raise Reject(f"`{value.name}` is missing its arguments") from None
        if not isinstance(value, Init):
            raise self.reject(value)
        return value


class ValueKind(Kind):
    """A value (a tensor of the graph); the facets see it as an ``Operand``."""

    expected = "a value"

    def accept(self, value: object) -> object:
        if not isinstance(value, Operand):
            raise self.reject(value)
        return value


SIZE = SizeKind(1, "a size (an integer, at least 1)")
KNOWN_SIZE = SizeKind(1, "a known integer, at least 1", known=True, most=MOST_CELLS)
CELLS = SizeKind(1, "a size (an integer, at least 1)", most=MOST_CELLS)
PADDING = SizeKind(0, "an integer, at least 0", most=MOST_CELLS)
COUNT = SizeKind(0, "an integer, at least 0")
INTEGER = SizeKind(None, "an integer")
AXIS = AxisKind()
ONE_AXIS = OneAxisKind()
AXES = PerAxisKind(AXIS, "an axis, or a list of axes")
SIZES = PerAxisKind(CELLS, "a size, or a list with one for each axis")
KNOWN_SIZES = PerAxisKind(KNOWN_SIZE, "an integer at least 1, or a list with one for each axis")
COUNTS = PerAxisKind(PADDING, "an integer at least 0, or a list with one for each axis")
INTEGERS = PerAxisKind(INTEGER, "an integer, or a list of integers")
PAD = PadKind()
SCALAR = ScalarKind()
NUMBER = NumberKind(None, None, "a number")
POSITIVE = NumberKind(0.0, None, "a number, at least 0")
PROBABILITY = NumberKind(0.0, 1.0, "a probability (0 to 1)")
FLAG = FlagKind()
TEXT = TextKind()
INIT = InitKind()
VALUE = ValueKind()


def takes_value(kind: Kind) -> bool:
    """May an argument of this kind be a value?"""
    return isinstance(kind, ValueKind) or (isinstance(kind, EitherKind) and any(map(takes_value, kind.kinds)))


def choice(*words: str) -> ChoiceKind:
    return ChoiceKind(" or ".join(f'"{word}"' for word in words), words)


def either(*kinds: Kind) -> EitherKind:
    expected = " or ".join(kind.expected for kind in kinds)
    return EitherKind(kinds, expected, tuple(word for kind in kinds for word in kind.words))


def axis_of(axis: int, rank: int, arg: str = "axis") -> int:
    """``axis`` counted from 0, of a value of ``rank`` axes.

    Raises:
        Reject: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise Reject(f"there is no axis {axis} in a value of {rank} axes", arg=arg)
    return axis % rank


def per_axis(value: T | tuple[T, ...], axes: int, arg: str) -> tuple[T, ...]:
    """``value`` for each of ``axes`` axes: repeated, or as many as were given.

    Raises:
        Reject: a list of another length.
    """
    if not isinstance(value, tuple):
        return (value,) * axes
    if len(value) != axes:
        raise Reject(f"got {len(value)} numbers for {axes} spatial axes", arg=arg)
    return value


def require_sizes(op: Op, needs: Needs) -> None:
    """Hold the bounds of an operator's arguments where they are symbolic; plain ones were checked when accepted.

    Raises:
        Reject: a symbolic size can never be as large as its argument must be.
    """
    for name, least in _bounds(type(op)):
        for size in symbolic_sizes(getattr(op, name)):
            needs.require(size, ">=", least, f"{name} (={size}) must be at least {least}", arg=name)


@cache
def _bounds(op: type[Op]) -> tuple[tuple[str, int], ...]:
    """The arguments that are sizes, with the least that each may be."""
    found = ((name, _least(kind)) for name, _, kind, _ in parameters(op))
    return tuple((name, least) for name, least in found if least is not None)


def _least(kind: Kind) -> int | None:
    match kind:
        case SizeKind(least=least) | PerAxisKind(element=SizeKind(least=least)):
            return least
        case PadKind():
            return 0
        case EitherKind(kinds=kinds):
            return next((least for least in map(_least, kinds) if least is not None), None)
        case _:
            return None
