"""Arithmetic and comparisons between values, and between values and numbers."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, get_args

from archdsl.arguments import SCALAR, VALUE, either
from archdsl.dims import Dim
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
    OnnxConst,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    OnnxRef,
    OnnxSizes,
    Op,
    Operand,
    Palette,
    Reject,
    Tensor,
    Torch,
    TorchExpr,
    UnaryOp,
    arg,
)
from archdsl.ops.broadcast import broadcast, broadcast_look
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

Number: TypeAlias = int | float | Dim
Side: TypeAlias = Number | Operand
ArithmeticOp: TypeAlias = Literal["+", "-", "*", "/", "//", "%", "**"]
ComparisonOp: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]

COMPARISONS = get_args(ComparisonOp)
_OPERATIONS: dict[str, ArithmeticOp | ComparisonOp] = {op: op for op in (*get_args(ArithmeticOp), *COMPARISONS)}
CATEGORIES: tuple[DType, ...] = ("bool", "int64", "float32")
"""Element types from the narrowest: what is combined takes the widest (torch's promotion)."""


def _side(given: object, index: int) -> Side:
    """A number (a bool as 1 or 0), or else the input of this index."""
    match given:
        case bool():
            return int(given)
        case int() | float() | Dim():
            return given
    return Operand(index)


def side_type(side: Side, inputs: tuple[Tensor, ...]) -> DType:
    """Element type of an operand. A bool that is a number counts as 1 or 0; a symbolic size is a whole number."""
    if isinstance(side, Operand):
        return inputs[side.index].dtype
    return "float32" if isinstance(side, float) else "int64"


def widest(*dtypes: DType) -> DType:
    return max(dtypes, key=CATEGORIES.index)


def cast(ref: OnnxRef, found: DType, wanted: DType, name: str) -> tuple[tuple[OnnxNode, ...], OnnxRef]:
    """A reference of another element type: the nodes that convert it, and the reference to their result."""
    if found == wanted:
        return (), ref
    return (OnnxNode("Cast", (ref,), {"to": wanted}, (name,)),), OnnxLocal(name)


@record
class Binary(Op):
    """Base of what combines two operands, each a value or a number, element by element."""

    palette: ClassVar[Palette] = "merge"

    @abstractmethod
    def sides(self) -> tuple[Side, Side]:
        """The operands, from the left."""

    def shape(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Size, ...]:
        return broadcast([inputs[s.index].shape for s in self.sides() if isinstance(s, Operand)], needs)

    def meeting(self, inputs: tuple[Tensor, ...]) -> DType:
        """The wider element type of the two sides."""
        left, right = self.sides()
        return widest(side_type(left, inputs), side_type(right, inputs))

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return outputs[0].numel

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        numbers = sum(not isinstance(side, Operand) for side in self.sides())
        return (Laid(elementwise((*memory.layouts, *(contiguous(()),) * numbers))),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return tuple(broadcast_look(tensor, outputs[0]) for tensor in inputs)

    def operands(
        self, inputs: tuple[Tensor, ...], dtype: DType
    ) -> tuple[tuple[OnnxNode, ...], tuple[OnnxRef, OnnxRef]]:
        """Both operands as ONNX has them, of one element type."""
        left, right = self.sides()
        nodes, first = onnx_side(left, inputs, dtype, "left")
        more, second = onnx_side(right, inputs, dtype, "right")
        return (*nodes, *more), (first, second)


def onnx_side(side: Side, inputs: tuple[Tensor, ...], dtype: DType, name: str) -> tuple[tuple[OnnxNode, ...], OnnxRef]:
    """An operand as ONNX has it, of an element type: the nodes that make it, and the reference to it."""
    if isinstance(side, int | float):
        return (), OnnxConst(side, dtype)
    nodes: tuple[OnnxNode, ...] = ()
    ref: OnnxRef = OnnxLocal(f"{name}_size")
    if isinstance(side, Dim):
        nodes = (OnnxNode("Squeeze", (OnnxSizes((side,)),), outputs=(f"{name}_size",)),)
    else:
        ref = OnnxIn(side.index)
    casts, ref = cast(ref, side_type(side, inputs), dtype, name)
    return nodes + casts, ref


@record
class Arithmetic(Binary):
    """``+ - * / // % **`` and ``== != < <= > >=`` between two values, or between a value and a number or size.

    Shapes broadcast as in numpy and torch. Element types widen from bool over int64 to float32; ``/`` gives
    float32, a comparison bool. ``//`` and ``%`` round down. A bool counts as 1 or 0, as it does among plain
    numbers: ``(a > 0) + (b > 0)`` is 0, 1 or 2 (torch alone would give a bool).

    Example:
        input x: [N, 8, 16]
        100.0 * (it > 0.5) - it
    """

    name: ClassVar[str] = "arithmetic"
    is_internal: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (1, 2)

    op: ArithmeticOp | ComparisonOp
    left: Side = Operand(0)
    right: Side = Operand(1)

    @classmethod
    def of(cls, op: str, left: object, right: object) -> Arithmetic:
        """``left op right``, where a side that is not a number is the next input."""
        left_side = _side(left, 0)
        return cls(_OPERATIONS[op], left_side, _side(right, 1 if isinstance(left_side, Operand) else 0))

    def sides(self) -> tuple[Side, Side]:
        return self.left, self.right

    @property
    def is_comparison(self) -> bool:
        return self.op in COMPARISONS

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        self._check_numbers(inputs, needs)
        dtype: DType = "bool" if self.is_comparison else self._computed(inputs)
        return (Tensor(self.shape(inputs, needs), dtype),)

    def _computed(self, inputs: tuple[Tensor, ...]) -> DType:
        """The element type in which both sides meet."""
        common = self.meeting(inputs)
        if self.op == "/":
            return "float32"
        if common == "bool" and self.op not in ("==", "!="):
            return "int64"
        return common

    def _check_numbers(self, inputs: tuple[Tensor, ...], needs: Needs) -> None:
        """Reject what torch can only refuse, or what has no value."""
        left, right = self.sides()
        whole = self._computed(inputs) == "int64"
        if self.op in ("//", "%", "**") and any(t.dtype == "bool" for t in inputs):
            raise Reject(f"`{self.op}` of a bool value", help="multiply it by 1 first: `1 * x`")
        if self.op == "%" and not whole and not isinstance(left, Operand):
            raise Reject(
                f"`{left} % x`: torch has no gradient for it", help="write it as a difference: `a - b * (a // b)`"
            )
        if whole and self.op in ("//", "%") and right == 0:
            raise Reject(f"`{self.op}` of integers by 0")
        if isinstance(right, Dim) and self.op in ("//", "%", "**"):
            least = 0 if self.op == "**" else 1
            needs.require(right, ">=", least, f"`{self.op}` with {right} on the right")
        if whole and self.op == "**" and isinstance(right, int) and right < 0:
            raise Reject(f"integers to the power {right}", help=f"write the power as {float(right)}")
        for side in (left, right):
            if isinstance(side, int) and not -(2**63) <= side < 2**63:
                raise Reject("an integer of more than 64 bits", help=f"write it as a float: {float(side)}")

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        if self.op == "**" and not isinstance(self.left, Operand):  # torch makes this result anew
            return (Laid(contiguous(memory.shapes[0])),)
        return super().lays(memory)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        if outputs[0].dtype != "float32" or self.op in ("+", "-"):
            return Kept()
        if len(inputs) == 1:
            return self._keeps_one(outputs[0])
        match self.op:
            case "*":
                return Kept(cross=((0, 1), (1, 0)))
            case "/" | "//":
                return Kept(inputs=(1,), cross=((0, 1),))
            case "%":
                return Kept(cross=((0, 1), (1, 1)))
        return Kept(inputs=(0, 1), outputs=(0,))  # a power

    def _keeps_one(self, output: Tensor) -> Kept:
        """With a number on one side."""
        number_first = not isinstance(self.left, Operand)
        match self.op:
            case "/" if number_first:
                return Kept(extra=(output,))  # the reciprocal
            case "//" if number_first:
                return Kept(inputs=(0,))
            case "**":
                return Kept(inputs=(0,), outputs=(0,) if number_first else ())
        return Kept()

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        both_bool = all(side_type(side, inputs) == "bool" for side in self.sides())
        left = self._side_expression("left", inputs, both_bool and self.op in ("+", "*"))
        right = self._side_expression("right", inputs, False)
        if self.op == "//" and self._computed(inputs) == "float32":  # torch's own `//` has no gradient
            args = Arg(left), Arg(right), Arg(Hole("floor"), "rounding_mode")
            return Torch(function=Call("torch.div", args))
        return Torch(function=BinaryOp(self.op, left, right))

    def _side_expression(
        self, which: Literal["left", "right"], inputs: tuple[Tensor, ...], as_number: bool
    ) -> TorchExpr | Hole:
        """torch neither subtracts bools nor counts them, so these become whole numbers first."""
        side = self.left if which == "left" else self.right
        if not isinstance(side, Operand):
            return Hole(side, which)
        if as_number or (self.op == "-" and inputs[side.index].dtype == "bool"):
            return Method(Input(side.index), "long", ())
        return Input(side.index)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        dtype = self._computed(inputs)
        casts, (left, right) = self.operands(inputs, dtype)
        match self.op:
            case "!=":
                nodes = OnnxNode("Equal", (left, right), outputs=("equal",)), OnnxNode("Not", (OnnxLocal("equal"),))
            case "%":
                nodes = _remainder(left, right, dtype, "y")
            case "//":
                nodes = _floor_division(left, right, dtype)
            case _:
                nodes = (OnnxNode(_ONNX[self.op], (left, right)),)
        return casts + nodes

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return self.op


_ONNX = {
    "+": "Add",
    "-": "Sub",
    "*": "Mul",
    "/": "Div",
    "**": "Pow",
    "==": "Equal",
    "<": "Less",
    "<=": "LessOrEqual",
    ">": "Greater",
    ">=": "GreaterOrEqual",
}


def _remainder(left: OnnxRef, right: OnnxRef, dtype: DType, output: str) -> tuple[OnnxNode, ...]:
    """The remainder with the divisor's sign. On floats ONNX has only C's, with the dividend's."""
    if dtype == "int64":
        return (OnnxNode("Mod", (left, right), outputs=(output,)),)
    fmod = OnnxLocal("fmod")
    return (
        OnnxNode("Mod", (left, right), {"fmod": 1}, ("fmod",)),
        OnnxNode("Sign", (fmod,), outputs=("sign",)),
        OnnxNode("Mul", (OnnxLocal("sign"), right), outputs=("agree",)),
        OnnxNode("Less", (OnnxLocal("agree"), OnnxConst(0.0, "float32")), outputs=("differ",)),
        OnnxNode("Add", (fmod, right), outputs=("moved",)),
        OnnxNode("Where", (OnnxLocal("differ"), OnnxLocal("moved"), fmod), outputs=(output,)),
    )


def _floor_division(left: OnnxRef, right: OnnxRef, dtype: DType) -> tuple[OnnxNode, ...]:
    """``(left - left % right) / right``: ONNX divides whole numbers towards zero, and the floor of a rounded
    quotient of floats may be one too large."""
    nodes = (
        *_remainder(left, right, dtype, "remainder"),
        OnnxNode("Sub", (left, OnnxLocal("remainder")), outputs=("multiple",)),
    )
    if dtype == "int64":
        return (*nodes, OnnxNode("Div", (OnnxLocal("multiple"), right)))
    quotient = (
        *nodes,
        OnnxNode("Div", (OnnxLocal("multiple"), right), outputs=("quotient",)),
    )
    if isinstance(right, OnnxConst) and right.value != 0:
        return (*quotient, OnnxNode("Round", (OnnxLocal("quotient"),)))
    return (  # by 0 there is no remainder: torch gives what `/` does
        *quotient,
        OnnxNode("Round", (OnnxLocal("quotient"),), outputs=("whole",)),
        OnnxNode("Equal", (right, OnnxConst(0.0, "float32")), outputs=("by_zero",)),
        OnnxNode("Div", (left, right), outputs=("plain",)),
        OnnxNode("Where", (OnnxLocal("by_zero"), OnnxLocal("plain"), OnnxLocal("whole"))),
    )


@record
class Negative(Op):
    """``-x``. A bool counts as 1 or 0.

    Example:
        input x: [N, 8]
        -it
    """

    name: ClassVar[str] = "negative"
    palette: ClassVar[Palette] = "other"
    is_internal: ClassVar[bool] = True

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        return (x._replace(dtype=widest(x.dtype, "int64")),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(elementwise(memory.layouts)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (broadcast_look(inputs[0], outputs[0]),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        x: TorchExpr = Method(Input(), "long", ()) if inputs[0].dtype == "bool" else Input()
        return Torch(function=UnaryOp("-", x))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        casts, x = cast(OnnxIn(), inputs[0].dtype, outputs[0].dtype, "number")
        return (*casts, OnnxNode("Neg", (x,)))

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return "-"


@record
class Extremum(Binary):
    """Base of the greater and the lesser of two values, or of a value and a number, element by element."""

    onnx_type: ClassVar[str]
    bound: ClassVar[str]

    other: Side = arg("the other value, or a number", either(SCALAR, VALUE))

    def sides(self) -> tuple[Side, Side]:
        return Operand(0), self.other

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        if any(tensor.dtype == "bool" for tensor in inputs):
            raise Reject("bool values cannot be ordered", help="multiply by 1 first: `1 * x`")
        return (Tensor(self.shape(inputs, needs), self.meeting(inputs)),)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(inputs=tuple(range(len(inputs)))) if outputs[0].dtype == "float32" else Kept()

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        if isinstance(self.other, Operand):
            return Torch(function=Call(f"torch.{self.name}", (Arg(Input(0)), Arg(Input(self.other.index)))))
        return Torch(function=Call("torch.clamp", (Arg(Input(0)), Arg(Hole(self.other, "other"), self.bound))))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        casts, operands = self.operands(inputs, outputs[0].dtype)
        return (*casts, OnnxNode(self.onnx_type, operands))


@record
class Maximum(Extremum):
    """The greater of two values, or of a value and a number, element by element. Shapes broadcast.

    Example:
        input x: [N, 8, 16]
        mixed: conv(8, 1) -> maximum(x)
    """

    name: ClassVar[str] = "maximum"
    onnx_type: ClassVar[str] = "Max"
    bound: ClassVar[str] = "min"


@record
class Minimum(Extremum):
    """The lesser of two values, or of a value and a number, element by element. Shapes broadcast.

    Example:
        input x: [N, 8, 16]
        mixed: conv(8, 1) -> minimum(x)
    """

    name: ClassVar[str] = "minimum"
    onnx_type: ClassVar[str] = "Min"
    bound: ClassVar[str] = "max"


OPS: tuple[type[Op], ...] = (Arithmetic, Negative, Maximum, Minimum)
