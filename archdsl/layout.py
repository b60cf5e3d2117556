"""How torch lays tensors out in memory: which results are views, which are dense, and in which order of axes.

All numbers are plain. The rules are ATen's (torch 2.x), named at each function.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple, TypeAlias

Sizes: TypeAlias = tuple[int, ...]

CHANNELS_LAST: dict[int, tuple[int, ...]] = {4: (1, 3, 2, 0), 5: (1, 4, 3, 2, 0)}
"""Axes of images and volumes from the one whose cells lie beside each other, by the number of axes."""


class Layout(NamedTuple):
    """The sizes of a tensor, and for each axis how many elements lie from one cell to the next."""

    shape: Sizes
    strides: Sizes

    @property
    def is_contiguous(self) -> bool:
        return self.is_in_order(range(len(self.shape) - 1, -1, -1))

    def is_in_order(self, axes: Iterable[int]) -> bool:
        """Whether it is dense, ``axes`` from the innermost; those of size 1 may stand anywhere."""
        expected = 1
        for axis in axes:
            if self.shape[axis] != 1:
                if self.strides[axis] != expected:
                    return False
                expected *= self.shape[axis]
        return True

    @property
    def is_channels_last(self) -> bool:
        """What ``Tensor.suggest_memory_format`` takes for channels last (c10/core/MemoryFormat.h)."""
        order = CHANNELS_LAST.get(len(self.shape))
        if order is None or self.strides[1] == 0:
            return False
        least = 0
        for axis in order:
            if self.strides[axis] < least or (axis == 0 and least == self.strides[1]):
                return False
            least = self.strides[axis] * max(self.shape[axis], 1)
        return True

    @property
    def is_dense(self) -> bool:
        """No gaps and no cell twice, in any order of axes (``is_non_overlapping_and_dense``)."""
        return self.is_in_order(sorted(range(len(self.shape)), key=self.strides.__getitem__))

    # ---- views ----

    def permuted(self, axes: Sequence[int]) -> Layout:
        return Layout(tuple(self.shape[axis] for axis in axes), tuple(self.strides[axis] for axis in axes))

    def moved(self, source: int, destination: int) -> Layout:
        """``movedim``."""
        axes = list(range(len(self.shape)))
        axes.insert(destination % len(axes), axes.pop(source))
        return self.permuted(axes)

    def narrowed(self, axis: int, size: int, step: int = 1) -> Layout:
        """``size`` cells of an axis, ``step`` apart."""
        strides = (*self.strides[:axis], self.strides[axis] * step, *self.strides[axis + 1 :])
        return Layout((*self.shape[:axis], size, *self.shape[axis + 1 :]), strides)

    def without(self, axis: int) -> Layout:
        """One cell of an axis, which is dropped."""
        return Layout(
            self.shape[:axis] + self.shape[axis + 1 :],
            self.strides[:axis] + self.strides[axis + 1 :],
        )

    def unsqueezed(self, axis: int) -> Layout:
        """With a new axis of size 1 (``unsqueeze``)."""
        stride = self.shape[axis] * self.strides[axis] if axis < len(self.shape) else 1
        shape = (*self.shape[:axis], 1, *self.shape[axis:])
        return Layout(shape, (*self.strides[:axis], stride, *self.strides[axis:]))

    def expanded(self, shape: Sizes) -> Layout:
        """``expand``: new axes in front, and axes of size 1, are repeated without copying."""
        new = len(shape) - len(self.shape)
        kept = zip(self.shape, self.strides, shape[new:], strict=True)
        return Layout(shape, (0,) * new + tuple(0 if old == 1 and size != 1 else stride for old, stride, size in kept))

    def viewed(self, shape: Sizes) -> Layout | None:
        """``view``: the same elements with other sizes; None where they would have to be copied.

        A run of axes that lie in memory like one axis can be divided anew (ATen/TensorUtils.cpp, ``computeStride``).
        """
        if shape == self.shape:
            return self
        if not self.shape:
            return Layout(shape, (1,) * len(shape))
        strides = [0] * len(shape)
        view, base, old, new = len(shape) - 1, self.strides[-1], 1, 1
        for axis in reversed(range(len(self.shape))):
            old *= self.shape[axis]
            outer = axis - 1
            if axis and (self.shape[outer] == 1 or self.strides[outer] == old * base):
                continue
            while view >= 0 and (new < old or shape[view] == 1):
                strides[view] = new * base
                new *= shape[view]
                view -= 1
            if new != old:
                return None
            if axis:
                base, old, new = self.strides[outer], 1, 1
        return Layout(shape, tuple(strides)) if view == -1 else None

    def merges(self, start: int, end: int) -> bool:
        """Whether the axes from ``start`` up to, not with, ``end`` can be one without copying."""
        merged = (*self.shape[:start], prod(self.shape[start:end]), *self.shape[end:])
        return self.viewed(merged) is not None


class Laid(NamedTuple):
    """How an output lies in memory: in its own, or in that of input number ``of``, of which it is a view."""

    layout: Layout
    of: int | None = None


def contiguous(shape: Sizes) -> Layout:
    """The last axis innermost."""
    strides: list[int] = []
    stride = 1
    for size in reversed(shape):
        strides.append(stride)
        stride *= max(size, 1)
    return Layout(shape, tuple(reversed(strides)))


def ordered(shape: Sizes, axes: Sequence[int]) -> Layout:
    """Dense, ``axes`` from the innermost."""
    strides, stride = [0] * len(shape), 1
    for axis in axes:
        strides[axis] = stride
        stride *= shape[axis]
    return Layout(shape, tuple(strides))


def as_images(shape: Sizes, like: Layout) -> Layout:
    """A new tensor in the memory format of another: channels last where that is, else contiguous."""
    return ordered(shape, CHANNELS_LAST[len(shape)]) if like.is_channels_last else contiguous(shape)


def joined(inputs: Sequence[Layout], shape: Sizes) -> Layout:
    """``cat``: channels last where all inputs are."""
    return as_images(shape, next((layout for layout in inputs if not layout.is_channels_last), inputs[0]))


def reshaped(layout: Layout, shape: Sizes, of: int = 0) -> Laid:
    """``reshape``: a view of input ``of`` where that is possible, else a copy."""
    view = layout.viewed(shape)
    return Laid(contiguous(shape)) if view is None else Laid(view, of)


def elementwise(inputs: Sequence[Layout]) -> Layout:
    """The result of an operation element by element, inputs broadcast (ATen/TensorIterator.cpp).

    It is dense, its axes in the order in which they lie in the inputs, the first of which decides.
    """
    rank = max(len(layout.shape) for layout in inputs)
    padded = [(1,) * (rank - len(layout.shape)) + layout.shape for layout in inputs]
    shape = tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True))
    if all(layout.shape == shape for layout in inputs):
        if all(layout.is_contiguous for layout in inputs):
            return contiguous(shape)
        if rank == 4 and all(layout.is_in_order(CHANNELS_LAST[4]) for layout in inputs):
            return ordered(shape, CHANNELS_LAST[4])
        if all(layout.is_dense and layout.strides == inputs[0].strides for layout in inputs):
            return Layout(shape, inputs[0].strides)
    return ordered(shape, _order(shape, [layout.expanded(shape).strides for layout in inputs]))


def _order(shape: Sizes, operands: list[Sizes]) -> list[int]:
    """Axes from the innermost: ``TensorIteratorBase::reorder_dimensions``, insertion sort with undecided pairs."""
    axes = list(reversed(range(len(shape))))
    for place in range(1, len(axes)):
        at = place
        for before in reversed(range(place)):
            verdict = _compare(axes[before], axes[at], shape, operands)
            if verdict > 0:
                axes[before], axes[at] = axes[at], axes[before]
                at = before
            elif verdict < 0:
                break
    return axes


def _compare(left: int, right: int, shape: Sizes, operands: list[Sizes]) -> int:
    """1: the axis ``left`` lies outside of ``right``; -1: inside; 0: no operand tells."""
    for strides in operands:
        if 0 in (strides[left], strides[right]):
            continue
        if strides[left] != strides[right]:
            return 1 if strides[left] > strides[right] else -1
        if shape[left] > shape[right]:
            return 1
    return 0
