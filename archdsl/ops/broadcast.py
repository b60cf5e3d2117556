"""Values of different shapes combined element by element, as numpy and torch broadcast them."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.dims import Size
from archdsl.op import Look, Needs, Step, Tensor

Shape = tuple[Size, ...]


def broadcast(shapes: Sequence[Shape], needs: Needs) -> Shape:
    """The common shape: axes are aligned from the last; an axis of size 1, or one that is missing, is stretched.

    A symbolic size is stretched only where it is 1 as written, so two that differ must be equal.

    Raises:
        Reject: two sizes differ and neither is 1.
    """
    result = shapes[0]
    for shape in shapes[1:]:
        for axis, (left, right) in enumerate(_aligned(result, shape), -max(len(result), len(shape))):
            if left != right and left != 1 and right != 1:
                message = f"axis {axis} is {left} on one side and {right} on the other"
                needs.require(left, "==", right, message, help="sizes must be equal, or one of them 1")
        result = stretch(result, shape)
    return result


def stretch(left: Shape, right: Shape) -> Shape:
    """The common shape of two that are known to fit."""
    return tuple(b if a == 1 else a for a, b in _aligned(left, right))


def _aligned(left: Shape, right: Shape) -> list[tuple[Size, Size]]:
    rank = max(len(left), len(right))
    return list(zip(*((1,) * (rank - len(shape)) + shape for shape in (left, right)), strict=True))


def broadcast_look(tensor: Tensor, output: Tensor) -> Look:
    """What the positions of the broadcast output see of one of its inputs: its cell at the same place."""
    missing = output.rank - tensor.rank
    steps = (() if size == 1 else (Step(axis, 1, size),) for axis, size in enumerate(tensor.shape))
    return Look(((),) * missing + tuple(steps))
