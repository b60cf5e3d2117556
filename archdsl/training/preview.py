"""What augmentation makes of pictures, as a picture."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from archdsl.files import write_whole
from archdsl.training import transforms
from archdsl.training.config import Config
from archdsl.training.data import Data
from archdsl.training.explained import explained
from archdsl.training.loaders import Pictures, mixed
from archdsl.training.task import mixing

ROWS, VARIANTS = 6, 7


def preview(data: Data, channels: int, size: tuple[int, int], config: Config, path: Path) -> None:
    """Write a PNG: a picture a row, first as it is validated, then as training sees it, as often as there is room.

    Raises: SpecError, where a picture cannot be read, or the file not be written.
    """
    small = (config.train_size, config.train_size) if config.train_size else size
    plain = Pictures(data, data.split.train, transforms.evaluation(data, channels, size, config.resize), min(size))
    varied = Pictures(data, data.split.train, transforms.training(data, channels, small, config), min(size))
    places = _spread(data)
    labels = torch.tensor([data.labels[data.split.train[place]] for place in places])
    mix = mixing(config, len(data.classes))
    with explained("drawing"):
        columns = [torch.stack([plain[place, 0][0] for place in places])]
        for n in range(VARIANTS):
            seeds = [mixed(config.seed, n * ROWS + row) for row in range(len(places))]
            column = torch.stack([varied[place, seed][0] for place, seed in zip(places, seeds, strict=True)])
            columns.append(mix(column, labels)[0] if mix else column)
    names = [data.classes[label] for label in labels.tolist()]
    _draw([_shown(column, data, channels) for column in columns], names, _title(data, config), path)


def _spread(data: Data) -> list[int]:
    """Training pictures of as many classes as there are rows."""
    first: dict[int, int] = {}
    for place, index in enumerate(data.split.train):
        first.setdefault(data.labels[index], place)
    found = list(first.values())
    step = max(1, len(found) // ROWS)
    return (found[::step] + list(range(len(data.split.train))))[: min(ROWS, len(data.split.train))]


def _shown(pictures: Tensor, data: Data, channels: int) -> Tensor:
    """Without the normalisation: [N, H, W, channels] from 0 to 1."""
    repeat = channels // data.channels
    mean, std = (torch.tensor(values * repeat)[:, None, None] for values in (data.mean, data.std))
    return (pictures * std + mean).clamp(0, 1).permute(0, 2, 3, 1)


def _title(data: Data, config: Config) -> str:
    parts = [f"augment {config.augment}"]
    parts += [f"{name} {getattr(config, name):g}" for name in ("erasing", "mixup", "cutmix") if getattr(config, name)]
    return f"{data.name}: {', '.join(parts)}"


def _draw(columns: list[Tensor], names: list[str], title: str, path: Path) -> None:
    rows = len(names)
    figure = Figure(figsize=(1.3 * len(columns) + 0.6, 1.3 * rows + 0.6), layout="constrained")
    figure.suptitle(title, fontsize=11)
    grid = figure.subplots(rows, len(columns), squeeze=False)
    for column, pictures in enumerate(columns):
        for row in range(rows):
            axes = grid[row, column]
            axes.imshow(pictures[row].numpy().squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
    grid[0, 0].set_title("validation", fontsize=9)
    grid[0, 1].set_title("training", fontsize=9)
    for row, name in enumerate(names):
        grid[row, 0].set_ylabel(name, fontsize=8)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=120)
    write_whole(path, png.getvalue())
