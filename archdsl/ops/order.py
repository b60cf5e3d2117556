"""Choice by data: the largest elements of an axis, their places, and the elements at given places."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import AXIS, FLAG, SIZE, VALUE, axis_of
from archdsl.layout import Laid, contiguous, elementwise
from archdsl.op import (
    Arg,
    Call,
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
    Op,
    Operand,
    Order,
    Palette,
    Reject,
    Step,
    Tensor,
    Torch,
    TorchExpr,
    Window,
    arg,
    pointwise,
)
from archdsl.ops.shape import sizes_ref
from archdsl.ops.sliding import require_float
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


def along(tensor: Tensor, axis: int) -> tuple[Look, ...]:
    """Positions that see the whole axis of a value, and keep their place on the others."""
    steps = tuple(() if at == axis else (Step(at, 1, size),) for at, size in enumerate(tensor.shape))
    return (Look(steps, (Window(axis, None),)),)


def resized(tensor: Tensor, axis: int, size: Size) -> Tensor:
    """The value with another size of one axis."""
    return tensor._replace(shape=(*tensor.shape[:axis], size, *tensor.shape[axis + 1 :]))


@record
class Choice(Op):
    """Base of what compares elements: nothing is multiplied."""

    palette: ClassVar[Palette] = "other"

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0


@record
class TopK(Choice):
    """The ``k`` largest elements along an axis, the largest first, and their places (int64): a list of two values.

    Example:
        input x: [N, 100]
        topk(5) as [values, places]
        values
    """

    name: ClassVar[str] = "topk"
    gives_list: ClassVar[bool] = True

    k: Size = arg("number of elements", SIZE)
    axis: int = arg("axis along which elements are compared", AXIS, -1)
    largest: bool = arg("the largest elements; else the smallest", FLAG, True)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.topk", {"k": "k", "dim": "axis", "largest": "largest"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        require_float(x)
        axis = axis_of(self.axis, x.rank)
        size = x.shape[axis]
        needs.require(size, ">=", self.k, f"axis {axis} of size {size} does not have {self.k} elements", arg="k")
        chosen = resized(x, axis, self.k)
        return chosen, chosen._replace(dtype="int64")

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """To find each of them takes as many comparisons as to find the largest."""
        return outputs[0].numel * (inputs[0].shape[axis_of(self.axis, inputs[0].rank)] - 1)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(outputs=(1,))

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return along(inputs[0], axis_of(self.axis, inputs[0].rank))

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (
            Arg(Hole(self.k, "k")),
            Arg(Hole(self.axis, "axis"), "dim", -1),
            Arg(Hole(self.largest, "largest"), "largest", True),
        )
        return Torch(function=Method(Input(), "topk", args))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        attributes = {"axis": axis_of(self.axis, inputs[0].rank), "largest": int(self.largest)}
        return (OnnxNode("TopK", (OnnxIn(), sizes_ref(self.k)), attributes, ("values", "places")),)

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"top {self.k}"


@record
class Sort(Choice):
    """The elements along an axis in ascending order, and the places where they were (int64): a list of two values.

    Equal elements keep their order.

    Example:
        input x: [N, 100]
        sort(descending=true) as [values, places]
        values
    """

    name: ClassVar[str] = "sort"
    gives_list: ClassVar[bool] = True

    axis: int = arg("axis along which elements are compared", AXIS, -1)
    descending: bool = arg("the largest first", FLAG, False)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.sort", {"dim": "axis", "descending": "descending"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        require_float(x)
        axis_of(self.axis, x.rank)
        return x, x._replace(dtype="int64")

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """To find each of them takes as many comparisons as to find the largest."""
        return outputs[0].numel * (inputs[0].shape[axis_of(self.axis, inputs[0].rank)] - 1)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(outputs=(1,))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        (layout,) = memory.layouts
        return (Laid(layout if layout.is_dense else elementwise((layout,))),) * 2

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return along(inputs[0], axis_of(self.axis, inputs[0].rank))

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (
            Arg(Hole(self.axis, "axis"), "dim", -1),
            Arg(Hole(self.descending, "descending"), "descending", False),
            Arg(Hole(True), "stable", False),
        )
        return Torch(function=Call("torch.sort", (Arg(Input()), *args)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        axis = axis_of(self.axis, inputs[0].rank)
        attributes = {"axis": axis, "largest": int(self.descending)}
        size = sizes_ref(inputs[0].shape[axis])
        return (OnnxNode("TopK", (OnnxIn(), size), attributes, ("values", "places")),)


@record
class Place(Choice):
    """Base of the places of extreme elements."""

    onnx_type: ClassVar[str]

    axis: int = arg("axis along which elements are compared; it is removed", AXIS, -1)
    keep: bool = arg("keep the axis, with size 1", FLAG, False)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order(f"torch.{cls.name}", {"dim": "axis", "keepdim": "keep"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        if x.dtype == "bool":
            raise Reject("bool values cannot be ordered", help="multiply by 1 first: `1 * x`")
        axis = axis_of(self.axis, x.rank)
        left = (1,) if self.keep else ()
        return (Tensor((*x.shape[:axis], *left, *x.shape[axis + 1 :]), "int64"),)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return inputs[0].numel - outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        axis = axis_of(self.axis, inputs[0].rank)
        (look,) = along(inputs[0], axis)
        steps = look.steps if self.keep else (*look.steps[:axis], *look.steps[axis + 1 :])
        return (look._replace(steps=steps),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (Arg(Hole(self.axis, "axis")), Arg(Hole(self.keep, "keep"), "keepdim", False))
        return Torch(function=Method(Input(), self.name, args))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        attributes = {"axis": axis_of(self.axis, inputs[0].rank), "keepdims": int(self.keep)}
        return (OnnxNode(self.onnx_type, (OnnxIn(),), attributes),)


@record
class Argmax(Place):
    """The place of the largest element along an axis (int64); of equal ones the first.

    Example:
        input scores: [N, 10]
        argmax
        output class: [N] int64
    """

    name: ClassVar[str] = "argmax"
    onnx_type: ClassVar[str] = "ArgMax"


@record
class Argmin(Place):
    """The place of the smallest element along an axis (int64); of equal ones the first.

    Example:
        input distances: [N, 512]
        argmin
        output nearest: [N] int64
    """

    name: ClassVar[str] = "argmin"
    onnx_type: ClassVar[str] = "ArgMin"


@record
class Argsort(Choice):
    """The places of the elements along an axis in ascending order (int64). Equal elements keep their order.

    Example:
        input x: [N, 100]
        argsort
        output order: [N, 100] int64
    """

    name: ClassVar[str] = "argsort"

    axis: int = arg("axis along which elements are compared", AXIS, -1)
    descending: bool = arg("the largest first", FLAG, False)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.argsort", {"dim": "axis", "descending": "descending"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        return (Sort(self.axis, self.descending).infer(inputs, needs)[1],)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return Sort(self.axis, self.descending).operations(inputs, outputs)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(outputs=(0,))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return Sort(self.axis, self.descending).lays(memory)[:1]

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return along(inputs[0], axis_of(self.axis, inputs[0].rank))

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (
            Arg(Hole(self.axis, "axis"), "dim", -1),
            Arg(Hole(self.descending, "descending"), "descending", False),
            Arg(Hole(True), "stable", False),
        )
        return Torch(function=Call("torch.argsort", (Arg(Input()), *args)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return Sort(self.axis, self.descending).onnx(inputs, (*outputs, *outputs))


# ---- elements at places ------------------------------------------------------------------------------------


@record
class Take(Op):
    """The elements at the places that ``index`` (int64) holds along an axis, in each row its own.

    The axes of the index before ``axis`` are those of the value, or 1; those behind it may be left out. So from
    tokens [N, T, D], an index [N, K] takes K tokens of each example. (``x[:, index]`` takes the same ones of all.)

    Example:
        input x: [N, 100, 16]
        score: linear(1) -> rearrange("n t 1 -> n t") -> topk(5) as [_, places]
        x -> take(places, axis=1)
        output y: [N, 5, 16]
    """

    name: ClassVar[str] = "take"
    palette: ClassVar[Palette] = "reshape"

    index: Operand = arg("int64: places along the axis, from 0", VALUE)
    axis: int = arg("axis along which elements are taken", AXIS)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        x, index = inputs
        axis = axis_of(self.axis, x.rank)
        if index.dtype != "int64":
            raise Reject(f"the index is {index.dtype}, not int64", arg="index")
        if not axis < index.rank <= x.rank:
            message = f"an index of {index.rank} axes has no axis {axis}, or more axes than the value"
            raise Reject(message, arg="index")
        filled = (*index.shape, *(1,) * (x.rank - index.rank))
        others = [(*shape[:axis], *shape[axis + 1 :]) for shape in (x.shape, filled)]
        for at, (size, wanted) in enumerate(zip(others[1], others[0], strict=True)):
            if size != 1:
                place = at if at < axis else at + 1
                needs.require(size, "==", wanted, f"axis {place} of the index is {size}, of the value {wanted}")
        return (resized(x, axis, filled[axis]),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """The value, of which torch reads only the sizes, and the places of all elements."""
        return Kept(inputs=(0,), extra=(outputs[0]._replace(dtype="int64"),))

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        x, index = inputs
        behind = ((),) * (x.rank - index.rank)
        places = tuple(() if size == 1 else (Step(at, 1, size),) for at, size in enumerate(index.shape))
        return (*along(x, axis_of(self.axis, x.rank)), Look((*places, *behind)))

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        index: TorchExpr = Input(1)
        for _ in range(inputs[0].rank - inputs[1].rank):
            index = Method(index, "unsqueeze", (Arg(Hole(-1)),))
        return Torch(function=Method(Input(0), "take_along_dim", (Arg(index), Arg(Hole(self.axis, "axis"), "dim"))))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        x, index = inputs
        nodes: list[OnnxNode] = []
        ref: OnnxRef = OnnxIn(1)
        if index.rank < x.rank:
            axes = OnnxConst(list(range(index.rank, x.rank)), "int64")
            nodes.append(OnnxNode("Unsqueeze", (ref, axes), outputs=("filled",)))
            ref = OnnxLocal("filled")
        nodes.append(OnnxNode("Expand", (ref, sizes_ref(*outputs[0].shape)), outputs=("places",)))
        attributes = {"axis": axis_of(self.axis, x.rank)}
        return (*nodes, OnnxNode("GatherElements", (OnnxIn(0), OnnxLocal("places")), attributes))


@record
class OneHot(Op):
    """For each int64 number ``i`` below ``count``, a new last axis: 1 at place ``i``, 0 elsewhere (int64).

    Example:
        input labels: [N] int64
        one_hot(10)
        output y: [N, 10] int64
    """

    name: ClassVar[str] = "one_hot"
    palette: ClassVar[Palette] = "reshape"

    count: Size = arg("size of the new axis", SIZE)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.nn.functional.one_hot", {"num_classes": "count"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        if x.dtype != "int64":
            raise Reject(f"takes int64, not {x.dtype}")
        if not x.rank:
            raise Reject("takes a value with an axis, not a single number")
        return (Tensor((*x.shape, self.count), "int64"),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (Look((*pointwise(inputs[0]).steps, ())),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=Call("F.one_hot", (Arg(Input()), Arg(Hole(self.count, "count")))))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("OneHot", (OnnxIn(), sizes_ref(self.count), OnnxConst([0, 1], "int64")), {"axis": -1}),)


@record
class Cumsum(Op):
    """The sum of each element and all those before it along an axis.

    Example:
        input x: [N, T, 8]
        cumsum(axis=1)
    """

    name: ClassVar[str] = "cumsum"
    palette: ClassVar[Palette] = "other"

    axis: int = arg("axis along which elements are summed", AXIS)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.cumsum", {"dim": "axis"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        axis_of(self.axis, x.rank)
        return (x._replace(dtype="int64") if x.dtype == "bool" else x,)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        axis = axis_of(self.axis, inputs[0].rank)
        return outputs[0].numel - resized(outputs[0], axis, 1).numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(contiguous(memory.shapes[0])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0], Window(axis_of(self.axis, inputs[0].rank), None)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=Method(Input(), "cumsum", (Arg(Hole(self.axis, "axis")),)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        axis = OnnxConst(axis_of(self.axis, inputs[0].rank), "int64")
        nodes: tuple[OnnxNode, ...] = ()
        x: OnnxRef = OnnxIn()
        if inputs[0].dtype == "bool":
            nodes, x = (OnnxNode("Cast", (x,), {"to": "int64"}, ("number",)),), OnnxLocal("number")
        return (*nodes, OnnxNode("CumSum", (x, axis)))


OPS: tuple[type[Op], ...] = (TopK, Sort, Argsort, Argmax, Argmin, Take, OneHot, Cumsum)
