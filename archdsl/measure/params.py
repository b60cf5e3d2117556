"""What a network stores: parameters, buffers, bytes."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.dims import Size
from archdsl.graph import Graph, Node
from archdsl.op import DType, Tensor, Weight

BYTES: dict[DType, int] = {"float32": 4, "int64": 8, "bool": 1}
"""Bytes of one element."""


def params(graph: Graph, trainable: bool = True) -> Size:
    """Numbers in the parameters, or (``trainable=False``) in the buffers. What is shared counts once."""
    return count(graph.weights.values(), trainable)


def count(weights: Iterable[Weight], trainable: bool) -> Size:
    """Numbers in those of the weights that are trained, or in those that are not."""
    return sum(numel(weight) for weight in weights if weight.buffer is not trainable)


def bytes_by_dtype(graph: Graph) -> dict[DType, Size]:
    """Bytes of the state dict, parameters and buffers, by element type."""
    found: dict[DType, Size] = {}
    for weight in graph.weights.values():
        found[weight.dtype] = found.get(weight.dtype, 0) + BYTES[weight.dtype] * numel(weight)
    return found


def numel(weight: Weight) -> Size:
    return Tensor(weight.shape).numel


def nbytes(tensor: Tensor) -> Size:
    return BYTES[tensor.dtype] * tensor.numel


def owns_params(node: Node) -> bool:
    """Whether training changes a tensor that the node's operator owns."""
    if node.module is None or not node.module.own:
        return False
    return any(not weight.buffer for weight in node.weights)
