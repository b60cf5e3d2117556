"""Activation functions: they act on each number for itself, or along one axis."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi, sqrt
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from archdsl.arguments import FLAG, INIT, NUMBER, choice
from archdsl.init import Constant, Init
from archdsl.layout import Laid, contiguous, elementwise
from archdsl.op import (
    REQUIRED,
    Arg,
    Arriving,
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
    OnnxWeight,
    Op,
    Order,
    Palette,
    Reject,
    Tensor,
    Torch,
    Weight,
    arg,
    drawn,
    parameters,
    pointwise,
)
from archdsl.ops.sliding import CHANNELS, SPATIAL, require_float
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

Keep: TypeAlias = Literal["input", "output", "extra"]


@record
class Activation(Op):
    """Base of the activations: how torch calls them, as data."""

    palette: ClassVar[Palette] = "act"
    module: ClassVar[str]
    """torch's module, without ``nn.``."""
    function: ClassVar[str]
    """torch's function."""
    keywords: ClassVar[Mapping[str, str]] = {}
    """Our arguments that torch knows by another name."""
    kept: ClassVar[tuple[Keep, ...]]
    """What backward keeps: the input, the output, another tensor like the input."""

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        names = {cls.keywords.get(p.name, p.name): p.name for p in parameters(cls)}
        return (Order(f"torch.nn.{cls.module}", {**names, "inplace": Dropped((True, False))}),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(
            inputs=(0,) if "input" in self.kept else (),
            outputs=(0,) if "output" in self.kept else (),
            extra=inputs if "extra" in self.kept else (),
        )

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(elementwise(memory.layouts)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = [
            Arg(
                Hole(getattr(self, p.name), p.name),
                self.keywords.get(p.name, p.name),
                REQUIRED if p.required else p.default,
            )
            for p in parameters(type(self))
        ]
        return Torch(Call(f"nn.{self.module}", tuple(args)), function=Call(self.function, (Arg(Input()), *args)))


@record
class Pointwise(Activation):
    """Base of the activations of each number for itself."""

    cost: ClassVar[int]
    """Operations on each number."""

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        return inputs

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return self.cost * outputs[0].numel

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0]),)


@record
class Fixed(Pointwise):
    """Base of the activations that have no arguments."""

    nodes: ClassVar[tuple[OnnxNode, ...]]

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return self.nodes


def node(kind: str, **attributes: Any) -> tuple[OnnxNode]:
    """The one ONNX node that does it."""
    return (OnnxNode(kind, (OnnxIn(),), attributes),)


def number(value: float) -> OnnxConst:
    return OnnxConst(value, "float32")


def clip(low: float, high: float) -> tuple[OnnxNode]:
    return (OnnxNode("Clip", (OnnxIn(), number(low), number(high))),)


# ---- straight lines ----------------------------------------------------------------------------------------


@record
class ReLU(Fixed):
    """``max(x, 0)``.

    Example:
        input x: [N, 64, 28, 28]
        relu
    """

    name: ClassVar[str] = "relu"
    module: ClassVar[str] = "ReLU"
    function: ClassVar[str] = "F.relu"
    kept: ClassVar[tuple[Keep, ...]] = ("output",)
    cost: ClassVar[int] = 1
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("Relu")


@record
class ReLU6(Fixed):
    """``min(max(x, 0), 6)``.

    Example:
        input x: [N, 64, 28, 28]
        relu6
    """

    name: ClassVar[str] = "relu6"
    module: ClassVar[str] = "ReLU6"
    function: ClassVar[str] = "F.relu6"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 2
    nodes: ClassVar[tuple[OnnxNode, ...]] = clip(0.0, 6.0)


@record
class LeakyReLU(Pointwise):
    """``x`` where it is positive, else ``slope * x``.

    Example:
        input x: [N, 64, 28, 28]
        leaky_relu(0.2)
    """

    name: ClassVar[str] = "leaky_relu"
    module: ClassVar[str] = "LeakyReLU"
    function: ClassVar[str] = "F.leaky_relu"
    keywords: ClassVar[Mapping[str, str]] = {"slope": "negative_slope"}
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 2

    slope: float = arg("slope for negative inputs", NUMBER, 0.01)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return node("LeakyRelu", alpha=self.slope)


@record
class PReLU(Op):
    """``x`` where it is positive, else ``slope * x`` with a learned slope: one, or one for each channel.

    Example:
        input x: [N, 64, 28, 28]
        act: prelu(per_channel=true)
    """

    name: ClassVar[str] = "prelu"
    palette: ClassVar[Palette] = "act"

    per_channel: bool = arg("learn one slope for each channel", FLAG, False)
    init: Init = arg("initial value of the slopes", INIT, Constant(0.25))

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        slopes = Arriving("channels", sets={"per_channel": True})
        return (Order("torch.nn.PReLU", {"num_parameters": slopes, "init": "init"}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        if self.per_channel and inputs[0].rank < 2:
            raise Reject(f"a value of {inputs[0].rank} axes has no channels", arg="per_channel")
        return inputs

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        slopes = inputs[0].shape[CHANNELS] if self.per_channel else 1
        return (drawn("weight", (slopes,), self.init, Constant(0.25)),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 2 * outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(inputs=(0,))

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0]),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(elementwise(memory.layouts)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        slopes = Hole(inputs[0].shape[CHANNELS], (0, CHANNELS)) if self.per_channel else Hole(1)
        return Torch(Call("nn.PReLU", (Arg(slopes, "num_parameters", 1),)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        rank = inputs[0].rank
        if rank > 0 and (not self.per_channel or rank == SPATIAL):
            return (OnnxNode("PRelu", (OnnxIn(), OnnxWeight("weight"))),)
        column = OnnxConst((-1, *(1,) * (rank - SPATIAL)) if rank > 0 else (), "int64")
        return (
            OnnxNode("Reshape", (OnnxWeight("weight"), column), outputs=("slope",)),
            OnnxNode("PRelu", (OnnxIn(), OnnxLocal("slope"))),
        )


@record
class Hardtanh(Pointwise):
    """``min(max(x, low), high)``.

    Example:
        input x: [N, 64]
        hardtanh
    """

    name: ClassVar[str] = "hardtanh"
    module: ClassVar[str] = "Hardtanh"
    function: ClassVar[str] = "F.hardtanh"
    keywords: ClassVar[Mapping[str, str]] = {"low": "min_val", "high": "max_val"}
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 2

    low: float = arg("minimum", NUMBER, -1.0)
    high: float = arg("maximum", NUMBER, 1.0)

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise Reject(f"low (={self.low}) must be less than high (={self.high})", arg="low")

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return clip(self.low, self.high)


@record
class Hardsigmoid(Fixed):
    """``relu6(x + 3) / 6``: a sigmoid of straight lines.

    Example:
        input x: [N, 64]
        hardsigmoid
    """

    name: ClassVar[str] = "hardsigmoid"
    module: ClassVar[str] = "Hardsigmoid"
    function: ClassVar[str] = "F.hardsigmoid"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 4
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("HardSigmoid", alpha=1 / 6, beta=0.5)


@record
class Hardswish(Fixed):
    """``x * relu6(x + 3) / 6``: a silu of straight lines (Howard et al., 2019).

    Example:
        input x: [N, 64, 28, 28]
        hardswish
    """

    name: ClassVar[str] = "hardswish"
    module: ClassVar[str] = "Hardswish"
    function: ClassVar[str] = "F.hardswish"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 5
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("HardSwish")


# ---- curves ------------------------------------------------------------------------------------------------


@record
class Sigmoid(Fixed):
    """``1 / (1 + exp(-x))``.

    Example:
        input x: [N, 64]
        sigmoid
    """

    name: ClassVar[str] = "sigmoid"
    module: ClassVar[str] = "Sigmoid"
    function: ClassVar[str] = "torch.sigmoid"
    kept: ClassVar[tuple[Keep, ...]] = ("output",)
    cost: ClassVar[int] = 4
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("Sigmoid")


@record
class Tanh(Fixed):
    """The hyperbolic tangent.

    Example:
        input x: [N, 64]
        tanh
    """

    name: ClassVar[str] = "tanh"
    module: ClassVar[str] = "Tanh"
    function: ClassVar[str] = "torch.tanh"
    kept: ClassVar[tuple[Keep, ...]] = ("output",)
    cost: ClassVar[int] = 1
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("Tanh")


@record
class ELU(Pointwise):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)``.

    Example:
        input x: [N, 64]
        elu
    """

    name: ClassVar[str] = "elu"
    module: ClassVar[str] = "ELU"
    function: ClassVar[str] = "F.elu"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 4

    alpha: float = arg("how far below zero it goes", NUMBER, 1.0)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return node("Elu", alpha=self.alpha)


@record
class SELU(Fixed):
    """An elu scaled so that signals keep mean 0 and variance 1 from layer to layer (Klambauer et al., 2017).

    Example:
        input x: [N, 64]
        selu
    """

    name: ClassVar[str] = "selu"
    module: ClassVar[str] = "SELU"
    function: ClassVar[str] = "F.selu"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 5
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("Selu")


@record
class CELU(Pointwise):
    """``x`` where it is positive, else ``alpha * (exp(x / alpha) - 1)``.

    Example:
        input x: [N, 64]
        celu(2.0)
    """

    name: ClassVar[str] = "celu"
    module: ClassVar[str] = "CELU"
    function: ClassVar[str] = "F.celu"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 5

    alpha: float = arg("how far below zero it goes; not 0", NUMBER, 1.0)

    def __post_init__(self) -> None:
        if self.alpha == 0:
            raise Reject("alpha (=0) must not be zero: x is divided by it", arg="alpha")

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return node("Celu", alpha=self.alpha)


@record
class GELU(Activation):
    """``x * Φ(x)``, Φ being the distribution function of the normal distribution.

    ``approximate="tanh"`` takes ``(1 + tanh(√(2/π) * (x + 0.044715 * x³))) / 2`` for it.

    Example:
        input x: [N, 197, 768]
        gelu
    """

    name: ClassVar[str] = "gelu"
    module: ClassVar[str] = "GELU"
    function: ClassVar[str] = "F.gelu"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)

    approximate: Literal["none", "tanh"] = arg("approximation", choice("none", "tanh"), "none")

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        return inputs

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """A quotient, erf, a sum, two products; or a cube, a product, a sum, a product, tanh for the first two."""
        return (5 if self.approximate == "none" else 9) * outputs[0].numel

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0]),)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        bell = _erf_bell() if self.approximate == "none" else _tanh_bell()
        return (
            *bell,
            OnnxNode("Add", (OnnxLocal("bell"), number(1.0)), outputs=("raised",)),
            OnnxNode("Mul", (OnnxIn(), OnnxLocal("raised")), outputs=("doubled",)),
            OnnxNode("Mul", (OnnxLocal("doubled"), number(0.5))),
        )


def _erf_bell() -> tuple[OnnxNode, ...]:
    """``2Φ(x) - 1``."""
    return (
        OnnxNode("Mul", (OnnxIn(), number(sqrt(1 / 2))), outputs=("narrow",)),
        OnnxNode("Erf", (OnnxLocal("narrow"),), outputs=("bell",)),
    )


def _tanh_bell() -> tuple[OnnxNode, ...]:
    """``2Φ(x) - 1``, nearly."""
    return (
        OnnxNode("Mul", (OnnxIn(), OnnxIn()), outputs=("square",)),
        OnnxNode("Mul", (OnnxIn(), OnnxLocal("square")), outputs=("cube",)),
        OnnxNode("Mul", (OnnxLocal("cube"), number(0.044715)), outputs=("bend",)),
        OnnxNode("Add", (OnnxIn(), OnnxLocal("bend")), outputs=("bent",)),
        OnnxNode("Mul", (OnnxLocal("bent"), number(sqrt(2 / pi))), outputs=("narrow",)),
        OnnxNode("Tanh", (OnnxLocal("narrow"),), outputs=("bell",)),
    )


@record
class SiLU(Fixed):
    """``x * sigmoid(x)``, also called swish.

    Example:
        input x: [N, 64, 28, 28]
        silu
    """

    name: ClassVar[str] = "silu"
    module: ClassVar[str] = "SiLU"
    function: ClassVar[str] = "F.silu"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 5
    nodes: ClassVar[tuple[OnnxNode, ...]] = (
        OnnxNode("Sigmoid", (OnnxIn(),), outputs=("gate",)),
        OnnxNode("Mul", (OnnxIn(), OnnxLocal("gate"))),
    )


@record
class Mish(Fixed):
    """``x * tanh(softplus(x))``.

    Example:
        input x: [N, 64, 28, 28]
        mish
    """

    name: ClassVar[str] = "mish"
    module: ClassVar[str] = "Mish"
    function: ClassVar[str] = "F.mish"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 5
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("Mish")


@record
class Softplus(Fixed):
    """``log(1 + exp(x))``: a smooth relu.

    Example:
        input x: [N, 64]
        softplus
    """

    name: ClassVar[str] = "softplus"
    module: ClassVar[str] = "Softplus"
    function: ClassVar[str] = "F.softplus"
    kept: ClassVar[tuple[Keep, ...]] = ("input",)
    cost: ClassVar[int] = 3
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("Softplus")


@record
class Softsign(Fixed):
    """``x / (1 + |x|)``.

    Example:
        input x: [N, 64]
        softsign
    """

    name: ClassVar[str] = "softsign"
    module: ClassVar[str] = "Softsign"
    function: ClassVar[str] = "F.softsign"
    kept: ClassVar[tuple[Keep, ...]] = ("input", "extra")
    cost: ClassVar[int] = 3
    nodes: ClassVar[tuple[OnnxNode, ...]] = node("Softsign")


@record
class LogSigmoid(Fixed):
    """``-log(1 + exp(-x))``: the logarithm of the sigmoid.

    Example:
        input x: [N, 64]
        logsigmoid
    """

    name: ClassVar[str] = "logsigmoid"
    module: ClassVar[str] = "LogSigmoid"
    function: ClassVar[str] = "F.logsigmoid"
    kept: ClassVar[tuple[Keep, ...]] = ("input", "extra")
    cost: ClassVar[int] = 5
    nodes: ClassVar[tuple[OnnxNode, ...]] = (
        OnnxNode("Neg", (OnnxIn(),), outputs=("turned",)),
        OnnxNode("Softplus", (OnnxLocal("turned"),), outputs=("loss",)),
        OnnxNode("Neg", (OnnxLocal("loss"),)),
    )

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(contiguous(memory.shapes[0])),)


OPS: tuple[type[Op], ...] = (
    ReLU,
    ReLU6,
    LeakyReLU,
    PReLU,
    Hardtanh,
    Hardsigmoid,
    Hardswish,
    Sigmoid,
    Tanh,
    ELU,
    SELU,
    CELU,
    GELU,
    SiLU,
    Mish,
    Softplus,
    Softsign,
    LogSigmoid,
)
