"""Values continued beyond their edges, and values rotated along an axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from archdsl.arguments import COUNT, INTEGER, ONE_AXIS, SCALAR, axis_of, choice
from archdsl.layout import Laid, as_images, contiguous, elementwise, joined
from archdsl.op import (
    Arg,
    Call,
    Doubt,
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
    Op,
    Order,
    Reject,
    Step,
    Taps,
    Tensor,
    Torch,
    Window,
    arg,
    pointwise,
)
from archdsl.ops.elementwise import Number
from archdsl.ops.shape import END, Reshape, sizes_ref
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

ONNX_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


@record
class Pad(Reshape):
    """Continues an axis at its ends: by a constant, or by what is inside.

    Without repeating the edge (``reflect``), by repeating it (``replicate``), or from the other end (``circular``).

    Example:
        input x: [N, H, W, 96]
        pad(axis=1, after=-H % 7) -> pad(axis=2, after=-W % 7)
    """

    name: ClassVar[str] = "pad"

    axis: int = arg("axis to pad", ONE_AXIS)
    before: Size = arg("number of elements added at the start", COUNT, 0)
    after: Size = arg("number of elements added at the end", COUNT, 0)
    mode: Literal["constant", "reflect", "replicate", "circular"] = arg(
        "values of the new elements", choice("constant", "reflect", "replicate", "circular"), "constant"
    )
    value: Number = arg('constant for mode "constant"', SCALAR, 0)

    def doubt(self, inputs: tuple[Tensor, ...], given: Mapping[str, bool]) -> Doubt | None:
        """One number by position pads nothing: torch's layers take the cells on all sides."""
        if given == {"axis": True}:
            advice = "it takes one axis, before and after; to pad an image by 1 write "
            return Doubt("axis", is_sure=True, advice=f"{advice}`pad(2, 1, 1) -> pad(3, 1, 1)`")
        return None

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        axis = axis_of(self.axis, x.rank)
        if self.mode == "constant":
            self._check_value(x)
        else:
            self._check_mode(x, axis, needs)
        size = self.before + x.shape[axis] + self.after
        return (x._replace(shape=(*x.shape[:axis], size, *x.shape[axis + 1 :])),)

    def _check_value(self, x: Tensor) -> None:
        if x.dtype != "float32" and not isinstance(self.value, int):
            raise Reject(f"{self.value} among {x.dtype} elements", arg="value")

    def _check_mode(self, x: Tensor, axis: int, needs: Needs) -> None:
        if self.value != 0:
            raise Reject(f'mode "{self.mode}" takes no value', arg="value")
        if x.dtype != "float32":
            raise Reject(f'mode "{self.mode}" needs float32, not {x.dtype}', arg="mode")
        if self._padded_axes(x.rank, axis) is None:
            raise Reject(f'mode "{self.mode}" is not possible along axis {axis} of {x.rank}', arg="axis")
        least = {"reflect": 1, "replicate": None, "circular": 0}[self.mode]
        for name, amount in (("before", self.before), ("after", self.after)):
            if least is not None:
                size = x.shape[axis]
                message = f'mode "{self.mode}" needs at least {amount + least} elements along axis {axis}, not {size}'
                needs.require(x.shape[axis], ">=", amount + least, message, arg=name)

    def _padded_axes(self, rank: int, axis: int) -> int | None:
        """How many axes, from the last, torch is told about; it has its limits where it does not pad by a constant."""
        if self.mode == "constant":
            return rank - axis
        return next((k for k in range(rank - axis, 4) if rank - k in (1, 2)), None)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(inputs=(0,)) if self.mode in ("reflect", "replicate") else Kept()

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        (layout,), (shape,) = memory.layouts, memory.shapes
        if self.mode == "circular":
            return (Laid(contiguous(shape)),)
        if layout.shape == shape and self.mode == "constant":
            return (Laid(elementwise((layout,))),)
        return (Laid(as_images(shape, layout)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        axis = axis_of(self.axis, inputs[0].rank)
        steps = tuple((Step(at, 1, size),) for at, size in enumerate(outputs[0].shape))
        if self.mode == "circular" and (self.before != 0 or self.after != 0):
            return (Look(steps, (Window(axis, None),), rolled=((axis, self.before),)),)
        taps = ((axis, Taps(1, ((-self.before,),))),) if isinstance(self.before, int) else ()
        return (Look(steps, taps=taps),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        rank = inputs[0].rank
        axis = axis_of(self.axis, rank)
        axes = self._padded_axes(rank, axis)
        assert axes is not None
        amounts = [Hole(0) for _ in range(2 * axes)]
        last = 2 * (rank - 1 - axis)  # torch lists the last axis first
        amounts[last : last + 2] = Hole(self.before, "before"), Hole(self.after, "after")
        args = (
            Arg(Input()),
            Arg(ListExpr(tuple(amounts), is_tuple=True)),
            Arg(Hole(self.mode, "mode"), "mode", "constant"),
            Arg(Hole(self.value, "value"), "value", 0),
        )
        return Torch(function=Call("F.pad", args))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        (x,) = inputs
        axis = axis_of(self.axis, x.rank)
        if self.before == 0 and self.after == 0:
            return ()
        if self.mode == "circular":  # which ONNX has from opset 19
            return self._onnx_circular(x, axis)
        value = OnnxConst(self.value if x.dtype != "bool" else bool(self.value), x.dtype)
        amounts, axes = sizes_ref(self.before, self.after), sizes_ref(axis)
        constant = value if self.mode == "constant" else None
        return (OnnxNode("Pad", (OnnxIn(), amounts, constant, axes), {"mode": ONNX_MODES[self.mode]}),)

    def _onnx_circular(self, x: Tensor, axis: int) -> tuple[OnnxNode, ...]:
        axes = sizes_ref(axis)
        tail = (OnnxIn(), sizes_ref(x.shape[axis] - self.before), sizes_ref(END), axes)
        head = (OnnxIn(), sizes_ref(0), sizes_ref(self.after), axes)
        return (
            OnnxNode("Slice", tail, outputs=("tail",)),
            OnnxNode("Slice", head, outputs=("head",)),
            OnnxNode("Concat", (OnnxLocal("tail"), OnnxIn(), OnnxLocal("head")), {"axis": axis}),
        )


@record
class Roll(Reshape):
    """Rotates along an axis: cell ``i`` moves to ``i + by``, and what leaves at one end enters at the other.

    Example:
        input x: [N, H, W, 96]
        roll(axis=1, by=-3) -> roll(axis=2, by=-3)
    """

    name: ClassVar[str] = "roll"

    axis: int = arg("axis to roll", ONE_AXIS)
    by: Size = arg("number of positions, positive or negative", INTEGER)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.roll", {"shifts": "by", "dims": "axis"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        axis_of(self.axis, x.rank)
        return (x,)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        """Both parts joined."""
        (layout,) = memory.layouts
        axis = axis_of(self.axis, len(layout.shape))
        size = layout.shape[axis]
        cut = memory.number(self.by) % size
        parts = [layout.narrowed(axis, part) for part in (cut, size - cut) if part]
        return (Laid(joined(parts, layout.shape)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        if self.by == 0:
            return (pointwise(inputs[0]),)
        axis = axis_of(self.axis, inputs[0].rank)
        return (pointwise(inputs[0], Window(axis, None))._replace(rolled=((axis, self.by),)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (Arg(Input()), Arg(Hole(self.by, "by")), Arg(Hole(self.axis, "axis"), "dims"))
        return Torch(function=Call("torch.roll", args))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        (x,) = inputs
        axis = axis_of(self.axis, x.rank)
        if -self.by % x.shape[axis] == 0:
            return ()
        axes, cut = sizes_ref(axis), OnnxLocal("cut")
        return (
            OnnxNode("Mod", (sizes_ref(-self.by), sizes_ref(x.shape[axis])), outputs=("cut",)),
            OnnxNode("Slice", (OnnxIn(), cut, sizes_ref(END), axes), outputs=("tail",)),
            OnnxNode("Slice", (OnnxIn(), sizes_ref(0), cut, axes), outputs=("head",)),
            OnnxNode("Concat", (OnnxLocal("tail"), OnnxLocal("head")), {"axis": axis}),
        )

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"roll {self.by}"


OPS: tuple[type[Op], ...] = (Pad, Roll)
