"""Images in folders: class folders, split folders in ImageNet's layout, and OxFlower17."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from torchvision.datasets.folder import IMG_EXTENSIONS, is_image_file

from archdsl.diagnostics.training import (
    ClassesDiffer,
    IncompleteFlowers,
    NoSuchFolder,
    NoValidation,
    TooFewClasses,
    TooFewPictures,
)
from archdsl.errors import SpecError
from archdsl.training.data import IMAGENET_MEAN, IMAGENET_STD, Data
from archdsl.training.splits import Split, official, stratified

FLOWERS = (
    "daffodil", "snowdrop", "lily of the valley", "bluebell", "crocus", "iris", "tigerlily", "tulip", "fritillary",
    "sunflower", "daisy", "coltsfoot", "dandelion", "cowslip", "buttercup", "windflower", "pansy",
)  # fmt: skip
PER_FLOWER = 80
VALIDATION = ("val", "valid", "validation")
Files = list[tuple[str, int]]


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
    """``path/CLASS/…/picture``: a class is a folder that holds pictures at any depth.

    Where ``path`` holds ``train`` and ``val`` instead, and perhaps ``test``, each of these holds the class folders.
    """
    names = _folders(_existing(path))
    if "train" in names:
        return _divided(path, names)
    if found := {*VALIDATION, "test"} & set(names):
        raise SpecError([NoValidation(path=str(path), found=", ".join(sorted(found)), missing="train")])
    _check_classes(path, names)
    samples = _pictures(path, names, 3)
    files, labels = [Path(file) for file, _ in samples], [label for _, label in samples]
    parts = stratified([file.relative_to(path).as_posix() for file in files], labels, split)
    return _photographs(shown(path.resolve().name), tuple(names), files, labels, parts)


def _divided(path: Path, names: list[str]) -> Data:
    """Divided already. Without ``test``, the pictures that validate test too, as usual for ImageNet."""
    validation = next((name for name in VALIDATION if name in names), None)
    if validation is None:
        raise SpecError([NoValidation(path=str(path), found="train", missing="val")])
    classes = _folders(path / "train")
    _check_classes(path / "train", classes)
    samples: Files = []
    parts = []
    for part in ["train", validation, *({"test"} & set(names))]:
        if (there := _folders(path / part)) != classes:
            raise SpecError([_other_classes(path / part, there, classes)])
        found = _pictures(path / part, classes, 1)
        parts.append(list(range(len(samples), len(samples) + len(found))))
        samples += found
    files, labels = [Path(file) for file, _ in samples], [label for _, label in samples]
    split = Split(*(parts if len(parts) == 3 else [*parts, parts[1]]))
    return _photographs(shown(path.resolve().name), _named(classes), files, labels, split)


def _named(classes: list[str]) -> tuple[str, ...]:
    """ImageNet's folders are named by WordNet's numbers; its classes have names of their own, in the same order."""
    if len(classes) == 1000 and classes[0] == "n01440764":
        from torchvision.models._meta import _IMAGENET_CATEGORIES

        return tuple(_IMAGENET_CATEGORIES)
    return tuple(classes)


def _other_classes(path: Path, there: list[str], classes: list[str]) -> ClassesDiffer:
    odd = sorted(set(there) ^ set(classes))[0]
    return ClassesDiffer(path=str(path), name=odd, problem="is missing" if odd in classes else "is only in this split")


def _check_classes(path: Path, names: list[str]) -> None:
    if len(names) < 2:
        raise SpecError([TooFewClasses(path=str(path), classes=tuple(names))])


def _pictures(path: Path, names: list[str], least: int) -> Files:
    """Files and labels, at least so many of each class."""
    samples = [(file, label) for label, name in enumerate(names) for file in _files(path / name)]
    counts = Counter(label for _, label in samples)
    for label, name in enumerate(names):
        if counts[label] < least:
            raise SpecError([
                TooFewPictures(
                    name=name, count=counts[label], path=str(path / name), endings=" ".join(IMG_EXTENSIONS), least=least
                )
            ])  # fmt: skip
    return samples


def _files(path: Path) -> Iterator[str]:
    """Pictures at any depth, in order. Links are followed, except those that lead back."""
    found = []
    for folder, names, files in os.walk(path, followlinks=True):
        names[:] = [name for name in names if not _leads_back(Path(folder, name))]
        found.append((folder, sorted(filter(is_image_file, files))))
    return (os.path.join(folder, file) for folder, files in sorted(found) for file in files)


def _leads_back(path: Path) -> bool:
    """Is this a link to a folder on the way to it? Followed, it would show the same pictures again and again.

    The way may itself lead over links: of two folders that link to each other, each stands in the other once.
    """
    if not path.is_symlink():
        return False
    target = path.resolve()
    return any(folder.resolve().is_relative_to(target) for folder in path.parents)


def _photographs(name: str, classes: tuple[str, ...], files: list[Path], labels: list[int], split: Split) -> Data:
    return Data(
        name=shown(name),
        classes=tuple(map(shown, classes)),
        pictures=files,
        labels=labels,
        split=split,
        photographs=True,
        size=(224, 224),
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    )


def shown(name: str) -> str:
    """The name as text that can be printed and kept: a file system allows control characters, and bytes of no text."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def _folders(path: Path) -> list[str]:
    found = (p for p in path.iterdir() if p.is_dir() and not p.name.startswith(".") and not _leads_back(p))
    return sorted(p.name for p in found)


def _existing(path: Path) -> Path:
    if not path.is_dir():
        raise SpecError([NoSuchFolder(path=str(path), advice=_advice(str(path)))])
    return path


def _advice(what: str) -> str:
    from archdsl.diagnostics.nearest import did_you_mean
    from archdsl.training.library import NAMES

    kind, colon, _ = what.partition(":")
    usual = (
        "use `digits`, `oxflower17:DIR`, a folder with one subfolder of images for each class, or a dataset of"
        " torchvision such as `cifar10:DIR`"
    )
    meant = did_you_mean(kind, ["digits", "oxflower17", *NAMES]) if colon or "/" not in what else None
    return meant or usual
