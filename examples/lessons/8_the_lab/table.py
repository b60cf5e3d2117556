"""What the lab's runs found (``results.csv`` and ``curves.csv``, by ``lab.py``): a table, and ``lab.png``."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev

from matplotlib.figure import Figure

import archdsl

Runs = dict[tuple[str, str], list[dict[str, str]]]

HERE = Path(__file__).parent
NAMES = {
    "alexnet": "AlexNet (2012)",
    "vgg16": "VGG-16 (2014)",
    "googlenet": "GoogLeNet (2014)",
    "torchvision/googlenet": "GoogLeNet with batch norms",
    "resnet18": "ResNet-18 (2015)",
}
SIZE, CLASSES = 128, 17
COLOURS = ("#8d99ae", "#e9a03b", "#d1495b", "#2a9d8f", "#1f6feb")


def table(runs: Runs) -> str:
    """A row a network: what it is, and test accuracy over its runs, mean ± standard deviation, in per cent."""
    lines = [f"{'':28}{'parameters':>12}{'MACs':>9}{'runs':>7}{'not augmented':>17}{'augmented':>15}{'seconds':>10}"]
    for network, name in NAMES.items():
        model = archdsl.load(network, input=f"1x3x{SIZE}x{SIZE}", classes=CLASSES)
        plain, augmented = runs[network, "False"], runs[network, "True"]
        seconds = mean(float(row["seconds"]) for row in plain + augmented)
        lines.append(
            f"{name:28}{model.params:12,}{model.macs / 1e6:7,.0f} M{len(plain):4} + {len(augmented)}"
            f"{spread(plain):>16}{spread(augmented):>15}{seconds:10.0f}"
        )
    return "\n".join(lines)


def read(name: str) -> Runs:
    """The rows of a file, by network and ``augmented``."""
    found: Runs = defaultdict(list)
    for row in csv.DictReader((HERE / name).open(encoding="utf-8")):
        found[row["network"], row["augmented"]].append(row)
    return found


def spread(rows: list[dict[str, str]]) -> str:
    found = [100 * float(row["test_accuracy"]) for row in rows]
    return f"{mean(found):.1f} ± {stdev(found):.1f} %"


def plot(epochs: Runs, path: Path) -> None:
    """Accuracy against the epoch, means over the runs: in validation, in a band of one deviation, and in training."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    for axes, augmented in zip(figure.subplots(1, 2, sharey=True), ("False", "True"), strict=True):
        for (network, name), colour in zip(NAMES.items(), COLOURS, strict=True):
            of_epoch: dict[int, list[dict[str, str]]] = defaultdict(list)
            for row in epochs[network, augmented]:
                of_epoch[int(row["epoch"])].append(row)
            validated = [[100 * float(row["val_accuracy"]) for row in rows] for rows in of_epoch.values()]
            trained = [mean(100 * float(row["train_accuracy"]) for row in rows) for rows in of_epoch.values()]
            middle, width = map(mean, validated), map(stdev, validated)
            low, centre, high = zip(*((m - w, m, m + w) for m, w in zip(middle, width, strict=True)), strict=True)
            axes.plot(list(of_epoch), centre, color=colour, label=name)
            axes.plot(list(of_epoch), trained, color=colour, linestyle=":", linewidth=1)
            axes.fill_between(list(of_epoch), low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set(title="augmented" if augmented == "True" else "not augmented", xlabel="epoch", ylim=(0, 100))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("accuracy, %")
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8, frameon=False
    )
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    print(table(read("results.csv")))
    plot(read("curves.csv"), HERE / "lab.png")
