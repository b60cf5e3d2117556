"""Gradient flow as a picture: within networks, layer by layer, or of families, network by network."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

from archdsl.files import write_whole
from archdsl.training.flow import Flow

COLOURS = ("#1f6feb", "#d1495b", "#2a9d8f", "#e9a03b", "#7b5ea7", "#6c757d")


def draw(flows: Sequence[Flow], title: str, path: Path) -> None:
    """Write a PNG: gradients and activations against depth, dashed at initialization, a full line after the steps.

    Without steps, the full line is of initialisation.
    """
    figure, left, right = _panels(title)
    for flow, colour in zip(flows, _colours(len(flows)), strict=True):
        depth = range(1, len(flow.layers) + 1)
        _plot(left, depth, flow.gradients, colour, flow.name)
        _plot(right, depth, flow.activations, colour, flow.name)
    left.set(title="gradient of the loss with respect to each layer's weights", ylabel="norm")
    right.set(title="output of each layer", ylabel="root mean square")
    for axes in (left, right):
        axes.set(xlabel="depth: convolutions and linear layers, from the input")
    _finish(figure, left, len(flows[0].losses) - 1, path)


def draw_sweep(families: Sequence[Sequence[Flow]], title: str, path: Path) -> None:
    """Write a PNG: how much of gradient and signal is left at the far end of each network, against its depth."""
    figure, left, right = _panels(title, alike=True)
    steps = range(len(families[0][0].losses))
    for family, colour in zip(families, _colours(len(families)), strict=True):
        ordered = sorted(family, key=lambda flow: len(flow.layers))
        depth = [len(flow.layers) for flow in ordered]
        _plot(left, depth, [[f.gradient_left(step) for f in ordered] for step in steps], colour, family[0].name)
        _plot(right, depth, [[f.signal_left(step) for f in ordered] for step in steps], colour, family[0].name)
    left.set(title="gradient at the first layer", ylabel="relative to the other end")
    right.set(title="signal at the last layer")
    for axes in (left, right):
        axes.set(xlabel="depth of the network: convolutions and linear layers")
    _finish(figure, left, len(steps) - 1, path)


def _panels(title: str, alike: bool = False) -> tuple[Figure, Axes, Axes]:
    """``alike``: both are shares, on one scale."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    figure.suptitle(title, fontsize=11)
    left, right = figure.subplots(1, 2, sharey=alike)
    for axes in (left, right):
        axes.set(yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, left, right


def _finish(figure: Figure, left: Axes, steps: int, path: Path) -> None:
    if steps:
        left.plot([], [], color="#616e7c", linestyle="--", label="at initialization")
        left.plot([], [], color="#616e7c", label=f"after {steps} step{'s' if steps > 1 else ''}")
    left.legend(frameon=False, fontsize=8)
    for axes in figure.axes:
        low, high = axes.get_ylim()
        if high < 100 * low:  # plain numbers rather than 6×10⁰, some of them between the decades
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
            axes.yaxis.set_minor_formatter(StrMethodFormatter("{x:g}"))
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=120, pil_kwargs={"optimize": True})
    write_whole(path, png.getvalue())


def _colours(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


def _plot(axes: Axes, depth: Sequence[int], values: Sequence[Sequence[float]], colour: str, name: str) -> None:
    """First and last step as lines, what lies between as a shade. A value of 0 has no place on a logarithmic axis."""
    shown = [[value if value > 0 else math.nan for value in step] for step in values]
    mark = "o" if len(depth) <= 30 else None
    axes.plot(depth, shown[0], color=colour, linestyle="--", linewidth=1.2, marker=mark, markersize=3, alpha=0.8)
    axes.plot(depth, shown[-1], color=colour, linewidth=1.6, marker=mark, markersize=3, label=name)
    if len(shown) > 2:
        low = [min(column) for column in zip(*shown, strict=True)]
        high = [max(column) for column in zip(*shown, strict=True)]
        axes.fill_between(depth, low, high, color=colour, alpha=0.12, linewidth=0)
