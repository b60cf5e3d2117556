"""An activation on a linear bottleneck."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics.lints import BottleneckActivated
from archdsl.graph import Graph, Node, Value
from archdsl.ops.activation import Activation
from archdsl.ops.conv import Conv
from archdsl.ops.norm import BatchNorm
from archdsl.ops.sliding import CHANNELS

CUTTING = frozenset({"relu", "relu6", "hardtanh"})
"""Activations that map a range of numbers to one."""


def bottleneck_activated(graph: Graph) -> Iterator[BottleneckActivated]:
    """Cutting activations right after a 1×1 convolution that narrows what a depthwise convolution gave.

    A 1×1 convolution widened its input before, as in MobileNet v2.
    """
    makers = graph.producer
    for node in graph.nodes:
        if isinstance(node.op, Activation) and node.op.name in CUTTING:
            projection = _before(node.inputs[0], makers, BatchNorm)
            if projection is None or not isinstance(projection.op, Conv) or _is_wide(projection.op):
                continue
            wide, narrow = projection.inputs[0].shape[CHANNELS], projection.output.shape[CHANNELS]
            depthwise = _before(projection.inputs[0], makers, (BatchNorm, Activation))
            if not isinstance(wide, int) or not isinstance(narrow, int) or narrow >= wide or depthwise is None:
                continue
            is_depthwise = isinstance(depthwise.op, Conv) and depthwise.op.groups == wide
            if is_depthwise and _is_widened(depthwise.inputs[0], makers):
                yield BottleneckActivated(span=node.span, activation=node.op.name, wide=wide, narrow=narrow)


def _is_widened(value: Value, makers: dict[Value, Node]) -> bool:
    """Was a value made by a 1×1 convolution of fewer channels? A separable convolution alone is no bottleneck."""
    expansion = _before(value, makers, (BatchNorm, Activation))
    if expansion is None or not isinstance(expansion.op, Conv) or _is_wide(expansion.op):
        return False
    narrow, wide = expansion.inputs[0].shape[CHANNELS], expansion.output.shape[CHANNELS]
    return isinstance(narrow, int) and isinstance(wide, int) and narrow < wide


def _is_wide(op: Conv) -> bool:
    """Does a convolution see more than one place?"""
    return any(k != 1 for k in (op.kernel if isinstance(op.kernel, list | tuple) else (op.kernel,)))


def _before(value: Value, makers: dict[Value, Node], skipped: type | tuple[type, ...]) -> Node | None:
    """The node that made a value, before those of some kinds."""
    node = makers.get(value)
    while node is not None and isinstance(node.op, skipped):
        node = makers.get(node.inputs[0])
    return node
