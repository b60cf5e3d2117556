"""How positions on the axes of a value move over an input of the network: the looks of operators, composed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import NamedTuple, TypeAlias

from archdsl.dims import Dim, Facts, Proved, Size, equal, evaluate, witness
from archdsl.measure.ratio import Ratio, exact_quotient, ratio
from archdsl.op import Look, Step, Window


class Digit(NamedTuple):
    """One digit of a position: a step of it moves ``stride`` places along the input's axis (None: it stays).

    ``line`` is the undivided axis of which it is a part, as (stride, size): a digit that is all of it sees all of the
    input's axis when it runs from end to end.
    """

    axis: int | None
    stride: Size
    size: Size
    line: tuple[Size, Size] | None = None


class Trail(NamedTuple):
    """The digits of a position on one axis, outermost first; none if all positions look at one place.

    Where not ``in_order``, positions run over the digits' values, but the digits do not write their numbers: they are
    shifted against each other, as tokens are by a class token before them, or move in uneven steps.
    """

    digits: tuple[Digit, ...] = ()
    in_order: bool = True


class Scale(NamedTuple):
    """New places between those of an axis, made by upsampling: ``den`` new places for ``num`` old ones.

    Old ones were ``stride`` places of the scale before apart. ``m`` new places touch ``⌈m * num / den⌉ + 1`` old ones.
    """

    stride: Size
    num: int
    den: int


class Way(NamedTuple):
    """Where paths lead: a trail for each axis of the value, and for each axis of the input the scales laid over it.

    Digits count places of the last scale; without one, cells.
    """

    trails: tuple[Trail, ...]
    scales: tuple[tuple[Scale, ...], ...]


Moves: TypeAlias = tuple[Size, ...] | None
"""Places that are seen beside the first one, for the cells and for each scale over them; None: the whole axis."""


Seen: TypeAlias = tuple[tuple[int, Size | None], ...]
"""What windows add: an axis of the network's input, and places of its last scale (None: the whole axis)."""


def straight(shape: tuple[Size, ...]) -> Way:
    """The way from the input to itself."""
    trails = (Trail((Digit(axis, 1, size, (1, size)),)) for axis, size in enumerate(shape))
    return Way(tuple(trails), ((),) * len(shape))


def span(scales: tuple[Scale, ...], moves: tuple[Size, ...]) -> Size:
    """Cells that are seen beside the first one."""
    total = moves[-1]
    for scale, more in zip(reversed(scales), reversed(moves[:-1]), strict=True):
        total = more + scale.stride * -(-total * scale.num // scale.den)
    return total


def stride(scales: tuple[Scale, ...], digit: Digit) -> Ratio:
    """Cells from one step of a digit to the next, on average."""
    return ratio(digit.stride * prod(s.stride * s.num for s in scales), prod(s.den for s in scales))


class Composer:
    """Composes ways with the looks of operators, given what is known of symbolic sizes."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[tuple[Way, Look], tuple[Way, Seen]] = {}
        """Networks repeat themselves."""

    def compose(self, way: Way, look: Look) -> tuple[Way, Seen]:
        """The way to the output of an operator, from that to its input; and what its windows see there."""
        if (way, look) not in self._known:
            self._known[way, look] = self._onward(way, look), tuple(self._seen(way, look.windows))
        return self._known[way, look]

    def _onward(self, way: Way, look: Look) -> Way:
        parts = Counter(step.axis for steps in look.steps for step in steps)
        laid = _Laid(way, parts)
        trails = [
            _joined([self._select(way, step, parts[step.axis] > 1, laid) for step in steps], laid)
            for steps in look.steps
        ]
        return Way(tuple(trails), tuple(laid.scales))

    def _seen(self, way: Way, windows: Iterable[Window]) -> Iterator[tuple[int, Size | None]]:
        for window in windows:
            trail = way.trails[window.axis]
            if window.size is None:
                yield from self._whole(trail.digits)
            elif window.size != 1:
                yield from self._slid(trail, (window.size - 1) * window.stride)

    def _whole(self, digits: Iterable[Digit]) -> Iterator[tuple[int, Size | None]]:
        """What is seen from end to end."""
        for digit in digits:
            if digit.axis is not None:
                yield digit.axis, None if self._is_undivided(digit) else digit.stride * (digit.size - 1)

    def _slid(self, trail: Trail, moved: Size) -> Iterator[tuple[int, Size | None]]:
        """What is seen from some position and from the one ``moved`` further.

        Only the outermost digit has counted just so far; those within it may have begun anew between.
        """
        inner = trail.digits[1:] if trail.in_order else trail.digits
        yield from self._whole(inner)
        if trail.in_order and trail.digits and trail.digits[0].axis is not None:
            counted = -(-moved // prod(digit.size for digit in inner)) if inner else moved
            yield trail.digits[0].axis, trail.digits[0].stride * counted

    def _is_undivided(self, digit: Digit) -> bool:
        if digit.line is None:
            return False
        stride, size = digit.line
        return digit.stride == stride and (
            digit.size == size or isinstance(equal(digit.size, size, self._facts), Proved)
        )

    def _select(self, way: Way, step: Step, is_part: bool, laid: _Laid) -> Trail:
        trail = way.trails[step.axis] if step.axis is not None else Trail()
        if not trail.digits:
            return Trail((Digit(None, 0, step.size),))
        if not trail.in_order:
            return trail
        if len(trail.digits) == 1:
            return self._stepped(trail.digits[0], step, is_part, laid)
        digits = _taken(trail.digits, step.stride, step.size) if step.per == 1 else None
        return Trail(trail.digits, in_order=False) if digits is None else Trail(digits)

    def _stepped(self, digit: Digit, step: Step, is_part: bool, laid: _Laid) -> Trail:
        if digit.axis is None:
            return Trail((digit._replace(size=step.size),))
        moved = self._simplest(step)
        whole = not is_part and self._is_undivided(digit)
        if moved.den == 1:
            stride = digit.stride * moved.num
            return Trail((Digit(digit.axis, stride, step.size, (stride, step.size) if whole else digit.line),))
        finer = laid.finer(digit, moved, step.size, whole)
        return Trail((digit,), in_order=False) if finer is None else Trail((finer,))

    def _simplest(self, step: Step) -> Ratio:
        """What one step moves; of symbolic sizes a number, where it is the same for all that are allowed."""
        found = ratio(step.stride, step.per)
        example = witness(found.den, ">=", 1, self._facts) if isinstance(found.den, Dim) else None
        if example is None:
            return found
        guess = ratio(evaluate(found.num, example), evaluate(found.den, example))
        is_right = equal(found.num * guess.den, found.den * guess.num, self._facts)
        return guess if isinstance(is_right, Proved) else found


class _Laid:
    """The scales over the axes, while an operator adds some."""

    def __init__(self, way: Way, parts: Mapping[int | None, int]) -> None:
        self.scales = list(way.scales)
        self._digits = Counter[int | None]()
        """Those that are left of each axis of the network's input."""
        for axis, trail in enumerate(way.trails):
            for digit in trail.digits:
                self._digits[digit.axis] += parts[axis]

    def finer(self, digit: Digit, moved: Ratio, size: Size, is_whole: bool) -> Digit | None:
        """The digit on a new scale, of which a step is ``moved`` old ones; None if that cannot be said.

        It can be if the steps are even, and no other digit counts places of the old scale.
        """
        num, den = moved
        if digit.axis is None or self._digits[digit.axis] > 1 or not isinstance(num, int) or not isinstance(den, int):
            return None
        self.scales[digit.axis] = (*self.scales[digit.axis], Scale(digit.stride, num, den))
        return Digit(digit.axis, 1, size, (1, size) if is_whole else None)


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
        upper = digit._replace(stride=digit.stride * skip, size=rest)
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


def _joined(parts: list[Trail], laid: _Laid) -> Trail:
    """One axis from the digits of several: neighbours that continue each other become one."""
    digits: list[Digit] = []
    for digit in (d for part in parts for d in part.digits):
        fused = _fused(digits[-1], digit, laid) if digits else None
        if fused is not None:
            digits[-1] = fused
        else:
            digits.append(digit)
    if all(digit.axis is None for digit in digits):
        return Trail()
    return Trail(tuple(digits), all(part.in_order for part in parts))


def _fused(outer: Digit, inner: Digit, laid: _Laid) -> Digit | None:
    """Two digits as one, where they count on."""
    size = outer.size * inner.size
    if outer.axis == inner.axis and outer.stride == inner.stride * inner.size:
        return inner._replace(size=size, line=inner.line if inner.line == outer.line else None)
    if inner.axis is None:  # each place for ``inner.size`` positions, as after upsampling
        return laid.finer(outer, Ratio(1, inner.size), size, outer.line == (outer.stride, outer.size))
    return None
