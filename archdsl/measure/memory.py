"""What training keeps in memory.

Activations: the tensors that the forward pass leaves for backward. What each operator keeps is its own facet (a ReLU
its output, a batch norm its input); here the facets of a network are put together. A tensor that several operators
keep counts once, views share the memory of what they look into, weights are no activations, and where no gradient
flows nothing is kept.

Whether torch copies a value before it saves it depends on how the value lies in memory: each operator states the layout
of its outputs (`archdsl.layout`). Layouts are those of plain numbers, for symbols other than the batch of usual ones.
"""

from __future__ import annotations

from typing import NamedTuple

from archdsl.dims import Size
from archdsl.graph import Graph, Node, Value
from archdsl.layout import Layout, contiguous
from archdsl.measure.batch import Batch
from archdsl.measure.params import bytes_by_dtype, nbytes, numel, owns_params
from archdsl.op import Kept, Memory
from archdsl.ops.tensor import OwnTensor
from archdsl.record import record

# ---- activations -------------------------------------------------------------------------------------------


def activation_bytes(graph: Graph, batch: Size | None = 1) -> Size:
    """Bytes that the forward pass of training leaves for backward; an input of the network that is kept is counted."""
    return Activations(graph, Batch(graph, batch)).total


class Activations:
    """What backward keeps: ``tensors``, bytes by the value that owns the memory; ``extras``, bytes by node."""

    def __init__(self, graph: Graph, sizes: Batch) -> None:
        self.tensors: dict[Value, Size] = {}
        self.extras: dict[Node, Size] = {}
        self._sizes = sizes
        self._needs_gradient: set[Value] = set()
        self._weights: set[Value] = set()
        self._owner: dict[Value, Value] = {}
        """For a view, the value into whose memory it looks."""
        self._layouts: dict[Value, Layout] = {}
        self._number = sizes.number
        live = graph.live(training=True)
        for node in graph.nodes:
            if node in live:
                self._visit(node)

    @property
    def total(self) -> Size:
        return sum(self.tensors.values()) + sum(self.extras.values())

    def made_by(self, node: Node) -> Size:
        """Bytes that are kept of what a node makes."""
        return sum(self.tensors.get(value, 0) for value in node.outputs) + self.extras.get(node, 0)

    def _visit(self, node: Node) -> None:
        inputs, outputs = self._sizes.types(node)
        if isinstance(node.op, OwnTensor):
            self._weights.update(node.outputs)
        memory = self._lay(node)
        if not owns_params(node) and self._needs_gradient.isdisjoint(node.inputs):
            return
        self._needs_gradient.update(v for v in node.outputs if v.dtype == "float32")
        kept = node.op.keeps(inputs, outputs, memory)
        self._keep(node, kept.toward(lambda i: node.inputs[i] in self._needs_gradient))

    def _lay(self, node: Node) -> Memory:
        """Find how the outputs lie in memory, given how the inputs do."""
        shapes = tuple(tuple(map(self._number, value.shape)) for value in node.outputs)
        layouts = tuple(self._layout(value) for value in node.inputs)
        memory = Memory(layouts, shapes, self._number, tuple(value in self._needs_gradient for value in node.inputs))
        for value, laid in zip(node.outputs, node.op.lays(memory), strict=True):
            self._layouts[value] = laid.layout
            if laid.of is not None:
                source = node.inputs[laid.of]
                self._owner[value] = self._owner.get(source, source)
        return memory

    def _layout(self, value: Value) -> Layout:
        """The inputs of the network are contiguous."""
        if value not in self._layouts:
            self._layouts[value] = contiguous(tuple(map(self._number, value.shape)))
        return self._layouts[value]

    def _keep(self, node: Node, kept: Kept) -> None:
        if kept.extra:
            self.extras[node] = self._sizes.size(sum(map(nbytes, kept.extra)))
        values = [*(node.inputs[i] for i in kept.inputs), *(node.outputs[i] for i in kept.outputs)]
        for value in values:
            memory = self._owner.get(value, value)
            if memory not in self._weights:
                self.tensors[memory] = nbytes(self._sizes.type(memory))


# ---- training ----------------------------------------------------------------------------------------------


class Optimizer(NamedTuple):
    """What an optimizer of ``torch.optim`` remembers: copies of the parameters, and float32 numbers for each tensor."""

    copies: int
    numbers: int


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(0, 0),
    "momentum": Optimizer(1, 0),
    "rmsprop": Optimizer(1, 1),
    "adagrad": Optimizer(1, 1),
    "adadelta": Optimizer(2, 1),
    "adam": Optimizer(2, 1),
    "adamw": Optimizer(2, 1),
    "adamax": Optimizer(2, 1),
    "radam": Optimizer(2, 1),
    "nadam": Optimizer(2, 2),
}
"""By name; ``sgd`` is without momentum, ``momentum`` with it."""


@record
class TrainingMemory:
    """Bytes that a training step holds when the forward pass has ended, and its gradients when backward has.

    Together an upper bound: gradients come as activations go. Not counted: the work space of operators, and the
    allocator's own.
    """

    weights: Size
    """Parameters and buffers."""
    gradients: Size
    optimizer: Size
    activations: Size

    @property
    def total(self) -> Size:
        return self.weights + self.gradients + self.optimizer + self.activations


def training_memory(graph: Graph, optimizer: str, activations: Size) -> TrainingMemory:
    """Memory to train with an optimizer of `OPTIMIZERS`, all in float32, where backward keeps ``activations`` bytes."""
    state = OPTIMIZERS[optimizer]
    trained = [weight for weight in graph.weights.values() if not weight.buffer]
    gradients = 4 * sum(map(numel, trained))
    return TrainingMemory(
        weights=sum(bytes_by_dtype(graph).values()),
        gradients=gradients,
        optimizer=state.copies * gradients + 4 * state.numbers * len(trained),
        activations=activations,
    )
