"""Where pictures come from besides class folders: divided folders, torchvision's data sets, damaged ones left out."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training_samples import SmallTrainable, paint

from archdsl.diagnostics import training as faults
from archdsl.errors import SpecError
from archdsl.training.config import Config
from archdsl.training.fit import fit
from archdsl.training.sources import load


def fault(what: str, **options: Any) -> Any:
    with pytest.raises(SpecError) as caught:
        load(what, options.pop("split", 1), **options)
    return caught.value.diagnostics[0]


# ---- divided folders ----


@pytest.fixture
def divided(tmp_path: Path) -> Path:
    for part, count in (("train", 4), ("val", 2), ("test", 1)):
        for hue, name in enumerate(("cat", "dog")):
            for n in range(count):
                paint(tmp_path / part / name / f"{n}.JPEG", hue, n)
    return tmp_path


def test_imagenets_layout(divided: Path) -> None:
    data = load(str(divided), 1)
    assert data.classes == ("cat", "dog")
    assert [len(part) for part in data.split] == [8, 4, 2]
    for part, name in zip(data.split, ("train", "val", "test"), strict=True):
        for index in part:
            path = data.pictures[index]  # type: ignore[index]
            assert path.parent.parent.name == name
            assert data.classes[data.labels[index]] == path.parent.name


def test_without_a_test_part_validation_tests(divided: Path) -> None:
    (divided / "test").rename(divided.parent / "away")
    data = load(str(divided), 1)
    assert data.split.test == data.split.val
    assert len(data.split.val) == 4


def test_divided_folders_that_do_not_fit(divided: Path) -> None:
    (divided / "val" / "dog").rename(divided / "val" / "dgo")
    assert fault(str(divided)).message == (
        f"the classes in `{divided}/val` differ from those of the training split: `dgo` is only in this split"
    )
    (divided / "val" / "dgo").rename(divided / "val" / "dog")
    for path in (divided / "val" / "dog").iterdir():
        path.unlink()
    assert isinstance(fault(str(divided)), faults.TooFewPictures)
    (divided / "val").rename(divided / "away")
    assert fault(str(divided)).message == f"`{divided}` has train, but no folder `val`"


def test_imagenets_classes_have_names(tmp_path: Path) -> None:
    names = [f"n{1440764 + n:08d}" for n in range(1000)]
    for part in ("train", "val"):
        for name in names:
            (tmp_path / part / name).mkdir(parents=True)
            (tmp_path / part / name / "a.JPEG").touch()
    data = load(str(tmp_path), 1)
    assert (data.classes[0], data.classes[-1]) == ("tench", "toilet tissue")


# ---- torchvision's ----


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """Files as MNIST's: 100 pictures to train, 20 to test; each shows its label as its brightness."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 100), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 10
        pictures = np.broadcast_to(labels[:, None, None] * 20, (count, 28, 28)).astype(np.uint8)
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 2049, count) + labels.tobytes())
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">iiii", 2051, count, 28, 28) + pictures.tobytes())
    return tmp_path


def test_a_data_set_of_torchvisions(mnist: Path) -> None:
    data = load(f"mnist:{mnist}", 1)
    assert (data.channels, data.size, len(data.classes)) == (1, (28, 28), 10)
    assert [len(part) for part in data.split] == [90, 10, 20]
    assert sorted([*data.split.train, *data.split.val]) == list(range(100))
    assert data.split.test == list(range(100, 120))
    for index in (0, 7, 99, 100, 119):
        pixels = data.pixels(index, 1)
        assert (pixels.shape, pixels.dtype) == ((1, 28, 28), torch.uint8)
        assert pixels.unique().tolist() == [20 * data.labels[index]]
    assert load(f"mnist:{mnist}", 2).split.val != data.split.val


def test_it_trains(mnist: Path, tmp_path: Path) -> None:
    config = Config(data=f"mnist:{mnist}", epochs=1, workers=1, tensorboard=False)
    result = fit(SmallTrainable(), config, tmp_path / "run")
    assert result.pictures == {"train": 90, "val": 10, "test": 20}


def test_a_data_set_that_is_not_there(tmp_path: Path) -> None:
    found = fault(f"cifar10:{tmp_path}")
    assert isinstance(found, faults.NoSuchDataset)
    assert found.help == (
        f"download it once with `torchvision.datasets.CIFAR10('{tmp_path}', train=True, download=True)`"
    )
    assert fault(f"cifar1O:{tmp_path}").help == "did you mean `cifar10`?"
    assert isinstance(fault(f"flowers102:{tmp_path}", split=2), faults.NoSuchSplit)


# ---- damaged pictures ----


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    for hue, name in enumerate(("cat", "dog")):
        for n in range(9):
            paint(tmp_path / name / f"{n}.jpg", hue, n, size=(60, 60))
    whole = (tmp_path / "cat" / "4.jpg").read_bytes()
    (tmp_path / "cat" / "4.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "dog" / "2.jpg").write_bytes(b"")
    return tmp_path


def test_damaged_pictures_are_left_out_and_named(
    damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = (damaged / "cat" / "4.jpg", damaged / "dog" / "2.jpg")
    data = load(str(damaged), 1, skip_unreadable=True)
    assert data.skipped == bad
    assert sum(map(len, data.split)) == 16
    config = Config(data=str(damaged), epochs=1, batch_size=4, workers=0, skip_unreadable=True, tensorboard=False)
    fit(SmallTrainable(), config, tmp_path / "run")
    assert f"2 unreadable images are skipped: {bad[0]}, {bad[1]}" in capsys.readouterr().err


def test_a_class_without_any(damaged: Path) -> None:
    for path in (damaged / "cat").iterdir():
        path.write_bytes(b"")
    assert fault(str(damaged), skip_unreadable=True).message == (
        "class `cat` has no readable image for training; 10 images of the data are unreadable"
    )
