"""What combinators lower to: several values made one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import AXIS, axis_of
from archdsl.layout import Laid, elementwise, joined
from archdsl.op import (
    Arg,
    BinaryOp,
    Call,
    Hole,
    Input,
    Kept,
    ListExpr,
    Look,
    Memory,
    Needs,
    OnnxConst,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    OnnxRef,
    Op,
    Order,
    Palette,
    Reject,
    Step,
    Tensor,
    Torch,
    TorchExpr,
    arg,
)
from archdsl.ops.broadcast import broadcast, broadcast_look, stretch
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


def same_dtype(inputs: Sequence[Tensor]) -> None:
    """Raises:
    Reject: the element types differ.
    """
    found = sorted({tensor.dtype for tensor in inputs})
    if len(found) > 1:
        raise Reject(f"the values are of different element types: {' and '.join(found)}")


def same_shape(inputs: Sequence[Tensor], needs: Needs, besides: int | None = None) -> None:
    """Require equal shapes, ``besides`` an axis.

    Raises:
        Reject: the shapes differ.
    """
    first = inputs[0]
    for other in inputs[1:]:
        if other.rank != first.rank:
            raise Reject(f"the values have {first.rank} and {other.rank} axes")
        for axis, (left, right) in enumerate(zip(first.shape, other.shape, strict=True)):
            if axis != besides:
                needs.require(left, "==", right, f"axis {axis} is {left} in one value and {right} in another")


@record
class Merge(Op):
    """Base of the combinators' operators."""

    palette: ClassVar[Palette] = "merge"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0


@record
class Layout(Merge):
    """Base of the combinators that only lay values beside each other."""

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def all_inputs(self, inputs: tuple[Tensor, ...]) -> Arg:
        return Arg(ListExpr(tuple(Input(index) for index in range(len(inputs)))))


@record
class Concat(Layout):
    """Values laid one after the other along an axis; their other axes are equal.

    Example:
        input x: [N, 64, H, W]
        concat { point: conv(32, 1); wide: conv(32, 3, pad=1) }
    """

    name: ClassVar[str] = "concat"

    axis: int = arg("axis along which the values are joined", AXIS, 1)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.cat", {"dim": "axis"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        first = inputs[0]
        axis = axis_of(self.axis, first.rank)
        same_dtype(inputs)
        same_shape(inputs, needs, besides=axis)
        total = sum(tensor.shape[axis] for tensor in inputs)
        return (first._replace(shape=(*first.shape[:axis], total, *first.shape[axis + 1 :])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        steps = tuple((Step(axis, 1, size),) for axis, size in enumerate(outputs[0].shape))
        return (Look(steps),) * len(inputs)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(joined(memory.layouts, memory.shapes[0])),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (self.all_inputs(inputs), Arg(Hole(self.axis, "axis"), "dim", 0))
        return Torch(function=Call("torch.cat", args))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        operands = tuple(OnnxIn(index) for index in range(len(inputs)))
        return (OnnxNode("Concat", operands, {"axis": axis_of(self.axis, inputs[0].rank)}),)


@record
class Stack(Layout):
    """Values of one shape laid beside each other along a new axis.

    Example:
        input x: [N, 64, H, W]
        stack(axis=1) { point: conv(32, 1); wide: conv(32, 3, pad=1) }
    """

    name: ClassVar[str] = "stack"

    axis: int = arg("position of the new axis in the result", AXIS)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.stack", {"dim": "axis"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        first = inputs[0]
        axis = axis_of(self.axis, first.rank + 1)
        same_dtype(inputs)
        same_shape(inputs, needs)
        return (first._replace(shape=(*first.shape[:axis], len(inputs), *first.shape[axis:])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        new = axis_of(self.axis, outputs[0].rank)
        steps = [(Step(axis, 1, size),) for axis, size in enumerate(inputs[0].shape)]
        return (Look((*steps[:new], (), *steps[new:])),) * len(inputs)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (self.all_inputs(inputs), Arg(Hole(self.axis, "axis"), "dim", 0))
        return Torch(function=Call("torch.stack", args))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        axis = axis_of(self.axis, outputs[0].rank)
        axes = OnnxConst([axis], "int64")
        names = [f"part{index}" for index in range(len(inputs))]
        parts = [OnnxNode("Unsqueeze", (OnnxIn(i), axes), outputs=(name,)) for i, name in enumerate(names)]
        return (*parts, OnnxNode("Concat", tuple(map(OnnxLocal, names)), {"axis": axis}))


@record
class Fold(Merge):
    """Base of the combinators that combine any number of values by an operator, from the left."""

    symbol: ClassVar[str]
    onnx_type: ClassVar[str]

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        same_dtype(inputs)
        if inputs[0].dtype == "bool":
            raise Reject("the values are bool", help="multiply by 1 first: `1 * x`")
        return (Tensor(broadcast([tensor.shape for tensor in inputs], needs), inputs[0].dtype),)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return sum(tensor.numel for tensor in self.partial(inputs))

    def partial(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The results one after the other, the last one included."""
        shapes = accumulate((tensor.shape for tensor in inputs), stretch)
        return tuple(Tensor(shape, inputs[0].dtype) for shape in shapes)[1:]

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        if len(memory.layouts) == 1:
            return (Laid(memory.layouts[0], 0),)
        return (Laid(reduce(lambda left, right: elementwise((left, right)), memory.layouts)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return tuple(broadcast_look(tensor, outputs[0]) for tensor in inputs)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        result: TorchExpr = Input(0)
        for index in range(1, len(inputs)):
            result = BinaryOp(self.symbol, result, Input(index))
        return Torch(function=result)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        nodes: list[OnnxNode] = []
        result: OnnxRef = OnnxIn(0)
        for index in range(1, len(inputs)):
            nodes.append(OnnxNode(self.onnx_type, (result, OnnxIn(index)), outputs=(f"y{index}",)))
            result = OnnxLocal(f"y{index}")
        return tuple(nodes)

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return self.symbol


@record
class Add(Fold):
    """The sum of values, element by element; shapes broadcast. A residual is one.

    Example:
        input x: [N, 64, H, W]
        add { point: conv(64, 1); wide: conv(64, 3, pad=1) }
    """

    name: ClassVar[str] = "add"
    symbol: ClassVar[str] = "+"
    onnx_type: ClassVar[str] = "Add"

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()


@record
class Mul(Fold):
    """The product of values, element by element; shapes broadcast. A gate is one.

    Example:
        input x: [N, 64, H, W]
        mul { it; { global_avgpool -> gate: conv(64, 1) -> sigmoid } }
    """

    name: ClassVar[str] = "mul"
    symbol: ClassVar[str] = "*"
    onnx_type: ClassVar[str] = "Mul"

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        if len(inputs) == 1 or outputs[0].dtype != "float32":
            return Kept()
        factors = ((k, before) for k in range(1, len(inputs)) for before in range(k))
        products = ((product, k) for k, product in enumerate(self.partial(inputs)[:-1], 2))
        return Kept(cross=((0, 1), *factors, *products))


COMBINATORS: dict[str, type[Op]] = {op.name: op for op in (Add, Mul, Concat, Stack)}
"""The operator of each combinator of the language."""

OPS: tuple[type[Op], ...] = tuple(COMBINATORS.values())
