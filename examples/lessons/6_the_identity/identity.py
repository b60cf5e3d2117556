"""How far from the identity plain and residual units are, as their branch fades: run it with python."""

from __future__ import annotations

from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

import archdsl

HERE = Path(__file__).parent
SCALES = (1.0, 0.5, 0.2, 0.1, 0.01, 0.0)
COLOURS = {"plain": "#d1495b", "residual": "#1f6feb", "residual, scale 0": "#2a9d8f"}
STEPS = 100


def tower(name: str, deep: int, scale: str = "ones") -> nn.Module:
    torch.manual_seed(0)
    return archdsl.load(f"{HERE}/units.arch:{name}", deep=deep, scale=scale).module()


def pictures(seed: int) -> Tensor:
    """[16, 16, 8, 8], as they come from a ReLU."""
    return torch.randn(16, 16, 8, 8, generator=torch.Generator().manual_seed(seed)).relu()


def distance(network: nn.Module, x: Tensor) -> Tensor:
    """From the identity: 0 is the identity, 1 is as far as to answer nothing."""
    return (network(x) - x).norm() / x.norm()


@torch.no_grad()
def faded(name: str, deep: int, what: str) -> list[float]:
    """The distance as the weights of one kind, `bn2` or `conv`, are multiplied by smaller and smaller numbers."""
    network = tower(name, deep)
    fading = {path: parameter.clone() for path, parameter in network.named_parameters() if what in path}
    found = []
    for scale in SCALES:
        network.load_state_dict({path: scale * weight for path, weight in fading.items()}, strict=False)
        found.append(distance(network, pictures(1)).item())
    return found


def learnt(network: nn.Module) -> list[float]:
    """The distance in each step, while the network is trained to give what it gets."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    found = []
    for step in range(STEPS):
        loss = distance(network, pictures(step))
        found.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return found


def main() -> None:
    torch.set_default_dtype(torch.float64)  # so that the figures do not depend on how a processor rounds float32
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    print("Distance from the identity, as weights are multiplied by")
    print(f"{'':36}" + "".join(f"{scale:>7}" for scale in SCALES))
    for what, told in (("bn2", "last norm"), ("conv", "convolutions")):
        for name in ("plain", "residual"):
            for deep in (1, 8):
                row = faded(f"{name.title()}Tower", deep, what)
                print(f"{f'{told}, {name}, {deep} deep':36}" + "".join(f"{found:7.3f}" for found in row))
                if what == "bn2":
                    left.plot(SCALES, row, "o-" if deep == 1 else "o--", color=COLOURS[name], markersize=3)
    print(f"Trained for {STEPS} steps to give what it gets, 8 deep:")
    for name, network in {
        "plain": tower("PlainTower", 8),
        "residual": tower("ResidualTower", 8),
        "residual, scale 0": tower("ResidualTower", 8, "zeros"),
    }.items():
        curve = learnt(network)
        print(f"  {name:18} {curve[0]:.3f} -> {curve[-1]:.3f}")
        right.plot(curve, color=COLOURS[name], label=name)
    _label(left, "as the last norm's scale fades", "scale")
    _label(right, "as 8 units learn to do nothing", "step")
    left.set(ylabel="distance from the identity")
    left.plot([], [], "o-", color="#616e7c", markersize=3, label="1 unit")
    left.plot([], [], "o--", color="#616e7c", markersize=3, label="8 units")
    left.legend(frameon=False)
    right.legend(frameon=False)
    figure.savefig(HERE / "identity.png", dpi=110)


def _label(axes: Axes, title: str, below: str) -> None:
    axes.set(title=title, xlabel=below)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
