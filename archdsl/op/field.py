"""The receptive field of an operator: which input cells an output position sees."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.dims import Size
from archdsl.op.tensor import Tensor


class Step(NamedTuple):
    """One digit of a position on an output axis: it counts from 0 to ``size - 1``.

    A step of it moves ``stride / per`` cells along input axis ``axis`` (None: it stays, all are copies).
    """

    axis: int | None
    stride: Size
    size: Size
    per: Size = 1


class Window(NamedTuple):
    """Cells of input axis ``axis`` that an output position sees: ``size`` of them, ``stride`` apart.

    ``size`` None: the whole axis, whatever its size.
    """

    axis: int
    size: Size | None
    stride: Size = 1


class Taps(NamedTuple):
    """Exactly the cells of an input axis that places of an output axis see, both being endless.

    Place ``q * len(cells) + r`` sees the cells ``q * shift + c`` for all ``c`` of ``cells[r]``.
    """

    shift: int
    cells: tuple[tuple[int, ...], ...]


class Look(NamedTuple):
    """Receptive field of one run: where output positions look in one input, and how much each sees there.

    ``steps`` holds for each output axis the digits of a position on it, outermost first: the position is the
    number that they write in the mixed radix of their sizes, whose product is the size of the axis. Most axes
    have one digit; an axis that merges others has one for each; an axis that is new, or along which the input
    is broadcast, has none. The cell of input axis ``a`` at which a position looks is, but for a constant
    offset (padding), the sum of ``digit * stride / per`` over all its digits on ``a``.

    ``windows`` holds what is seen from there. Several on one axis add up, each sliding over what the others
    see (their extents less 1 add). An axis without one is seen in one cell. So an axis with neither window
    nor step is indexed (``x[:, 0]``), and one with a whole window and no step is mixed and gone (a mean).

    What cannot be said so sees the whole axis: a roll, whose offset differs from place to place. The extent
    along an axis is an upper bound that some position reaches if the input is large enough.

    ===========================================  =============================  =============================
    operator                                     steps of that output axis      windows
    ===========================================  =============================  =============================
    conv(C, 3, stride=2, dilation=4) on axis 2   Step(2, 2, h)                  Window(2, 3, 4)
    transposed conv(C, 4, stride=2) on axis 2    Step(2, 1, h, per=2)           Window(2, 2)
    "n (h p) c -> n h (p c)", axis h             Step(1, p, h)
    the same, last axis                          Step(1, 1, p), Step(2, 1, c)
    softmax(axis=1)                              Step(1, 1, size)               Window(1, None)
    ===========================================  =============================  =============================
    """

    steps: tuple[tuple[Step, ...], ...]
    windows: tuple[Window, ...] = ()
    taps: tuple[tuple[int, Taps], ...] = ()
    """By input axis, where one output axis sees it in a way that is known to the cell. It replaces step and window."""
    rolled: tuple[tuple[int, Size], ...] = ()
    """Input axes that are rotated, and by how many cells: places on them are shifted, as on a circle."""


def pointwise(tensor: Tensor, *windows: Window) -> Look:
    """Each position looks at itself; ``windows`` is what it sees besides."""
    return Look(tuple((Step(axis, 1, size),) for axis, size in enumerate(tensor.shape)), windows)
