"""A dense layer that holds most of the parameters."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from archdsl.diagnostics.lints import DenseHead
from archdsl.dims import TooLarge
from archdsl.elaborate.features import NONE, features
from archdsl.graph import Graph, Node
from archdsl.measure import params
from archdsl.ops.conv import Conv, ConvTranspose
from archdsl.ops.dropout import Inert
from archdsl.ops.linear import Linear
from archdsl.ops.sliding import SPATIAL

MOST = 0.5


def dense_head(graph: Graph) -> Iterator[DenseHead]:
    """The linear layer with most of the parameters, if it reads a flattened map and no map is made of its output."""
    try:
        total = params(graph)
    except TooLarge:
        return
    for node in graph.nodes:
        if not isinstance(node.op, Linear) or not isinstance(total, int):
            continue
        count = sum(prod(w.shape) for w in node.weights if not w.buffer)
        if isinstance(count, int) and count > MOST * total:
            places = _places(node, graph)
            if places > 1 and not _is_decoded(node, graph):
                share = round(100 * count / total)
                span = node.span
                yield DenseHead(span=span, share=share, count=f"{count:,}", total=f"{total:,}", places=places)


def _places(node: Node, graph: Graph) -> int:
    """Places of the map of a convolution that was flattened for a layer; 1 where none was."""
    maker = graph.producer.get(node.inputs[0])
    while maker is not None and isinstance(maker.op, Inert):
        maker = graph.producer.get(maker.inputs[0])
    if maker is None or not maker.inputs or not features((), graph.nodes).get(maker.inputs[0], NONE).is_map:
        return 1
    look = maker.op.looks(maker.input_types, maker.output_types)[0]
    merged = {step.axis for step in look.steps[-1]} if look is not None and look.steps else set()
    spatial = [size for axis, size in enumerate(maker.inputs[0].shape) if axis >= SPATIAL and axis in merged]
    return prod(size for size in spatial if isinstance(size, int))


def _is_decoded(node: Node, graph: Graph) -> bool:
    """Whether a convolution reads what comes of a layer: then it is no head, but the middle of an autoencoder."""
    reached = set(node.outputs)
    for later in graph.nodes:
        if not reached.isdisjoint(later.inputs):
            if isinstance(later.op, Conv | ConvTranspose):
                return True
            reached.update(later.outputs)
    return False
