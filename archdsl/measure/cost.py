"""What one run costs: multiply-accumulates and floating-point operations.

Multiply-accumulates (MACs) are those of convolutions, linear layers and products of matrices, attention's included, as
torch counts them: half of what its flop counter says. FLOPs are all arithmetic: two for each multiply-accumulate, and
one for each other elementary operation on an element, by the convention of `archdsl.op.Op.operations`.

Both are at inference: what feeds only training outputs is not counted.
"""

from __future__ import annotations

from archdsl.dims import Size
from archdsl.graph import Graph, Node
from archdsl.measure.batch import Batch


def macs(graph: Graph, batch: Size | None = 1) -> Size:
    """Multiply-accumulates for a batch of this size (None: as many as the inputs' shapes say)."""
    sizes = Batch(graph, batch)
    live = graph.live(training=False)
    return sum(node_macs(node, sizes) for node in graph.nodes if node in live)


def flops(graph: Graph, batch: Size | None = 1) -> Size:
    """Floating-point operations, likewise."""
    sizes = Batch(graph, batch)
    live = graph.live(training=False)
    return sum(node_flops(node, sizes) for node in graph.nodes if node in live)


def node_macs(node: Node, sizes: Batch) -> Size:
    return sizes.size(node.op.macs(*sizes.types(node)))


def node_flops(node: Node, sizes: Batch) -> Size:
    return 2 * node_macs(node, sizes) + sizes.size(node.op.operations(*sizes.types(node)))
