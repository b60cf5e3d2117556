"""How positions on the axes of a value move over an input of the network: looks composed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from archdsl.dims import Dim, Facts, Proved, Size, equal, evaluate, witness
from archdsl.measure.ratio import ONE, ZERO, Ratio, exact_quotient, ratio
from archdsl.op import Look, Step, Window


class Digit(NamedTuple):
    """One digit of a position: a step of it moves ``stride`` cells along the input's axis (None: it stays).

    ``line`` is the undivided axis of which it is a part, as (stride, size): a digit that is all of it sees all of the
    input's axis when it runs from end to end.
    """

    axis: int | None
    stride: Ratio
    size: Size
    line: tuple[Ratio, Size] | None = None


class Trail(NamedTuple):
    """The digits of a position on one axis, outermost first; none if all positions look at one place.

    Where not ``in_order``, positions run over the digits' values, but the digits do not write their numbers: they are
    shifted against each other, as tokens are by a class token before them, or move in uneven steps.
    """

    digits: tuple[Digit, ...] = ()
    in_order: bool = True


Trails: TypeAlias = tuple[Trail, ...]
"""For each axis of a value."""

Span: TypeAlias = Ratio | None
"""Cells that are seen beside the first one; None: the whole axis."""


def straight(shape: Iterable[Size]) -> Trails:
    """The trails of the input itself."""
    return tuple(Trail((Digit(axis, ONE, size, (ONE, size)),)) for axis, size in enumerate(shape))


class Composer:
    """Composes trails with the looks of operators, given what is known of symbolic sizes."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def onward(self, trails: Trails, look: Look) -> Trails:
        """Trails of the output of an operator, from those of its input."""
        parts = Counter(step.axis for steps in look.steps for step in steps)
        return tuple(
            _joined([self._select(trails, step, is_part=parts[step.axis] > 1) for step in steps])
            for steps in look.steps
        )

    def seen(self, trails: Trails, windows: Iterable[Window]) -> Iterator[tuple[int, Span]]:
        """What windows add along the axes of the network's input."""
        for window in windows:
            trail = trails[window.axis]
            if window.size is None or len(trail.digits) > 1 or not trail.in_order:
                if window.size != 1:
                    yield from self._whole(trail)
            else:
                for axis, stride, _, _ in trail.digits:
                    if axis is not None:
                        yield axis, stride.times((window.size - 1) * window.stride)

    def _whole(self, trail: Trail) -> Iterator[tuple[int, Span]]:
        """What is seen from end to end; of an axis of several digits, whatever sees more than one place."""
        for digit in trail.digits:
            if digit.axis is not None:
                yield digit.axis, None if self._is_undivided(digit) else digit.stride.times(digit.size - 1)

    def _is_undivided(self, digit: Digit) -> bool:
        if digit.line is None:
            return False
        stride, size = digit.line
        return digit.stride == stride and (
            digit.size == size or isinstance(equal(digit.size, size, self._facts), Proved)
        )

    def _select(self, trails: Trails, step: Step, is_part: bool) -> Trail:
        trail = trails[step.axis] if step.axis is not None else Trail()
        if not trail.digits:
            return Trail((Digit(None, ZERO, step.size),))
        if not trail.in_order:
            return trail
        if len(trail.digits) == 1:
            return self._stepped(trail.digits[0], step, is_part)
        digits = _taken(trail.digits, step.stride, step.size) if step.per == 1 else None
        return Trail(trail.digits, in_order=False) if digits is None else Trail(digits)

    def _stepped(self, digit: Digit, step: Step, is_part: bool) -> Trail:
        if digit.axis is None:
            return Trail((digit._replace(size=step.size),))
        stride = self._simplest(digit.stride.times(step.stride, step.per))
        if isinstance(stride.den, Dim):  # resized by a factor that is no number: uneven steps
            return Trail((digit,), in_order=False)
        line = digit.line
        if not is_part and self._is_undivided(digit):
            line = stride, step.size
        return Trail((Digit(digit.axis, stride, step.size, line),))

    def _simplest(self, stride: Ratio) -> Ratio:
        """A fraction of symbolic sizes as a number, where it is the same for all allowed sizes."""
        num, den = stride
        if isinstance(den, int):
            return stride
        example = witness(den, ">=", 1, self._facts)
        if example is None:
            return stride
        found = ratio(evaluate(num, example), evaluate(den, example))
        return found if isinstance(equal(num * found.den, den * found.num, self._facts), Proved) else stride


def _taken(digits: tuple[Digit, ...], skip: Size, take: Size) -> tuple[Digit, ...] | None:
    """The digits that write ``position // skip % take``, if there are such."""
    taken: list[Digit] = []
    for digit in reversed(digits):
        dropped = exact_quotient(skip, digit.size)
        if skip != 1 and dropped is not None:
            skip = dropped
            continue
        rest = exact_quotient(digit.size, skip)
        if rest is None:
            return None
        upper = digit._replace(stride=digit.stride.times(skip), size=rest)
        skip = 1
        if take == 1:
            break
        more = exact_quotient(take, upper.size)
        if more is not None:
            taken.append(upper)
            take = more
            continue
        if exact_quotient(upper.size, take) is None:
            return None
        taken.append(upper._replace(size=take))
        take = 1
    return tuple(reversed(taken)) if skip == take == 1 else None


def _joined(parts: list[Trail]) -> Trail:
    """One axis from the digits of several: neighbours that continue each other become one."""
    digits: list[Digit] = []
    for digit in (d for part in parts for d in part.digits):
        if digits and _continues(digits[-1], digit):
            digit = digit._replace(
                size=digits[-1].size * digit.size, line=digit.line if digit.line == digits[-1].line else None
            )
            digits[-1] = digit
        else:
            digits.append(digit)
    if all(digit.axis is None for digit in digits):
        return Trail()
    return Trail(tuple(digits), all(part.in_order for part in parts))


def _continues(outer: Digit, inner: Digit) -> bool:
    return outer.axis == inner.axis and outer.stride == inner.stride.times(inner.size)
