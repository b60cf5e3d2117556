"""Batch norms folded into the layers before them: at inference each is a multiple and a shift of every channel."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

from archdsl.emit.onnx.names import Unique

TAKING = ("Conv", "ConvTranspose", "Gemm")
"""Layers that take a batch norm: linear, with a bias for each channel."""


def fold_batch_norms(model: onnx.ModelProto, weights: dict[str, np.ndarray]) -> None:
    """Put each batch norm into the layer before it, if that feeds nothing else. Changes model and weights.

    With s = scale / sqrt(var + epsilon), the layer's weights w become w * s, its bias b becomes (b - mean) * s + shift
    (Jacob et al., 2018, https://arxiv.org/abs/1712.05877, section 3.2); in double precision, rounded once.
    """
    _Folding(model.graph, weights).run()


class _Folding:
    def __init__(self, graph: onnx.GraphProto, weights: dict[str, np.ndarray]) -> None:
        self._graph = graph
        self._weights = weights
        self._makers = {name: node for node in graph.node for name in node.output}
        self._uses = Counter(name for node in graph.node for name in node.input)
        self._uses.update(output.name for output in graph.output)
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self._known: Mapping[str, np.ndarray] = ChainMap(weights, constants)
        self._fresh = Unique((*weights, *self._uses, *self._makers))

    def run(self) -> None:
        folded: set[str] = set()
        for norm in self._graph.node:
            if norm.op_type != "BatchNormalization" or self._uses[norm.input[0]] != 1:
                continue
            layer = self._makers.get(norm.input[0])
            if layer is not None and layer.op_type in TAKING:
                self._fold(layer, norm)
                folded.add(norm.name)
        _remove(self._graph.node, lambda node: node.name in folded)
        self._drop_unread()

    def _fold(self, layer: NodeProto, norm: NodeProto) -> None:
        scale, shift, mean, variance = (self._known[name].astype(np.float64) for name in norm.input[1:5])
        factor = scale / np.sqrt(variance + _attribute(norm, "epsilon", 1e-5))
        weight = self._known[layer.input[1]]
        bias: np.ndarray | float = 0.0
        names = [self._own(name) for name in layer.input[1:]]
        if len(names) > 1:
            bias = self._known[layer.input[2]].astype(np.float64)
        else:
            names.append(self._fresh(f"{layer.input[1].rpartition('.')[0]}.bias"))
        self._weights[names[0]] = (weight * _per_channel(layer, weight, factor)).astype(np.float32)
        self._weights[names[1]] = ((bias - mean) * factor + shift).astype(np.float32)
        layer.input[1:] = names
        layer.output[0] = norm.output[0]
        self._makers[norm.output[0]] = layer

    def _own(self, name: str) -> str:
        """The name, or another one where other layers read it as well."""
        if self._uses[name] == 1:
            return name
        other = self._fresh(name)
        self._uses[other] = 1
        return other

    def _drop_unread(self) -> None:
        """Remove what nothing reads any more, and what is said of it."""
        read = {name for node in self._graph.node for name in node.input}
        made = {name for node in self._graph.node for name in node.output}
        for name in self._weights.keys() - read:
            del self._weights[name]
        _remove(self._graph.initializer, lambda tensor: tensor.name not in read)
        _remove(self._graph.value_info, lambda info: info.name not in made)


def _per_channel(layer: NodeProto, weight: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """The factors of the output channels, in a shape that multiplies the weights.

    Conv has [out, in / groups, …], Gemm with transB [out, in], ConvTranspose [in, out / groups, …], of which each group
    of inputs feeds its own outputs.
    """
    further = (1,) * (weight.ndim - 2)
    if layer.op_type != "ConvTranspose":
        return factor.reshape(-1, 1, *further)
    groups = int(_attribute(layer, "group", 1))
    return factor.reshape(groups, -1).repeat(len(weight) // groups, axis=0).reshape(len(weight), -1, *further)


def _attribute(node: NodeProto, name: str, default: float) -> float:
    return next((helper.get_attribute_value(found) for found in node.attribute if found.name == name), default)


def _remove(items: Any, is_out: Callable[[Any], bool]) -> None:
    """Remove from a repeated field."""
    for index in reversed(range(len(items))):
        if is_out(items[index]):
            del items[index]
