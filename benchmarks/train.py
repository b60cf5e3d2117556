"""Throughput of `archdsl train` beside torchvision's reference loop: same network, pictures, transforms and machine.

    python benchmarks/train.py --data DIR       (OxFlower17's pictures; without --data, the digits as PNG files)

The reference is what torchvision's `references/classification/train.py` does with its defaults (SGD with momentum, a
step schedule, the transforms of `presets.py` on Pillow's images, the figures of `utils.MetricLogger`, two checkpoints
an epoch), said again in `reference` below. `archdsl train` is called as its user calls it, and does what it does in
every run: validation, log, curves, TensorBoard, checkpoints to resume from. Both train on the same files, in turn, in
one process; every other round backwards, after a round to warm up. A ratio is the median of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler
from torchvision.datasets import ImageFolder
from torchvision.models import resnet18
from torchvision.transforms import v2

from archdsl.cli import main as archdsl
from archdsl.training.data import IMAGENET_MEAN, IMAGENET_STD, load

LR, MOMENTUM, DECAY, CROP = 0.1, 0.9, 1e-4, 0.08
PRINT_EVERY = 10
WANTED = 1.0


@dataclass(frozen=True)
class Speed:
    """Training pictures a second: ``training`` alone, and in the ``whole`` run with validation and checkpoints."""

    training: float
    whole: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Throughput of training, beside torchvision's reference.")
    parser.add_argument("--data", type=Path, metavar="DIR", help="OxFlower17 (default: digits, as PNG files)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--size", type=int, default=96, help="height and width (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="pictures in a step (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=2, help="in each round (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that read pictures (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of both, to measure (default: %(default)s)")
    parser.add_argument(
        "--copies", type=int, default=1, help="times an epoch takes each picture (default: %(default)s)"
    )
    given = parser.parse_args()
    if given.device == "auto":
        given.device = "cuda" if torch.cuda.is_available() else "cpu"
    if given.data is not None and not given.data.is_dir():
        raise SystemExit(f"skipped: there is no folder {given.data}")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        pictures = lay_out(given.data, data, given.copies)
        rounds = []
        for number in range(given.rounds + 1):
            sides = [ours, reference] if number % 2 else [reference, ours]
            found = {side: side(data, Path(folder) / f"{side.__name__}-{number}", given) for side in sides}
            rounds.append((found[ours], found[reference]))
    print(f"ResNet-18, {data_name(given)}: {pictures} pictures an epoch; {given.size} px, batch {given.batch},")
    print(f"{given.epochs} epochs, {given.workers} workers, {device_name(given.device)}, torch {torch.__version__}\n")
    print(f"{'images/s':44}{'archdsl':>10}{'reference':>12}{'ratio':>8}")
    for part, what in (("training", "training"), ("whole", "whole run, with validation and checkpoints")):
        pairs = [(getattr(a, part), getattr(b, part)) for a, b in rounds[1:]]
        a, b = (median(side) for side in zip(*pairs, strict=True))
        ratio = median(x / y for x, y in pairs)
        print(f"{what:44}{a:10.1f}{b:12.1f}{ratio:8.3f}   (at least {WANTED} wanted)")


def data_name(given: argparse.Namespace) -> str:
    return "digits" if given.data is None else "OxFlower17"


def device_name(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU with {torch.get_num_threads()} threads"


def lay_out(source: Path | None, folder: Path, copies: int) -> int:
    """Class folders in ``train`` and ``val``, as the reference wants them. Returns how many pictures train."""
    data = load("digits" if source is None else f"oxflower17:{source.resolve()}", 1)
    for part, indices, times in (("train", data.split.train, copies), ("val", data.split.val, 1)):
        for index in indices:
            place = folder / part / data.classes[data.labels[index]]
            place.mkdir(parents=True, exist_ok=True)
            picture = data.pictures[index]  # pyright: ignore[reportIndexIssue]  # files or tensors
            for copy in range(times):
                if isinstance(picture, Tensor):
                    v2.functional.to_pil_image(picture).convert("RGB").save(place / f"{index}-{copy}.png")
                else:
                    (place / f"{index}-{copy}.jpg").symlink_to(picture)
    return len(data.split.train) * copies


# ---- archdsl ----


def ours(data: Path, out: Path, given: argparse.Namespace) -> Speed:
    argv = [
        "train", "torchvision/resnet18", "--data", data, "--output", out, "--format", "json", "--epochs", given.epochs,
        "--size", given.size, "--batch-size", given.batch, "--workers", given.workers, "--augment", "crop",
        "--crop", CROP, "--optimizer", "sgd", "--lr", LR, "--momentum", MOMENTUM, "--weight-decay", DECAY,
        "--schedule", "step", "--warmup", 0, "--accelerator", {"cpu": "cpu", "cuda": "gpu"}[given.device],
    ]  # fmt: skip
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()):
        code = archdsl([str(word) for word in argv])
    result = json.loads(told.getvalue())
    if code:
        raise SystemExit(f"archdsl train failed: {result}")
    with (out / "log.csv").open(newline="") as file:
        rates = [float(row["images_per_second"]) for row in csv.DictReader(file)]
    trained = result["pictures"]["train"] // given.batch * given.batch * given.epochs
    return Speed(given.epochs / sum(1 / rate for rate in rates), trained / result["seconds"])


# ---- the reference ----


def reference(data: Path, out: Path, given: argparse.Namespace) -> Speed:
    """What `train.py --model resnet18` does; its printed lines are made, but not shown."""
    out.mkdir()
    torch.backends.cudnn.benchmark = True
    device = torch.device(given.device)
    train, val = loaders(data, given)
    classes = train.dataset.classes  # pyright: ignore[reportAttributeAccessIssue]  # ImageFolder's
    model = resnet18(weights=None, num_classes=len(classes)).to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)
    training, began = 0.0, time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        for epoch in range(given.epochs):
            start = time.perf_counter()
            train_one_epoch(model, criterion, optimizer, train, device, epoch)
            training += time.perf_counter() - start
            schedule.step()
            evaluate(model, criterion, val, device)
            kept = {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "lr_scheduler": schedule.state_dict(),
                "epoch": epoch,
                "args": given,
            }
            torch.save(kept, out / f"model_{epoch}.pth")
            torch.save(kept, out / "checkpoint.pth")
    trained = len(train.dataset) * given.epochs  # pyright: ignore[reportArgumentType]
    return Speed(trained / training, trained / (time.perf_counter() - began))


def loaders(data: Path, given: argparse.Namespace) -> tuple[DataLoader[tuple[Tensor, int]], ...]:
    """`presets.py` with the backend PIL, which is the default."""
    scaled = [v2.PILToTensor(), v2.ToDtype(torch.float, scale=True), v2.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
    varied = v2.Compose([v2.RandomResizedCrop(given.size, antialias=True), v2.RandomHorizontalFlip(), *scaled])
    plain = v2.Compose([v2.Resize(given.size * 8 // 7, antialias=True), v2.CenterCrop(given.size), *scaled])
    train, val = ImageFolder(data / "train", varied), ImageFolder(data / "val", plain)
    usual = {"batch_size": given.batch, "num_workers": given.workers, "pin_memory": True}
    return (
        DataLoader(train, sampler=RandomSampler(train), **usual),
        DataLoader(val, sampler=SequentialSampler(val), **usual),
    )


def train_one_epoch(
    model: nn.Module,
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    pictures: DataLoader[tuple[Tensor, int]],
    device: torch.device,
    epoch: int,
) -> None:
    model.train()
    meters = Meters()
    for image, target in meters.watch(pictures, f"Epoch: [{epoch}]"):
        start = time.time()
        image, target = image.to(device), target.to(device)
        output = model(image)
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        top1, top5 = accuracy(output, target, (1, 5))
        meters.update(loss=loss.item(), lr=optimizer.param_groups[0]["lr"])
        meters.update(len(image), acc1=top1.item(), acc5=top5.item())
        meters.of["img/s"].update(len(image) / (time.time() - start))


def evaluate(
    model: nn.Module, criterion: nn.Module, pictures: DataLoader[tuple[Tensor, int]], device: torch.device
) -> None:
    model.eval()
    meters = Meters()
    with torch.inference_mode():
        for image, target in meters.watch(pictures, "Test: "):
            image, target = image.to(device, non_blocking=True), target.to(device, non_blocking=True)
            output = model(image)
            loss = criterion(output, target)
            top1, top5 = accuracy(output, target, (1, 5))
            meters.update(loss=loss.item())
            meters.update(len(image), acc1=top1.item(), acc5=top5.item())


def accuracy(output: Tensor, target: Tensor, tops: tuple[int, ...]) -> list[Tensor]:
    """Percentage of pictures whose class is among the first of those that score highest, for each of ``tops``."""
    with torch.inference_mode():
        found = output.topk(min(max(tops), output.shape[1]), 1).indices.t() == target[None]
        return [found[:top].flatten().sum(dtype=torch.float32) * (100 / len(target)) for top in tops]


@dataclass
class Meter:
    """A mean over all, and the last twenty."""

    last: deque[float] = field(default_factory=lambda: deque(maxlen=20))
    total: float = 0.0
    count: int = 0

    def update(self, value: float, weight: int = 1) -> None:
        self.last.append(value)
        self.count += weight
        self.total += value * weight

    def __str__(self) -> str:
        return f"{torch.tensor(list(self.last)).median().item():.4f} ({self.total / self.count:.4f})"


class Meters:
    """As the reference's `MetricLogger`: keeps figures by name, and prints them every few batches."""

    def __init__(self) -> None:
        self.of: defaultdict[str, Meter] = defaultdict(Meter)

    def update(self, weight: int = 1, **values: float) -> None:
        for name, value in values.items():
            self.of[name].update(value, weight)

    def watch(self, pictures: DataLoader[tuple[Tensor, int]], title: str) -> Iterator[tuple[Tensor, Tensor]]:
        step, wait, end = Meter(), Meter(), time.time()
        for number, batch in enumerate(pictures):
            wait.update(time.time() - end)
            yield batch  # pyright: ignore[reportReturnType]
            step.update(time.time() - end)
            if number % PRINT_EVERY == 0:
                memory = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0
                figures = "  ".join(f"{name}: {meter}" for name, meter in self.of.items())
                print(f"{title} [{number}/{len(pictures)}] {figures} time: {step} data: {wait} max mem: {memory:.0f}")
            end = time.time()


if __name__ == "__main__":
    main()
