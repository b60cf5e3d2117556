"""Depth as papers count it."""

from __future__ import annotations

from archdsl.graph import Graph, Node, Value
from archdsl.measure.params import owns_params


def depth(graph: Graph) -> int:
    """Layers with weights on the longest path from an input to an output of inference.

    A layer with weights is a run of an operator that multiplies what comes from the inputs by trained matrices or
    filters: a convolution, a linear layer, attention (one layer, as it is one operator), or a product with a ``param``.
    Norms, embeddings, pools and activations do not count. So VGG-16 has 16, GoogLeNet 22, ResNet-50 50 and
    DenseNet-121 121; and LeNet-5, whose paper numbers its two pools as well, 5.
    """
    live = graph.live(training=False)
    longest: dict[Value, int] = {i.value: 0 for i in graph.inputs}
    trained: set[Value] = set()
    for node in graph.nodes:
        if node not in live:
            continue
        arriving = [longest[v] for v in node.inputs if v in longest]
        if arriving:
            length = max(arriving) + _is_weighted(node, trained)
            longest.update(dict.fromkeys(node.outputs, length))
        elif owns_params(node) or not trained.isdisjoint(node.inputs):
            trained.update(node.outputs)
    return max((longest.get(o.value, 0) for o in graph.outputs if not o.when_training), default=0)


def _is_weighted(node: Node, trained: set[Value]) -> bool:
    """Whether a node on a path from the inputs multiplies by trained numbers."""
    has_weights = not trained.isdisjoint(node.inputs) or owns_params(node)
    return has_weights and node.op.macs(node.input_types, node.output_types) != 0
