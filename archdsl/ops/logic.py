"""Bool values: `and`, `or`, `not`, and the choice between two values; conversions of element types."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from archdsl.arguments import SCALAR, VALUE, either
from archdsl.layout import Laid, contiguous, elementwise
from archdsl.op import (
    Arg,
    BinaryOp,
    Call,
    DType,
    Hole,
    Input,
    Kept,
    Look,
    Memory,
    Method,
    Needs,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    Op,
    Operand,
    Palette,
    Reject,
    Tensor,
    Torch,
    TorchExpr,
    UnaryOp,
    arg,
    pointwise,
)
from archdsl.ops.broadcast import broadcast, broadcast_look
from archdsl.ops.elementwise import Binary, Side, cast, onnx_side, side_type, widest
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

COMPARE = "compare first: `x != 0` is true for the elements that are not 0"


def require_bool(tensor: Tensor) -> None:
    """
    Raises:
        Reject: the value is not bool.
    """
    if tensor.dtype != "bool":
        raise Reject(f"takes bool, not {tensor.dtype}", help=COMPARE)


@record
class Logic(Binary):
    """``and`` and ``or`` between two bool values, element by element. Shapes broadcast.

    Example:
        input x: [N, 8, 16]
        it * ((it > 0.5) or (it < 0.0) and (it > -1.0))
    """

    name: ClassVar[str] = "logic"
    is_internal: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    op: Literal["and", "or"]

    def sides(self) -> tuple[Side, Side]:
        return Operand(0), Operand(1)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        for tensor in inputs:
            require_bool(tensor)
        return (Tensor(self.shape(inputs, needs), "bool"),)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=BinaryOp("&" if self.op == "and" else "|", Input(0), Input(1)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode(self.op.capitalize(), (OnnxIn(0), OnnxIn(1))),)

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return self.op


@record
class Pointwise(Op):
    """Base of what takes one value, element by element, and has no gradient to save for."""

    palette: ClassVar[Palette] = "other"

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0]),)


@record
class Not(Pointwise):
    """``not x`` of a bool value, element by element.

    Example:
        input x: [N, 8]
        it * (not (it > 0.5))
    """

    name: ClassVar[str] = "not"
    is_internal: ClassVar[bool] = True

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_bool(inputs[0])
        return inputs

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return outputs[0].numel

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(elementwise(memory.layouts)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=UnaryOp("~", Input()))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("Not", (OnnxIn(),)),)


@record
class Where(Op):
    """``then`` where the bool value is true, else ``otherwise``; both are values or numbers. Shapes broadcast.

    Element types widen from bool over int64 to float32, as in arithmetic.

    Example:
        input x: [N, 8]
        where(x > 0.0, x, 0.1 * x)
    """

    name: ClassVar[str] = "where"
    palette: ClassVar[Palette] = "merge"

    then: Side = arg("value or number where it is true", either(SCALAR, VALUE))
    otherwise: Side = arg("value or number where it is false", either(SCALAR, VALUE))

    def _sides(self) -> tuple[Side, Side]:
        return self.then, self.otherwise

    def _type(self, inputs: tuple[Tensor, ...]) -> DType:
        return widest(side_type(self.then, inputs), side_type(self.otherwise, inputs))

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_bool(inputs[0])
        return (Tensor(broadcast([tensor.shape for tensor in inputs], needs), self._type(inputs)),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        is_trained = any(tensor.dtype == "float32" for tensor in inputs[1:])
        return Kept(inputs=(0,)) if is_trained else Kept()

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        numbers = sum(not isinstance(side, Operand) for side in self._sides())
        return (Laid(elementwise((*memory.layouts, *(contiguous(()),) * numbers))),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return tuple(broadcast_look(tensor, outputs[0]) for tensor in inputs)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        def expression(side: Side, name: str) -> TorchExpr | Hole:
            return Input(side.index) if isinstance(side, Operand) else Hole(side, name)

        sides = (expression(self.then, "then"), expression(self.otherwise, "otherwise"))
        return Torch(function=Call("torch.where", (Arg(Input()), *map(Arg, sides))))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        dtype = outputs[0].dtype
        before, then = onnx_side(self.then, inputs, dtype, "then")
        more, otherwise = onnx_side(self.otherwise, inputs, dtype, "otherwise")
        if dtype != "bool":
            return (*before, *more, OnnxNode("Where", (OnnxIn(), then, otherwise)))
        return (  # ONNX Runtime chooses between numbers only
            OnnxNode("And", (OnnxIn(), then), outputs=("chosen",)),
            OnnxNode("Not", (OnnxIn(),), outputs=("inverse",)),
            OnnxNode("And", (OnnxLocal("inverse"), otherwise), outputs=("other",)),
            OnnxNode("Or", (OnnxLocal("chosen"), OnnxLocal("other"))),
        )


# ---- element types -----------------------------------------------------------------------------------------


@record
class Conversion(Pointwise):
    """Base of the conversions to another element type."""

    dtype: ClassVar[DType]
    method: ClassVar[str]

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        if x.dtype == self.dtype:
            raise Reject(f"the value is {x.dtype} already", help=f"leave out `{self.name}`")
        return (x._replace(dtype=self.dtype),)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(elementwise(memory.layouts)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=Method(Input(), self.method, ()))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        nodes, _ = cast(OnnxIn(), inputs[0].dtype, self.dtype, "y")
        return nodes


@record
class ToInt(Conversion):
    """int64, element by element: a float without its fraction, true as 1 and false as 0.

    Example:
        input x: [N, 8]
        int
    """

    name: ClassVar[str] = "int"
    dtype: ClassVar[DType] = "int64"
    method: ClassVar[str] = "long"


@record
class ToFloat(Conversion):
    """float32, element by element: an int64 value, or true as 1.0 and false as 0.0.

    Example:
        input x: [N, 8] int64
        float
    """

    name: ClassVar[str] = "float"
    dtype: ClassVar[DType] = "float32"
    method: ClassVar[str] = "float"


OPS: tuple[type[Op], ...] = (Logic, Not, Where, ToInt, ToFloat)
