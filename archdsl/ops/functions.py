"""Functions of one value, element by element, and what limits or scales it."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from archdsl.arguments import AXIS, POSITIVE, SCALAR, SIZE, axis_of
from archdsl.layout import Laid, elementwise
from archdsl.op import (
    Arg,
    Call,
    Doubt,
    DType,
    Hole,
    Input,
    Kept,
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
    Tensor,
    Torch,
    Window,
    arg,
    pointwise,
)
from archdsl.ops.elementwise import Number, cast, widest
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


Saved: TypeAlias = Literal["input", "output", "nothing"]
"""What a function saves for backward."""


@record
class Function(Op):
    """Base of the functions of one value. They give float32, unless they keep whole numbers whole."""

    palette: ClassVar[Palette] = "other"
    onnx_types: ClassVar[tuple[str, ...]]
    """ONNX nodes one after the other."""
    kept: ClassVar[Saved]
    """What backward reads."""

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        return (x._replace(dtype="float32"),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        match self.kept:
            case "input":
                return Kept(inputs=(0,))
            case "output":
                return Kept(outputs=(0,))
            case "nothing":
                return Kept()

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(elementwise(memory.layouts)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0]),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=Call(f"torch.{self.name}", (Arg(Input()),)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        casts, x = cast(OnnxIn(), inputs[0].dtype, outputs[0].dtype, "number")
        nodes = list(casts)
        for step, kind in enumerate(self.onnx_types):
            nodes.append(OnnxNode(kind, (x,), outputs=(f"y{step}",)))
            x = OnnxLocal(f"y{step}")
        return tuple(nodes)


@record
class WholeFunction(Function):
    """Base of the functions that keep whole numbers whole."""

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        if x.dtype == "bool":
            raise Reject("a bool value has no sign and no fraction", help="multiply by 1 first: `1 * x`")
        return (x,)


@record
class Rounding(WholeFunction):
    """Base of the functions that leave whole numbers as they are."""

    kept: ClassVar[Saved] = "nothing"

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return () if inputs[0].dtype == "int64" else super().onnx(inputs, outputs)


@record
class Exp(Function):
    """``e ** x``, element by element.

    Example:
        input x: [N, 8]
        exp
    """

    name: ClassVar[str] = "exp"
    onnx_types: ClassVar[tuple[str, ...]] = ("Exp",)
    kept: ClassVar[Saved] = "output"


@record
class Log(Function):
    """The natural logarithm, element by element.

    Example:
        input x: [N, 8]
        exp -> log
    """

    name: ClassVar[str] = "log"
    onnx_types: ClassVar[tuple[str, ...]] = ("Log",)
    kept: ClassVar[Saved] = "input"


@record
class Log2(Function):
    """The logarithm to base 2, element by element.

    Example:
        input x: [N, 8]
        exp -> log2
    """

    name: ClassVar[str] = "log2"
    onnx_types: ClassVar[tuple[str, ...]] = ("Log",)
    kept: ClassVar[Saved] = "input"

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        nodes = super().onnx(inputs, outputs)
        natural = OnnxLocal(nodes[-1].outputs[0])
        return (*nodes, OnnxNode("Mul", (natural, OnnxConst(1 / log(2), "float32"))))


@record
class Sqrt(Function):
    """The square root, element by element.

    Example:
        input x: [N, 8]
        abs -> sqrt
    """

    name: ClassVar[str] = "sqrt"
    onnx_types: ClassVar[tuple[str, ...]] = ("Sqrt",)
    kept: ClassVar[Saved] = "output"


@record
class Rsqrt(Function):
    """``1 / sqrt(x)``, element by element.

    Example:
        input x: [N, 8]
        exp -> rsqrt
    """

    name: ClassVar[str] = "rsqrt"
    onnx_types: ClassVar[tuple[str, ...]] = ("Sqrt", "Reciprocal")
    kept: ClassVar[Saved] = "output"

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 2 * outputs[0].numel


@record
class Reciprocal(Function):
    """``1 / x``, element by element.

    Example:
        input x: [N, 8]
        exp -> reciprocal
    """

    name: ClassVar[str] = "reciprocal"
    onnx_types: ClassVar[tuple[str, ...]] = ("Reciprocal",)
    kept: ClassVar[Saved] = "output"


@record
class Sin(Function):
    """The sine, element by element.

    Example:
        input x: [N, 8]
        sin
    """

    name: ClassVar[str] = "sin"
    onnx_types: ClassVar[tuple[str, ...]] = ("Sin",)
    kept: ClassVar[Saved] = "input"


@record
class Cos(Function):
    """The cosine, element by element.

    Example:
        input x: [N, 8]
        cos
    """

    name: ClassVar[str] = "cos"
    onnx_types: ClassVar[tuple[str, ...]] = ("Cos",)
    kept: ClassVar[Saved] = "input"


@record
class Erf(Function):
    """The error function, element by element.

    Example:
        input x: [N, 8]
        erf
    """

    name: ClassVar[str] = "erf"
    onnx_types: ClassVar[tuple[str, ...]] = ("Erf",)
    kept: ClassVar[Saved] = "input"


@record
class Abs(WholeFunction):
    """The absolute value, element by element.

    Example:
        input x: [N, 8]
        abs
    """

    name: ClassVar[str] = "abs"
    onnx_types: ClassVar[tuple[str, ...]] = ("Abs",)
    kept: ClassVar[Saved] = "input"


@record
class Sign(WholeFunction):
    """-1, 0 or 1, element by element.

    Example:
        input x: [N, 8]
        sign
    """

    name: ClassVar[str] = "sign"
    onnx_types: ClassVar[tuple[str, ...]] = ("Sign",)
    kept: ClassVar[Saved] = "nothing"


@record
class Floor(Rounding):
    """The largest integer not above, element by element. Its gradient is 0.

    Example:
        input x: [N, 8]
        floor
    """

    name: ClassVar[str] = "floor"
    onnx_types: ClassVar[tuple[str, ...]] = ("Floor",)


@record
class Ceil(Rounding):
    """The smallest integer not below, element by element. Its gradient is 0.

    Example:
        input x: [N, 8]
        ceil
    """

    name: ClassVar[str] = "ceil"
    onnx_types: ClassVar[tuple[str, ...]] = ("Ceil",)


@record
class Round(Rounding):
    """The nearest integer, halves to the even one, element by element. Its gradient is 0.

    Example:
        input x: [N, 8]
        round
    """

    name: ClassVar[str] = "round"
    onnx_types: ClassVar[tuple[str, ...]] = ("Round",)


@record
class Clamp(Op):
    """Limits every element from below, from above, or both.

    Example:
        input x: [N, 8]
        clamp(min=0, max=6)
    """

    name: ClassVar[str] = "clamp"
    palette: ClassVar[Palette] = "act"

    min: Number | None = arg("minimum (none: no limit)", SCALAR, None)
    max: Number | None = arg("maximum (none: no limit)", SCALAR, None)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.clamp", {"min": "min", "max": "max"}),)

    def limits(self) -> tuple[Number, ...]:
        return tuple(limit for limit in (self.min, self.max) if limit is not None)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        if not self.limits():
            raise Reject("needs `min` or `max`", help="clamp(min=0)")
        if x.dtype == "bool":
            raise Reject("bool values cannot be ordered", help="multiply by 1 first: `1 * x`")
        limits: tuple[DType, ...] = tuple("float32" if isinstance(limit, float) else "int64" for limit in self.limits())
        return (x._replace(dtype=widest(x.dtype, *limits)),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return len(self.limits()) * outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(inputs=(0,))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(elementwise(memory.layouts)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0]),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        limits = (Arg(Hole(self.min, "min"), "min", None), Arg(Hole(self.max, "max"), "max", None))
        return Torch(function=Call("torch.clamp", (Arg(Input()), *limits)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        dtype = outputs[0].dtype
        casts, x = cast(OnnxIn(), inputs[0].dtype, dtype, "number")
        limits: list[OnnxRef] = [None if v is None else OnnxConst(v, dtype) for v in (self.min, self.max)]
        return (*casts, OnnxNode("Clip", (x, *limits)))

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"clamp {self.min if self.min is not None else '…'} to {self.max if self.max is not None else '…'}"


@record
class Normalize(Op):
    """Divides by the norm along an axis: ``x / max(norm(x), eps)``.

    Example:
        input x: [N, L, 64]
        normalize(axis=-1)
    """

    name: ClassVar[str] = "normalize"
    palette: ClassVar[Palette] = "norm"

    axis: int = arg("axis of the norm", AXIS)
    p: int = arg("order of the norm: 1 (sum of absolute values) or 2 (Euclidean)", SIZE, 2)
    eps: float = arg("minimum of the divisor", POSITIVE, 1e-12)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.nn.functional.normalize", {"p": "p", "dim": "axis", "eps": "eps"}, implied={"axis": 1}),)

    def doubt(self, inputs: tuple[Tensor, ...], given: Mapping[str, bool]) -> Doubt | None:
        """torch's order is p, then the axis: 2, 1 is the Euclidean norm along the channels there."""
        return Doubt("axis") if given.get("p") and (self.axis, self.p) == (2, 1) else None

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        axis_of(self.axis, x.rank)
        if self.p not in (1, 2):
            raise Reject(f"the {self.p}-norm is not supported, only 1 and 2", arg="p")
        if x.dtype != "float32":
            raise Reject(f"it needs float32, not {x.dtype}")
        return (x,)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """Each element is squared (or made positive), summed and divided; each norm is limited, after its root."""
        norms = self._norms(inputs[0]).numel
        return 3 * outputs[0].numel + (norms if self.p == 2 else 0)

    def _norms(self, x: Tensor) -> Tensor:
        axis = axis_of(self.axis, x.rank)
        return Tensor((*x.shape[:axis], 1, *x.shape[axis + 1 :]))

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        norms = self._norms(inputs[0])
        return Kept(inputs=(0,), extra=(norms, norms))  # before and after the limit

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(elementwise(memory.layouts)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0], Window(axis_of(self.axis, inputs[0].rank), None)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (
            Arg(Input()),
            Arg(Hole(self.p, "p"), "p", 2),
            Arg(Hole(self.axis, "axis"), "dim", 1),
            Arg(Hole(self.eps, "eps"), "eps", 1e-12),
        )
        return Torch(function=Call("F.normalize", args))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        axes = OnnxConst([axis_of(self.axis, inputs[0].rank)], "int64")
        return (
            OnnxNode(f"ReduceL{self.p}", (OnnxIn(), axes), {"keepdims": 1}, ("norm",)),
            OnnxNode("Max", (OnnxLocal("norm"), OnnxConst(self.eps, "float32")), outputs=("limited",)),
            OnnxNode("Div", (OnnxIn(), OnnxLocal("limited"))),
        )


OPS: tuple[type[Op], ...] = (
    Exp,
    Log,
    Log2,
    Sqrt,
    Rsqrt,
    Reciprocal,
    Sin,
    Cos,
    Erf,
    Abs,
    Sign,
    Floor,
    Ceil,
    Round,
    Clamp,
    Normalize,
)
