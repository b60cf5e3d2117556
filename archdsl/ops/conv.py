"""Convolutions over the spatial axes of [N, C, spatial…]: 1d, 2d or 3d by the rank of the input."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt
from typing import TYPE_CHECKING, Any, ClassVar

from archdsl.arguments import COUNTS, FLAG, INIT, PAD, SIZE, SIZES, PerAxis, per_axis
from archdsl.dims import Dim, dmax, known, symbols
from archdsl.init import BiasUniform, Init, KaimingUniform
from archdsl.layout import Laid, as_images
from archdsl.op import (
    Arg,
    Arriving,
    Call,
    Doubt,
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
    OnnxWeight,
    Op,
    Order,
    Palette,
    SelfModule,
    Step,
    Taps,
    Tensor,
    Torch,
    Weight,
    Window,
    arg,
    drawn,
)
from archdsl.ops.multiples import divided_by
from archdsl.ops.sliding import (
    CHANNELS,
    SPATIAL,
    Slide,
    compact,
    require_known,
    require_same,
    slides,
    spatial_axes,
    spatial_look,
)
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
class Conv(Op):
    """Convolution: slides ``width`` filters over the spatial axes of [N, C, spatial…] and sums over all channels.

    An axis of H cells becomes ``(H + before + after - dilation * (kernel - 1) - 1) // stride + 1`` cells. With
    ``groups=g`` channels and filters fall into g groups that do not see each other; ``groups=C`` is a depthwise
    convolution. ``pad="same"`` keeps the size at stride 1; of an odd padding the greater half comes after.

    Example:
        input x: [N, 3, H, W]
        stem: conv(64, 7, stride=2, pad=3, bias=false)
        wide: conv(64, [1, 3], pad=[0, [2, 0]], groups=64)
        output y: [N, 64, (H + 1) // 2, (W + 1) // 2]
    """

    name: ClassVar[str] = "conv"
    palette: ClassVar[Palette] = "conv"

    width: Size = arg("number of output channels", SIZE)
    kernel: PerAxis = arg("kernel size along each axis", SIZES)
    stride: PerAxis = arg("stride of the kernel", SIZES, 1)
    pad: Any = arg("zero padding around the input", PAD, 0)
    dilation: PerAxis = arg("spacing between kernel elements", SIZES, 1)
    groups: Size = arg("number of groups of channels, convolved separately", SIZE, 1)
    bias: bool = arg("add a learned bias to each channel", FLAG, True)
    init: Init | None = arg("initial value of the weight (torch: kaiming_uniform(slope=sqrt(5)))", INIT, None)
    bias_init: Init | None = arg("initial value of the bias (torch: uniform(1 / sqrt(fan-in)))", INIT, None)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {
            "in_channels": Arriving("channels"), "out_channels": "width", "kernel_size": "kernel", "stride": "stride",
            "padding": "pad", "dilation": "dilation", "groups": "groups", "bias": "bias",
        }  # fmt: skip
        skipping = {name: name for name in ("width", "kernel", "stride", "pad", "groups")}
        return Order("torch.nn.Conv2d", torch), Order("a common habit", skipping)

    def _slides(self, tensor: Tensor) -> tuple[Slide, ...]:
        return slides(spatial_axes(tensor), self.kernel, self.stride, self.dilation, self.pad)

    def doubt(self, inputs: tuple[Tensor, ...], given: Mapping[str, bool]) -> Doubt | None:
        if not given.get("kernel") or inputs[0].rank <= SPATIAL:
            return None
        return _doubted(self._slides(inputs[0]), inputs[0].shape[CHANNELS], self.width)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        windows = self._slides(inputs[0])
        batch, channels, *spatial = inputs[0].shape
        require_groups(self.groups, channels, self.width, needs)
        if self.pad == "same":
            require_same(windows, spatial, needs)
        for axis, (window, size) in enumerate(zip(windows, spatial, strict=True), SPATIAL):
            window.require_fit(size, axis, needs)
        steps = (w.steps(size) for w, size in zip(windows, spatial, strict=True))
        return (Tensor((batch, self.width, *steps)),)

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        channels = inputs[0].shape[CHANNELS] // self.groups
        kernel = [w.kernel for w in self._slides(inputs[0])]
        weight = (self.width, channels, *kernel)
        return filters(weight, self.width if self.bias else None, self.init, self.bias_init)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        weight = self.weights(inputs)[0].shape
        return outputs[0].numel * prod(weight[1:])

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return outputs[0].numel if self.bias else 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """The input; or its padded copy, where torch's convolution cannot pad so itself."""
        windows = self._slides(inputs[0])
        batch, channels, *spatial = inputs[0].shape
        if all(w.before == w.after for w in windows):
            return Kept(inputs=(0,))
        added = [w.after - w.before if self.pad == "same" else w.before + w.after for w in windows]
        padded = (size + more for size, more in zip(spatial, added, strict=True))
        return Kept(extra=(Tensor((batch, channels, *padded)),))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(as_images(memory.shapes[0], memory.layouts[0])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        windows = self._slides(inputs[0])
        channel, seen = group_look(self.groups, inputs[0].shape[CHANNELS], self.width)
        spatial = (Window(axis, w.kernel, w.dilation) for axis, w in enumerate(windows, SPATIAL))
        taps = [w.taps() for w in windows]
        return (spatial_look(outputs[0], channel, [(w.stride, 1) for w in windows], (seen, *spatial), taps),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        windows = self._slides(inputs[0])
        pads = self.pad if self.pad == "same" else compact(tuple(w.before for w in windows))
        is_even = self.pad == "same" or all(w.before == w.after for w in windows)
        module = Call(
            f"nn.Conv{len(windows)}d",
            (
                Arg(Hole(inputs[0].shape[CHANNELS], (0, CHANNELS))),
                Arg(Hole(self.width, "width")),
                Arg(Hole(compact(tuple(w.kernel for w in windows)), "kernel")),
                Arg(Hole(compact(tuple(w.stride for w in windows)), "stride"), "stride", 1),
                Arg(Hole(pads if is_even else 0, "pad"), "padding", 0),
                Arg(Hole(compact(tuple(w.dilation for w in windows)), "dilation"), "dilation", 1),
                Arg(Hole(self.groups, "groups"), "groups", 1),
                Arg(Hole(self.bias, "bias"), "bias", True),
            ),
        )
        if is_even:
            return Torch(module)
        sides = tuple(side for w in reversed(windows) for side in (w.before, w.after))
        return Torch(module, run=Call(SelfModule(), (Arg(Call("F.pad", (Arg(Input()), Arg(Hole(sides))))),)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        windows = self._slides(inputs[0])
        pads = (*(w.before for w in windows), *(w.after for w in windows))
        return (OnnxNode("Conv", operands(self.bias), {**onnx_window(windows, self.groups), "pads": pads}),)

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        caption = convolution_caption(self.name, self._slides(inputs[0]), self.width)
        return caption + groups_caption(self.groups, inputs[0].shape[CHANNELS])


@record
class ConvTranspose(Op):
    """Transposed convolution: each cell of the input adds a multiple of the filters to the output.

    An axis of H cells becomes ``(H - 1) * stride - 2 * pad + dilation * (kernel - 1) + output_pad + 1`` cells: it
    undoes what a convolution with the same arguments does to the size. ``output_pad`` chooses among the sizes that
    such a convolution would take to H.

    Example:
        input x: [N, 64, H, W]
        up: convtranspose(32, 2, stride=2)
        output y: [N, 32, 2 * H, 2 * W]
    """

    name: ClassVar[str] = "convtranspose"
    palette: ClassVar[Palette] = "conv"

    width: Size = arg("number of output channels", SIZE)
    kernel: PerAxis = arg("kernel size along each axis", SIZES)
    stride: PerAxis = arg("stride: factor of the output size", SIZES, 1)
    pad: PerAxis = arg("padding: positions removed on each side of the output", COUNTS, 0)
    output_pad: Any = arg("positions added at the end of the output, fewer than stride or dilation", COUNTS, 0)
    groups: Size = arg("number of groups of channels, convolved separately", SIZE, 1)
    bias: bool = arg("add a learned bias to each channel", FLAG, True)
    dilation: PerAxis = arg("spacing between kernel elements", SIZES, 1)
    init: Init | None = arg("initial value of the weight (torch: kaiming_uniform(slope=sqrt(5)))", INIT, None)
    bias_init: Init | None = arg("initial value of the bias (torch: uniform(1 / sqrt(fan-in)))", INIT, None)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {
            "in_channels": Arriving("channels"), "out_channels": "width", "kernel_size": "kernel", "stride": "stride",
            "padding": "pad", "output_padding": "output_pad", "groups": "groups", "bias": "bias",
            "dilation": "dilation",
        }  # fmt: skip
        return (Order("torch.nn.ConvTranspose2d", torch),)

    @classmethod
    def instead(cls, argument: str, value: Any, accepted: Mapping[str, Any]) -> str | None:
        """For ``pad="same"``, which torch has not here: the padding that multiplies the size by the stride.

        H cells become ``(H - 1) * stride - 2 * pad + kernel + output_pad``, which is ``H * stride`` where
        ``output_pad`` is ``stride + 2 * pad - kernel``.
        """
        kernel, stride = accepted.get("kernel"), accepted.get("stride", 1)
        if argument != "pad" or value != "same" or not isinstance(kernel, int) or not isinstance(stride, int):
            return None
        pad = max(0, (kernel - stride + 1) // 2)
        extra = stride + 2 * pad - kernel
        if not 0 <= extra < stride:
            return None
        effect = {1: "keeps the size", 2: "doubles the size"}.get(stride, f"makes the size {stride} times as large")
        return f"`pad={pad}{f', output_pad={extra}' if extra else ''}` {effect}"

    def _slides(self, tensor: Tensor) -> tuple[Slide, ...]:
        return slides(spatial_axes(tensor), self.kernel, self.stride, self.dilation, self.pad)

    def doubt(self, inputs: tuple[Tensor, ...], given: Mapping[str, bool]) -> Doubt | None:
        if not given.get("kernel") or inputs[0].rank <= SPATIAL:
            return None
        windows = self._slides(inputs[0])
        if all(w.kernel == 4 and w.stride == 1 for w in windows):  # the first layer of a DCGAN's generator
            return None
        return _doubted(windows, inputs[0].shape[CHANNELS], self.width)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        windows = self._slides(inputs[0])
        batch, channels, *spatial = inputs[0].shape
        extras = per_axis(self.output_pad, len(windows), "output_pad")
        require_groups(self.groups, channels, self.width, needs)
        sizes = []
        for axis, (window, extra, size) in enumerate(zip(windows, extras, spatial, strict=True), SPATIAL):
            least = f"output_pad (={extra}) must be less than stride (={window.stride}) or dilation"
            needs.require(dmax(window.stride, window.dilation) - 1, ">=", extra, least, arg="output_pad")
            sizes.append((size - 1) * window.stride - 2 * window.before + window.extent + extra)
            cut = f"pad (={window.before}) is too large: axis {axis} of size {size} would have size {sizes[-1]}"
            needs.require(sizes[-1], ">=", 1, cut, arg="pad")
        return (Tensor((batch, self.width, *sizes)),)

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        kernel = [w.kernel for w in self._slides(inputs[0])]
        weight = (inputs[0].shape[CHANNELS], self.width // self.groups, *kernel)
        return filters(weight, self.width if self.bias else None, self.init, self.bias_init)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        weight = self.weights(inputs)[0].shape
        return inputs[0].numel * prod(weight[1:])

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return outputs[0].numel if self.bias else 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(inputs=(0,))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(as_images(memory.shapes[0], memory.layouts[0])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        windows = self._slides(inputs[0])
        channel, seen = group_look(self.groups, inputs[0].shape[CHANNELS], self.width)
        spatial = (transposed_window(axis, w) for axis, w in enumerate(windows, SPATIAL))
        taps = [transposed_taps(w) for w in windows]
        return (spatial_look(outputs[0], channel, [(1, w.stride) for w in windows], (seen, *spatial), taps),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        windows = self._slides(inputs[0])
        extras = per_axis(self.output_pad, len(windows), "output_pad")
        return Torch(
            Call(
                f"nn.ConvTranspose{len(windows)}d",
                (
                    Arg(Hole(inputs[0].shape[CHANNELS], (0, CHANNELS))),
                    Arg(Hole(self.width, "width")),
                    Arg(Hole(compact(tuple(w.kernel for w in windows)), "kernel")),
                    Arg(Hole(compact(tuple(w.stride for w in windows)), "stride"), "stride", 1),
                    Arg(Hole(compact(tuple(w.before for w in windows)), "pad"), "padding", 0),
                    Arg(Hole(compact(extras), "output_pad"), "output_padding", 0),
                    Arg(Hole(self.groups, "groups"), "groups", 1),
                    Arg(Hole(self.bias, "bias"), "bias", True),
                    Arg(Hole(compact(tuple(w.dilation for w in windows)), "dilation"), "dilation", 1),
                ),
            )
        )

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """ConvTranspose takes an ``output_pad`` less than the stride; a greater one is cut off less at the end.

        Where even nothing cut off is too little, the input first gets cells of zeros at its end.
        """
        windows = self._slides(inputs[0])
        extras = per_axis(self.output_pad, len(windows), "output_pad")
        before = tuple(w.before for w in windows)
        attributes = {**onnx_window(windows, self.groups), "pads": 2 * before, "output_padding": extras}
        reads = operands(self.bias)
        if all(extra == 0 or extra < w.stride for w, extra in zip(windows, extras, strict=True)):
            return (OnnxNode("ConvTranspose", reads, attributes),)
        zeros = [max(0, -((w.before - extra) // w.stride)) for w, extra in zip(windows, extras, strict=True)]
        ends = [w.before - extra + z * w.stride for w, extra, z in zip(windows, extras, zeros, strict=True)]
        longer = OnnxConst((*(0,) * (inputs[0].rank + SPATIAL), *zeros), "int64")
        return (
            OnnxNode("Pad", (OnnxIn(), longer), outputs=("longer",)),
            OnnxNode(
                "ConvTranspose",
                (OnnxLocal("longer"), *reads[1:]),
                {**attributes, "pads": (*before, *ends), "output_padding": (0,) * len(ends)},
            ),
        )

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        caption = convolution_caption("transposed conv", self._slides(inputs[0]), self.width, up="×")
        return caption + groups_caption(self.groups, inputs[0].shape[CHANNELS])


def _doubted(windows: tuple[Slide, ...], channels: Size, width: Size) -> Doubt | None:
    """The window along some axis that hardly any convolution has, where ``width`` filters see ``channels`` channels."""
    for window in windows:
        if isinstance(window.kernel, Dim):  # a kernel counted in channels: `conv(C, 2 * C, 3)`
            if isinstance(channels, Dim) and symbols(window.kernel) <= symbols(channels):
                return Doubt("kernel")
        elif isinstance(window.stride, int) and isinstance(window.before, int) and isinstance(window.dilation, int):
            kernel, padding = window.kernel, window.before
            if window.dilation >= WIDE_DILATION and kernel > 1 and padding == kernel // 2 != window.dilation:
                return Doubt("dilation")
            is_shorter = width != channels or isinstance(channels, Dim) or kernel < channels
            if not _is_usual(kernel, window.stride, padding, window.dilation, is_shorter):
                return Doubt("kernel")
    return None


LARGEST_USUAL_KERNEL = 11
"""Of a convolution that samples more densely than its windows are long: AlexNet's first."""
WIDE_DILATION = 8
"""From here on a dilation without padding to match is probably a number of groups."""


def _is_usual(kernel: int, stride: int, padding: int, dilation: int, is_shorter: bool) -> bool:
    """Whether networks have such windows along an axis.

    Windows that leave gaps, and even ones that do not fit their stride, are hardly ever meant. A long window moves by a
    fair part of its length (patches, audio), or is padded so that the size stays (large depthwise kernels).
    """
    if padding > dilation * (kernel - 1) or stride > max(kernel, 2):
        return False
    if kernel == 1:
        return True
    if kernel == stride:
        return padding == 0
    if kernel % 2 and (kernel <= LARGEST_USUAL_KERNEL or padding == dilation * (kernel // 2)):
        return True
    if kernel <= 4:
        return stride == 2 or (stride == 1 and padding > 0)
    is_overlapping = kernel % stride == 0 and stride > 1 and kernel <= 4 * stride
    return is_overlapping and is_shorter and (padding == 0 or abs(2 * padding - kernel + stride) <= 1)


def require_groups(groups: Size, channels: Size, width: Size, needs: Needs) -> None:
    """
    Raises:
        Reject: the groups do not divide the channels, before and after.
    """
    if groups == 1:
        return
    what = f"groups (={groups}) must divide the channels"
    needs.multiple(
        channels, groups, f"{what}; the input has {channels}", arg="groups", help=divided_by(channels, groups)
    )
    needs.multiple(
        width, groups, f"{what} of the output, width (={width})", arg="groups", help=divided_by(width, groups)
    )


def filters(
    shape: tuple[Size, ...], width: Size | None, init: Init | None, bias_init: Init | None
) -> tuple[Weight, ...]:
    """The weight, and the bias of ``width`` numbers if there is one, with torch's defaults for them."""
    weight = drawn("weight", shape, init, KaimingUniform(slope=sqrt(5)))
    if width is None:
        return (weight,)
    return weight, drawn("bias", (width,), bias_init, BiasUniform(prod(shape[1:])))


def group_look(groups: Size, channels: Size, width: Size) -> tuple[tuple[Step, ...], Window]:
    """Digits of an output channel (its group, its place in it), and the channels that it sees."""
    if groups == 1:
        return (), Window(CHANNELS, None)
    each = channels // groups
    return (Step(CHANNELS, each, groups), Step(None, 0, width // groups)), Window(CHANNELS, each)


def transposed_window(axis: int, window: Slide) -> Window:
    """The cells that one output cell of a transposed convolution sees.

    It sees cell i through cell t of the filter where ``i * stride + t * dilation`` is its own place. If the stride
    divides the dilation that is every t or none. Else which t it is differs from place to place: then these are the
    cells from the first to the last that it may be, of which a dilated filter does not see all.
    """
    kernel, stride, dilation = window.kernel, window.stride, window.dilation
    if isinstance(stride, int) and isinstance(dilation, int) and dilation % stride == 0:
        return Window(axis, kernel, dilation // stride)
    return Window(axis, dilation * (kernel - 1) // stride + 1)


def transposed_taps(window: Slide) -> Taps | None:
    """The same exactly: cells i with ``i * stride + t * dilation - pad`` in place, for some t; None if not known."""
    numbers = known(window)
    if numbers is None:
        return None
    kernel, stride, dilation, before, _ = numbers
    places = [[place + before - t * dilation for t in range(kernel)] for place in range(stride)]
    cells = (tuple(at // stride for at in reached if at % stride == 0) for reached in places)
    return Taps(1, tuple(cells))


def operands(bias: bool) -> tuple[OnnxRef, ...]:
    """What an ONNX convolution reads."""
    return (OnnxIn(), OnnxWeight("weight"), OnnxWeight("bias")) if bias else (OnnxIn(), OnnxWeight("weight"))


def onnx_window(windows: tuple[Slide, ...], groups: Size) -> dict[str, Any]:
    """The attributes of an ONNX convolution, without its padding.

    Raises:
        Reject: they are not known.
    """
    require_known(windows)
    return {
        "kernel_shape": tuple(w.kernel for w in windows),
        "strides": tuple(w.stride for w in windows),
        "dilations": tuple(w.dilation for w in windows),
        "group": groups,
    }


def convolution_caption(kind: str, windows: tuple[Slide, ...], width: Size, up: str = "/") -> str:
    """``conv 3×3, 64, /2``; ``conv 3×3, 512, dilation 2``."""
    stride, dilation = (compact(tuple(getattr(w, of) for w in windows)) for of in ("stride", "dilation"))
    step = "" if stride == 1 else f", {up}{_times(stride)}"
    holes = "" if dilation == 1 else f", dilation {_times(dilation)}"
    return f"{kind} {'×'.join(str(w.kernel) for w in windows)}, {width}{step}{holes}"


def _times(sizes: object) -> str:
    return "×".join(map(str, sizes)) if isinstance(sizes, tuple) else str(sizes)


def groups_caption(groups: Size, channels: Size) -> str:
    """``, 32 groups``; nothing for one."""
    return "" if groups == 1 else ", depthwise" if groups == channels else f", {groups} groups"


OPS: tuple[type[Op], ...] = (Conv, ConvTranspose)
