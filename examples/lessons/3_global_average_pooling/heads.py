"""Where the parameters of the lecture's networks lie: python examples/lessons/3_global_average_pooling/heads.py"""

from __future__ import annotations

from math import prod
from pathlib import Path

from matplotlib.figure import Figure

import archdsl

NETWORKS = {"alexnet": {}, "vgg16": {}, "googlenet": {"auxiliary": False}, "resnet50": {}}


def dense(model: archdsl.Model) -> int:
    """Parameters of fully connected layers: those whose weight is a matrix."""
    shapes = model.state_dict_shapes
    layers = {name.rpartition(".")[0] for name, shape in shapes.items() if len(shape) == 2}
    return sum(prod(shape) for name, shape in shapes.items() if name.rpartition(".")[0] in layers)


def main() -> None:
    rows = []
    print(f"{'':<12}{'fully connected':>16}{'the rest':>14}{'share':>8}")
    for name, settings in NETWORKS.items():
        model = archdsl.load(name, **settings)
        head, rest = dense(model), model.params - dense(model)
        print(f"{model.name:<12}{head:>16,}{rest:>14,}{head / model.params:>8.1%}")
        rows.append((model.name, head / 1e6, rest / 1e6))
    names, heads, rests = zip(*reversed(rows), strict=True)
    figure = Figure(figsize=(7, 2.2), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, rests, color="#1f6feb", label="convolutions")
    axes.barh(names, heads, left=rests, color="#d1495b", label="fully connected")
    axes.set(xlabel="parameters, in millions")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(Path(__file__).with_name("heads.png"), dpi=110)


if __name__ == "__main__":
    main()
