"""Recurrent layers over the steps of [N, T, C], with torch's weights."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, ClassVar

from archdsl.arguments import FLAG, INIT, KNOWN_SIZE, PROBABILITY, choice
from archdsl.dims import Size
from archdsl.init import Init, Uniform
from archdsl.layout import Laid, contiguous
from archdsl.op import (
    Arg,
    Arriving,
    Call,
    Dropped,
    Hole,
    Input,
    Item,
    Kept,
    Look,
    Memory,
    Needs,
    OnnxConst,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    OnnxRef,
    OnnxWeight,
    Op,
    Order,
    Palette,
    Reject,
    SelfModule,
    Step,
    Tensor,
    Torch,
    Weight,
    Window,
    arg,
    drawn,
)
from archdsl.ops.shape import sizes_ref
from archdsl.ops.sliding import require_float
from archdsl.record import record


@record
class Recurrent(Op):
    """Base of the recurrent layers. A weight has a block of rows for each gate, which ``onnx_order`` reorders."""

    palette: ClassVar[Palette] = "linear"
    is_random: ClassVar[bool] = True
    keeps_about: ClassVar[bool] = True
    module: ClassVar[str]
    onnx_order: ClassVar[tuple[int, ...]]
    unit_operations: ClassVar[int]
    """Operations of one unit in one step, besides the sums of products and biases."""
    unit_memory: ClassVar[int]
    """Numbers saved for backward by one unit in one step, about, as measured with torch 2.14 on a CPU."""

    width: int = arg("number of units: output features of each direction", KNOWN_SIZE)
    layers: int = arg("number of layers, each on the outputs of the one before", KNOWN_SIZE, 1)
    bidirectional: bool = arg("also run over the steps backwards, and concatenate both outputs", FLAG, False)
    dropout: float = arg("dropout probability between layers, in training", PROBABILITY, 0.0)
    bias: bool = arg("add learned biases", FLAG, True)
    init: Init | None = arg("initial value of the weights (torch: uniform(1 / sqrt(width)))", INIT, None)
    bias_init: Init | None = arg("initial value of the biases (torch: uniform(1 / sqrt(width)))", INIT, None)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch: dict[str, str | Arriving | Dropped] = {
            "input_size": Arriving("width", axis=-1), "hidden_size": "width", "num_layers": "layers", "bias": "bias",
            "batch_first": Dropped((True, False)), "dropout": "dropout", "bidirectional": "bidirectional",
        }  # fmt: skip
        return (Order(f"torch.{cls.module}", torch),)

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def gates(self) -> int:
        return len(self.onnx_order)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        require_float(x)
        if x.rank != 3:
            help = "put the steps on axis 1 and the features on axis 2" if x.rank > 3 else None
            raise Reject(f"takes [N, T, C], not {x.rank} axes", help=help)
        if self.dropout and self.layers == 1:
            help = "write `dropout` after the layer"
            raise Reject("`dropout` is between layers, and there is one layer", arg="dropout", help=help)
        return (Tensor((*x.shape[:2], self.directions * self.width)),)

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        found: list[Weight] = []
        default = Uniform(1 / sqrt(self.width))
        rows = self.gates * self.width
        for layer, features in enumerate(self._features(inputs[0])):
            for suffix in self._suffixes(layer):
                found.append(drawn(f"weight_ih_{suffix}", (rows, features), self.init, default))
                found.append(drawn(f"weight_hh_{suffix}", (rows, self.width), self.init, default))
                if self.bias:
                    found += (drawn(f"bias_{end}_{suffix}", (rows,), self.bias_init, default) for end in ("ih", "hh"))
        return tuple(found)

    def _features(self, x: Tensor) -> list[Size]:
        """Input features of each layer."""
        return [x.shape[2], *[self.directions * self.width] * (self.layers - 1)]

    def _suffixes(self, layer: int) -> list[str]:
        """The ends of the names of a layer's weights, one for each direction."""
        return [f"l{layer}{end}" for end in ("", "_reverse")[: self.directions]]

    # ---- costs ----

    def _units(self, x: Tensor) -> Size:
        """Units of one layer, at all steps."""
        return x.shape[0] * x.shape[1] * self.directions * self.width

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        terms = sum(features + self.width for features in self._features(inputs[0]))
        return self._units(inputs[0]) * self.gates * terms

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """Each gate is the sum of two products, and of two biases."""
        sums = self.gates * (3 if self.bias else 1)
        return self._units(inputs[0]) * self.layers * (sums + self.unit_operations)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """torch chooses the kernel, and that what it saves. With GPUs it is less."""
        states = Tensor((self._units(inputs[0]) * self.layers, self.unit_memory))
        return Kept(extra=(inputs[0], states))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        """With the steps outermost."""
        batch, steps, width = memory.shapes[0]
        return (Laid(contiguous((steps, batch, width)).permuted((1, 0, 2))),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        """A step sees those before it, or all."""
        batch, steps, _ = outputs[0].shape
        return (Look(((Step(0, 1, batch),), (Step(1, 1, steps),), ()), (Window(1, None), Window(2, None))),)

    # ---- back ends ----

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (
            Arg(Hole(inputs[0].shape[2], (0, 2))),
            Arg(Hole(self.width, "width")),
            Arg(Hole(self.layers, "layers"), "num_layers", 1),
            *self._nonlinearity(),
            Arg(Hole(self.bias, "bias"), "bias", True),
            Arg(Hole(True), "batch_first", False),
            Arg(Hole(self.dropout, "dropout"), "dropout", 0.0),
            Arg(Hole(self.bidirectional, "bidirectional"), "bidirectional", False),
        )
        return Torch(Call(self.module, args), Item(Call(SelfModule(), (Arg(Input()),)), (Hole(0),)))

    def _nonlinearity(self) -> tuple[Arg, ...]:
        """torch's argument for another activation function."""
        return ()

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """One node for each layer, with the steps first. (ONNX Runtime has no form with the batch first.)"""
        nodes = [OnnxNode("Transpose", (OnnxIn(),), {"perm": (1, 0, 2)}, ("x0",))]
        for layer in range(self.layers):
            nodes += self._onnx_weights(layer)
            biases = OnnxLocal(f"bias{layer}") if self.bias else None
            given = (OnnxLocal(f"x{layer}"), OnnxLocal(f"ih{layer}"), OnnxLocal(f"hh{layer}"), biases)
            nodes += (
                OnnxNode(self.module.removeprefix("nn."), given, self._onnx_attributes(), (f"y{layer}",)),
                OnnxNode("Transpose", (OnnxLocal(f"y{layer}"),), {"perm": (0, 2, 1, 3)}, (f"turned{layer}",)),
                OnnxNode("Reshape", (OnnxLocal(f"turned{layer}"), sizes_ref(0, 0, -1)), outputs=(f"x{layer + 1}",)),
            )
        return (*nodes, OnnxNode("Transpose", (OnnxLocal(f"x{self.layers}"),), {"perm": (1, 0, 2)}))

    def _onnx_attributes(self) -> Mapping[str, Any]:
        return {"hidden_size": self.width, "direction": "bidirectional" if self.bidirectional else "forward"}

    def _onnx_weights(self, layer: int) -> list[OnnxNode]:
        """Weights with their gates in ONNX's order, those of both directions in one tensor."""
        nodes: list[OnnxNode] = []
        for kind, names in (("ih", ("weight_ih",)), ("hh", ("weight_hh",)), ("bias", ("bias_ih", "bias_hh"))):
            if kind == "bias" and not self.bias:
                continue
            parts: list[OnnxRef] = []
            for suffix in self._suffixes(layer):
                blocks = [ref for name in names for ref in self._onnx_blocks(f"{name}_{suffix}", nodes)]
                joined, part = f"{kind}_{suffix}", f"{kind}_{suffix}_1"
                nodes.append(OnnxNode("Concat", tuple(blocks), {"axis": 0}, (joined,)))
                nodes.append(OnnxNode("Unsqueeze", (OnnxLocal(joined), OnnxConst([0], "int64")), outputs=(part,)))
                parts.append(OnnxLocal(part))
            nodes.append(OnnxNode("Concat", tuple(parts), {"axis": 0}, (f"{kind}{layer}",)))
        return nodes

    def _onnx_blocks(self, name: str, nodes: list[OnnxNode]) -> list[OnnxRef]:
        """The blocks of a weight in ONNX's order; the node that cuts them is added."""
        if self.gates == 1:
            return [OnnxWeight(name)]
        outputs = tuple(f"{name}_{gate}" for gate in range(self.gates))
        nodes.append(OnnxNode("Split", (OnnxWeight(name),), {"axis": 0, "num_outputs": self.gates}, outputs))
        return [OnnxLocal(outputs[gate]) for gate in self.onnx_order]

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        kind = f"bidirectional {self.name}" if self.bidirectional else self.name
        times = f", {self.layers} layers" if self.layers > 1 else ""
        return f"{kind} {self.width}{times}"


@record
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997) over the steps of [N, T, C], as ``nn.LSTM``.

    The states start at 0. The result holds the outputs of all steps, [N, T, width]; ``it[:, -1]`` is the last one.
    With ``bidirectional=true`` it is [N, T, 2 * width]: first the features of the forward direction. The memory that
    is saved for backward depends on the kernel that torch chooses: the number is an estimate.

    Example:
        input words: [N, T] int64
        embed: embedding(1000, 32)
        rnn: lstm(64, layers=2, bidirectional=true)
        output y: [N, T, 128]
    """

    name: ClassVar[str] = "lstm"
    module: ClassVar[str] = "nn.LSTM"
    onnx_order: ClassVar[tuple[int, ...]] = (0, 3, 1, 2)
    unit_operations: ClassVar[int] = 18
    unit_memory: ClassVar[int] = 17


@record
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al., 2014) over the steps of [N, T, C], as ``nn.GRU``.

    The state starts at 0. The result holds the outputs of all steps, as that of ``lstm``.

    Example:
        input x: [N, T, 40]
        rnn: gru(64)
        it[:, -1] -> fc: linear(10)
        output y: [N, 10]
    """

    name: ClassVar[str] = "gru"
    module: ClassVar[str] = "nn.GRU"
    onnx_order: ClassVar[tuple[int, ...]] = (1, 0, 2)
    unit_operations: ClassVar[int] = 14
    unit_memory: ClassVar[int] = 8

    def _onnx_attributes(self) -> Mapping[str, Any]:
        return {**super()._onnx_attributes(), "linear_before_reset": 1}


@record
class RNN(Recurrent):
    """Recurrent layer (Elman, 1990) over the steps of [N, T, C], as ``nn.RNN``: ``tanh(W x + U h + b)``.

    The state starts at 0. The result holds the outputs of all steps, as that of ``lstm``.

    Example:
        input x: [N, T, 40]
        cell: rnn(64, nonlinearity="relu")
        output y: [N, T, 64]
    """

    name: ClassVar[str] = "rnn"
    module: ClassVar[str] = "nn.RNN"
    onnx_order: ClassVar[tuple[int, ...]] = (0,)
    unit_operations: ClassVar[int] = 1
    unit_memory: ClassVar[int] = 2

    nonlinearity: str = arg("activation function", choice("tanh", "relu"), "tanh")

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        (order,) = super().orders()
        arguments = list(order.arguments.items())
        arguments.insert(3, ("nonlinearity", "nonlinearity"))
        return (Order(order.of, dict(arguments)),)

    def _nonlinearity(self) -> tuple[Arg, ...]:
        return (Arg(Hole(self.nonlinearity, "nonlinearity"), "nonlinearity", "tanh"),)

    def _onnx_attributes(self) -> Mapping[str, Any]:
        function = self.nonlinearity.capitalize()
        return {**super()._onnx_attributes(), "activations": [function] * self.directions}


OPS: tuple[type[Op], ...] = (LSTM, GRU, RNN)
