"""Layers that drop something at random in training and do nothing at inference; and the one that never does a thing."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import PROBABILITY
from archdsl.layout import Laid, elementwise
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
    OnnxNode,
    Op,
    Order,
    Palette,
    Reject,
    Tensor,
    Torch,
    Training,
    arg,
    pointwise,
)
from archdsl.ops.sliding import SPATIAL, require_float, spatial_axes
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
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


@record
class Identity(Inert):
    """Gives what it takes. Unlike ``none`` it is a layer: it counts among the members of a ``seq``.

    Example:
        input x: [N, 64]
        identity
    """

    name: ClassVar[str] = "identity"

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        return inputs

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(memory.layouts[0], 0),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(Call("nn.Identity", ()), function=Input())


@record
class Dropping(Inert):
    """Base of the layers that multiply by a random mask in training. With probability 0 they do nothing at all."""

    is_random: ClassVar[bool] = True

    p: float = arg("probability that an element is zeroed", PROBABILITY, 0.5)

    @abstractmethod
    def _mask(self, tensor: Tensor) -> Tensor:
        """What backward keeps of the mask."""

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept() if self.p == 0 else Kept(extra=(self._mask(inputs[0]),))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(memory.layouts[0], 0) if self.p == 0 else Laid(elementwise(memory.layouts)),)


@record
class TorchDropping(Dropping):
    """Base of those that torch has, all called alike. With probability 1 they multiply by a single zero."""

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torch.nn.Dropout", {"p": "p", "inplace": Dropped((True, False))}),)

    def _mask(self, tensor: Tensor) -> Tensor:
        return Tensor(()) if self.p == 1 else self._random_mask(tensor)

    @abstractmethod
    def _random_mask(self, tensor: Tensor) -> Tensor:
        """One number for each thing that is dropped."""

    @abstractmethod
    def _names(self, tensor: Tensor) -> tuple[str, str]:
        """The module and the function."""

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        module, function = self._names(inputs[0])
        p, training = Arg(Hole(self.p, "p"), default=0.5), Arg(Training(), "training")
        return Torch(Call(module, (p,)), function=Call(function, (Arg(Input()), p, training)))


@record
class Dropout(TorchDropping):
    """In training, sets each number to zero with probability ``p`` and multiplies the others by ``1 / (1 - p)``.

    Example:
        input x: [N, 4096]
        dropout(0.2)
    """

    name: ClassVar[str] = "dropout"

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        return inputs

    def _random_mask(self, tensor: Tensor) -> Tensor:
        return tensor

    def _names(self, tensor: Tensor) -> tuple[str, str]:
        return "nn.Dropout", "F.dropout"


@record
class AlphaDropout(TorchDropping):
    """Dropout for ``selu``: keeps mean 0 and variance 1 (Klambauer et al., 2017).

    Example:
        input x: [N, 4096]
        selu -> alpha_dropout(0.1)
    """

    name: ClassVar[str] = "alpha_dropout"

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        return inputs

    def _random_mask(self, tensor: Tensor) -> Tensor:
        return tensor

    def _names(self, tensor: Tensor) -> tuple[str, str]:
        return "nn.AlphaDropout", "F.alpha_dropout"


@record
class SpatialDropout(TorchDropping):
    """In training, sets whole channels of [N, C, spatial…] to zero with probability ``p``; scales the others.

    Example:
        input x: [N, 64, 28, 28]
        spatial_dropout(0.1)
    """

    name: ClassVar[str] = "spatial_dropout"

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        spatial_axes(inputs[0])
        return inputs

    def _random_mask(self, tensor: Tensor) -> Tensor:
        return Tensor(tensor.shape[:SPATIAL])

    def _names(self, tensor: Tensor) -> tuple[str, str]:
        axes = tensor.rank - SPATIAL
        return f"nn.Dropout{axes}d", f"F.dropout{axes}d"


@record
class DropPath(Dropping):
    """Stochastic depth: in training, zeroes whole examples with probability ``p`` and scales the others.

    Use it at the end of a branch of a residual, which those examples then skip (Huang et al., 2016).

    Example:
        input x: [N, 64, 28, 28]
        residual { conv1: conv(64, 3, pad=1) -> relu -> drop_path(0.1) }
    """

    name: ClassVar[str] = "drop_path"

    p: float = arg("probability that an example skips the branch", PROBABILITY)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return (Order("torchvision.ops.StochasticDepth", {"p": "p", "mode": Dropped(("row",))}),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        if inputs[0].rank == 0:
            raise Reject("takes a value with a batch axis, not a single number")
        return inputs

    def _mask(self, tensor: Tensor) -> Tensor:
        return Tensor(tensor.shape[:1])

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        p = Arg(Hole(self.p, "p"))
        return Torch(Call("DropPath", (p,)), function=Call("drop_path", (Arg(Input()), p, Arg(Training()))))


OPS: tuple[type[Op], ...] = (Identity, Dropout, AlphaDropout, SpatialDropout, DropPath)
