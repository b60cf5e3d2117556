"""Pools over the spatial axes of [N, C, spatial…]: windows that slide, and whole axes divided into parts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import gcd, prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from archdsl.arguments import COUNTS, FLAG, KNOWN_SIZES, SIZES, PerAxis, per_axis
from archdsl.layout import Laid, Sizes, as_images, contiguous
from archdsl.op import (
    Arg,
    Call,
    Dropped,
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
    Step,
    Taps,
    Tensor,
    Torch,
    Window,
    arg,
    parameters,
)
from archdsl.ops.sliding import CHANNELS, SPATIAL, Slide, compact, require_known, slides, spatial_axes, spatial_look
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
class Pool(Op):
    """Base of the pools: no products, each channel for itself."""

    palette: ClassVar[Palette] = "pool"

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        """Channels last where the input is; but most of torch's pools of volumes give contiguous values."""
        (layout,), (shape,) = memory.layouts, memory.shapes
        follows = len(shape) < 5 or self.keeps_volumes(shape)
        return (Laid(as_images(shape, layout) if follows else contiguous(shape)),)

    def keeps_volumes(self, shape: Sizes) -> bool:
        """Whether a volume of this shape is channels last where the input is."""
        return False


# ---- windows that slide ------------------------------------------------------------------------------------


@record
class SlidingPool(Pool):
    """Base of the pools by windows that slide."""

    kernel: PerAxis = arg("window size along each axis", SIZES)
    stride: PerAxis | None = arg("stride of the window (default: kernel)", SIZES, None)
    pad: PerAxis = arg("padding on both sides, at most half the kernel", COUNTS, 0)

    @classmethod
    def instead(cls, argument: str, value: Any, accepted: Mapping[str, Any]) -> str | None:
        """For ``pad="same"``, which torch has not here: the padding that divides the size by the stride, rounded up."""
        kernel, stride = accepted.get("kernel"), accepted.get("stride")
        if argument != "pad" or value != "same" or not isinstance(kernel, int):
            return None
        stride = kernel if stride is None else stride
        effect = "keeps the size" if stride == 1 else f"divides the size by {stride}, rounded up"
        if kernel % 2:
            return f"`pad={kernel // 2}` {effect}"
        return f"`ceil=true` {effect}" if stride == kernel else None

    @abstractmethod
    def _windows(self, tensor: Tensor) -> tuple[Slide, ...]:
        """The window along each spatial axis."""

    def _slides(self, tensor: Tensor, dilation: Any = 1) -> tuple[Slide, ...]:
        stride = self.kernel if self.stride is None else self.stride
        return slides(spatial_axes(tensor), self.kernel, stride, dilation, self.pad)

    def _pooled(self, tensor: Tensor, ceil: bool, needs: Needs) -> Tensor:
        sizes = []
        for axis, window in enumerate(self._windows(tensor), SPATIAL):
            size = tensor.shape[axis]
            half = f"pad (={window.before}) must be at most half the kernel (={window.kernel})"
            needs.require(window.kernel // 2, ">=", window.before, half, arg="pad")
            window.require_fit(size, axis, needs, hang=window.stride - 1 if ceil else 0)
            sizes.append(window.steps_beyond(size) if ceil else window.steps(size))
        return Tensor((*tensor.shape[:SPATIAL], *sizes))

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        windows = self._windows(inputs[0])
        channel = (Step(CHANNELS, 1, inputs[0].shape[CHANNELS]),)
        seen = tuple(Window(axis, w.kernel, w.dilation) for axis, w in enumerate(windows, SPATIAL))
        taps = [w.taps() for w in windows]
        return (spatial_look(outputs[0], channel, [(w.stride, 1) for w in windows], seen, taps),)

    def _torch(self, inputs: tuple[Tensor, ...], kind: Literal["Max", "Avg"], *more: Arg) -> Torch:
        windows = self._windows(inputs[0])
        kernel = compact(tuple(w.kernel for w in windows))
        args = (
            Arg(Hole(kernel, "kernel")),
            Arg(Hole(compact(tuple(w.stride for w in windows)), "stride"), "stride", kernel),
            Arg(Hole(compact(tuple(w.before for w in windows)), "pad"), "padding", 0),
            *more,
        )
        function = Call(f"F.{kind.lower()}_pool{len(windows)}d", (Arg(Input()), *args))
        return Torch(Call(f"nn.{kind}Pool{len(windows)}d", args), function=function)

    def _onnx(
        self, kind: str, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], ceil: bool, **more: Any
    ) -> tuple[OnnxNode, ...]:
        """One node, ``ceil_mode`` only where a window hangs over the end.

        Before opset 22, ONNX infers of ``ceil_mode`` one place too many where the last window would begin beyond the
        input. So an axis along which no window hangs over, beside one with such a window, is fitted to its places:
        padded no more than they need, and cut where they leave cells unread.
        """
        windows = self._windows(inputs[0])
        require_known(windows)
        rows = list(zip(windows, inputs[0].shape[SPATIAL:], outputs[0].shape[SPATIAL:], strict=True))
        hangs = [ceil and window.steps(size) != places for window, size, places in rows]
        after = [window.after for window in windows]
        unread: dict[int, int] = {}
        for i, (window, size, places) in enumerate(rows):
            spare = size + window.before - (places - 1) * window.stride - window.extent
            if any(hangs) and not hangs[i] and isinstance(spare, int):
                after[i] = max(0, -spare)
                unread |= {i + SPATIAL: spare} if spare > 0 else {}
        attributes = {
            "kernel_shape": tuple(w.kernel for w in windows),
            "strides": tuple(w.stride for w in windows),
            "pads": (*(w.before for w in windows), *after),
            "ceil_mode": int(any(hangs)),
            **more,
        }
        if not unread:
            return (OnnxNode(kind, (OnnxIn(),), attributes),)
        return (cut(unread), OnnxNode(kind, (OnnxLocal("cut"),), attributes))

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        windows = self._windows(inputs[0])
        stride = compact(tuple(w.stride for w in windows))
        step = "×".join(map(str, stride)) if isinstance(stride, tuple) else stride
        return f"{self.name} {'×'.join(str(w.kernel) for w in windows)}, /{step}"


@record
class MaxPool(SlidingPool):
    """The largest number in each window.

    An axis of H cells becomes ``(H + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1`` cells. With ``ceil=true``
    one more window may hang over the end, if it begins in the input or in the padding before it.

    Example:
        input x: [N, 64, H, W]
        maxpool(3, stride=2, pad=1)
        output y: [N, 64, (H + 1) // 2, (W + 1) // 2]
    """

    name: ClassVar[str] = "maxpool"

    dilation: PerAxis = arg("spacing between window elements", SIZES, 1)
    ceil: bool = arg("let the last window extend beyond the end", FLAG, False)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {
            "kernel_size": "kernel", "stride": "stride", "padding": "pad", "dilation": "dilation",
            "return_indices": Dropped((False,)), "ceil_mode": "ceil",
        }  # fmt: skip
        return (Order("torch.nn.MaxPool2d", torch),)

    def _windows(self, tensor: Tensor) -> tuple[Slide, ...]:
        return self._slides(tensor, self.dilation)

    def keeps_volumes(self, shape: Sizes) -> bool:
        return True

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        """
        Raises:
            Reject: the pad is more than half the kernel, or the kernel does not fit; or a window might see nothing but
                padding. Torch takes the last, and then writes outside of the gradient.
        """
        output = self._pooled(inputs[0], self.ceil, needs)
        for size, window in zip(inputs[0].shape[SPATIAL:], self._windows(inputs[0]), strict=True):
            if window.before != 0 and window.dilation != 1:
                message = f"with padding, dilation (={window.dilation}) must be at most the size of the axis"
                needs.require(size, ">=", window.dilation, f"{message}, {size}", arg="dilation")
        return (output,)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return (prod(w.kernel for w in self._windows(inputs[0])) - 1) * outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """The input, and where each output came from."""
        return Kept(inputs=(0,), extra=(Tensor(outputs[0].shape, "int64"),))

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        dilation = compact(tuple(w.dilation for w in self._windows(inputs[0])))
        return self._torch(
            inputs,
            "Max",
            Arg(Hole(dilation, "dilation"), "dilation", 1),
            Arg(Hole(self.ceil, "ceil"), "ceil_mode", False),
        )

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        dilations = tuple(w.dilation for w in self._windows(inputs[0]))
        return self._onnx("MaxPool", inputs, outputs, self.ceil, dilations=dilations)


@record
class AvgPool(SlidingPool):
    """The mean of each window.

    An axis of H cells becomes ``(H + 2 * pad - kernel) // stride + 1`` cells. With ``ceil=true`` one more window may
    hang over the end, if it begins in the input or in the padding before it; what hangs over is not counted.

    Example:
        input x: [N, 64, H, W]
        avgpool(2)
        output y: [N, 64, H // 2, W // 2]
    """

    name: ClassVar[str] = "avgpool"

    ceil: bool = arg("let the last window extend beyond the end", FLAG, False)
    count_pad: bool = arg("count the padding in the mean", FLAG, True)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {
            "kernel_size": "kernel", "stride": "stride", "padding": "pad", "ceil_mode": "ceil",
            "count_include_pad": "count_pad",
        }  # fmt: skip
        return (Order("torch.nn.AvgPool2d", torch),)

    def _windows(self, tensor: Tensor) -> tuple[Slide, ...]:
        return self._slides(tensor)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        output = self._pooled(inputs[0], self.ceil, needs)
        windows = self._windows(inputs[0])
        if len(windows) == 3:  # torch is stricter here than with fewer axes
            for size, window in zip(inputs[0].shape[SPATIAL:], windows, strict=True):
                small = f"each of three spatial axes must be at least the kernel ({window.kernel}) without padding"
                needs.require(size, ">=", window.kernel, small, arg="kernel")
        return (output,)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return prod(w.kernel for w in self._windows(inputs[0])) * outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(inputs=(0,))

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return self._torch(
            inputs,
            "Avg",
            Arg(Hole(self.ceil, "ceil"), "ceil_mode", False),
            Arg(Hole(self.count_pad, "count_pad"), "count_include_pad", True),
        )

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return self._onnx("AveragePool", inputs, outputs, self.ceil, count_include_pad=int(self.count_pad))


def cut(ends: dict[int, int]) -> OnnxNode:
    """The input without its last cells, so many for each axis."""
    start, stop = OnnxConst((0,) * len(ends), "int64"), OnnxConst(tuple(-n for n in ends.values()), "int64")
    return OnnxNode("Slice", (OnnxIn(), start, stop, OnnxConst(tuple(ends), "int64")), outputs=("cut",))


# ---- axes divided into parts -------------------------------------------------------------------------------


@record
class AdaptivePool(Pool):
    """Base of the pools that divide each axis into a given number of parts.

    Part i of n on an axis of H cells runs from ``i * H // n`` up to ``ceil((i + 1) * H / n)``: where n does not divide
    H, neighbours overlap.
    """

    kind: ClassVar[Literal["Max", "Avg"]]

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        size = "size" if parameters(cls) else Dropped((1,))
        return (Order(f"torch.nn.Adaptive{cls.kind}Pool2d", {"output_size": size}),)

    @abstractmethod
    def _parts(self, axes: int) -> tuple[int, ...]:
        """Number of parts along each spatial axis."""

    def keeps_volumes(self, shape: Sizes) -> bool:
        """The mean of all is taken along the axes, of which each keeps one cell."""
        return self.kind == "Avg" and set(shape[SPATIAL:]) == {1}

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        return (Tensor((*inputs[0].shape[:SPATIAL], *self._parts(spatial_axes(inputs[0])))),)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        rows = zip(inputs[0].shape[SPATIAL:], self._parts(inputs[0].rank - SPATIAL), strict=True)
        read = prod(inputs[0].shape[:SPATIAL]) * prod(cells_of_parts(size, n) for size, n in rows)
        return read if self.kind == "Avg" else read - outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """As sliding pools do; but torch takes an average over everything as a plain mean, which keeps nothing."""
        if self.kind == "Max":
            return Kept(inputs=(0,), extra=(Tensor(outputs[0].shape, "int64"),))
        return Kept() if set(outputs[0].shape[SPATIAL:]) == {1} else Kept(inputs=(0,))

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        sizes, parts = inputs[0].shape[SPATIAL:], self._parts(inputs[0].rank - SPATIAL)
        channel = (Step(CHANNELS, 1, inputs[0].shape[CHANNELS]),)
        windows = (largest_part(size, n) for size, n in zip(sizes, parts, strict=True))
        seen = tuple(Window(axis, size) for axis, size in enumerate(windows, SPATIAL))
        pairs = list(zip(sizes, parts, strict=True))
        return (spatial_look(outputs[0], channel, pairs, seen, [parts_taps(*pair) for pair in pairs]),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        parts = self._parts(inputs[0].rank - SPATIAL)
        size = Arg(Hole(compact(parts), "size"))
        function = Call(f"F.adaptive_{self.kind.lower()}_pool{len(parts)}d", (Arg(Input()), size))
        return Torch(Call(f"nn.Adaptive{self.kind}Pool{len(parts)}d", (size,)), function=function)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """A global pool; an ordinary one where the parts are equal; else one axis after the other."""
        sizes, parts = inputs[0].shape[SPATIAL:], self._parts(inputs[0].rank - SPATIAL)
        onnx_kind = "Average" if self.kind == "Avg" else "Max"
        if sizes == parts:
            return ()
        if set(parts) == {1}:
            return (OnnxNode(f"Global{onnx_kind}Pool", (OnnxIn(),)),)
        known = tuple(size for size in sizes if isinstance(size, int))
        if len(known) < len(sizes):
            message = f"ONNX has no adaptive pool; {parts} windows can only be computed for known sizes"
            raise Reject(message, arg="size", help="fix the input size, or use a global pool")
        rows = list(zip(known, parts, strict=True))
        if all(size % n == 0 for size, n in rows):
            window = tuple(size // n for size, n in rows)
            return (OnnxNode(f"{onnx_kind}Pool", (OnnxIn(),), {"kernel_shape": window, "strides": window}),)
        divide = average_of_parts if self.kind == "Avg" else largest_of_parts
        nodes: list[OnnxNode] = []
        for axis, (size, n) in enumerate(rows, SPATIAL):
            if size != n:
                value = OnnxLocal(nodes[-1].outputs[0]) if nodes else OnnxIn()
                nodes += divide(value, inputs[0].rank, axis, parts_of(size, n))
        return tuple(nodes)


@record
class AdaptiveAvgPool(AdaptivePool):
    """The mean of each of ``size`` parts of each axis, whatever the size of the input.

    Part i of n on an axis of H cells runs from ``i * H // n`` up to ``ceil((i + 1) * H / n)``.

    Example:
        input x: [N, 512, H, W]
        adaptive_avgpool(7)
        output y: [N, 512, 7, 7]
    """

    name: ClassVar[str] = "adaptive_avgpool"
    kind: ClassVar[Literal["Max", "Avg"]] = "Avg"

    size: int | tuple[int, ...] = arg("output size along each axis", KNOWN_SIZES)

    def _parts(self, axes: int) -> tuple[int, ...]:
        return per_axis(self.size, axes, "size")

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"{self.name} {'×'.join(map(str, self._parts(inputs[0].rank - SPATIAL)))}"


@record
class AdaptiveMaxPool(AdaptivePool):
    """The largest number in each of ``size`` parts of each axis, whatever the size of the input.

    Part i of n on an axis of H cells runs from ``i * H // n`` up to ``ceil((i + 1) * H / n)``.

    Example:
        input x: [N, 512, H, W]
        adaptive_maxpool([1, 4])
        output y: [N, 512, 1, 4]
    """

    name: ClassVar[str] = "adaptive_maxpool"
    kind: ClassVar[Literal["Max", "Avg"]] = "Max"

    size: int | tuple[int, ...] = arg("output size along each axis", KNOWN_SIZES)

    def _parts(self, axes: int) -> tuple[int, ...]:
        return per_axis(self.size, axes, "size")

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"{self.name} {'×'.join(map(str, self._parts(inputs[0].rank - SPATIAL)))}"


@record
class GlobalAvgPool(AdaptivePool):
    """The mean of each channel over all spatial axes, each of which keeps one cell.

    Example:
        input x: [N, 2048, 7, 7]
        global_avgpool
        output y: [N, 2048, 1, 1]
    """

    name: ClassVar[str] = "global_avgpool"
    kind: ClassVar[Literal["Max", "Avg"]] = "Avg"

    def _parts(self, axes: int) -> tuple[int, ...]:
        return (1,) * axes


@record
class GlobalMaxPool(AdaptivePool):
    """The largest number of each channel over all spatial axes, each of which keeps one cell.

    Example:
        input x: [N, 2048, 7, 7]
        global_maxpool
        output y: [N, 2048, 1, 1]
    """

    name: ClassVar[str] = "global_maxpool"
    kind: ClassVar[Literal["Max", "Avg"]] = "Max"

    def _parts(self, axes: int) -> tuple[int, ...]:
        return (1,) * axes


def parts_of(size: int, n: int) -> list[tuple[int, int]]:
    """Where each of ``n`` parts of an axis begins and ends."""
    return [(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]


def parts_taps(size: Size, n: int) -> Taps | None:
    """The cells of each part; None where they are not known, and for a single part, which sees the whole axis."""
    if n == 1 or not isinstance(size, int):
        return None
    again = gcd(size, n)
    return Taps(size // again, tuple(tuple(range(*part)) for part in parts_of(size, n)[: n // again]))


def cells_of_parts(size: Size, n: int) -> Size:
    """Cells in all parts together: neighbours share one where their border falls inside it."""
    if isinstance(size, int):
        return size + n - gcd(size, n)
    return sum((((i + 1) * size + n - 1) // n - i * size // n for i in range(n)), 0)


def largest_part(size: Size, n: int) -> Size | None:
    """Cells of the largest part, or a bound on it if the size is symbolic; None: the whole axis."""
    if n == 1:
        return None
    if isinstance(size, int):
        return max(end - start for start, end in parts_of(size, n))
    return (size + n - 1) // n + 1


def average_of_parts(value: OnnxRef, rank: int, axis: int, parts: list[tuple[int, int]]) -> list[OnnxNode]:
    """The mean of each part of an axis: a product with a matrix of weights."""
    cells = range(parts[-1][1])
    weights = tuple(tuple((start <= cell < end) / (end - start) for cell in cells) for start, end in parts)
    letters = "abcde"[:rank]
    equation = f"{letters},z{letters[axis]}->{letters.replace(letters[axis], 'z')}"
    matrix = OnnxConst(weights, "float32")
    return [OnnxNode("Einsum", (value, matrix), {"equation": equation}, (f"means{axis}",))]


def largest_of_parts(value: OnnxRef, rank: int, axis: int, parts: list[tuple[int, int]]) -> list[OnnxNode]:
    """The largest number in each part of an axis, one part at a time."""
    nodes = []
    at = OnnxConst((axis,), "int64")
    for i, (start, end) in enumerate(parts):
        bounds = (OnnxConst((start,), "int64"), OnnxConst((end,), "int64"), at)
        nodes.append(OnnxNode("Slice", (value, *bounds), outputs=(f"part{axis}_{i}",)))
        nodes.append(OnnxNode("ReduceMax", (OnnxLocal(f"part{axis}_{i}"), at), outputs=(f"largest{axis}_{i}",)))
    largest = tuple(OnnxLocal(f"largest{axis}_{i}") for i in range(len(parts)))
    return [*nodes, OnnxNode("Concat", largest, {"axis": axis}, (f"largest{axis}",))]


OPS: tuple[type[Op], ...] = (
    MaxPool,
    AvgPool,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAvgPool,
    GlobalMaxPool,
)
