"""torchvision's classification data sets by name, as ``cifar10:DIR``: read by torchvision, never downloaded here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from torchvision import datasets

from archdsl.diagnostics.training import NoSuchDataset, NoSuchSplit
from archdsl.errors import SpecError
from archdsl.training.data import IMAGENET_MEAN, IMAGENET_STD, Data
from archdsl.training.splits import Split, stratified

HELD_OUT = 0.1
"""Of a training part that comes without a validation part."""


@dataclass(frozen=True)
class Parts:
    """The keyword that chooses a part of a torchvision data set, and its values. ``val``: None where there is none."""

    keyword: str
    train: Any
    test: Any
    val: Any = None


_FLAG = Parts("train", True, False)
_TWO = Parts("split", "train", "test")
_THREE = Parts("split", "train", "test", "val")

NAMES: dict[str, tuple[str, Parts]] = {
    name.lower(): (name, parts)
    for parts, names in {
        _FLAG: ("CIFAR10", "CIFAR100", "MNIST", "FashionMNIST", "KMNIST", "QMNIST", "USPS"),
        _TWO: ("SVHN", "STL10", "GTSRB", "Food101", "StanfordCars"),
        _THREE: ("Flowers102", "DTD", "FGVCAircraft", "PCAM"),
        Parts("split", "train", "test", "valid"): ("Country211",),
        Parts("split", "trainval", "test"): ("OxfordIIITPet",),
        Parts("split", "train", "val"): ("Imagenette",),
    }.items()
    for name in names
}
"""By what the user writes: torchvision's class, and how it is divided."""

NORMAL: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    "mnist": ((0.1307,), (0.3081,)),
    "fashionmnist": ((0.2860,), (0.3530,)),
}
"""Mean and deviation of the training pictures, as usual. Others: ImageNet's."""


def known(name: str) -> bool:
    return name.lower() in NAMES


def load(name: str, root: Path, split: int) -> Data:
    """A data set in the folder where torchvision keeps it. Only one picture is opened, to see its size and channels.

    Raises: SpecError, where it is not there; or for a ``split`` other than 1, if it comes divided in one way only.
    """
    title, parts = NAMES[name.lower()]
    if split != 1 and parts.val is not None:
        raise SpecError([NoSuchSplit(path=f"{name}:{root}", split=split, splits="1")])
    values = [parts.train, *([parts.val] if parts.val is not None else []), parts.test]
    sets = [_open(title, root, parts.keyword, value) for value in values]
    labels = [label for part in sets for label in _labels(part)]
    first = sets[0][0][0]
    mean, std = NORMAL.get(name.lower(), _usual(first))
    return Data(
        name=name.lower(),
        classes=_classes(sets[0], labels),
        pictures=Joined(sets),
        labels=labels,
        split=_split(sets, labels, split),
        photographs=len(mean) == 3 and title != "SVHN",
        size=(first.height, first.width),
        mean=mean,
        std=std,
    )


class Joined:
    """The pictures of several parts, one after the other."""

    def __init__(self, sets: Sequence[Any]) -> None:
        self.sets = sets

    def __call__(self, index: int) -> Image.Image:
        for part in self.sets:
            if index < len(part):
                return part[index][0]
            index -= len(part)
        raise IndexError(index)


def _open(title: str, root: Path, keyword: str, value: Any) -> Any:
    try:
        return getattr(datasets, title)(str(root), **{keyword: value})
    except Exception as error:  # torchvision raises RuntimeError, FileNotFoundError and others where files are missing
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        call = f"torchvision.datasets.{title}({str(root)!r}, {keyword}={value!r}, download=True)"
        raise SpecError([NoSuchDataset(name=title, path=str(root), reason=reason, call=call)]) from None


def _labels(part: Any) -> list[int]:
    """Without opening the pictures, by the attribute that the data set keeps them in."""
    for name in ("targets", "labels", "_labels", "y"):
        if (found := getattr(part, name, None)) is not None:
            return [int(label) for label in found]
    samples = getattr(part, "_samples", None) or getattr(part, "samples", None)
    if samples:
        return [int(label) for _, label in samples]
    return [int(part[i][1]) for i in range(len(part))]


def _classes(part: Any, labels: Sequence[int]) -> tuple[str, ...]:
    found = getattr(part, "classes", None)
    if found is None:
        return tuple(str(label) for label in range(max(labels) + 1))
    return tuple(", ".join(c) if isinstance(c, tuple) else str(c) for c in found)


def _usual(picture: Image.Image) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return (IMAGENET_MEAN, IMAGENET_STD) if picture.mode == "RGB" else ((0.5,), (0.5,))


def _split(sets: Sequence[Any], labels: Sequence[int], number: int) -> Split:
    """Its own parts; where it has none to validate, a tenth of each class of the training part."""
    ends = [sum(len(part) for part in sets[: n + 1]) for n in range(len(sets))]
    test = list(range(ends[-2], ends[-1]))
    train = list(range(ends[0]))
    if len(sets) == 3:
        return Split(train, list(range(ends[0], ends[1])), test)
    parts = stratified([f"{i:07d}" for i in train], labels[: ends[0]], number, HELD_OUT)
    return Split(sorted([*parts.train, *parts.test]), parts.val, test)
