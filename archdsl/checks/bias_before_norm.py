"""A bias before a batch normalization."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.checks.flow import consumers, only_taker
from archdsl.diagnostics.base import Label
from archdsl.diagnostics.lints import BiasBeforeNorm
from archdsl.graph import Graph
from archdsl.ops.conv import Conv, ConvTranspose
from archdsl.ops.linear import Linear
from archdsl.ops.norm import BatchNorm


def bias_before_norm(graph: Graph) -> Iterator[BiasBeforeNorm]:
    """Layers with a bias whose result only a batch normalization takes."""
    takers = consumers(graph)
    for node in graph.nodes:
        if isinstance(node.op, Conv | ConvTranspose | Linear) and node.op.bias:
            norm = only_taker(node, takers, graph)
            if norm is not None and isinstance(norm.op, BatchNorm):
                labels = (Label(norm.span, "here"),)
                yield BiasBeforeNorm(span=node.span, labels=labels, layer=node.op.name, norm=norm.op.name)
