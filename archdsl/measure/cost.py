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
    return sum(node_macs(node, sizes) for node in _live(graph))


def flops(graph: Graph, batch: Size | None = 1) -> Size:
    """Floating-point operations, likewise."""
    sizes = Batch(graph, batch)
    return sum(2 * node_macs(node, sizes) + node_operations(node, sizes) for node in _live(graph))


def node_macs(node: Node, sizes: Batch) -> Size:
    return sizes.size(node.op.macs(*sizes.types(node)))


def node_operations(node: Node, sizes: Batch) -> Size:
    """Arithmetic besides multiply-accumulates."""
    return sizes.size(node.op.operations(*sizes.types(node)))


def _live(graph: Graph) -> list[Node]:
    live = graph.live(training=False)
    return [node for node in graph.nodes if node in live]
