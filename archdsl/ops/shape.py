"""Parts of values, and changes of layout: indexing, splitting, flattening, padding, rolling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from archdsl.arguments import AXIS, MOST_CELLS, MOST_WHOLE, PerAxisKind, SizeKind, axis_of, is_int, require_at_most
from archdsl.layout import Laid, Layout, elementwise, reshaped
from archdsl.op import (
    Arg,
    Call,
    Hole,
    Input,
    Item,
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
    Order,
    Palette,
    Reject,
    SliceExpr,
    Step,
    Taps,
    Tensor,
    Torch,
    TorchExpr,
    Window,
    arg,
    pointwise,
)
from archdsl.ops.multiples import divided_by
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

MAX_PARTS = 1_000
"""Most values that a split may give."""

END = 2**63 - 1
"""Where an ONNX slice ends that runs to the end of its axis."""


def sizes_ref(*sizes: Size) -> OnnxRef:
    """Sizes as a one-dimensional tensor: a constant where they are known."""
    if all(isinstance(size, int) for size in sizes):
        return OnnxConst(list(sizes), "int64")
    return OnnxSizes(sizes)


@record
class Reshape(Op):
    """Base of the operators that compute nothing: they lay elements out anew."""

    palette: ClassVar[Palette] = "reshape"

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()


@record
class Flatten(Reshape):
    """Merges neighboring axes into one: by default all but the batch.

    Example:
        input x: [N, 16, 5, 5]
        flatten
    """

    name: ClassVar[str] = "flatten"

    start: int = arg("first axis to merge", AXIS, 1)
    end: int = arg("last axis to merge", AXIS, -1)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.nn.Flatten", {"start_dim": "start", "end_dim": "end"}),)

    def bounds(self, x: Tensor) -> tuple[int, int]:
        start, end = axis_of(self.start, x.rank, "start"), axis_of(self.end, x.rank, "end")
        if start > end:
            raise Reject(f"it would end at axis {end}, before it starts at axis {start}", arg="end")
        return start, end

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        start, end = self.bounds(x)
        merged = Tensor(x.shape[start : end + 1]).numel
        return (x._replace(shape=(*x.shape[:start], merged, *x.shape[end + 1 :])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        start, end = self.bounds(inputs[0])
        steps = [Step(axis, 1, size) for axis, size in enumerate(inputs[0].shape)]
        before, after = [(step,) for step in steps[:start]], [(step,) for step in steps[end + 1 :]]
        return (Look((*before, tuple(steps[start : end + 1]), *after)),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (reshaped(memory.layouts[0], memory.shapes[0]),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        start, end = Hole(self.start, "start"), Hole(self.end, "end")
        module = Call("nn.Flatten", (Arg(start, "start_dim", 1), Arg(end, "end_dim", -1)))
        ends = () if self.end == -1 else (Arg(end),)
        return Torch(module=module, function=Call("torch.flatten", (Arg(Input()), Arg(start), *ends)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        start, end = self.bounds(inputs[0])
        if start == end:
            return ()
        target = reshape_sizes(inputs[0].shape, outputs[0].shape)
        return (OnnxNode("Reshape", (OnnxIn(), target)),)


def reshape_sizes(before: tuple[Size, ...], after: tuple[Size, ...]) -> OnnxRef:
    """The target of an ONNX Reshape: 0 where a symbolic size stays in its place, -1 for the last other one."""
    sizes: list[Size] = [
        0 if not isinstance(size, int) and axis < len(before) and before[axis] == size else size
        for axis, size in enumerate(after)
    ]
    for axis in reversed(range(len(sizes))):
        if not isinstance(sizes[axis], int):
            sizes[axis] = -1
            break
    return sizes_ref(*sizes)


# ---- parts of values -----------------------------------------------------------------------------------------


@record
class Bounds:
    """``start:stop:step`` as it was written; None was left out."""

    start: Size | None = None
    stop: Size | None = None
    step: Size | None = None


Subscript: TypeAlias = "Size | Bounds"


@record
class Select(Reshape):
    """``x[:, 0, 2:-1, ::2]``: an index drops its axis, a slice takes a part of it; negative ones count from the end.

    Unlike in Python, a bound may not lie beyond the axis: what would be cut off silently is an error.

    Example:
        input x: [N, 8, 32]
        it[:, 0, 2:-1]
    """

    name: ClassVar[str] = "select"
    is_internal: ClassVar[bool] = True

    subscripts: tuple[Subscript, ...]

    @classmethod
    def of(cls, subscripts: tuple[Any, ...]) -> Select:
        """From sizes and Python's slices of sizes."""
        return cls(tuple(Bounds(s.start, s.stop, s.step) if isinstance(s, slice) else s for s in subscripts))

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        if len(self.subscripts) > x.rank:
            raise Reject(f"{len(self.subscripts)} subscripts for a value of {x.rank} axes")
        shape: list[Size] = []
        for axis, subscript in enumerate(self._all(x)):
            if isinstance(subscript, Bounds):
                shape.append(_slice_size(subscript, x.shape[axis], axis, needs))
            else:
                _check_index(subscript, x.shape[axis], axis, needs)
        return (x._replace(shape=tuple(shape)),)

    def _all(self, x: Tensor) -> tuple[Subscript, ...]:
        """A subscript for every axis."""
        return self.subscripts + (Bounds(),) * (x.rank - len(self.subscripts))

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        sizes = iter(outputs[0].shape)
        cuts = [(axis, s) for axis, s in enumerate(self._all(inputs[0])) if isinstance(s, Bounds)]
        steps = tuple((Step(axis, 1 if s.step is None else s.step, next(sizes)),) for axis, s in cuts)
        found = ((axis, _slice_taps(s, inputs[0].shape[axis])) for axis, s in cuts)
        return (Look(steps, taps=tuple((axis, taps) for axis, taps in found if taps is not None)),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        (layout,), (shape,) = memory.layouts, memory.shapes
        axis = 0
        for subscript in self.subscripts:
            if not isinstance(subscript, Bounds):
                layout = layout.without(axis)
                continue
            step = 1 if subscript.step is None else memory.number(subscript.step)
            layout = layout.narrowed(axis, shape[axis], step)
            axis += 1
        return (Laid(layout, 0),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        def hole(axis: int, bounds: Bounds, end: str) -> Hole | None:
            size = getattr(bounds, end)
            return None if size is None else Hole(size, f"{axis}.{end}")

        subscripts = tuple(
            SliceExpr(hole(axis, s, "start"), hole(axis, s, "stop"), hole(axis, s, "step"))
            if isinstance(s, Bounds)
            else Hole(s, f"{axis}")
            for axis, s in enumerate(self.subscripts)
        )
        return Torch(function=Item(Input(), subscripts))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """One Slice for all axes that are cut, then the indexed ones are dropped."""
        cuts = [(axis, *_onnx_bounds(s)) for axis, s in enumerate(self.subscripts) if s != Bounds()]
        if not cuts:
            return ()
        axes, starts, stops, steps = zip(*cuts, strict=True)
        slicing = OnnxNode(
            "Slice",
            (OnnxIn(), sizes_ref(*starts), sizes_ref(*stops), sizes_ref(*axes), sizes_ref(*steps)),
            outputs=("part",),
        )
        dropped = [axis for axis, s in enumerate(self.subscripts) if not isinstance(s, Bounds)]
        if not dropped:
            return (slicing,)
        return slicing, OnnxNode("Squeeze", (OnnxLocal("part"), sizes_ref(*dropped)))


def _is_negative(size: Size) -> bool:
    """Counts from the end. Symbolic bounds count from the front."""
    return isinstance(size, int) and size < 0


def _check_index(index: Size, size: Size, axis: int, needs: Needs) -> None:
    if isinstance(index, int):
        require_at_most(index, MOST_WHOLE)
    message = f"index {index} is outside axis {axis} of size {size}"
    if _is_negative(index):
        needs.require(size, ">=", -index, message)
    else:
        needs.require(index, ">=", 0, message)
        needs.require(size, ">=", index + 1, message)


def _slice_size(bounds: Bounds, size: Size, axis: int, needs: Needs) -> Size:
    """How many cells a slice takes; at least one."""
    step = 1 if bounds.step is None else bounds.step
    if not isinstance(step, int) or step < 1:
        raise Reject(f"a slice with step {step}", help="the step must be a known integer, at least 1")
    require_at_most(step, MOST_CELLS)
    start = _position(bounds.start, 0, size, axis, needs)
    stop = _position(bounds.stop, size, size, axis, needs)
    needs.require(stop - start, ">=", 1, f"the slice of axis {axis} from {start} to {stop} is empty")
    return (stop - start + step - 1) // step


def _slice_taps(bounds: Bounds, size: Size) -> Taps | None:
    """The cells that a slice takes; None where its start is not known."""
    start = 0 if bounds.start is None else bounds.start
    step = 1 if bounds.step is None else bounds.step
    if _is_negative(start):
        start = size + start
    return Taps(step, ((start,),)) if isinstance(start, int) and isinstance(step, int) else None


def _position(bound: Size | None, default: Size, size: Size, axis: int, needs: Needs) -> Size:
    """A bound counted from the front."""
    if bound is None:
        return default
    if isinstance(bound, int):
        require_at_most(bound, MOST_WHOLE)
    message = f"{bound} is outside axis {axis} of size {size}"
    if _is_negative(bound):
        needs.require(size, ">=", -bound, message)
        return size + bound
    needs.require(bound, ">=", 0, message, help="a symbolic bound counts from the front")
    needs.require(size, ">=", bound, message)
    return bound


def _onnx_bounds(subscript: Subscript) -> tuple[Size, Size, Size]:
    """Start, stop and step of an ONNX Slice."""
    if not isinstance(subscript, Bounds):
        return subscript, END if subscript == -1 else subscript + 1, 1
    start, stop, step = subscript.start, subscript.stop, subscript.step
    return 0 if start is None else start, END if stop is None else stop, 1 if step is None else step


@record
class Gather(Reshape):
    """``table[index]``, ``table[:, index]``: the entries of an axis that an int64 value (or a list) names.

    The axes of the index stand in the place of that axis. A negative number counts from the end.

    Example:
        input x: [N, L, 64]
        buffer index: [3] = [4, 0, 2]
        param table: [5, 64] = normal(std=0.02)
        it[:, 0:3] + table[index] + it[:, [0, 2, -1]]
    """

    name: ClassVar[str] = "gather"
    is_internal: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    axis: int = 0

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        table, index = inputs
        if index.dtype != "int64":
            raise Reject(f"the index is {index.dtype}, not int64")
        if self.axis >= table.rank or not index.rank:
            raise Reject("the table and the index need at least one axis each")
        return (table._replace(shape=(*table.shape[: self.axis], *index.shape, *table.shape[self.axis + 1 :])),)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(inputs=(1,))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        """Element by element, where the table is repeated for each number and the numbers for each column."""
        (table, index), (shape,) = memory.layouts, memory.shapes
        before, after = table.strides[: self.axis], table.strides[self.axis + 1 :]
        rows = Layout(shape, (*before, *(0,) * len(index.shape), *after))
        numbers = index.viewed((1,) * len(before) + index.shape + (1,) * len(after))
        assert numbers is not None, "only axes of size 1 can be added"
        return (Laid(elementwise((rows, numbers))),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        table, index = inputs
        steps = tuple((Step(axis, 1, size),) for axis, size in enumerate(table.shape))
        before, after = steps[: self.axis], steps[self.axis + 1 :]
        return (
            Look((*before, *((),) * index.rank, *after), (Window(self.axis, None),)),
            Look((*((),) * len(before), *pointwise(index).steps, *((),) * len(after))),
        )

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=Item(Input(0), (*(SliceExpr() for _ in range(self.axis)), Input(1))))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("Gather", (OnnxIn(0), OnnxIn(1)), {"axis": self.axis}),)


@record
class Unbind(Reshape):
    """``as [a, b]`` on a value: its parts along axis 0, which they lose.

    Example:
        input x: [N, L, 96]
        rearrange("n l (k c) -> k n l c", k=3) as [q, k, v]
        q + k + v
    """

    name: ClassVar[str] = "unbind"
    is_internal: ClassVar[bool] = True
    gives_list: ClassVar[bool] = True

    count: int

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        if not x.rank:
            raise Reject("a value without axes cannot be unpacked")
        needs.require(x.shape[0], "==", self.count, f"axis 0 of size {x.shape[0]} does not have {self.count} elements")
        return (x._replace(shape=x.shape[1:]),) * self.count

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (Look(pointwise(inputs[0]).steps[1:]),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(memory.layouts[0].without(0), 0),) * self.count

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=_alone(Method(Input(), "unbind", ()), self.count))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return tuple(
            OnnxNode("Gather", (OnnxIn(), OnnxConst(part, "int64")), {"axis": 0}, (f"y{part}",))
            for part in range(self.count)
        )


@record
class Split(Reshape):
    """A value cut along an axis: into a number of equal parts, or into parts of given sizes. Gives a list.

    Example:
        input x: [N, 64, H, W]
        split(2) as [a, b]
        mul { a; b -> sigmoid }
    """

    name: ClassVar[str] = "split"
    gives_list: ClassVar[bool] = True

    parts: int | tuple[Size, ...] = arg(
        "number of equal parts, or a list of their sizes",
        PerAxisKind(SizeKind(1, "a size"), "a number of parts, or a list of sizes"),
    )
    axis: int = arg("axis to split", AXIS, 1)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.chunk", {"chunks": "parts", "dim": "axis"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        axis = axis_of(self.axis, x.rank)
        return tuple(
            x._replace(shape=(*x.shape[:axis], size, *x.shape[axis + 1 :]))
            for size in self._sizes(x.shape[axis], axis, needs)
        )

    def _sizes(self, size: Size, axis: int, needs: Needs) -> tuple[Size, ...]:
        count = len(self.parts) if isinstance(self.parts, tuple) else self.parts
        if is_int(count) and count > MAX_PARTS:
            raise Reject(f"{count} parts are too many: at most {MAX_PARTS} are possible", arg="parts")
        if isinstance(self.parts, tuple):
            total = sum(self.parts)
            message = f"the parts sum to {total}, but axis {axis} has size {size}"
            needs.require(size, "==", total, message, arg="parts")
            return self.parts
        if not is_int(self.parts):
            raise Reject(f"the number of parts is {self.parts}, which is not known", arg="parts")
        message = f"axis {axis} of size {size} cannot be divided into {self.parts} equal parts"
        needs.multiple(size, self.parts, message, arg="parts", help=divided_by(size, self.parts))
        return (size // self.parts,) * self.parts

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(outputs[0]),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        (layout,) = memory.layouts
        axis = axis_of(self.axis, len(layout.shape))
        return tuple(Laid(layout.narrowed(axis, shape[axis]), 0) for shape in memory.shapes)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        method = "split" if isinstance(self.parts, tuple) else "chunk"
        parts = list(self.parts) if isinstance(self.parts, tuple) else self.parts
        args = (Arg(Hole(parts, "parts")), Arg(Hole(self.axis, "axis"), "dim", 0))
        count = len(self.parts) if isinstance(self.parts, tuple) else self.parts
        return Torch(function=_alone(Method(Input(), method, args), count))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        axis = axis_of(self.axis, inputs[0].rank)
        names = tuple(f"y{part}" for part in range(len(outputs)))
        if isinstance(self.parts, tuple):
            return (OnnxNode("Split", (OnnxIn(), sizes_ref(*self.parts)), {"axis": axis}, names),)
        return (OnnxNode("Split", (OnnxIn(),), {"axis": axis, "num_outputs": self.parts}, names),)


def _alone(parts: TorchExpr, count: int) -> TorchExpr:
    """torch's tuple of parts; of a single one the part itself, since an output is a tensor."""
    return Item(parts, (Hole(0),)) if count == 1 else parts


OPS: tuple[type[Op], ...] = (Flatten, Select, Gather, Unbind, Split)
