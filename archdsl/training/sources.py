"""Where labelled pictures come from: digits, OxFlower17, folders, torchvision's data sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import torch

from archdsl.diagnostics.training import NothingReadable
from archdsl.errors import SpecError
from archdsl.training import folders, library
from archdsl.training.data import Data
from archdsl.training.decode import unreadable
from archdsl.training.splits import Split, stratified


def load(what: str, split: int, skip_unreadable: bool = False) -> Data:
    """The data that ``--data`` names. Reads no photograph yet, unless those that cannot be read are to be skipped.

    Raises: SpecError, where they are missing or cannot be divided.
    """
    data = _found(what, split)
    return _readable(data) if skip_unreadable else data


def _found(what: str, split: int) -> Data:
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
