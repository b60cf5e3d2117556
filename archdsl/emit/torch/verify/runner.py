"""The checked graph run in torch, node by node: what emitted forms of a network are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from archdsl.dims import Dim, evaluate
from archdsl.emit.torch.verify.interpreter import Interpreter, make_module
from archdsl.graph import Graph, GraphInput, Module, Node, Value
from archdsl.op import Torch

if TYPE_CHECKING:
    from torch import Tensor, nn


class GraphRunner:
    """A graph with weights, ready to run. ``weights`` is its state dict.

    In training, layers draw random numbers and batch norms update the running statistics among the weights.
    """

    def __init__(self, graph: Graph, weights: Mapping[str, Tensor], training: bool = False) -> None:
        self._graph = graph
        self._weights = weights
        self._training = training
        self._live = graph.live(training)
        self._modules: dict[Module | Node, nn.Module] = {}

    @property
    def nodes(self) -> Iterator[Node]:
        """What runs, in order."""
        return (node for node in self._graph.nodes if node in self._live)

    def outputs(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the network gives for inputs by name, by name; training outputs in training only."""
        known = {given.value: inputs[given.name] for given in self._graph.inputs}
        sizes = read_sizes(self._graph.inputs, known)
        for node in self.nodes:
            made = self.step(node, [known[value] for value in node.inputs], sizes)
            known.update(zip(node.outputs, made, strict=True))
        return {o.name: known[o.value] for o in self._graph.outputs if self._training or not o.when_training}

    def step(self, node: Node, inputs: Sequence[Tensor], sizes: Mapping[str, int]) -> tuple[Tensor, ...]:
        """What one node gives; ``sizes`` are the values of the symbols."""
        said = node.torch
        expression = said.function or said.run
        if expression is None:
            found = self._module(node, said)(*inputs)
        else:
            module = self._module(node, said) if said.function is None else None
            own = self._own(node).__getitem__
            scope = Interpreter(inputs, module, own, lambda size: evaluate(size, sizes), self._training)
            found = scope.value(expression)
        return (found,) if len(node.outputs) == 1 else tuple(found)

    def _module(self, node: Node, said: Torch) -> nn.Module:
        """The torch module of a node, with its weights; two runs of a shared layer have one."""
        key = node.module or node
        if key not in self._modules:
            import torch

            with torch.device("meta"):  # its own initial values are not wanted
                made = make_module(said)
            made.load_state_dict(self._own(node), strict=True, assign=True)
            self._modules[key] = made.train(self._training)
        return self._modules[key]

    def _own(self, node: Node) -> dict[str, Tensor]:
        """The weights of a node by the names that its operator gives them."""
        names = [weight.name for weight in node.weights]
        return {name: self._weights[node.module.join(name)] for name in names} if node.module is not None else {}


def read_sizes(inputs: Sequence[GraphInput], given: Mapping[Value, Tensor]) -> dict[str, int]:
    """The values of the symbols, read off the inputs."""
    return {
        str(size): actual
        for known in inputs
        for size, actual in zip(known.value.shape, given[known.value].shape, strict=True)
        if isinstance(size, Dim)
    }
