"""Gradient flow: how large gradients and activations are in each layer, at initialisation and in the first steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from archdsl.training.config import Config
from archdsl.training.data import Data
from archdsl.training.explained import explained
from archdsl.training.loaders import Draws, Pictures, loader
from archdsl.training.optimizer import check_rates, optimizer
from archdsl.training.trainable import Fitted, Trainable, check_batch, sized
from archdsl.training.transforms import evaluation

LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
"""What counts as depth: convolutions and linear layers, in the order in which they run."""


@dataclass(frozen=True)
class Flow:
    """Of one network: by step and layer, the norm of the loss's gradient to the layer's weights, and the root mean
    square of what the layer gives. Step 0 is initialisation. Layers stand in the order of their first run.
    """

    name: str
    layers: Sequence[str]
    gradients: Sequence[Sequence[float]]
    activations: Sequence[Sequence[float]]
    losses: Sequence[float]

    def gradient_left(self, step: int) -> float:
        """The gradient at the first layer, as a share of that at the last: how much has come all the way back."""
        return _share(self.gradients[step][0], self.gradients[step][-1])

    def signal_left(self, step: int) -> float:
        """What the last layer gives, as a share of what the first does: how much has come all the way through."""
        return _share(self.activations[step][-1], self.activations[step][0])


def _share(part: float, whole: float) -> float:
    """Not a number where there is nothing of which it could be a share."""
    return part / whole if whole > 0 else math.nan


def flow(trainable: Trainable, data: Data, config: Config, steps: int) -> Flow:
    """Measured on real pictures: ``steps`` steps of the optimizer, the first ones of a training without augmentation.

    In double precision: a deep network multiplies the rounding of float32 until processors and thread counts, which
    round differently, disagree in the first digit (66 plain layers at initialization: by a factor of 2).

    Raises: SpecError, where network and data do not fit, a picture cannot be read, or no layer has weights.
    """
    with _double_precision():
        return _measured(trainable, data, config, steps)


def _measured(trainable: Trainable, data: Data, config: Config, steps: int) -> Flow:
    torch.manual_seed(config.seed)
    fitted = sized(trainable, data, config.size)
    check_batch(trainable.name, fitted.network, fitted.size, min(config.batch_size, len(data.split.train)))
    network = fitted.network.module.train()
    check_rates(network, config)
    stepper = optimizer(network, config)
    gradients, activations, losses = [], [], []
    names: list[str] = []
    with explained("measuring gradients"):
        for pictures, labels in _batches(data, fitted, config, steps + 1):
            with _watched(network) as seen:
                outputs = network(pictures.to(torch.get_default_dtype()))
            scores = outputs[0] if isinstance(outputs, tuple) else outputs
            loss = cross_entropy(scores, labels)
            stepper.zero_grad()
            loss.backward()
            names = list(seen)
            gradients.append([_gradient(network.get_submodule(name)) for name in names])
            activations.append(list(seen.values()))
            losses.append(loss.item())
            stepper.step()
    return Flow(trainable.name, names, gradients, activations, losses)


def _batches(data: Data, fitted: Fitted, config: Config, count: int) -> Iterator[Any]:
    pictures = Pictures(
        data, data.split.train, evaluation(data, fitted.channels, fitted.size, config.resize), min(fitted.size)
    )
    draws = Draws(len(pictures), config.batch_size, config.seed)
    batches = loader(pictures, draws, config.workers or 0)
    done, epoch = 0, 0
    while done < count:
        draws.set_epoch(epoch)
        for batch in batches:
            if done == count:
                return
            yield batch
            done += 1
        epoch += 1


@contextmanager
def _double_precision() -> Iterator[None]:
    """Modules built in here have float64 weights, drawn as such: rounded float32 draws differ between processors."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def _watched(network: nn.Module) -> Iterator[dict[str, float]]:
    """Root mean square of the output of each layer that runs in here, in order; of a shared one, of its last run."""
    seen: dict[str, float] = {}

    def watch(name: str, module: nn.Module) -> Any:
        def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
            seen[name] = output.detach().square().mean().sqrt().item()

        return module.register_forward_hook(note)

    hooks = [watch(name, m) for name, m in network.named_modules() if isinstance(m, LAYERS)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _gradient(layer: nn.Module) -> float:
    """Norm of the gradient to the layer's weight, its bias aside; 0 where none arrives."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return 0.0 if weight.grad is None else weight.grad.norm().item()
