"""The curves of a run as a picture: loss and accuracy against the epoch."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from archdsl.files import write_whole

Row = dict[str, float]
"""An epoch's figures by name."""

TRAIN, VALIDATION = "#9aa5b1", "#1f6feb"


def draw(rows: Sequence[Row], title: str, path: Path) -> None:
    """Write a PNG."""
    png = io.BytesIO()
    figure(rows, title).savefig(png, format="png", dpi=150)
    write_whole(path, png.getvalue())


def figure(rows: Sequence[Row], title: str) -> Figure:
    """Drawn on a figure of its own, so that no display and no global state of pyplot is touched."""
    drawn = Figure(figsize=(9, 3.6), layout="constrained")
    if title:
        drawn.suptitle(title, fontsize=11)
    loss, accuracy = drawn.subplots(1, 2)
    _plot(loss, rows, "loss")
    loss.set_ylim(0, _highest([row["train_loss"] for row in rows]))
    _plot(accuracy, rows, "accuracy")
    accuracy.set_ylim(0, 1)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    return drawn


def _highest(losses: Sequence[float]) -> float:
    """The top of the axis: a validation loss that explodes while batch norms settle must not flatten the rest."""
    return 1.15 * max(losses) or 1.0


def _plot(axes: Axes, rows: Sequence[Row], name: str) -> None:
    epochs = [row["epoch"] for row in rows]
    mark = "o" if len(rows) == 1 else None
    axes.plot(epochs, [row[f"train_{name}"] for row in rows], color=TRAIN, marker=mark, label="training")
    axes.plot(epochs, [row[f"val_{name}"] for row in rows], color=VALIDATION, marker=mark, label="validation")
    axes.set(xlabel="epoch", ylabel=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
