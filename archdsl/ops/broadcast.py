"""Values of different shapes combined element by element, as numpy and torch broadcast them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from archdsl.dims import Size
from archdsl.op import Look, Needs, Step, Tensor


def broadcast(shapes: Sequence[tuple[Size, ...]], needs: Needs) -> tuple[Size, ...]:
    """The common shape: axes are aligned from the last; an axis of size 1, or one that is missing, is stretched.

    A symbolic size is stretched only where it is 1 as written, so two that differ must be equal.

    Raises:
        Reject: two sizes differ and neither is 1.
    """
    return reduce(lambda left, right: _pair(left, right, needs), shapes)


def _pair(left: tuple[Size, ...], right: tuple[Size, ...], needs: Needs) -> tuple[Size, ...]:
    rank = max(len(left), len(right))
    padded = [(1,) * (rank - len(shape)) + shape for shape in (left, right)]
    return tuple(_axis(a, b, axis - rank, needs) for axis, (a, b) in enumerate(zip(*padded, strict=True)))


def _axis(left: Size, right: Size, axis: int, needs: Needs) -> Size:
    if left == 1 or left == right:
        return right
    if right != 1:
        message = f"axis {axis} is {left} on one side and {right} on the other"
        needs.require(left, "==", right, message, help="sizes must be equal, or one of them 1")
    return left


def broadcast_look(tensor: Tensor, output: Tensor) -> Look:
    """What the positions of the broadcast output see of one of its inputs: its cell at the same place."""
    missing = output.rank - tensor.rank
    steps = (() if size == 1 else (Step(axis, 1, size),) for axis, size in enumerate(tensor.shape))
    return Look(((),) * missing + tuple(steps))
