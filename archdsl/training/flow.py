"""Gradient flow: how large gradients and activations are in each layer, at initialisation and in the first steps."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from archdsl.files import write_whole
from archdsl.training.config import Config
from archdsl.training.data import Data
from archdsl.training.explained import explained
from archdsl.training.loaders import Draws, Pictures, loader
from archdsl.training.optimizer import check_rates, optimizer
from archdsl.training.trainable import Fitted, Trainable, sized
from archdsl.training.transforms import evaluation

LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
"""What counts as depth: convolutions and linear layers, in the order in which they run."""

COLOURS = ("#1f6feb", "#d1495b", "#2a9d8f", "#e9a03b", "#7b5ea7", "#6c757d")


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


def flow(trainable: Trainable, data: Data, config: Config, steps: int) -> Flow:
    """Measured on real pictures: ``steps`` steps of the optimizer, the first ones of a training without augmentation.

    Raises: SpecError, where network and data do not fit, a picture cannot be read, or no layer has weights.
    """
    torch.manual_seed(config.seed)
    fitted = sized(trainable, data, config.size)
    network = fitted.network.module.train()
    check_rates(network, config)
    stepper = optimizer(network, config)
    gradients, activations, losses = [], [], []
    names: list[str] = []
    with explained("watching gradients"):
        for pictures, labels in _batches(data, fitted, config, steps + 1):
            with _watched(network) as seen:
                outputs = network(pictures)
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
def _watched(network: nn.Module) -> Iterator[dict[str, float]]:
    """Root mean square of the output of each layer that runs in here, in order; of a shared one, of its last run."""
    seen: dict[str, float] = {}

    def watch(name: str, module: nn.Module) -> Any:
        def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
            seen[name] = output.detach().float().square().mean().sqrt().item()

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


def draw(flows: Sequence[Flow], title: str, path: Path) -> None:
    """Write a PNG: gradients and activations against depth, dashed at initialisation, a full line after the steps."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    figure.suptitle(title, fontsize=11)
    left, right = figure.subplots(1, 2)
    for flow, colour in zip(flows, _colours(len(flows)), strict=True):
        _plot(left, flow.gradients, colour, flow.name)
        _plot(right, flow.activations, colour, flow.name)
    left.set(title="gradient of the loss to each layer's weights", ylabel="norm")
    right.set(title="what each layer gives", ylabel="root mean square")
    for axes in (left, right):
        axes.set(xlabel="depth: convolutions and linear layers, from the input", yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    steps = len(flows[0].gradients) - 1
    left.plot([], [], color="#616e7c", linestyle="--", label="at initialisation")
    if steps:
        left.plot([], [], color="#616e7c", label=f"after {steps} step{'s' if steps > 1 else ''}")
    left.legend(frameon=False, fontsize=8)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=150)
    write_whole(path, png.getvalue())


def _colours(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


def _plot(axes: Axes, values: Sequence[Sequence[float]], colour: str, name: str) -> None:
    """First and last step as lines, what lies between as a shade. A value of 0 has no place on a logarithmic axis."""
    depth = range(1, len(values[0]) + 1)
    shown = [[value if value > 0 else float("nan") for value in step] for step in values]
    mark = "o" if len(depth) <= 30 else None
    axes.plot(depth, shown[0], color=colour, linestyle="--", linewidth=1.2, marker=mark, markersize=3, alpha=0.8)
    axes.plot(depth, shown[-1], color=colour, linewidth=1.6, marker=mark, markersize=3, label=name)
    if len(shown) > 2:
        low = [min(column) for column in zip(*shown, strict=True)]
        high = [max(column) for column in zip(*shown, strict=True)]
        axes.fill_between(depth, low, high, color=colour, alpha=0.12, linewidth=0)
