"""Batch norms that see a single number in each channel where the batch is one example: it has no variance."""

from __future__ import annotations

from math import prod

from archdsl.graph import Graph, Node
from archdsl.ops.norm import BatchNorm
from archdsl.ops.sliding import SPATIAL


def norms_of_single_numbers(graph: Graph) -> list[Node]:
    """The batch norms, in the order in which they run, that cannot be trained on batches of one example."""
    live = graph.live(training=True)
    return [
        node
        for node in graph.nodes
        if node in live and isinstance(node.op, BatchNorm) and prod(node.inputs[0].shape[SPATIAL:]) == 1
    ]
