"""Receptive fields to the cell, along one axis: a value's axis on which places see runs of an input's cells.

`archdsl.measure.trail` follows positions through axes that are split and merged, and bounds what they see by sizes
alone. Here the places themselves are known: convolutions, pools, resizing and slices repeat their pattern every few
places (`archdsl.op.Taps`), so the runs that all places see are known from one period. Cells beyond the edges count.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd, lcm
from typing import Literal, NamedTuple, TypeAlias

from archdsl.dims import Size
from archdsl.measure.ratio import Ratio, ratio
from archdsl.op import Look, Step, Taps, Tensor

MAX_PERIOD = 4096
"""Longest pattern that is followed."""

Doubt: TypeAlias = Literal["no", "numbers", "all"]

Run: TypeAlias = "tuple[int, int] | None"
"""First and last cell; None: nothing is seen."""


class Sight(NamedTuple):
    """Place ``q * len(runs) + r`` sees what ``runs[r]`` states, ``q * shift`` cells further."""

    shift: int
    runs: tuple[Run, ...]

    def at(self, place: int) -> Run:
        turns, rest = divmod(place, len(self.runs))
        run = self.runs[rest]
        return None if run is None else (run[0] + turns * self.shift, run[1] + turns * self.shift)

    @property
    def extent(self) -> int:
        """Cells from the first to the last that some place sees: at least one."""
        return max((last - first + 1 for first, last in filter(None, self.runs)), default=1)

    @property
    def stride(self) -> Ratio:
        return ratio(self.shift, len(self.runs))

    def through(self, taps: Taps) -> Sight | None:
        """What places see that see these places; None beyond `MAX_PERIOD`."""
        turns = len(self.runs) // gcd(len(self.runs), taps.shift)
        count = turns * len(taps.cells)
        if count > MAX_PERIOD:
            return None
        runs = []
        for place in range(count):
            turn, rest = divmod(place, len(taps.cells))
            runs.append(joined(self.at(turn * taps.shift + cell) for cell in taps.cells[rest]))
        return Sight(turns * taps.shift * self.shift // len(self.runs), tuple(runs)).shortened()

    def shortened(self) -> Sight:
        """With the shortest period."""
        count = len(self.runs)
        for period in range(1, count):
            if count % period == 0 and self.shift * period % count == 0:
                shorter = Sight(self.shift * period // count, self.runs[:period])
                if all(shorter.at(place) == run for place, run in enumerate(self.runs)):
                    return shorter
        return self

    def with_other(self, other: Sight) -> Sight | None:
        """What is seen along two paths together; None where their strides differ, or beyond `MAX_PERIOD`."""
        count = lcm(len(self.runs), len(other.runs))
        if self.stride != other.stride or count > MAX_PERIOD:
            return None
        runs = tuple(joined((self.at(place), other.at(place))) for place in range(count))
        return Sight(self.shift * count // len(self.runs), runs).shortened()


def joined(runs: Iterable[Run]) -> Run:
    """From the first to the last cell of all."""
    found = [run for run in runs if run is not None]
    return (min(first for first, _ in found), max(last for _, last in found)) if found else None


# ---- along the paths of a network --------------------------------------------------------------------------


class Line(NamedTuple):
    """An axis of a value whose places see runs of the input's axis, and no other of its axes does.

    ``wide`` is what they see along all paths, ``narrow`` along the narrowest. ``rolled``: cells by which the axis is
    rotated, as on a circle. ``is_rough``: `archdsl.measure.trail` can only bound it.
    """

    axis: int
    wide: Sight
    narrow: Sight
    rolled: Size = 0
    is_rough: bool = False

    @property
    def lost(self) -> Lost:
        """Where it is no longer followed."""
        return Lost("all" if self.rolled != 0 else "numbers" if self.is_rough else "no")


class Lost(NamedTuple):
    """The input's axis is seen in another way.

    ``doubt``: whether what `archdsl.measure.trail` states of it is a bound that may not be reached; where only its
    numbers may be too large, and not that the whole axis is seen, it is ``"numbers"``.
    ``is_whole``: from each place the whole axis is seen.
    """

    doubt: Doubt = "no"
    is_whole: bool = False


State: TypeAlias = Line | Lost
DOUBTS: tuple[Doubt, ...] = ("no", "numbers", "all")
"""From the least."""


def start(axis: int) -> Line:
    """The input itself."""
    cell = Sight(1, ((0, 0),))
    return Line(axis, cell, cell)


def onward(state: State, look: Look, tensor: Tensor) -> State:
    """What the output of an operator sees through one input, of type ``tensor``."""
    if isinstance(state, Lost):
        skips = any(taps.shift != 1 or len(taps.cells) != 1 for _, taps in look.taps)
        rough = not state.is_whole and state.doubt == "no" and (skips or _is_rough(look))
        return state._replace(doubt="all" if look.rolled else "numbers") if rough else state
    rolled = dict(look.rolled).get(state.axis)
    if rolled is not None:
        return state._replace(rolled=_turned(state.rolled + rolled, tensor, look, state.axis))
    return _moved(state, look, tensor)


def _moved(line: Line, look: Look, tensor: Tensor) -> State:
    line = line._replace(is_rough=line.is_rough or _is_rough(look))
    lost = line.lost
    carrying = [axis for axis, steps in enumerate(look.steps) for step in steps if step.axis == line.axis]
    windows = [w for w in look.windows if w.axis == line.axis and w.size != 1]
    if any(window.size is None for window in windows):
        return Lost("numbers" if lost.doubt != "no" else "no", is_whole=True)
    if len(carrying) != 1:
        return lost
    taps = dict(look.taps).get(line.axis)
    if taps is None or taps == Taps(1, ((0,),)):
        stays = look.steps[carrying[0]] == (Step(line.axis, 1, tensor.shape[line.axis]),) and not windows
        if stays:
            return line._replace(axis=carrying[0])
    if taps is None:
        return lost
    if line.rolled != 0:
        return lost
    wide, narrow = line.wide.through(taps), line.narrow.through(taps)
    return lost if wide is None or narrow is None else Line(carrying[0], wide, narrow, 0, line.is_rough)


def _is_rough(look: Look) -> bool:
    """Whether the operator moves by fractions of cells, rotates, or sees fewer cells than its windows state."""
    steps = (step for steps in look.steps for step in steps)
    return (
        bool(look.rolled)
        or any(ratio(step.stride, step.per).den != 1 for step in steps)
        or any(_reach(taps) != _stated(look, axis) for axis, taps in look.taps)
    )


def _reach(taps: Taps) -> int:
    """Cells from the first to the last that a place sees."""
    return max((cells[-1] - cells[0] for cells in map(sorted, taps.cells) if cells), default=0)


def _stated(look: Look, axis: int) -> Size:
    """The same, as the windows have it."""
    found = (window for window in look.windows if window.axis == axis)
    return sum((w.size - 1) * w.stride for w in found if w.size is not None)


def _turned(by: Size, tensor: Tensor, look: Look, axis: int) -> Size:
    """How far the axis is rotated now: not at all, where it was turned as far back or once around."""
    size = tensor.shape[axis]
    if not any(step == Step(axis, 1, size) for steps in look.steps for step in steps):
        return 1  # continued around the circle: nothing turns that back
    return by % size if isinstance(by, int) and isinstance(size, int) else by


def together(states: Iterable[State]) -> State:
    """What is seen along several paths that meet."""
    found = list(states)
    result = found[0]
    for state in found[1:]:
        result = _both(result, state)
    return result


def _both(left: State, right: State) -> State:
    if isinstance(left, Line) and isinstance(right, Line) and left.axis == right.axis and left.rolled == right.rolled:
        wide = left.wide.with_other(right.wide)
        if wide is not None:
            narrow = min(left.narrow, right.narrow, key=lambda sight: sight.extent)
            return Line(left.axis, wide, narrow, left.rolled, left.is_rough or right.is_rough)
    lost = [state if isinstance(state, Lost) else state.lost for state in (left, right)]
    doubt = DOUBTS[max(DOUBTS.index(state.doubt) for state in lost)]
    return Lost(doubt, any(state.is_whole for state in lost))
