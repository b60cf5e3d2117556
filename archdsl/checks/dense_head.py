"""A dense layer that holds most of the parameters."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from archdsl.diagnostics.lints import DenseHead
from archdsl.dims import TooLarge
from archdsl.graph import Graph, Node
from archdsl.measure import params
from archdsl.ops.linear import Linear
from archdsl.ops.sliding import SPATIAL

MOST = 0.5


def dense_head(graph: Graph) -> Iterator[DenseHead]:
    """The linear layer with most of the parameters, if it reads a flattened image of more than one place."""
    try:
        total = params(graph)
    except TooLarge:
        return
    for node in graph.nodes:
        places = _places(node, graph) if isinstance(node.op, Linear) else 1
        if places > 1 and isinstance(total, int):
            count = sum(prod(w.shape) for w in node.weights if not w.buffer)
            if isinstance(count, int) and count > MOST * total:
                share = round(100 * count / total)
                span = node.span
                yield DenseHead(span=span, share=share, count=f"{count:,}", total=f"{total:,}", places=places)


def _places(node: Node, graph: Graph) -> int:
    """Places of the image that was flattened for a layer; 1 where none was."""
    value = node.inputs[0]
    maker = graph.producer.get(value)
    while maker is not None and maker.op.name == "dropout":
        maker = graph.producer.get(maker.inputs[0])
    if maker is None or maker.op.name not in ("flatten", "reshape", "rearrange"):
        return 1
    spatial = maker.inputs[0].shape[SPATIAL:]
    return prod(s for s in spatial if isinstance(s, int)) if spatial else 1
