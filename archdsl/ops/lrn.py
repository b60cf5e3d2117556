"""Local response normalization, across neighboring channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import KNOWN_SIZE, NUMBER
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
    Op,
    Order,
    SelfModule,
    Tensor,
    Torch,
    Window,
    arg,
    pointwise,
)
from archdsl.ops.norm import Norm
from archdsl.ops.sliding import CHANNELS, spatial_axes
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
class LRN(Norm):
    """Local response normalization: divides by a power of the mean square of ``size`` neighboring channels.

    ``x / (k + alpha * mean(x²)) ** beta``, the mean taken with zeros beyond the first and last channel, as in torch,
    in Caffe and in cuda-convnet, with which AlexNet was trained. The formula in its paper (Krizhevsky et al., 2012)
    adds the squares up instead: read to the letter, its alpha of 1e-4 is 5e-4 here, for ``size`` 5.

    Example:
        input x: [N, 96, 55, 55]
        lrn(5, alpha=1e-4, k=2.0)
    """

    name: ClassVar[str] = "lrn"

    size: int = arg("number of neighboring channels", KNOWN_SIZE)
    alpha: float = arg("factor of the mean square", NUMBER, 1e-4)
    beta: float = arg("power of the divisor", NUMBER, 0.75)
    k: float = arg("added to the mean square", NUMBER, 1.0)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.nn.LocalResponseNorm", {name: name for name in ("size", "alpha", "beta", "k")}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        spatial_axes(inputs[0])
        return inputs

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """A square, a mean, a product, a sum, a power, a quotient."""
        return (self.size + 5) * inputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """Also the padded squares, what the power is taken of, and the power."""
        batch, channels, *spatial = inputs[0].shape
        padded = Tensor((batch, channels + self.size - 1, *spatial))
        made = (padded, inputs[0], inputs[0])
        if len(spatial) < 3 or memory.layouts[0].is_contiguous:
            return Kept(inputs=(0,), extra=made)
        return Kept(extra=(inputs[0], *made))  # of three axes it takes a contiguous value

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        (layout,) = memory.layouts
        return (Laid(elementwise((layout,)) if len(layout.shape) < 5 else contiguous(layout.shape)),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0], Window(CHANNELS, self.size)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        """Of three spatial axes torch views two as one, which only a contiguous value allows."""
        x = Input() if inputs[0].rank < 5 else Method(Input(), "contiguous", ())
        args = (
            Arg(Hole(self.size, "size")),
            Arg(Hole(self.alpha, "alpha"), "alpha", 1e-4),
            Arg(Hole(self.beta, "beta"), "beta", 0.75),
            Arg(Hole(self.k, "k"), "k", 1.0),
        )
        module, function = Call("nn.LocalResponseNorm", args), Call("F.local_response_norm", (Arg(x), *args))
        return Torch(module, run=None if x == Input() else Call(SelfModule(), (Arg(x),)), function=function)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """LRN where it says the same: of an even size its window begins one channel later than torch's."""
        if self.size % 2 == 1 and inputs[0].rank == 4:
            attributes = {"size": self.size, "alpha": self.alpha, "beta": self.beta, "bias": self.k}
            return (OnnxNode("LRN", (OnnxIn(),), attributes),)
        pads = (self.size // 2, 0, (self.size - 1) // 2, 0)
        window = {"kernel_shape": (self.size, 1), "pads": pads, "count_include_pad": 1}
        return (
            OnnxNode("Mul", (OnnxIn(), OnnxIn()), outputs=("square",)),
            OnnxNode("Reshape", (OnnxLocal("square"), OnnxConst((0, 0, -1), "int64")), outputs=("lines",)),
            OnnxNode("Unsqueeze", (OnnxLocal("lines"), OnnxConst((1,), "int64")), outputs=("plane",)),
            OnnxNode("AveragePool", (OnnxLocal("plane"),), window, ("mean_plane",)),
            OnnxNode("Shape", (OnnxIn(),), outputs=("shape",)),
            OnnxNode("Reshape", (OnnxLocal("mean_plane"), OnnxLocal("shape")), outputs=("mean",)),
            OnnxNode("Mul", (OnnxLocal("mean"), OnnxConst(self.alpha, "float32")), outputs=("scaled",)),
            OnnxNode("Add", (OnnxLocal("scaled"), OnnxConst(self.k, "float32")), outputs=("base",)),
            OnnxNode("Pow", (OnnxLocal("base"), OnnxConst(self.beta, "float32")), outputs=("divisor",)),
            OnnxNode("Div", (OnnxIn(), OnnxLocal("divisor"))),
        )


OPS: tuple[type[Op], ...] = (LRN,)
