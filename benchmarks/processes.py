"""Two processes of 16 pictures a step (gloo) beside one process of 32: do they compute the same?

    python benchmarks/processes.py

LeNet-5 with ReLUs on the digits. One step from the same weights gives the gradients (they are SGD's momentum then), an
epoch of 33 steps the weights. A difference is the largest of a tensor over the largest number in it. In 64 bits the
differences have to shrink as rounding does, or they are none of rounding; sharded, Lightning trains in 32 only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms.v2.functional import to_pil_image

from archdsl.training.sources import load

STEP = 32


def main() -> None:
    print(f"{'largest relative difference':34}{'32 bits':>12}{'64 bits':>12}")
    with tempfile.TemporaryDirectory() as folder:
        few = one_step(Path(folder) / "few")
        for strategy, precisions in (("ddp", ("32-true", "64-true")), ("fsdp", ("32-true",))):
            for what, data, pick in (
                ("gradients, 1 step", few, gradients),
                ("weights, 33 steps", "digits", weights),
            ):
                row = []
                for precision in precisions:
                    place = Path(folder) / f"{strategy}-{precision}-{Path(data).name}"
                    two = train(data, place / "two", precision, 16, "--devices", 2, "--strategy", strategy)
                    one = train(data, place / "one", precision, 32)
                    row.append(max(difference(a, b) for a, b in zip(pick(two), pick(one), strict=True)))
                print(f"{f'{strategy}: {what}':34}" + "".join(f"{value:12.1e}" for value in row))


def one_step(folder: Path) -> str:
    """The first pictures of each kind of the digits, as files: as many as a step takes."""
    data = load("digits", 1)
    assert isinstance(data.pictures, Tensor)
    for part, indices in (("train", data.split.train[:STEP]), ("val", data.split.val[:STEP])):
        for label in range(10):
            (folder / part / str(label)).mkdir(parents=True)
        for index in indices:
            picture = to_pil_image(data.pictures[index])
            picture.save(folder / part / str(data.labels[index]) / f"{index}.png")
    return str(folder)


def train(data: str, out: Path, precision: str, batch: int, *more: object) -> dict[str, Any]:
    """Its last checkpoint."""
    argv = [
        sys.executable, "-m", "archdsl", "train", "lenet5", "--set", "act=relu", "--input", "Nx3x32x32", "--data", data,
        "--epochs", 1, "--optimizer", "sgd", "--warmup", 0, "--weight-decay", 0, "--batch-size", batch,
        "--precision", precision, "--accelerator", "cpu", "--workers", 0, "--output", out, *more,
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(list(map(str, argv)), env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return torch.load(out / "last.ckpt", weights_only=True)


def gradients(checkpoint: dict[str, Any]) -> Iterator[Tensor]:
    return (state["momentum_buffer"] for state in checkpoint["optimizer_states"][0]["state"].values())


def weights(checkpoint: dict[str, Any]) -> Iterator[Tensor]:
    return iter(checkpoint["state_dict"].values())


def difference(one: Tensor, other: Tensor) -> float:
    return ((one - other).abs().max() / other.abs().max()).item()


if __name__ == "__main__":
    main()
