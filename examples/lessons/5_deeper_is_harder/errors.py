"""Training error against the epoch, from the recorded runs: run it with python."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

HERE = Path(__file__).parent
PLACES = {"digits": "narrow, on digits", "flowers": "as published, on flowers at 64 px"}
SHADES = {"18": "#9ec5fe", "34": "#1f6feb", "66": "#0b3d91"}, {"18": "#f2a6b0", "34": "#d1495b", "66": "#7a1626"}

Curves = dict[str, list[list[float]]]
"""By network and seed, the errors of the epochs."""


def read(file: Path, what: str) -> Curves:
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            found[row["network"]][row["seed"]].append(float(row[what]))
    names = sorted(found, key=lambda name: (int(name[-2:]), name))
    return {name: list(found[name].values()) for name in names}


def spread(values: list[float]) -> str:
    """Mean, least and most of the seeds."""
    return f"{mean(values):>6.1%} ({min(values):.1%} to {max(values):.1%})"


def plot(axes: Axes, curves: Curves) -> None:
    """The mean of the seeds as a line, from the least to the most as a shade."""
    for name, runs in curves.items():
        colour = SHADES[name.startswith("Plain")][name[-2:]]
        epochs = range(1, len(runs[0]) + 1)
        at = list(zip(*runs, strict=True))
        axes.plot(epochs, [mean(values) for values in at], color=colour, label=name)
        axes.fill_between(epochs, [*map(min, at)], [*map(max, at)], color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="epoch", ylim=(0, 1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)


def main() -> None:
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, (place, title) in zip(figure.subplots(1, 2, sharey=True), PLACES.items(), strict=True):
        train, val = (read(HERE / f"{place}.csv", what) for what in ("train_error", "val_error"))
        plot(axes, train)
        axes.set_title(title)
        seeds, epochs = len(train["Plain18"]), len(train["Plain18"][0])
        print(f"{title}: error after {epochs} epochs, mean (least to most) of {seeds} seeds")
        print(f"{'':10}{'training':>24}{'validation':>28}")
        for name in train:
            ends = [[run[-1] for run in curves[name]] for curves in (train, val)]
            print(f"{name:10}{spread(ends[0]):>24}{spread(ends[1]):>28}")
    figure.axes[0].set_ylabel("training error")
    figure.savefig(HERE / "errors.png", dpi=110)


if __name__ == "__main__":
    main()
