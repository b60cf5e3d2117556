"""A whole process: `archdsl check` and `archdsl summary` beside a script of torchvision and torchinfo.

    python benchmarks/start.py

The peer is what a user would write to see the same of ResNet-50: import torchvision, build the network, print
torchinfo's summary. The commands run in turn; ratios are of the medians.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

SPEC = Path(__file__).parents[1] / "specs" / "resnet50.arch"
PEER = "import torchvision, torchinfo; print(torchinfo.summary(torchvision.models.resnet50(), (1, 3, 224, 224)))"
COMMANDS = {
    "torchvision + torchinfo": [sys.executable, "-c", PEER],
    "archdsl check": [sys.executable, "-m", "archdsl", "check", str(SPEC)],
    "archdsl summary": [sys.executable, "-m", "archdsl", "summary", str(SPEC)],
}
WANTED = {"archdsl check": 1 / 15, "archdsl summary": 1 / 12}
ROUNDS = 7
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Both sides run from bytecode, as installed packages do."""


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS + 1):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    medians = {name: median(taken[1:]) for name, taken in times.items()}
    peer = medians["torchvision + torchinfo"]
    print(f"{'whole process, median of ' + str(ROUNDS):32}{'s':>8}{'ratio':>10}{'wanted':>10}")
    for name, taken in medians.items():
        wanted = f"1/{1 / WANTED[name]:.0f}" if name in WANTED else ""
        print(f"{name:32}{taken:8.3f}{'1/' + format(peer / taken, '.1f') if wanted else '1':>10}{wanted:>10}")


def seconds(command: list[str]) -> float:
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return perf_counter() - start


if __name__ == "__main__":
    main()
