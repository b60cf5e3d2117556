"""Layers that drop something at random in training and do nothing at inference; and the one that never does a thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import PROBABILITY
from archdsl.op import (
    Arg,
    Call,
    Hole,
    In,
    Kept,
    Look,
    Needs,
    OnnxNode,
    Op,
    Palette,
    Reject,
    Tensor,
    Torch,
    Training,
    arg,
    pointwise,
)
from archdsl.ops.sliding import SPATIAL, require_float, spatial_axes

if TYPE_CHECKING:
    from archdsl.dims import Size


@dataclass(frozen=True)
class Inert(Op):
    """Base of the layers that do nothing at inference."""

    palette: ClassVar[Palette] = "other"

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0]),)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return ()


@dataclass(frozen=True)
class Identity(Inert):
    """Gives what it takes. Unlike ``none`` it is a layer: it counts among the members of a ``seq``.

    Example:
        input x: [N, 64]
        identity
    """

    name: ClassVar[str] = "identity"

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        return inputs

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Kept:
        return Kept()

    def is_view(self, inputs: tuple[Tensor, ...]) -> bool:
        return True

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(Call("nn.Identity", ()), function=In())


def masked(p: float, mask: Tensor) -> Kept:
    """What is kept of a product with a random mask. At the ends nothing is random: torch makes none, or one zero."""
    if p == 0:
        return Kept()
    return Kept(extra=(Tensor(()) if p == 1 else mask,))


@dataclass(frozen=True)
class Dropout(Inert):
    """In training, sets each number to zero with probability ``p`` and multiplies the others by ``1 / (1 - p)``.

    Example:
        input x: [N, 4096]
        dropout(0.2)
    """

    name: ClassVar[str] = "dropout"
    is_random: ClassVar[bool] = True

    p: float = arg("probability of a zero", PROBABILITY, 0.5)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        return inputs

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Kept:
        return masked(self.p, inputs[0])

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return random_layer("nn.Dropout", "F.dropout", self.p)


@dataclass(frozen=True)
class AlphaDropout(Inert):
    """Dropout for ``selu``: keeps mean 0 and variance 1 (Klambauer et al., 2017).

    Example:
        input x: [N, 4096]
        selu -> alpha_dropout(0.1)
    """

    name: ClassVar[str] = "alpha_dropout"
    is_random: ClassVar[bool] = True

    p: float = arg("probability that a number is dropped", PROBABILITY, 0.5)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        return inputs

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Kept:
        return masked(self.p, inputs[0])

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return random_layer("nn.AlphaDropout", "F.alpha_dropout", self.p)


@dataclass(frozen=True)
class SpatialDropout(Inert):
    """In training, sets whole channels of [N, C, spatial…] to zero with probability ``p``; scales the others.

    Example:
        input x: [N, 64, 28, 28]
        spatial_dropout(0.1)
    """

    name: ClassVar[str] = "spatial_dropout"
    is_random: ClassVar[bool] = True

    p: float = arg("probability that a channel is zero", PROBABILITY, 0.5)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        spatial_axes(inputs[0])
        return inputs

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Kept:
        return masked(self.p, Tensor(inputs[0].shape[:SPATIAL]))

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        axes = inputs[0].rank - SPATIAL
        return random_layer(f"nn.Dropout{axes}d", f"F.dropout{axes}d", self.p)


@dataclass(frozen=True)
class DropPath(Inert):
    """Stochastic depth: in training, zeroes whole examples with probability ``p`` and scales the others.

    It stands at the end of a branch of a residual, which those examples then skip (Huang et al., 2016).

    Example:
        input x: [N, 64, 28, 28]
        residual { conv1: conv(64, 3, pad=1) -> relu -> drop_path(0.1) }
    """

    name: ClassVar[str] = "drop_path"
    is_random: ClassVar[bool] = True

    p: float = arg("probability that an example skips the branch", PROBABILITY)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        if inputs[0].rank == 0:
            raise Reject("takes a value with a batch axis, not a single number")
        return inputs

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Kept:
        return Kept() if self.p == 0 else Kept(extra=(Tensor(inputs[0].shape[:1]),))

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        p = Arg(Hole(self.p, "p"))
        return Torch(Call("DropPath", (p,)), function=Call("drop_path", (Arg(In()), p, Arg(Training()))))


def random_layer(module: str, function: str, p: float) -> Torch:
    """torch's dropouts, all called alike."""
    probability = Arg(Hole(p, "p"), "p", 0.5)
    training = Arg(Training(), "training")
    return Torch(Call(module, (probability,)), function=Call(function, (Arg(In()), probability, training)))


OPS: tuple[type[Op], ...] = (Identity, Dropout, AlphaDropout, SpatialDropout, DropPath)
