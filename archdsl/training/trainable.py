"""What can be trained: a network that can be sized to its data. A spec is one, by ``training.spec``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from archdsl.diagnostics.training import BatchOfOne, DoesNotRun, NotAClassifier, WrongChannels, WrongClassCount
from archdsl.errors import SpecError
from archdsl.training.data import Data

Size = tuple[int, int]
"""Height and width, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of definite size.

    ``module`` maps [N, channels, H, W] to scores [N, classes]; in training to a tuple of them, auxiliary ones after the
    main one, where it has those. ``source`` is a text that two networks share only if they compute the same.
    ``export`` writes an ONNX file with the weights of a ``state_dict``. ``spec`` is what it can be compiled from again
    (``training.snapshot``), where it is compiled at all. ``heads`` are the weights that other weights may come without:
    of the layers that give an output, and of branches for training only. ``alone`` gives for a size of its input the
    names of the batch norms that cannot be trained on batches of one.
    """

    module: nn.Module
    source: str
    export: Callable[[Path, Mapping[str, Tensor]], object]
    spec: Mapping[str, Any] = field(default_factory=dict)
    heads: Collection[str] = ()
    alone: Callable[[Size], Sequence[str]] = lambda size: ()


class Trainable(Protocol):
    """A network whose input and head are still open. None: any number."""

    @property
    def name(self) -> str: ...

    @property
    def channels(self) -> int | None: ...

    @property
    def size(self) -> Size | None: ...

    def build(self, *, classes: int, channels: int, size: Size) -> Network:
        """With weights drawn from torch's random generator.

        Raises: SpecError, where it cannot have this size.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A network, and the input that it was sized to."""

    network: Network
    channels: int
    size: Size


def sized(trainable: Trainable, data: Data, side: int | None, train_side: int | None = None) -> Fitted:
    """The network for these data, tried on an empty picture of each size that it is to see.

    Raises: SpecError, where channels, size or classes do not fit.
    """
    channels = fitting_channels(trainable, data)
    size = (side, side) if side else trainable.size or data.size
    network = trainable.build(classes=len(data.classes), channels=channels, size=size)
    for tried in {size, (train_side, train_side) if train_side else size}:
        _try(trainable.name, network.module, data, channels, tried)
    return Fitted(network=network, channels=channels, size=size)


def fitting_channels(trainable: Trainable, data: Data) -> int:
    """Grey pictures are repeated for a network of colour; all else has to agree."""
    wanted = trainable.channels or data.channels
    if wanted == data.channels or (wanted, data.channels) == (3, 1):
        return wanted
    height, width = trainable.size or data.size
    advice = f"set the channels with `--input Nx3x{height}x{width}`" if data.channels == 3 else None
    fault = WrongChannels(model=trainable.name, wanted=wanted, data=data.name, given=data.channels, advice=advice)
    raise SpecError([fault])


@torch.no_grad()
def _try(name: str, module: nn.Module, data: Data, channels: int, size: Size) -> None:
    module.eval()
    try:
        scores = module(torch.zeros(2, channels, *size))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise SpecError([DoesNotRun(model=name, height=size[0], width=size[1], reason=reason)]) from None
    module.train()
    if not isinstance(scores, Tensor) or scores.ndim != 2:
        shown = list(scores.shape) if isinstance(scores, Tensor) else f"{len(scores)} outputs"
        raise SpecError([NotAClassifier(model=name, reason=f"it returns {shown} for two images")])
    if scores.shape[1] != len(data.classes):
        given, wanted = scores.shape[1], len(data.classes)
        raise SpecError([WrongClassCount(model=name, given=given, data=data.name, wanted=wanted)])


def check_batch(name: str, network: Network, size: Size, batch: int, frozen: Collection[nn.Module] = ()) -> None:
    """Raises: SpecError, where training on batches of ``batch`` images of a size would fail at a batch norm.

    Norms that are ``frozen`` evaluate in training too.
    """
    if batch > 1:
        return
    for norm in network.alone(size):
        if network.module.get_submodule(norm) not in frozen:
            raise SpecError([BatchOfOne(model=name, norm=norm, option="--batch-size")])
