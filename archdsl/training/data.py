"""Where pictures come from: scikit-learn's digits, OxFlower17, or a folder with a folder for each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

from archdsl.diagnostics.training import DividedFolder, IncompleteFlowers, NoSuchFolder, TooFewClasses, TooFewPictures
from archdsl.errors import SpecError
from archdsl.training.splits import Split, official, stratified

FLOWERS = (
    "daffodil", "snowdrop", "lily of the valley", "bluebell", "crocus", "iris", "tigerlily", "tulip", "fritillary",
    "sunflower", "daisy", "coltsfoot", "dandelion", "cowslip", "buttercup", "windflower", "pansy",
)  # fmt: skip
PER_FLOWER = 80


@dataclass(frozen=True, kw_only=True)
class Data:
    """Labelled pictures, divided. A picture is a file, or a uint8 tensor [channels, H, W].

    ``mean`` and ``std``, one number a channel on the scale 0 to 1, are what the network's input is normalised by.
    """

    name: str
    classes: tuple[str, ...]
    pictures: Sequence[Path] | Tensor
    labels: Sequence[int]
    split: Split
    photographs: bool
    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def channels(self) -> int:
        return len(self.mean)


def load(what: str, split: int) -> Data:
    """The data that ``--data`` names. Reads no photograph yet.

    Raises: SpecError, where they are missing or cannot be divided.
    """
    if what == "digits":
        return digits(split)
    kind, colon, place = what.partition(":")
    if colon and kind == "oxflower17":
        return flowers(Path(place), split)
    return folder(Path(what), split)


def digits(split: int) -> Data:
    """The 1,797 handwritten digits of 8×8 that come with scikit-learn (UCI, Alpaydin and Kaynak 1998)."""
    from sklearn.datasets import load_digits

    raw, labels = load_digits(return_X_y=True)
    ink = torch.from_numpy(raw).reshape(-1, 1, 8, 8)
    return Data(
        name="digits",
        classes=tuple("0123456789"),
        pictures=(ink * (255 / 16)).round().to(torch.uint8),  # the data hold 0 to 16
        labels=labels.tolist(),
        split=stratified([f"{i:04d}" for i in range(len(labels))], labels.tolist(), split),
        photographs=False,
        size=(32, 32),
        mean=(0.305,),  # of all the digits, as are the 0.376
        std=(0.376,),
    )


def flowers(path: Path, split: int) -> Data:
    """OxFlower17 (Nilsback and Zisserman 2006): 17 classes, their pictures in order, 80 of each.

    ``path`` is the folder ``jpg`` or the one around it. Where ``datasplits.mat`` lies in either, its splits are taken;
    else they are computed in the same proportions, 40, 20 and 20 of each class.
    """
    jpg = next(p for p in (_existing(path) / "jpg", path) if p.is_dir())
    count = PER_FLOWER * len(FLOWERS)
    files = [jpg / f"image_{n:04d}.jpg" for n in range(1, count + 1)]
    if missing := [file.name for file in files if not file.is_file()]:
        raise SpecError([IncompleteFlowers(path=str(jpg), missing=len(missing), first=missing[0])])
    labels = [n // PER_FLOWER for n in range(count)]
    table = next((p / "datasplits.mat" for p in (path, jpg.parent) if (p / "datasplits.mat").is_file()), None)
    parts = official(table, split, count) if table else stratified([f.name for f in files], labels, split, 0.25)
    return _photographs("oxflower17", FLOWERS, files, labels, parts)


def folder(path: Path, split: int) -> Data:
    """``path/CLASS/…/picture``: a class is a folder that holds pictures at any depth."""
    names = sorted(p.name for p in _existing(path).iterdir() if p.is_dir() and not p.name.startswith("."))
    if divided := {"train", "val", "valid", "validation", "test"} & set(names):
        raise SpecError([DividedFolder(path=str(path), found=", ".join(sorted(divided)))])
    if len(names) < 2:
        raise SpecError([TooFewClasses(path=str(path), classes=tuple(names))])
    index = {name: label for label, name in enumerate(names)}
    samples = make_dataset(str(path), index, extensions=IMG_EXTENSIONS, allow_empty=True)
    counts = Counter(label for _, label in samples)
    for name, label in index.items():
        if counts[label] < 3:
            endings = " ".join(IMG_EXTENSIONS)
            fault = TooFewPictures(name=name, count=counts[label], path=str(path / name), endings=endings)
            raise SpecError([fault])
    files, labels = [Path(file) for file, _ in samples], [label for _, label in samples]
    parts = stratified([file.relative_to(path).as_posix() for file in files], labels, split)
    return _photographs(path.resolve().name, tuple(names), files, labels, parts)


def _photographs(name: str, classes: tuple[str, ...], files: list[Path], labels: list[int], split: Split) -> Data:
    """Colour pictures, normalised by ImageNet's mean and deviation, as weights trained elsewhere expect."""
    return Data(
        name=name,
        classes=classes,
        pictures=files,
        labels=labels,
        split=split,
        photographs=True,
        size=(224, 224),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )


def _existing(path: Path) -> Path:
    if not path.is_dir():
        raise SpecError([NoSuchFolder(path=str(path))])
    return path
