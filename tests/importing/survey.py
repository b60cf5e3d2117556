"""Imports networks of other packages and prints a table: ``python -m tests.importing.survey [SOURCE …]``.

Without sources, one member of each family of torchvision's classifiers, at a small input.
"""

from __future__ import annotations

import sys
import time
import warnings

import torch

from archdsl.errors import SpecError
from archdsl.importing.api import imported

SMALL = (1, 3, 96, 96)
MEMBERS = {
    "alexnet": (1, 3, 224, 224), "vgg11": (1, 3, 64, 64), "resnet18": SMALL, "resnet50": SMALL,
    "resnext50_32x4d": SMALL,
    "wide_resnet50_2": SMALL, "densenet121": SMALL, "squeezenet1_1": SMALL, "mobilenet_v2": SMALL,
    "mobilenet_v3_small": SMALL, "mnasnet1_0": SMALL, "shufflenet_v2_x1_0": SMALL, "efficientnet_b0": SMALL,
    "efficientnet_v2_s": SMALL, "regnet_y_400mf": SMALL, "regnet_x_400mf": SMALL, "convnext_tiny": SMALL,
    "vit_b_16": (1, 3, 224, 224), "googlenet": SMALL, "inception_v3": (1, 3, 299, 299), "swin_t": (1, 3, 224, 224),
    "swin_v2_t": (1, 3, 256, 256), "maxvit_t": (1, 3, 224, 224),
}  # fmt: skip
"""A member of each family, and its input."""


def row(source: str, shapes: list[tuple[int, ...]]) -> str:
    """A line of the table."""
    torch.manual_seed(0)
    start = time.process_time()
    try:
        found = imported(source, shapes)
    except SpecError as error:
        first = error.diagnostics[0]
        return f"| {source} | refused | | | | {first.code}: {first.message} |"
    seconds = round(time.process_time() - start)
    lines = sum(1 for line in found.text.splitlines() if line.strip())
    open_sizes = "H and W" if ", H, W]" in found.text else "batch"
    proof = f"{found.proof.inference} | {found.proof.training or 'no'}"
    return f"| {source} | {lines} | {proof} | {open_sizes} | {seconds} s |"


def main(sources: list[str]) -> None:
    """Prints the table."""
    warnings.filterwarnings("ignore")
    print("| network | lines | inference | training | open sizes | processor time |")
    print("| --- | --: | --- | --- | --- | --- |")
    wanted = {source: [] for source in sources} or {f"torchvision:{m}": [shape] for m, shape in MEMBERS.items()}
    for source, shapes in wanted.items():
        print(row(source, shapes), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
