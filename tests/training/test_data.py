"""Data: what is found, in which order, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from training_samples import paint

from archdsl.diagnostics import training as faults
from archdsl.errors import SpecError
from archdsl.training.config import Config
from archdsl.training.data import Data
from archdsl.training.decode import UnreadableError, decode
from archdsl.training.folders import FLOWERS
from archdsl.training.loaders import Draws, Pictures, loader, mixed
from archdsl.training.sources import load
from archdsl.training.transforms import evaluation, training


def fault(what: str, split: int = 1) -> Any:
    with pytest.raises(SpecError) as caught:
        load(what, split)
    return caught.value.diagnostics[0]


def everything(data: Data) -> Pictures:
    return Pictures(data, range(len(data.labels)), evaluation(data, data.channels, (12, 12)), 12)


# ---- digits ----


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    data = load("digits", 1)
    assert isinstance(data.pictures, torch.Tensor)
    np.testing.assert_allclose(data.pictures[:, 0].double() / 255 * 16, load_digits().images, atol=0.04)
    assert list(data.labels) == load_digits().target.tolist()
    assert [len(part) for part in data.split] == [1079, 359, 359]


def test_digits_are_normalised_and_repeated_for_colour() -> None:
    data = load("digits", 1)
    for channels in (1, 3):
        plain = evaluation(data, channels, (8, 8))
        batch = torch.stack([plain(picture) for picture in data.pictures])
        assert batch.shape == (1797, channels, 8, 8)
        assert batch.mean() == pytest.approx(0, abs=0.01)
        assert batch.std() == pytest.approx(1, abs=0.01)
        assert torch.equal(batch[:, 0], batch[:, -1])


# ---- class folders ----


def test_folder(colours: Path) -> None:
    data = load(str(colours), 1)
    assert data.classes == ("blue", "green", "red")
    assert all(data.classes[label] == path.parent.name for path, label in zip(data.pictures, data.labels, strict=True))
    assert [len(part) for part in data.split] == [36, 12, 12]


def test_folder_whose_name_ends_in_a_colon_part(tmp_path: Path, colours: Path) -> None:
    odd = tmp_path / "a:b"
    odd.symlink_to(colours)
    assert len(load(str(odd), 1).labels) == 60


def test_pictures_below_a_class_belong_to_it(tmp_path: Path) -> None:
    for n in range(3):
        paint(tmp_path / "a" / str(n) / "deep.png", 0, n)
        paint(tmp_path / "b" / f"{n}.JPG", 1, n)
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").mkdir()
    assert list(load(str(tmp_path), 1).labels) == [0, 0, 0, 1, 1, 1]


@pytest.mark.skipif(os.name == "nt", reason="links take a privilege on Windows")
def test_links_that_lead_back_show_no_picture_twice(tmp_path: Path) -> None:
    """Followed, one picture would train under forty names and be tested under others."""
    for label in range(2):
        for n in range(3):
            paint(tmp_path / "data" / "ab"[label] / "deep" / f"{n}.png", label, n)
    for place, target in (("a/up", ".."), ("a/deep/top", "../.."), ("b/self", "."), ("c", ".")):
        (tmp_path / "data" / place).symlink_to(target)
    paint(tmp_path / "elsewhere" / "3.png", 1, 3)
    (tmp_path / "data" / "b" / "more").symlink_to(tmp_path / "elsewhere")
    found = load(str(tmp_path / "data"), 1)
    assert (found.classes, list(found.labels)) == (("a", "b"), [0, 0, 0, 1, 1, 1, 1])


@pytest.mark.skipif(os.name == "nt", reason="links take a privilege on Windows")
def test_links_between_folders_end(tmp_path: Path) -> None:
    """Two that lead into each other: a picture is seen at most from both, not under forty names."""
    for label in range(2):
        for n in range(3):
            paint(tmp_path / "ab"[label] / "deep" / f"{n}.png", label, n)
    (tmp_path / "a" / "deep" / "b").symlink_to(tmp_path / "b" / "deep")
    (tmp_path / "b" / "deep" / "a").symlink_to(tmp_path / "a" / "deep")
    assert len(load(str(tmp_path), 1).labels) == 12


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    """Opened, it would wait for a writer for ever."""
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnreadableError, match="not a regular file"):
        decode(tmp_path / "pipe.jpg", 32)


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    odd = [os.fsdecode(b"caf\xe9"), "two\nlines", "\x1b[31mred"]
    try:
        for label, name in enumerate(odd):
            for n in range(3):
                paint(tmp_path / name / f"{n}.png", label, n)
    except OSError:
        pytest.skip("this file system takes text alone")
    found = load(str(tmp_path), 1)
    assert sorted(found.classes) == ["caf\ufffd", "two\ufffdlines", "\ufffd[31mred"]
    assert len(everything(found)) == 9
    "".join(found.classes).encode()


def test_refused_folders(tmp_path: Path) -> None:
    assert isinstance(fault(str(tmp_path / "none")), faults.NoSuchFolder)
    assert (
        fault(str(tmp_path)).message
        == f"`{tmp_path}` has no folder with images; a classifier needs at least two classes"
    )
    for n in range(3):
        paint(tmp_path / "a" / f"{n}.png", 0, n)
    assert "one class, `a`" in fault(str(tmp_path)).message
    (tmp_path / "b").mkdir()
    assert "class `b` has 0 images" in fault(str(tmp_path)).message
    paint(tmp_path / "b" / "0.png", 0, 0)
    assert "class `b` has 1 image;" in fault(str(tmp_path)).message
    (tmp_path / "b" / "0.png").unlink()
    (tmp_path / "a" / "0.png").rename(tmp_path / "b" / "0.png")
    assert isinstance(fault(str(tmp_path)), faults.TooFewPictures)
    (tmp_path / "train").mkdir()
    assert isinstance(fault(str(tmp_path)), faults.NoValidation)
    (tmp_path / "file").write_text("")
    assert isinstance(fault(str(tmp_path / "file")), faults.NoSuchFolder)


# ---- OxFlower17 ----


@pytest.fixture
def pretended(tmp_path: Path) -> Path:
    """The layout of OxFlower17, with files that are empty."""
    (tmp_path / "jpg").mkdir()
    for n in range(1, 1361):
        (tmp_path / "jpg" / f"image_{n:04d}.jpg").touch()
    return tmp_path


@pytest.mark.parametrize("given", [".", "jpg"])
def test_flowers_are_in_order(given: str, pretended: Path) -> None:
    data = load(f"oxflower17:{pretended / given}", 1)
    assert len(set(FLOWERS)) == len(data.classes) == 17
    assert all(label == (int(path.stem[-4:]) - 1) // 80 for path, label in zip(data.pictures, data.labels, strict=True))
    for label in range(17):
        assert [sum(data.labels[i] == label for i in part) for part in data.split] == [40, 20, 20]


@pytest.mark.parametrize("given", [".", "jpg"])
def test_the_official_splits_go_first(given: str, pretended: Path) -> None:
    from scipy.io import savemat

    parts = {"trn3": np.arange(1, 681), "val3": np.arange(681, 1021), "tst3": np.arange(1021, 1361)}
    savemat(pretended / "datasplits.mat", parts)
    assert load(f"oxflower17:{pretended / given}", 3).split.train == list(range(680))


def test_missing_flowers_are_named(pretended: Path) -> None:
    (pretended / "jpg" / "image_0777.jpg").unlink()
    found = fault(f"oxflower17:{pretended}")
    assert isinstance(found, faults.IncompleteFlowers)
    assert (found.missing, found.first) == (1, "image_0777.jpg")
    assert isinstance(fault(f"oxflower17:{pretended / 'none'}"), faults.NoSuchFolder)


def test_real_flowers() -> None:
    place = os.environ.get("ARCHDSL_OXFLOWER17")
    if place is None:
        pytest.skip("set ARCHDSL_OXFLOWER17 to the folder of the OxFlower17 pictures")
    pictures = everything(load(f"oxflower17:{place}", 1))
    assert all(torch.isfinite(pictures[n, 0][0]).all() for n in range(0, 1360, 85))


# ---- reading ----


def only(path: Path) -> Data:
    return Data(
        name="one", classes=("a", "b"), pictures=[path], labels=[1], split=None, photographs=True,  # type: ignore[arg-type]
        size=(12, 12), mean=(0.5,) * 3, std=(0.5,) * 3,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "LA", "CMYK"])
def test_every_kind_of_picture_becomes_colour(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new("L", (20, 30), 255).convert(mode).save(path)
    pixels, label = everything(only(path))[0, 0]
    assert (pixels.shape, pixels.dtype, label) == ((3, 12, 12), torch.float32, 1)
    torch.testing.assert_close(pixels, torch.ones(3, 12, 12), atol=0.05, rtol=0)


def test_deep_pixels_are_refused_not_cut_off(tmp_path: Path) -> None:
    Image.fromarray(np.linspace(0, 65535, 400).astype(np.uint16).reshape(20, 20)).save(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match="more than 8 bits"):
        everything(only(tmp_path / "a.png"))[0, 0]


def test_large_photographs_lose_nothing_that_is_needed(tmp_path: Path) -> None:
    """The decoder may leave out detail: what arrives at the network is nearly what full decoding gives."""
    ramp = np.linspace(0, 255, 1600).astype(np.uint8)
    Image.fromarray(np.stack([np.tile(ramp, (1200, 1))] * 3, -1)).save(tmp_path / "a.jpg")
    Image.open(tmp_path / "a.jpg").save(tmp_path / "a.png")
    (jpeg, _), (full, _) = everything(only(tmp_path / "a.jpg"))[0, 0], everything(only(tmp_path / "a.png"))[0, 0]
    torch.testing.assert_close(jpeg, full, atol=0.03, rtol=0)


def test_photographs_stand_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (30, 20))
    image.paste((255, 255, 255), (0, 0, 15, 20))  # its left half, which a camera turned by 90° had at the top
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    pixels, _ = everything(only(tmp_path / "a.jpg"))[0, 0]
    assert pixels[:, 1].mean() > 0.9 > -0.9 > pixels[:, -2].mean()


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0"])
@pytest.mark.parametrize("workers", [0, 1])
def test_unreadable_pictures_are_named(content: bytes, workers: int, tmp_path: Path) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableError) as caught:
        list(loader(everything(only(path)), Draws(1, 1, None), workers))
    assert f"{UnreadableError.marker}`{path}`" in str(caught.value)


def test_truncated_picture(tmp_path: Path) -> None:
    paint(tmp_path / "a.jpg", 0, 0, size=(100, 100))
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-500])
    with pytest.raises(UnreadableError, match="truncated"):
        everything(only(tmp_path / "a.jpg"))[0, 0]


# ---- chance ----


def test_augmentation_hangs_on_its_seed_alone(colours: Path) -> None:
    data = load(str(colours), 1)
    varied = Pictures(data, data.split.train, training(data, 3, (12, 12), Config()), 12)
    once, _ = varied[0, 7]
    torch.rand(3)
    again, _ = varied[0, 7]
    other, _ = varied[0, 8]
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_without_augmentation_training_sees_what_evaluation_sees(colours: Path) -> None:
    data = load(str(colours), 1)
    plain = Pictures(data, data.split.train, training(data, 3, (12, 12), Config(augment="none")), 12)
    tested = Pictures(data, data.split.train, evaluation(data, 3, (12, 12)), 12)
    assert torch.equal(plain[0, 7][0], tested[0, 0][0])


def test_digits_are_never_mirrored() -> None:
    """A bar at the left stays at the left, whatever is drawn."""
    data = load("digits", 1)
    bar = torch.zeros(1, 8, 8, dtype=torch.uint8)
    bar[..., :2] = 255
    varied = training(data, 1, (32, 32), Config())
    for seed in range(50):
        torch.manual_seed(seed)
        picture = varied(bar)
        assert picture[..., :16].sum() > picture[..., 16:].sum()


def test_an_epoch_draws_each_picture_once_and_whole_batches() -> None:
    draws = Draws(10, 4, seed=0)
    assert len(draws) == 8
    assert len({place for place, _ in draws}) == 8
    first = list(draws)
    draws.set_epoch(1)
    assert list(draws) != first
    draws.set_epoch(0)
    assert list(draws) == first
    draws.resume(0, 1)
    assert list(draws) == first[4:]
    draws.set_epoch(1)
    assert len(list(draws)) == 8


def test_fewer_pictures_than_a_batch_are_one_batch() -> None:
    assert len(list(Draws(3, 8, seed=0))) == 3


def test_evaluation_draws_all_in_order() -> None:
    assert [place for place, _ in Draws(5, 2, None)] == [0, 1, 2, 3, 4]


def test_mixed_seeds_differ() -> None:
    assert len({mixed(seed, step) for seed in range(30) for step in range(30)}) == 900
    assert all(0 <= mixed(0, step) < 2**63 for step in range(100))
