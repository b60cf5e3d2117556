"""Normalizations: subtract a mean, divide by a deviation, scale and shift by learned numbers."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from archdsl.arguments import AXES, FLAG, INIT, NUMBER, POSITIVE, SIZE, axis_of
from archdsl.init import Init, Ones, Zeros
from archdsl.layout import Laid, as_images, contiguous
from archdsl.op import (
    Arg,
    Arriving,
    Call,
    Doubt,
    Dropped,
    Hole,
    Input,
    Kept,
    ListExpr,
    Look,
    Memory,
    Method,
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
    Reject,
    SelfModule,
    Step,
    Tensor,
    Torch,
    TorchExpr,
    Weight,
    Window,
    arg,
    drawn,
    pointwise,
)
from archdsl.ops.multiples import divided_by
from archdsl.ops.shape import sizes_ref
from archdsl.ops.sliding import CHANNELS, SPATIAL, require_float, spatial_axes
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


LIMITS = {"eps": 0.1, "momentum": 0.5}
"""No network has such values or larger ones: by position they are a number of channels, or momentum for `eps`."""


@record
class Norm(Op):
    """Base of the normalizations: the output has the type of the input, and there are no products of matrices."""

    palette: ClassVar[Palette] = "norm"

    def doubt(self, inputs: tuple[Tensor, ...], given: Mapping[str, bool]) -> Doubt | None:
        for name, limit in LIMITS.items():
            if given.get(name) and getattr(self, name) >= limit:
                return Doubt(name, is_sure=True)
        return None

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0


@record
class BatchNorm(Norm):
    """Normalizes each channel over the batch and the spatial axes, in training; later by running averages of those.

    Example:
        input x: [N, 64, H, W]
        bn: batchnorm(eps=1e-3)
    """

    name: ClassVar[str] = "batchnorm"

    eps: float = arg("added to the variance", POSITIVE, 1e-5)
    momentum: float = arg("weight of the current batch in the running averages", NUMBER, 0.1)
    affine: bool = arg("learn a scale and a shift for each channel", FLAG, True)
    track: bool = arg("keep running averages; without them always normalize by the batch", FLAG, True)
    init: Init = arg("initial value of the scale", INIT, Ones())
    bias_init: Init = arg("initial value of the shift", INIT, Zeros())

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {
            "num_features": Arriving("channels"), "eps": "eps", "momentum": "momentum", "affine": "affine",
            "track_running_stats": "track",
        }  # fmt: skip
        return (Order("torch.nn.BatchNorm2d", torch),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        if inputs[0].rank == 2:
            require_float(inputs[0])
        else:
            spatial_axes(inputs[0])
        batch, _, *spatial = inputs[0].shape
        if not self.track:
            require_several(batch * prod(spatial), "one number per channel of the batch", needs)
        return inputs

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        shape = (inputs[0].shape[CHANNELS],)
        learned = affine(shape, self.init, self.bias_init) if self.affine else ()
        if not self.track:
            return learned
        return (
            *learned,
            Weight("running_mean", shape, Zeros(), buffer=True),
            Weight("running_var", shape, Ones(), buffer=True),
            Weight("num_batches_tracked", (), Zeros(), dtype="int64", buffer=True),
        )

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        if self.track:
            return 2 * inputs[0].numel
        return normalising(inputs[0].numel, inputs[0].shape[CHANNELS], self.affine)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        statistic = Tensor((inputs[0].shape[CHANNELS],))
        return Kept(inputs=(0,), extra=(statistic, statistic))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(as_images(memory.shapes[0], memory.layouts[0])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        if self.track:
            return (pointwise(inputs[0]),)
        mixed = (Window(axis, None) for axis in range(inputs[0].rank) if axis != CHANNELS)
        return (pointwise(inputs[0], *mixed),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        axes = max(inputs[0].rank - SPATIAL, 1)
        eps = Arg(Hole(self.eps, "eps"), "eps", 1e-5)
        module = Call(
            f"nn.BatchNorm{axes}d",
            (
                Arg(Hole(inputs[0].shape[CHANNELS], (0, CHANNELS))),
                eps,
                Arg(Hole(self.momentum, "momentum"), "momentum", 0.1),
                Arg(Hole(self.affine, "affine"), "affine", True),
                Arg(Hole(self.track, "track"), "track_running_stats", True),
            ),
        )
        if self.affine or self.track:
            return Torch(module)
        nothing = Arg(Hole(None))
        batch = (Arg(Input()), nothing, nothing, Arg(Hole(True), "training", False), eps)
        return Torch(module, function=Call("F.batch_norm", batch))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        rank, channels = inputs[0].rank, inputs[0].shape[CHANNELS]
        if self.track:
            scale, shift = onnx_affine(self.affine, channels)
            running = (OnnxWeight("running_mean"), OnnxWeight("running_var"))
            return (OnnxNode("BatchNormalization", (OnnxIn(), scale, shift, *running), {"epsilon": self.eps}),)
        nodes = onnx_normalise([axis for axis in range(rank) if axis != CHANNELS], self.eps)
        return (*nodes, *onnx_scale(OnnxLocal("normal"), rank)) if self.affine else nodes


@record
class LayerNorm(Norm):
    """Normalizes each position over one axis, or over the last few axes together, and scales and shifts each cell.

    Example:
        input x: [N, 64, H, W]
        norm: layernorm(axis=1)
    """

    name: ClassVar[str] = "layernorm"

    eps: float = arg("added to the variance", POSITIVE, 1e-5)
    axis: Any = arg("axis, or a list of the last axes", AXES, -1)
    affine: bool = arg("learn a scale", FLAG, True)
    bias: bool = arg("learn a shift, if there is a scale", FLAG, True)
    init: Init = arg("initial value of the scale", INIT, Ones())
    bias_init: Init = arg("initial value of the shift", INIT, Zeros())

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        sizes = Arriving("normalized size", axis=-1, lists="axis")
        torch = {"normalized_shape": sizes, "eps": "eps", "elementwise_affine": "affine", "bias": "bias"}
        return (Order("torch.nn.LayerNorm", torch),)

    def _axes(self, tensor: Tensor) -> tuple[int, ...]:
        """The normalised axes from 0, in order: one, or the last ones."""
        given = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        axes = tuple(sorted(axis_of(axis, tensor.rank) for axis in given))
        if len(axes) > 1 and axes != tuple(range(tensor.rank - len(axes), tensor.rank)):
            message = "a list of axes must be the last axes of the value"
            raise Reject(message, arg="axis", help="move them to the end with `rearrange`")
        return axes

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        self._axes(inputs[0])
        return inputs

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        shape = tuple(inputs[0].shape[axis] for axis in self._axes(inputs[0]))
        weights = affine(shape, self.init, self.bias_init) if self.affine else ()
        return weights if self.bias else weights[:1]

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        cost = normalising(inputs[0].numel, self._statistic(inputs[0]).numel, self.affine)
        return cost if self.bias or not self.affine else cost - inputs[0].numel

    def _statistic(self, tensor: Tensor) -> Tensor:
        """One number for each position."""
        axes = self._axes(tensor)
        return Tensor(tuple(size for axis, size in enumerate(tensor.shape) if axis not in axes))

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        statistic = self._statistic(inputs[0])
        return Kept(inputs=(0,), extra=(statistic, statistic))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        """Contiguous when the normalized axes are the last; then moved back."""
        (layout,) = memory.layouts
        axes, last = self._axes(Tensor(layout.shape)), len(layout.shape) - 1
        if axes[-1] == last:
            return (Laid(contiguous(layout.shape)),)
        there = contiguous(layout.moved(axes[0], last).shape)
        return (Laid(there.moved(last, axes[0])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0], *(Window(axis, None) for axis in self._axes(inputs[0]))),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        """An axis that is not the last is moved there and back."""
        axes = self._axes(inputs[0])
        last = inputs[0].rank - 1
        there: TorchExpr = Input() if axes[-1] == last else _moved(Input(), axes[0], -1)
        sizes = tuple(Hole(inputs[0].shape[axis], (0, axis)) for axis in axes)
        eps = Arg(Hole(self.eps, "eps"), "eps", 1e-5)
        module = Call(
            "nn.LayerNorm",
            (
                Arg(sizes[0] if len(sizes) == 1 else ListExpr(sizes, is_tuple=True)),
                eps,
                Arg(Hole(self.affine, "affine"), "elementwise_affine", True),
                Arg(Hole(self.bias, "bias"), "bias", True),
            ),
        )
        run = Call(SelfModule(), (Arg(there),))
        function = Call("F.layer_norm", (Arg(there), Arg(ListExpr(sizes, is_tuple=True)), eps))
        if axes[-1] != last:
            run, function = _moved(run, -1, axes[0]), _moved(function, -1, axes[0])
        return Torch(module, run, None if self.affine else function)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        axes, rank = self._axes(inputs[0]), inputs[0].rank
        nodes, scale = self._onnx_scale(inputs[0])
        operands = (scale, OnnxWeight("bias")) if self.affine and self.bias else (scale,)
        attributes = {"axis": -len(axes), "epsilon": self.eps}
        if axes[-1] == rank - 1:
            return (*nodes, OnnxNode("LayerNormalization", (OnnxIn(), *operands), attributes))
        order = [*(axis for axis in range(rank) if axis != axes[0]), axes[0]]
        back = [order.index(axis) for axis in range(rank)]
        return (
            *nodes,
            OnnxNode("Transpose", (OnnxIn(),), {"perm": order}, ("moved",)),
            OnnxNode("LayerNormalization", (OnnxLocal("moved"), *operands), attributes, ("normal",)),
            OnnxNode("Transpose", (OnnxLocal("normal"),), {"perm": back}),
        )

    def _onnx_scale(self, x: Tensor) -> tuple[tuple[OnnxNode, ...], OnnxRef]:
        """The scale, which ONNX requires: where none is learned, a one for each normalized cell.

        A single one that is broadcast is allowed by ONNX, but not by what ONNX Runtime makes of a sum before the norm
        (SkipLayerNormalization).
        """
        if self.affine:
            return (), OnnxWeight("weight")
        sizes = sizes_ref(*(x.shape[axis] for axis in self._axes(x)))
        return (OnnxNode("Expand", (OnnxConst(1.0, "float32"), sizes), outputs=("ones",)),), OnnxLocal("ones")


@record
class GroupNorm(Norm):
    """Normalizes each of ``groups`` groups of channels over its channels and the spatial axes, one example at a time.

    Example:
        input x: [N, 64, H, W]
        norm: groupnorm(32)
    """

    name: ClassVar[str] = "groupnorm"

    groups: Size = arg("number of groups of channels", SIZE)
    eps: float = arg("added to the variance", POSITIVE, 1e-5)
    affine: bool = arg("learn a scale and a shift for each channel", FLAG, True)
    init: Init = arg("initial value of the scale", INIT, Ones())
    bias_init: Init = arg("initial value of the shift", INIT, Zeros())

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {"num_groups": "groups", "num_channels": Arriving("channels"), "eps": "eps", "affine": "affine"}
        return (Order("torch.nn.GroupNorm", torch),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        if inputs[0].rank < 2:
            raise Reject(f"takes [N, C, …], not {inputs[0].rank} axes")
        batch, channels, *spatial = inputs[0].shape
        message = f"groups (={self.groups}) must divide the channels; the input has {channels}"
        needs.multiple(channels, self.groups, message, arg="groups", help=divided_by(channels, self.groups))
        require_several(batch * (channels // self.groups) * prod(spatial), "groups of one number", needs)
        return inputs

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        return affine((inputs[0].shape[CHANNELS],), self.init, self.bias_init) if self.affine else ()

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return normalising(inputs[0].numel, inputs[0].shape[0] * self.groups, self.affine)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        statistic = Tensor((inputs[0].shape[0], self.groups))
        return Kept(inputs=(0,), extra=(statistic, statistic))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(as_images(memory.shapes[0], memory.layouts[0])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        batch, _, *spatial = pointwise(inputs[0]).steps
        each = inputs[0].shape[CHANNELS] // self.groups
        channel = (Step(CHANNELS, each, self.groups), Step(None, 0, each))
        mixed = (Window(axis, None) for axis in range(SPATIAL, inputs[0].rank))
        return (Look((batch, channel, *spatial), (Window(CHANNELS, each), *mixed)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        groups, eps = Arg(Hole(self.groups, "groups")), Arg(Hole(self.eps, "eps"), "eps", 1e-5)
        channels = Arg(Hole(inputs[0].shape[CHANNELS], (0, CHANNELS)))
        module = Call("nn.GroupNorm", (groups, channels, eps, Arg(Hole(self.affine, "affine"), "affine", True)))
        function = Call("F.group_norm", (Arg(Input()), groups, eps))
        return Torch(module, function=None if self.affine else function)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """By instance norm of the groups laid out as channels: GroupNormalization scales groups before opset 21."""
        scale, shift = onnx_affine(False, self.groups)
        nodes = (
            OnnxNode("Reshape", (OnnxIn(), OnnxConst((0, self.groups, -1), "int64")), outputs=("groups",)),
            OnnxNode(
                "InstanceNormalization",
                (OnnxLocal("groups"), scale, shift),
                {"epsilon": self.eps},
                ("normal_groups",),
            ),
            OnnxNode("Shape", (OnnxIn(),), outputs=("shape",)),
            OnnxNode("Reshape", (OnnxLocal("normal_groups"), OnnxLocal("shape")), outputs=("normal",)),
        )
        return (*nodes, *onnx_scale(OnnxLocal("normal"), inputs[0].rank)) if self.affine else nodes


@record
class InstanceNorm(Norm):
    """Normalizes each channel of each example over the spatial axes. It keeps no running averages.

    Example:
        input x: [N, 64, 32, 32]
        instancenorm
    """

    name: ClassVar[str] = "instancenorm"

    eps: float = arg("added to the variance", POSITIVE, 1e-5)
    affine: bool = arg("learn a scale and a shift for each channel", FLAG, False)
    init: Init = arg("initial value of the scale", INIT, Ones())
    bias_init: Init = arg("initial value of the shift", INIT, Zeros())

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {
            "num_features": Arriving("channels"), "eps": "eps", "momentum": Dropped(), "affine": "affine",
            "track_running_stats": Dropped((False,)),
        }  # fmt: skip
        return (Order("torch.nn.InstanceNorm2d", torch),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        spatial_axes(inputs[0])
        require_several(prod(inputs[0].shape[SPATIAL:]), "channels of one number", needs)
        return inputs

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        return affine((inputs[0].shape[CHANNELS],), self.init, self.bias_init) if self.affine else ()

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return normalising(inputs[0].numel, prod(inputs[0].shape[:SPATIAL]), self.affine)

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """Torch computes it as a batch norm of N * C channels, of a contiguous value; it repeats the scale for them."""
        statistics = (Tensor((prod(inputs[0].shape[:SPATIAL]),)),) * (3 if self.affine else 2)
        if memory.layouts[0].is_contiguous:
            return Kept(inputs=(0,), extra=statistics)
        return Kept(extra=(inputs[0], *statistics))

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0], *(Window(axis, None) for axis in range(SPATIAL, inputs[0].rank))),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        channels = Arg(Hole(inputs[0].shape[CHANNELS], (0, CHANNELS)))
        eps = Arg(Hole(self.eps, "eps"), "eps", 1e-5)
        flag = Arg(Hole(self.affine, "affine"), "affine", False)
        module = Call(f"nn.InstanceNorm{inputs[0].rank - SPATIAL}d", (channels, eps, flag))
        function = Call("F.instance_norm", (Arg(Input()), eps))
        return Torch(module, function=None if self.affine else function)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        operands = onnx_affine(self.affine, inputs[0].shape[CHANNELS])
        return (OnnxNode("InstanceNormalization", (OnnxIn(), *operands), {"epsilon": self.eps}),)


def affine(shape: tuple[Size, ...], init: Init, bias_init: Init) -> tuple[Weight, ...]:
    """The learned scale and shift."""
    return drawn("weight", shape, init, Ones()), drawn("bias", shape, bias_init, Zeros())


def normalising(numbers: Size, groups: Size, scaled: bool) -> Size:
    """Operations that normalise ``numbers`` in ``groups``.

    A mean, a difference, a square, a mean of those and a quotient for each number; for each group the sum with eps
    and the root; then perhaps a product and a sum for each number.
    """
    return (7 if scaled else 5) * numbers + 2 * groups


def require_several(numbers: Size, of: str, needs: Needs) -> None:
    """
    Raises:
        Reject: there is one number only, which has no variance.
    """
    needs.require(numbers, ">=", 2, f"cannot normalize {of}: it has no variance")


def _moved(value: TorchExpr, source: int, destination: int) -> Method:
    return Method(value, "movedim", (Arg(Hole(source)), Arg(Hole(destination))))


def onnx_affine(learned: bool, channels: Size) -> tuple[OnnxRef, OnnxRef]:
    """Scale and shift of each channel as an ONNX norm reads them; ones and zeros where none are learned."""
    if learned:
        return OnnxWeight("weight"), OnnxWeight("bias")
    if not isinstance(channels, int):
        raise Reject(f"ONNX takes a scale for each channel: how many there are (={channels}) must be known")
    return OnnxConst((1.0,) * channels, "float32"), OnnxConst((0.0,) * channels, "float32")


def onnx_scale(value: OnnxRef, rank: int) -> tuple[OnnxNode, ...]:
    """``value * weight + bias``, both laid along the channels of a value of ``rank`` axes."""
    column = OnnxConst((-1, *(1,) * (rank - SPATIAL)), "int64")
    return (
        OnnxNode("Reshape", (OnnxWeight("weight"), column), outputs=("scale",)),
        OnnxNode("Reshape", (OnnxWeight("bias"), column), outputs=("shift",)),
        OnnxNode("Mul", (value, OnnxLocal("scale")), outputs=("scaled",)),
        OnnxNode("Add", (OnnxLocal("scaled"), OnnxLocal("shift"))),
    )


def onnx_normalise(axes: list[int], eps: float) -> tuple[OnnxNode, ...]:
    """Normalise the input over ``axes``."""
    over = OnnxConst(tuple(axes), "int64")
    return (
        OnnxNode("ReduceMean", (OnnxIn(), over), outputs=("mean",)),
        OnnxNode("Sub", (OnnxIn(), OnnxLocal("mean")), outputs=("centred",)),
        OnnxNode("Mul", (OnnxLocal("centred"), OnnxLocal("centred")), outputs=("square",)),
        OnnxNode("ReduceMean", (OnnxLocal("square"), over), outputs=("variance",)),
        OnnxNode("Add", (OnnxLocal("variance"), OnnxConst(eps, "float32")), outputs=("raised",)),
        OnnxNode("Sqrt", (OnnxLocal("raised"),), outputs=("deviation",)),
        OnnxNode("Div", (OnnxLocal("centred"), OnnxLocal("deviation")), outputs=("normal",)),
    )


OPS: tuple[type[Op], ...] = (BatchNorm, LayerNorm, GroupNorm, InstanceNorm)
