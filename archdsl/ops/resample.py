"""Maps of another resolution: resizing, and moving cells between space and channels. Values are [N, C, spatial…]."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from archdsl.arguments import FLAG, KNOWN_SIZE, SIZE, SIZES, VALUE, NumberKind, PerAxisKind, choice, per_axis
from archdsl.dims import dmax
from archdsl.layout import Laid, as_images
from archdsl.op import (
    Arg,
    Attribute,
    Call,
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
    Op,
    Operand,
    Order,
    Palette,
    Reject,
    SliceExpr,
    Step,
    Taps,
    Tensor,
    Torch,
    Window,
    arg,
)
from archdsl.ops.multiples import divided_by, padded_to
from archdsl.ops.shape import Reshape, reshape_sizes, sizes_ref
from archdsl.ops.sliding import CHANNELS, SPATIAL, compact, spatial_axes, spatial_look
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

Mode = Literal["nearest", "linear", "bilinear", "bicubic", "trilinear"]
SPATIAL_AXES: dict[str, tuple[int, ...]] = {
    "nearest": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
}
"""For how many spatial axes a mode is."""
TAPS = {"nearest": 1, "linear": 2, "bilinear": 2, "bicubic": 4, "trilinear": 2}
"""How many cells along each axis a mode mixes."""

SCALES = PerAxisKind(NumberKind(1 / 1024, 1024, "a number"), "a number above 0, or a list with one for each axis")


@record
class Resize(Op):
    """Changes the resolution: to a size, by a factor, or to that of another value. One of them is given.

    Cells have an extent, and the corners of the maps coincide; with ``align_corners=true`` the centers of the
    corner cells do. As in torch, ``nearest`` takes the cell ``floor(i * old / new)``. A factor is a sum of powers
    of 2 (2, 0.5, 1.25), so that the new size ``floor(old * factor)`` is exact.

    Example:
        input x: [N, 16, H, W]
        down: conv(16, 3, stride=2, pad=1) as half
        resize(scale=2, mode="nearest")
        resize(like=x, mode="bilinear")
        output y: [N, 16, H, W]
    """

    name: ClassVar[str] = "resize"
    palette: ClassVar[Palette] = "other"

    mode: Mode = arg("interpolation", choice(*SPATIAL_AXES))
    size: Any = arg("output size", SIZES, None)
    scale: Any = arg("scale factor", SCALES, None)
    like: Operand | None = arg("value with the output size", VALUE, None)
    align_corners: bool = arg("align the centers of the corner elements", FLAG, False)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {"size": "size", "scale_factor": "scale", "mode": "mode", "align_corners": "align_corners"}
        return (Order("torch.nn.Upsample", torch, implied={"mode": "nearest"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        x = inputs[0]
        axes = spatial_axes(x)
        self._check_arguments(axes)
        sizes = self._sizes(inputs)
        for size in sizes:
            needs.require(size, ">=", 1, f"the new size is {size}")
        return (x._replace(shape=(*x.shape[:SPATIAL], *sizes)),)

    def _check_arguments(self, axes: int) -> None:
        given = [name for name in ("size", "scale", "like") if getattr(self, name) is not None]
        if len(given) != 1:
            found = "none is" if not given else f"{' and '.join(given)} are"
            raise Reject(f"needs one of size, scale and like; {found} given", arg=given[-1] if given else None)
        if axes not in SPATIAL_AXES[self.mode]:
            fits = " or ".join(f'"{mode}"' for mode, fitting in SPATIAL_AXES.items() if axes in fitting)
            raise Reject(f'mode "{self.mode}" is not for {axes} spatial axes', arg="mode", help=f"{fits} is")
        if self.align_corners and self.mode == "nearest":
            raise Reject('mode "nearest" has no corners to align', arg="align_corners")

    def _sizes(self, inputs: tuple[Tensor, ...]) -> tuple[Size, ...]:
        """The new spatial sizes."""
        x = inputs[0]
        if self.like is not None:
            other = inputs[self.like.index]
            if other.rank != x.rank:
                raise Reject(f"the value has {x.rank} axes, the one to be like {other.rank}", arg="like")
            return other.shape[SPATIAL:]
        if self.size is not None:
            return per_axis(self.size, x.rank - SPATIAL, "size")
        factors = self._factors(x)
        return tuple(
            size * factor.numerator // factor.denominator
            for size, factor in zip(x.shape[SPATIAL:], factors, strict=True)
        )

    def _factors(self, x: Tensor) -> tuple[Fraction, ...]:
        factors = tuple(Fraction(scale) for scale in per_axis(self.scale, x.rank - SPATIAL, "scale"))
        if any(factor.denominator > 1024 for factor in factors):
            raise Reject("this factor is not exact", arg="scale", help="give the new size instead: `size=…`")
        return factors

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """A weighted sum of the cells around: as many products, and one sum less. Weights are not counted."""
        cells = TAPS[self.mode] ** (inputs[0].rank - SPATIAL)
        return (2 * cells - 1) * outputs[0].numel if cells > 1 else 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(as_images(memory.shapes[0], memory.layouts[0])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look | None, ...]:
        x, y = inputs[0], outputs[0]
        windows = tuple(
            Window(axis, TAPS[self.mode])
            for axis in range(SPATIAL, x.rank)
            if TAPS[self.mode] > 1 and x.shape[axis] != y.shape[axis]
        )
        moves = self._moves(x, y)
        taps = [self._taps(*pair) for pair in moves]
        look = spatial_look(y, (Step(CHANNELS, 1, y.shape[CHANNELS]),), moves, windows, taps)
        return (look, None)[: len(inputs)]

    def _taps(self, old: Size, new: Size) -> Taps | None:
        """Cells with a weight that is not 0, where a step moves ``old / new`` cells; None where that is not known."""
        if not (isinstance(old, int) and isinstance(new, int)) or old == 0:
            return None
        step = Fraction(old, new)
        places = [self._place(place, step) for place in range(step.denominator)]
        return Taps(step.numerator, tuple(map(self._mixed, places)))

    def _place(self, place: int, step: Fraction) -> Fraction:
        """Where a new cell looks among the old ones."""
        if self.mode == "nearest" or self.align_corners:
            return place * step
        return (place + Fraction(1, 2)) * step - Fraction(1, 2)

    def _mixed(self, at: Fraction) -> tuple[int, ...]:
        first = floor(at)
        taps = TAPS[self.mode]
        if taps == 1 or at == first:
            return (first,)
        return tuple(range(first - taps // 2 + 1, first + taps // 2 + 1))

    def _moves(self, x: Tensor, y: Tensor) -> list[tuple[Size, Size]]:
        if self.scale is not None and not self.align_corners:
            return [(factor.denominator, factor.numerator) for factor in self._factors(x)]
        pairs = list(zip(x.shape[SPATIAL:], y.shape[SPATIAL:], strict=True))
        if self.align_corners:
            return [(old - 1, dmax(new - 1, 1)) for old, new in pairs]
        return [(1, 1) if old == new else (old, new) for old, new in pairs]

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        like = () if self.like is None else (Arg(_spatial_shape(self.like.index), "size"),)
        size = Arg(Hole(self.size, "size"), "size", None)
        scale = Arg(Hole(self.scale if self.scale is None else _written(self.scale), "scale"), "scale_factor", None)
        mode = Arg(Hole(self.mode, "mode"), "mode", "nearest")
        align = (Arg(Hole(self.align_corners, "align_corners"), "align_corners", False),)
        args = (*(like or (size, scale)), mode, *(() if self.mode == "nearest" else align))
        module = None if like else Call("nn.Upsample", args)
        return Torch(module=module, function=Call("F.interpolate", (Arg(Input()), *args)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        x, y = inputs[0], outputs[0]
        if self.mode == "nearest" and not self._is_dyadic(x, y):
            return self._onnx_nearest(x, y)
        attributes = {
            "axes": list(range(SPATIAL, x.rank)),
            "mode": {"nearest": "nearest", "bicubic": "cubic"}.get(self.mode, "linear"),
            "coordinate_transformation_mode": "align_corners" if self.align_corners else "half_pixel",
        }
        if self.mode == "nearest":
            attributes |= {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        if self.mode == "bicubic":
            attributes |= {"cubic_coeff_a": -0.75}
        if self.scale is None:
            return (OnnxNode("Resize", (OnnxIn(), None, None, sizes_ref(*y.shape[SPATIAL:])), attributes),)
        if self.mode == "bicubic" and not self.align_corners and self._may_copy(x, y):
            return self._onnx_longer(x, y, attributes)
        scales, ref = self._onnx_scales(x, y)
        return (*scales, OnnxNode("Resize", (OnnxIn(), None, ref), attributes))

    def _onnx_scales(self, x: Tensor, y: Tensor) -> tuple[tuple[OnnxNode, ...], OnnxRef]:
        """The factors. Linear modes of torch ignore one where the size stays as it was, ONNX's do not."""
        factors = [float(factor) for factor in self._factors(x)]
        constant = OnnxConst(factors, "float32")
        if self.mode in ("nearest", "bicubic") or self.align_corners or not any(map(_may_stay, self._factors(x))):
            return (), constant
        before, after = x.shape[SPATIAL:], y.shape[SPATIAL:]
        if all(isinstance(size, int) for size in (*before, *after)):
            rows = zip(before, after, factors, strict=True)
            return (), OnnxConst([1.0 if old == new else factor for old, new, factor in rows], "float32")
        ones = OnnxConst([1.0] * len(factors), "float32")
        return (
            OnnxNode("Equal", (sizes_ref(*before), sizes_ref(*after)), outputs=("same",)),
            OnnxNode("Where", (OnnxLocal("same"), ones, constant), outputs=("scales",)),
        ), OnnxLocal("scales")

    def _may_copy(self, x: Tensor, y: Tensor) -> bool:
        """Whether all sizes may stay as they were though some factor is not 1.

        Then torch computes bicubic values all the same, and ONNX Runtime copies the input.
        """
        factors = self._factors(x)
        if not any(map(_may_stay, factors)):
            return False
        rows = zip(x.shape[SPATIAL:], y.shape[SPATIAL:], factors, strict=True)
        return all(
            old == new if isinstance(old, int) and isinstance(new, int) else factor == 1 or _may_stay(factor)
            for old, new, factor in rows
        )

    def _onnx_longer(self, x: Tensor, y: Tensor, attributes: dict[str, Any]) -> tuple[OnnxNode, ...]:
        """Resized after its last cells were repeated, so often that the size changes; then cut to the new size.

        A window that reaches beyond the edge reads the last cell in both.
        """
        factors = self._factors(x)
        axis = next(axis for axis, factor in enumerate(factors, SPATIAL) if _may_stay(factor))
        more = -(-1 // (factors[axis - SPATIAL] - 1))
        at = OnnxConst((axis,), "int64")
        scales = OnnxConst([float(factor) for factor in factors], "float32")
        return (
            OnnxNode("Pad", (OnnxIn(), OnnxConst((0, more), "int64"), None, at), {"mode": "edge"}, ("longer",)),
            OnnxNode("Resize", (OnnxLocal("longer"), None, scales), attributes, ("resized",)),
            OnnxNode("Slice", (OnnxLocal("resized"), OnnxConst((0,), "int64"), sizes_ref(y.shape[axis]), at)),
        )

    def _is_dyadic(self, x: Tensor, y: Tensor) -> bool:
        """Whether each quotient is a power of 2 for certain: then it is exact, and all runtimes round alike."""
        if self.scale is not None:
            return all(map(_is_power_of_two, self._factors(x)))
        pairs = zip(x.shape[SPATIAL:], y.shape[SPATIAL:], strict=True)
        return all(
            isinstance(old, int) and isinstance(new, int) and _is_power_of_two(Fraction(old, new)) for old, new in pairs
        )

    def _onnx_nearest(self, x: Tensor, y: Tensor) -> tuple[OnnxNode, ...]:
        """The cells that torch takes, one axis after the other: runtimes round the quotient differently."""
        nodes: list[OnnxNode] = []
        source: OnnxRef = OnnxIn()
        for axis in range(SPATIAL, x.rank):
            nodes += self._onnx_step(axis, x, y)
            nodes += _nearest_cells(axis, x.shape[axis], y.shape[axis])
            nodes.append(OnnxNode("Gather", (source, OnnxLocal(f"cells{axis}")), {"axis": axis}, (f"y{axis}",)))
            source = OnnxLocal(f"y{axis}")
        return tuple(nodes)

    def _onnx_step(self, axis: int, x: Tensor, y: Tensor) -> tuple[OnnxNode, ...]:
        """``step{axis}``: by how many old cells torch moves for each new one, in float32.

        It is the quotient of the sizes, or of a given factor its reciprocal. But torch's kernel for images of at most
        128 rows and columns together ignores the factor where the size stays as it was, or is exactly doubled
        (``nearest_idx`` in ATen/native/UpSample.h, reached by ``_use_vectorized_kernel_cond_2d``).
        """
        old, new = x.shape[axis], y.shape[axis]
        by_sizes = (
            _indexed("Cast", (sizes_ref(old),), "old", axis, to="float32"),
            _indexed("Cast", (sizes_ref(new),), "new", axis, to="float32"),
            _indexed("Div", (OnnxLocal(f"old{axis}"), OnnxLocal(f"new{axis}")), "step", axis),
        )
        if self.scale is None:
            return by_sizes
        factor = self._factors(x)[axis - SPATIAL]
        reciprocal = OnnxConst((float(1 / factor),), "float32")
        if x.rank != SPATIAL + 2 or not (_may_stay(factor) or _may_stay(factor - 1)):  # no size stays or doubles
            return (_indexed("Identity", (reciprocal,), "step", axis),)
        places = sum(y.shape[SPATIAL:])
        return (
            *by_sizes[:2],
            _indexed("Div", (OnnxLocal(f"old{axis}"), OnnxLocal(f"new{axis}")), "quotient", axis),
            _indexed("Equal", (sizes_ref(new), sizes_ref(old if factor < 2 else 2 * old)), "exact", axis),
            _indexed("LessOrEqual", (sizes_ref(places), OnnxConst((128,), "int64")), "small", axis),
            _indexed("And", (OnnxLocal(f"exact{axis}"), OnnxLocal(f"small{axis}")), "ignored", axis),
            _indexed("Where", (OnnxLocal(f"ignored{axis}"), OnnxLocal(f"quotient{axis}"), reciprocal), "step", axis),
        )

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        if self.scale is not None:
            return f"resize ×{'×'.join(f'{s:g}' for s in dict.fromkeys(map(float, self._factors(inputs[0]))))}"
        return f"resize {'×'.join(map(str, self._sizes(inputs)))}"


def _spatial_shape(index: int) -> Item:
    """``like.shape[2:]``."""
    return Item(Attribute(Input(index), "shape"), (SliceExpr(start=Hole(SPATIAL)),))


def _written(scale: Any) -> Any:
    """Factors as a person writes them: 2, not 2.0."""
    if isinstance(scale, tuple):
        return compact(tuple(_written(s) for s in scale))
    return int(scale) if scale == int(scale) else scale


def _is_power_of_two(quotient: Fraction) -> bool:
    return all(part & (part - 1) == 0 for part in (quotient.numerator, quotient.denominator))


def _may_stay(factor: Fraction) -> bool:
    """Whether some size stays as it is though the factor is not 1: ``floor(size * factor) == size``."""
    return 1 < factor < 2


def _indexed(kind: str, inputs: tuple[OnnxRef, ...], output: str, axis: int, **attributes: Any) -> OnnxNode:
    """A node whose output is named after an axis."""
    return OnnxNode(kind, inputs, attributes, (f"{output}{axis}",))


def _nearest_cells(axis: int, old: Size, new: Size) -> tuple[OnnxNode, ...]:
    """``cells{axis}``: the old cell of each new one, ``min(floor(i * step), old - 1)``, in float32 as torch has it."""

    def local(name: str) -> OnnxLocal:
        return OnnxLocal(f"{name}{axis}")

    zero, one = OnnxConst(0, "int64"), OnnxConst(1, "int64")
    return (
        _indexed("Squeeze", (sizes_ref(new),), "count", axis),
        _indexed("Range", (zero, local("count"), one), "places", axis),
        _indexed("Cast", (local("places"),), "floats", axis, to="float32"),
        _indexed("Mul", (local("floats"), local("step")), "at", axis),
        _indexed("Floor", (local("at"),), "floor", axis),
        _indexed("Cast", (local("floor"),), "found", axis, to="int64"),
        _indexed("Min", (local("found"), sizes_ref(old - 1)), "cells", axis),
    )


@record
class PixelShuffle(Reshape):
    """Moves channels into space: each ``factor ** 2`` channels become a ``factor`` × ``factor`` square of one.

    Shi et al., 2016. Channel ``c * factor ** 2 + i * factor + j`` gives row i and column j of the squares.

    Example:
        input x: [N, 36, H, W]
        pixel_shuffle(3)
        output y: [N, 4, 3 * H, 3 * W]
    """

    name: ClassVar[str] = "pixel_shuffle"

    factor: int = arg("upscale factor of each axis", KNOWN_SIZE)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.nn.PixelShuffle", {"upscale_factor": "factor"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        batch, channels, height, width = _map(inputs[0])
        factor = self.factor
        message = f"{channels} channels are not a multiple of {factor**2} (factor ** 2)"
        needs.multiple(channels, factor**2, message, arg="factor")
        return (inputs[0]._replace(shape=(batch, channels // factor**2, height * factor, width * factor)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        batch, _, height, width = inputs[0].shape
        factor = self.factor
        rows = Step(2, 1, height), Step(1, factor, factor)
        columns = Step(3, 1, width), Step(1, 1, factor)
        channels = Step(1, factor**2, outputs[0].shape[1])
        repeated = Taps(1, ((0,),) * factor)
        taps = (2, repeated), (3, repeated)
        return (Look(((Step(0, 1, batch),), (channels,), rows, columns), taps=taps),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(as_images(memory.shapes[0], memory.layouts[0])),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        factor = Arg(Hole(self.factor, "factor"))
        return Torch(Call("nn.PixelShuffle", (factor,)), function=Call("F.pixel_shuffle", (Arg(Input()), factor)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("DepthToSpace", (OnnxIn(),), {"blocksize": self.factor, "mode": "CRD"}),)


@record
class PixelUnshuffle(Reshape):
    """Moves space into channels: the inverse of ``pixel_shuffle``.

    Example:
        input x: [N, 4, 15, 21]
        pixel_unshuffle(3)
        output y: [N, 36, 5, 7]
    """

    name: ClassVar[str] = "pixel_unshuffle"

    factor: int = arg("downscale factor of each axis", KNOWN_SIZE)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.nn.PixelUnshuffle", {"downscale_factor": "factor"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        batch, channels, *spatial = _map(inputs[0])
        factor = self.factor
        for axis, size in enumerate(spatial, SPATIAL):
            message = f"axis {axis} of size {size} is not a multiple of {factor}"
            needs.multiple(size, factor, message, arg="factor", help=padded_to(axis, size, factor))
        smaller = (size // factor for size in spatial)
        return (inputs[0]._replace(shape=(batch, channels * factor**2, *smaller)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        batch, channels, _, _ = inputs[0].shape
        _, _, height, width = outputs[0].shape
        factor = self.factor
        digits = Step(1, 1, channels), Step(2, 1, factor), Step(3, 1, factor)
        return (Look(((Step(0, 1, batch),), digits, (Step(2, factor, height),), (Step(3, factor, width),))),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(as_images(memory.shapes[0], memory.layouts[0])),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        factor = Arg(Hole(self.factor, "factor"))
        return Torch(Call("nn.PixelUnshuffle", (factor,)), function=Call("F.pixel_unshuffle", (Arg(Input()), factor)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """ONNX has only SpaceToDepth, which orders the channels otherwise."""
        (x,), (y,) = inputs, outputs
        batch, channels, _, _ = x.shape
        _, _, height, width = y.shape
        factor = self.factor
        split = (batch, channels, height, factor, width, factor)
        moved = (batch, channels, factor, factor, height, width)
        return (
            OnnxNode("Reshape", (OnnxIn(), reshape_sizes(x.shape, split)), outputs=("split",)),
            OnnxNode("Transpose", (OnnxLocal("split"),), {"perm": [0, 1, 3, 5, 2, 4]}, ("moved",)),
            OnnxNode("Reshape", (OnnxLocal("moved"), reshape_sizes(moved, y.shape))),
        )


@record
class ChannelShuffle(Reshape):
    """Interleaves the channels of groups: the first of each group, then the second of each, and so on.

    Zhang et al., 2018. What follows in groups sees channels of all groups before.

    Example:
        input x: [N, 24, H, W]
        channel_shuffle(3)
    """

    name: ClassVar[str] = "channel_shuffle"

    groups: Size = arg("number of groups", SIZE)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.nn.ChannelShuffle", {"groups": "groups"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        spatial_axes(x)
        message = f"{x.shape[CHANNELS]} channels cannot be divided into {self.groups} groups"
        needs.multiple(
            x.shape[CHANNELS], self.groups, message, arg="groups", help=divided_by(x.shape[CHANNELS], self.groups)
        )
        return (x,)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        shape = inputs[0].shape
        width = shape[CHANNELS] // self.groups
        channels = Step(CHANNELS, 1, width), Step(CHANNELS, width, self.groups)
        steps = [(Step(axis, 1, size),) for axis, size in enumerate(shape)]
        return (Look((steps[0], channels, *steps[SPATIAL:])),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(as_images(memory.shapes[0], memory.layouts[0])),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        groups = Arg(Hole(self.groups, "groups"))
        module = Call("nn.ChannelShuffle", (groups,))
        return Torch(module, function=Call("torch.channel_shuffle", (Arg(Input()), groups)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        shape = inputs[0].shape
        width = shape[CHANNELS] // self.groups
        split = (shape[0], self.groups, width, *shape[SPATIAL:])
        moved = (shape[0], width, self.groups, *shape[SPATIAL:])
        perm = [0, 2, 1, *range(3, len(split))]
        return (
            OnnxNode("Reshape", (OnnxIn(), reshape_sizes(shape, split)), outputs=("split",)),
            OnnxNode("Transpose", (OnnxLocal("split"),), {"perm": perm}, ("moved",)),
            OnnxNode("Reshape", (OnnxLocal("moved"), reshape_sizes(moved, shape))),
        )


def _map(tensor: Tensor) -> tuple[Size, ...]:
    """The sizes of [N, C, H, W].

    Raises:
        Reject: the value has another rank, or is not float32.
    """
    if spatial_axes(tensor) != 2:
        raise Reject(f"takes [N, C, H, W], not {tensor.rank} axes")
    return tensor.shape


OPS: tuple[type[Op], ...] = (Resize, PixelShuffle, PixelUnshuffle, ChannelShuffle)
