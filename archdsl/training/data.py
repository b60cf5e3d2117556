"""Labelled pictures, and where they come from: digits, OxFlower17, folders, torchvision's data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from archdsl.diagnostics.training import NothingReadable
from archdsl.errors import SpecError
from archdsl.training.decode import decode, unreadable
from archdsl.training.splits import Split, stratified

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""What photographs are normalised by, as weights trained elsewhere expect."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """Labelled pictures, divided. A picture is a file, or a uint8 tensor [channels, H, W], or what ``opened`` gives.

    ``mean`` and ``std``, one number a channel on the scale 0 to 1, are what the network's input is normalised by.
    ``size`` is the pictures' own, or a usual one where they differ. ``skipped`` could not be read.
    """

    name: str
    classes: tuple[str, ...]
    pictures: Sequence[Path] | Tensor | Callable[[int], Image.Image]
    labels: Sequence[int]
    split: Split
    photographs: bool
    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    skipped: tuple[Path, ...] = ()

    @property
    def channels(self) -> int:
        return len(self.mean)

    @property
    def files(self) -> Sequence[Path]:
        """The files of the pictures; none where they are not files of their own."""
        if callable(self.pictures) or isinstance(self.pictures, Tensor):
            return ()
        return self.pictures

    def pixels(self, index: int, least: int) -> Tensor:
        """A picture as uint8 [channels, H, W]; a photograph no smaller than ``least``, if it is larger."""
        if callable(self.pictures):
            mode = "RGB" if self.channels == 3 else "L"
            return F.pil_to_tensor(self.pictures(index).convert(mode))
        picture = self.pictures[index]
        return picture if isinstance(picture, Tensor) else decode(picture, least)


def load(what: str, split: int, skip_unreadable: bool = False) -> Data:
    """The data that ``--data`` names. Reads no photograph yet, unless those that cannot be read are to be skipped.

    Raises: SpecError, where they are missing or cannot be divided.
    """
    data = _found(what, split)
    return _readable(data) if skip_unreadable else data


def _found(what: str, split: int) -> Data:
    from archdsl.training import folders, library

    if what == "digits":
        return digits(split)
    kind, colon, place = what.partition(":")
    if colon and kind == "oxflower17":
        return folders.flowers(Path(place), split)
    if colon and library.known(kind):
        return library.load(kind, Path(place), split)
    return folders.folder(Path(what), split)


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


def _readable(data: Data) -> Data:
    """Without the files that are no pictures.

    Raises: SpecError, where a class would have none left to train on.
    """
    files = data.files
    if not files:
        return data
    bad = unreadable(list(files))
    gone = set(bad)
    parts = Split(*([i for i in part if files[i] not in gone] for part in data.split))
    left = Counter(data.labels[i] for i in parts.train)
    for label, name in enumerate(data.classes):
        if not left[label]:
            raise SpecError([NothingReadable(name=name, count=len(bad))])
    return replace(data, split=parts, skipped=tuple(bad))
