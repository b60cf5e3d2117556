"""Dropout before a batch normalization."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.checks.flow import consumers, only_taker
from archdsl.diagnostics.base import Label
from archdsl.diagnostics.lints import DropoutBeforeNorm
from archdsl.graph import Graph, Node, Value
from archdsl.ops.activation import Activation
from archdsl.ops.conv import Conv, ConvTranspose
from archdsl.ops.dropout import Dropout
from archdsl.ops.linear import Linear
from archdsl.ops.norm import BatchNorm
from archdsl.ops.pool import Pool

PASSED = (Conv, ConvTranspose, Linear, Activation, Pool)
"""What carries the changed variance on."""


def dropout_before_norm(graph: Graph) -> Iterator[DropoutBeforeNorm]:
    """Dropouts whose result reaches a batch normalization in a straight line."""
    takers = consumers(graph)
    for node in graph.nodes:
        if isinstance(node.op, Dropout) and node.op.p > 0:
            norm = _norm_after(node, takers, graph)
            if norm is not None:
                labels = (Label(norm.span, "its running variance includes the dropout"),)
                yield DropoutBeforeNorm(span=node.span, labels=labels, norm=norm.op.name)


def _norm_after(node: Node, takers: dict[Value, list[Node]], graph: Graph) -> Node | None:
    following = only_taker(node, takers, graph)
    while following is not None and isinstance(following.op, PASSED):
        following = only_taker(following, takers, graph)
    is_stored = following is not None and isinstance(following.op, BatchNorm) and following.op.track
    return following if is_stored else None
