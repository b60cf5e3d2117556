"""The compiled ResNet-50 beside torchvision's: a forward pass and a training step, eager.

    python benchmarks/module.py

Same weights, same input, in turn; the ratio is the median of the ratios of the rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import nn
from torchvision.models import resnet50

import archdsl

BATCH, SIZE, ROUNDS = 4, 128, 15
WANTED = 1.03


def main() -> None:
    theirs = resnet50(weights=None)
    ours = archdsl.load("resnet50").module()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    image = torch.randn(BATCH, 3, SIZE, SIZE, device=device)
    labels = torch.arange(BATCH, device=device)
    setting = f"batch {BATCH}, {SIZE} px, {device}"
    print(f"{setting:28}{'archdsl':>10}{'torchvision':>14}{'ratio':>8}")
    for what, task in (("forward, ms", forward), ("training step, ms", step)):
        rounds = in_turn([task(m.to(device), image, labels) for m in (ours, theirs)], ROUNDS)
        a, b = (1e3 * median(times) for times in zip(*rounds, strict=True))
        ratio = median(x / y for x, y in rounds)
        print(f"{what:28}{a:10.1f}{b:14.1f}{ratio:8.3f}   (at most {WANTED} wanted)")


def forward(module: nn.Module, image: torch.Tensor, labels: torch.Tensor) -> Callable[[], object]:
    def run() -> None:
        module.eval()
        with torch.inference_mode():
            module(image)
        _wait()

    return run


def step(module: nn.Module, image: torch.Tensor, labels: torch.Tensor) -> Callable[[], object]:
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-4)

    def run() -> None:
        module.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(image), labels).backward()
        optimizer.step()
        _wait()

    return run


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def in_turn(tasks: list[Callable[[], object]], count: int) -> list[tuple[float, ...]]:
    """Seconds of each task in each of ``count`` rounds, after two to warm up; every other round backwards."""
    rounds = []
    for number in range(count + 2):
        order = range(len(tasks)) if number % 2 else range(len(tasks) - 1, -1, -1)
        taken = dict.fromkeys(range(len(tasks)), 0.0)
        for i in order:
            start = perf_counter()
            tasks[i]()
            taken[i] = perf_counter() - start
        rounds.append(tuple(taken[i] for i in range(len(tasks))))
    return rounds[2:]


if __name__ == "__main__":
    main()
