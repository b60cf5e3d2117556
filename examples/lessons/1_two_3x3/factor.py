"""Which 5x5 filters are two linear 3x3 ones? python examples/lessons/1_two_3x3/factor.py"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import least_squares

import archdsl

HERE = Path(__file__).parent
STARTS = 20
Filters = NDArray[np.float64]

# What two 3x3 filters make: 5x5 weights from the products of a weight of the first and a weight of the second.
PRODUCTS = np.zeros((5, 5, 3, 3, 3, 3))
for y, x, v, u in np.ndindex(3, 3, 3, 3):
    PRODUCTS[y + v, x + u, y, x, v, u] = 1
PRODUCTS = PRODUCTS.reshape(25, 9, 9)


def filters(chance: np.random.Generator) -> dict[str, list[Filters]]:
    """5x5 filters by name: a blur (a row of Pascal's triangle, down and across), a Laplacian of Gaussian that finds
    edges, two points that no polynomials of degree 2 have for a product, and five of chance."""
    row = np.array([1.0, 4, 6, 4, 1])
    edges = np.array([[0, 0, 1, 0, 0], [0, 1, 2, 1, 0], [1, 2, -16, 2, 1], [0, 1, 2, 1, 0], [0, 0, 1, 0, 0]], float)
    points = np.zeros((5, 5))
    points[0, 4] = points[1, 0] = 1
    return {
        "blur": [np.outer(row, row)],
        "edges": [edges],
        "two points": [points],
        "chance (mean of five)": list(chance.standard_normal((5, 5, 5))),
    }


def composed(first: Filters, second: Filters) -> Filters:
    """[between, 3, 3] twice -> the 5x5 filter that they make: each of the second sees one channel of the first."""
    return np.einsum("kij,mi,mj->k", PRODUCTS, first.reshape(-1, 9), second.reshape(-1, 9)).reshape(5, 5)


def nearest(kernel: Filters, between: int, chance: np.random.Generator) -> Filters:
    """The best that least squares find from twenty random beginnings, or the first that is exact."""

    def residual(weights: Filters) -> Filters:
        return (composed(*weights.reshape(2, -1)) - kernel).ravel()

    def slope(weights: Filters) -> Filters:
        first, second = weights.reshape(2, between, 9)
        by_first = np.einsum("kij,mj->kmi", PRODUCTS, second).reshape(25, -1)
        by_second = np.einsum("kij,mi->kmj", PRODUCTS, first).reshape(25, -1)
        return np.hstack([by_first, by_second])

    best = None
    for start in chance.standard_normal((STARTS, 18 * between)):
        fit = least_squares(residual, start, slope, max_nfev=300)
        best = fit if best is None or fit.cost < best.cost else best
        if best.cost < 1e-12:
            break
    return composed(*best.x.reshape(2, -1))


def by_hand(kernel: Filters) -> tuple[Filters, Filters]:
    """Any 5x5 filter by four channels: the first filters shift the image towards the corners, the second hold the
    weights of that corner. What two corners have in common, the first of them takes."""
    first, second, left = np.zeros((4, 3, 3)), np.zeros((4, 3, 3)), kernel.copy()
    for i, (y, x) in enumerate(np.ndindex(2, 2)):
        corner = np.s_[2 * y : 2 * y + 3, 2 * x : 2 * x + 3]
        first[i, 2 * y, 2 * x] = 1
        second[i], left[corner] = left[corner], 0
    return first, second


def missed(kernel: Filters, found: Filters) -> float:
    """How far off, as a share of the filter."""
    return float(np.linalg.norm(found - kernel) / np.linalg.norm(kernel))


def in_torch(kernel: Filters) -> tuple[float, float]:
    """The largest difference between the compiled networks: away from the border of a random image, and at it."""
    two, one = archdsl.load(HERE / "linear.arch:Two", between=4), archdsl.load(HERE / "linear.arch:One")
    networks = [two.module().double(), one.module().double()]
    first, second = map(torch.from_numpy, by_hand(kernel))
    weights = [
        {"conv1.weight": first[:, None], "conv2.weight": second[None]},
        {"conv.weight": torch.from_numpy(kernel)[None, None]},
    ]
    image = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    with torch.no_grad():
        outputs = []
        for network, state in zip(networks, weights, strict=True):
            network.load_state_dict(state)
            outputs.append(network(image))
    apart = (outputs[0] - outputs[1]).abs()
    within = apart[..., 1:-1, 1:-1].max().item()
    return within, apart.max().item()


def draw(rows: Sequence[tuple[str, Filters, Filters]], path: Path) -> None:
    figure = Figure(figsize=(7.2, 4.1), layout="constrained")
    grid = figure.subplots(2, len(rows))
    for (name, kernel, found), (above, below) in zip(rows, grid.T, strict=True):
        _show(above, kernel, np.abs(kernel).max())
        _show(below, found, np.abs(kernel).max())
        above.set_title(name)
        below.set_xlabel(_share(missed(kernel, found)))
    grid[0, 0].set_ylabel("5×5 filter")
    grid[1, 0].set_ylabel("the nearest two 3×3")
    figure.savefig(path, dpi=110)


def _show(axes: Axes, kernel: Filters, top: float) -> None:
    axes.imshow(kernel, cmap="RdBu_r", vmin=-top, vmax=top)
    axes.set(xticks=[], yticks=[])


def _share(part: float) -> str:
    return "exact" if part < 1e-6 else f"{part:.1%} off"


def main() -> None:
    chance = np.random.default_rng(0)
    rows = []
    print("What two linear 3×3 miss of a 5×5 filter, by the channels between them:")
    print(f"{'':22}{'1':>12}{'2':>12}{'4, by hand':>14}")
    for name, kernels in filters(chance).items():
        one, two = ([nearest(kernel, between, chance) for kernel in kernels] for between in (1, 2))
        hand = [composed(*by_hand(kernel)) for kernel in kernels]
        cells = [_share(float(np.mean([*map(missed, kernels, found)]))) for found in (one, two, hand)]
        print(f"{name:22}{cells[0]:>12}{cells[1]:>12}{cells[2]:>14}")
        rows.append((name.partition(" (")[0], kernels[0], one[0]))
    within, border = in_torch(filters(chance)["chance (mean of five)"][0])
    print(f"In torch, by hand: equal within the image: {within < 1e-12}; at its border up to {border:.1f} apart.")
    draw(rows, HERE / "nearest.png")


if __name__ == "__main__":
    main()
