"""Windows that do not fit the size at hand: cells lost to a stride, filters wider than their input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archdsl.diagnostics.lints import FilterBeyondInput, RowsLost
from archdsl.graph import Graph, Node
from archdsl.ops.conv import Conv
from archdsl.ops.pool import SlidingPool
from archdsl.ops.sliding import SPATIAL, Slide, slides, spatial_axes


def rows_lost(graph: Graph) -> Iterator[RowsLost]:
    """Convolutions and pools whose last window ends before the axis does. Where windows have gaps, that is meant."""
    for node in graph.nodes:
        if not isinstance(node.op, Conv | SlidingPool) or getattr(node.op, "ceil", False):
            continue
        for axis, size, window in _windows(node):
            lost = (size + window.before + window.after - window.extent) % window.stride - window.after
            if lost > 0 and window.extent >= window.stride:
                yield RowsLost(
                    span=node.span, layer=node.op.name, lost=lost, size=size, axis=axis, kernel=window.kernel,
                    stride=window.stride, before=window.before, after=window.after,
                )  # fmt: skip
                break


def filter_beyond_input(graph: Graph) -> Iterator[FilterBeyondInput]:
    """Convolutions some of whose weights only meet padding, since they span more cells than there are."""
    for node in graph.nodes:
        if isinstance(node.op, Conv):
            for axis, size, window in _windows(node):
                if window.extent > size and _has_idle_weights(window, size):
                    name = node.op.name
                    yield FilterBeyondInput(span=node.span, layer=name, extent=window.extent, axis=axis, size=size)
                    break


def _has_idle_weights(window: Slide, size: int) -> bool:
    """Whether some cell of the window is outside the input at each of its places.

    All numbers of the window are known. At place p, its cell t sees cell ``p + t * dilation - before`` of the input.
    """
    kernel, stride, dilation, before, after = (part for part in window if isinstance(part, int))
    places = range(0, size + before + after - dilation * (kernel - 1), stride)
    return not all(any(0 <= place + cell * dilation - before < size for place in places) for cell in range(kernel))


def _windows(node: Node) -> Iterator[tuple[int, int, Any]]:
    """The axes whose sizes are known: number, size and the window (a ``Slide`` of plain numbers)."""
    op: Any = node.op
    tensor = node.inputs[0].type
    stride = op.stride if op.stride is not None else op.kernel
    dilation = getattr(op, "dilation", 1)
    windows = slides(spatial_axes(tensor), op.kernel, stride, dilation, op.pad)
    for axis, (size, window) in enumerate(zip(tensor.shape[SPATIAL:], windows, strict=True), SPATIAL):
        if isinstance(size, int) and all(isinstance(part, int) for part in window):
            yield axis, size, window
