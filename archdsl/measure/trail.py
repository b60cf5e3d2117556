"""How positions on the axes of a value move over an input of the network: the looks of operators, composed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from math import prod
from typing import NamedTuple, TypeAlias

from archdsl.dims import Dim, Facts, Proved, Size, at_least, equal, evaluate, witness
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
    shifted against each other (as tokens are by a class token before them), move in uneven steps, or were slid over.
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

    def without(self, axes: Container[int]) -> Way:
        """The way where these axes of the input are seen whole from everywhere: no more is to be told of them."""
        scales = tuple(() if axis in axes else scales for axis, scales in enumerate(self.scales))
        return Way(tuple(_still(trail, axes) for trail in self.trails), scales)


Moves: TypeAlias = tuple[Size, ...] | None
"""Places that are seen beside the first one, for the cells and for each scale over them; None: the whole axis."""


class Seen(NamedTuple):
    """What a window adds along an axis of the input: places of its last scale (None: the whole axis).

    ``is_mixed``: a part of the axis is seen from end to end.
    """

    axis: int
    places: Size | None
    is_mixed: bool = False


class Composed(NamedTuple):
    """``seen`` counts places of the last scales of ``before``, the way to the input of an operator."""

    before: Way
    seen: tuple[Seen, ...]
    after: Way


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


def strides(way: Way, axis: int) -> Iterator[Ratio]:
    """Cells of an axis from one step of a digit to the next; on average, where places are repeated (upsampling)."""
    scales = way.scales[axis]
    cells, places = prod(scale.stride * scale.num for scale in scales), prod(scale.den for scale in scales)
    for digits, _ in way.trails:
        times = _repeats(digits)
        yield from (ratio(digit.stride * cells, places * times) for digit in digits if digit.axis == axis)


def _repeats(digits: tuple[Digit, ...]) -> Size:
    """How often each place is taken in turn, where all digits but the first stay."""
    inner = digits[1:]
    return prod(digit.size for digit in inner) if all(digit.axis is None for digit in inner) else 1


class Composer:
    """Composes ways with the looks of operators, given what is known of symbolic sizes."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[tuple[Way, Look], Composed] = {}
        """Networks repeat themselves."""

    def compose(self, way: Way, look: Look) -> Composed:
        """The way to the output of an operator, from that to its input."""
        if (way, look) not in self._known:
            before = self._even(way, {w.axis for w in look.windows if w.size is not None and w.size != 1})
            seen = tuple(self._seen(before, look.windows))
            self._known[way, look] = Composed(before, seen, self._onward(before, look))
        return self._known[way, look]

    def _even(self, way: Way, slid: Container[int]) -> Way:
        """The way as windows can slide along some axes of the value: repeated places in order of position."""
        laid = _Laid(way, Counter(range(len(way.trails))))
        trails = list(way.trails)
        for axis, trail in enumerate(trails):
            if axis in slid and len(trail.digits) > 1 and trail.in_order:
                smoothed = self._smoothed(trail.digits, laid)
                trails[axis] = trail if smoothed is None else Trail((smoothed,))
        return Way(tuple(trails), tuple(laid.scales))

    def _onward(self, way: Way, look: Look) -> Way:
        parts = Counter(step.axis for steps in look.steps for step in steps)
        trails = list(way.trails)
        for window in look.windows:
            if window.size is None:  # all positions see the same
                trails[window.axis] = Trail()
            elif window.size != 1 and len(trails[window.axis].digits) > 1:
                trails[window.axis] = trails[window.axis]._replace(in_order=False)
        way = way._replace(trails=tuple(trails))
        laid = _Laid(way, parts)
        onward = [
            _joined(self._select(way, step, parts[step.axis] > 1, laid) for step in steps) for steps in look.steps
        ]
        return Way(tuple(onward), tuple(laid.scales))

    def _seen(self, way: Way, windows: Iterable[Window]) -> Iterator[Seen]:
        for window in windows:
            trail = way.trails[window.axis]
            if window.size is None:
                yield from self._whole(trail.digits)
            elif window.size != 1:
                yield from self._slid(trail, (window.size - 1) * window.stride)

    def _whole(self, digits: Iterable[Digit]) -> Iterator[Seen]:
        """What is seen from end to end."""
        for digit in digits:
            if digit.axis is not None:
                whole = self._is_undivided(digit)
                yield Seen(digit.axis, None if whole else digit.stride * (digit.size - 1), is_mixed=True)

    def _slid(self, trail: Trail, moved: Size) -> Iterator[Seen]:
        """What is seen from some position and from the one ``moved`` further.

        Only the outermost digit has counted just so far; those within it may have begun anew between.
        """
        inner = trail.digits[1:] if trail.in_order else trail.digits
        yield from self._whole(inner)
        if trail.in_order and trail.digits and trail.digits[0].axis is not None:
            counted = -(-moved // prod(digit.size for digit in inner)) if inner else moved
            yield Seen(trail.digits[0].axis, trail.digits[0].stride * counted)

    def covers(self, seen: Size, size: Size) -> bool:
        """Whether so many cells are certainly all of an axis."""
        if isinstance(seen, int) and isinstance(size, int):
            return seen >= size
        return isinstance(at_least(seen, size, self._facts), Proved)

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
        is_whole = step.stride * step.size == prod(digit.size for digit in trail.digits)  # else it may be cut anywhere
        if step.per == 1 and (is_part or is_whole):
            digits = _taken(trail.digits, step.stride, step.size)
            if digits is not None:
                return Trail(digits)
        smoothed = self._smoothed(trail.digits, laid)
        return Trail(trail.digits, False) if smoothed is None else self._stepped(smoothed, step, is_part, laid)

    def _smoothed(self, digits: tuple[Digit, ...], laid: _Laid) -> Digit | None:
        """A digit each step of which is taken several times, as after upsampling, as one on a finer scale."""
        first, count = digits[0], _repeats(digits)
        if count == 1:
            return None
        return laid.finer(first, Ratio(1, count), first.size * count, self._is_undivided(first))

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


def _still(trail: Trail, axes: Container[int]) -> Trail:
    """The trail without moving along these axes of the input."""
    digits = (
        Digit(None, 0, digit.size) if digit.axis is not None and digit.axis in axes else digit for digit in trail.digits
    )
    return _joined([Trail(tuple(digits), trail.in_order)])


def _joined(parts: Iterable[Trail]) -> Trail:
    """One axis from the digits of several: neighbours that continue each other become one."""
    parts = list(parts)
    in_order = all(part.in_order for part in parts)
    digits: list[Digit] = []
    for digit in (d for part in parts for d in part.digits):
        fused = _fused(digits[-1], digit) if digits else None
        if fused is not None:
            digits[-1] = fused
        else:
            digits.append(digit)
    if all(digit.axis is None for digit in digits):
        return Trail()
    return Trail(tuple(digits) if in_order else _gathered(digits), in_order)


def _gathered(digits: Iterable[Digit]) -> tuple[Digit, ...]:
    """Digits that write no number any more: those of one stride as one, which runs as far as they do together.

    Else each split and join of such an axis, which hands all of its digits on to all parts, would double them.
    """
    found: dict[tuple[int | None, Size, tuple[Size, Size] | None], Digit] = {}
    for digit in digits:
        key = (digit.axis, digit.stride, digit.line)
        other = found.get(key)
        if other is None or digit.line == (digit.stride, digit.size):  # no further than from end to end
            found[key] = digit
        elif other.line != (other.stride, other.size):
            found[key] = digit._replace(size=digit.size + other.size - 1)
    return tuple(found.values())


def _fused(outer: Digit, inner: Digit) -> Digit | None:
    """Two digits as one, where they count on."""
    if outer.axis != inner.axis or outer.stride != inner.stride * inner.size:
        return None
    return inner._replace(size=outer.size * inner.size, line=inner.line if inner.line == outer.line else None)
