"""Which cells each place of a filter sees, measured on the compiled layers: run it with python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import archdsl

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A layer on a row of cells, with the padding before and after that is drawn."""

    title: str
    layer: str
    cells: int
    pad: int = 0


CASES = (
    Case("valid: no padding", "conv(1, 3)", 7),
    Case("same: padding 1", "conv(1, 3, pad=1)", 7, 1),
    Case("stride 2, and it fits", "conv(1, 3, stride=2)", 7),
    Case("stride 2: a cell is lost", "conv(1, 3, stride=2)", 8),
    Case("stride 2, padding 1", "conv(1, 3, stride=2, pad=1)", 8, 1),
    Case("a pool that rounds up", "avgpool(3, stride=2, ceil=true)", 8),
    Case("dilation 2", "conv(1, 3, dilation=2)", 8),
    Case("transposed, stride 2", "convtranspose(1, 3, stride=2)", 4),
)
SEEN, LOST, PAD = "#9ec5fe", "#d1495b", "#e5e7eb"


def sight(case: Case) -> torch.Tensor:
    """[out, in]: does this place of the output depend on that cell? By its gradient."""
    network = archdsl.load(f"{HERE}/sizes.arch:Row", layer=case.layer, cells=case.cells).module()
    for parameter in network.parameters():
        torch.nn.init.ones_(parameter)
    row = torch.zeros(1, 1, case.cells)
    return torch.autograd.functional.jacobian(network, row).squeeze() != 0


def draw(axes: Axes, case: Case, seen: torch.Tensor) -> None:
    """The row of cells below, and above it what each place sees; transposed, where each cell goes."""
    windows = seen.T if "transpose" in case.layer else seen
    count = windows.shape[1]
    for cell in range(-case.pad, count + case.pad):
        outside = not 0 <= cell < count
        colour = PAD if outside else SEEN if windows[:, cell].any() else LOST
        axes.add_patch(Rectangle((cell, 0), 1, 1, facecolor=colour, edgecolor="white", hatch="//" if outside else ""))
    for i, window in enumerate(windows):
        inside = window.nonzero().flatten()
        height = 1.5 + 0.55 * i
        axes.plot([int(inside[0]) + 0.5, int(inside[-1]) + 0.5], [height] * 2, color="#1f6feb", linewidth=1.2)
        axes.plot(inside + 0.5, [height] * len(inside), "s", color="#1f6feb", markersize=5)
    axes.set(xlim=(-1.2, 10.2), ylim=(-0.2, 5.8), aspect="equal")
    axes.set_title(f"{case.title}: {seen.shape[1]} → {seen.shape[0]}", fontsize=9)
    axes.axis("off")


def main() -> None:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    print(f"{'layer':34}{'cells':>6}{'out':>5}  not seen")
    for axes, case in zip(figure.subplots(2, 4).flat, CASES, strict=True):
        seen = sight(case)
        lost = [cell for cell in range(case.cells) if not seen[:, cell].any()]
        print(f"{case.layer:34}{case.cells:6}{seen.shape[0]:5}  {', '.join(map(str, lost)) or '-'}")
        draw(axes, case, seen)
    figure.savefig(HERE / "windows.png", dpi=110)


if __name__ == "__main__":
    main()
