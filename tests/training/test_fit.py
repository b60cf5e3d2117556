"""Whole runs: what they write, what they find, and how they fail."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from training_samples import Small, SmallTrainable

from archdsl.diagnostics import training as faults
from archdsl.errors import SpecError
from archdsl.training.config import Config
from archdsl.training.fit import Result, fit
from archdsl.training.run import Run, unused
from archdsl.training.sources import load


@pytest.fixture(scope="module")
def config(colours: Path) -> Config:
    return Config(data=str(colours), epochs=2, batch_size=9, workers=0, lr=0.02)


@pytest.fixture(scope="module")
def run(config: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("fit") / "deep" / "run"
    torch.set_num_threads(1)
    return fit(SmallTrainable(), replace(config, epochs=8), out, export=True), out


def test_it_learns(run: tuple[Result, Path]) -> None:
    result, _ = run
    assert result.test_accuracy > 0.8
    assert result.pictures == {"train": 36, "val": 12, "test": 12}


def test_what_lies_in_the_folder(run: tuple[Result, Path]) -> None:
    result, out = run
    names = {"best.ckpt", "last.ckpt", "best.onnx", "log.csv", "curves.png"}
    assert {path.name for path in out.iterdir()} == names | {"run.json", "recipe.toml", "tensorboard"}
    assert {Path(path).name for path in result.files.values()} == names
    with Image.open(out / "curves.png") as curves:
        assert curves.format == "PNG"
    noted = json.loads((out / "run.json").read_text())
    assert noted["result"]["test_accuracy"] == result.test_accuracy
    assert noted["classes"] == ["blue", "green", "red"]
    assert noted["input"]["mean"] == [0.485, 0.456, 0.406]


def test_the_test_accuracy_is_the_best_checkpoints(run: tuple[Result, Path], config: Config) -> None:
    """Measured again without the trainer, from the checkpoint alone."""
    result, out = run
    checkpoint = torch.load(out / "best.ckpt", weights_only=True)
    state = {name.removeprefix("network."): value for name, value in checkpoint["state_dict"].items()}
    network = SmallTrainable().build(classes=3, channels=3, size=(12, 12)).module
    network.load_state_dict(state, strict=True)
    pictures, labels = held_out(config)
    assert accuracy(network.eval()(pictures), labels) == pytest.approx(result.test_accuracy)
    assert checkpoint["archdsl"]["epochs"] == result.best_epoch


def test_the_best_network_is_exported(run: tuple[Result, Path]) -> None:
    """The sample network exports its state as it is; what a spec exports is run in test_spec."""
    _, out = run
    exported = torch.load(out / "best.onnx", weights_only=True)
    best = torch.load(out / "best.ckpt", weights_only=True)["state_dict"]
    torch.testing.assert_close({f"network.{name}": value for name, value in exported.items()}, best, rtol=0, atol=0)


def held_out(config: Config) -> tuple[Tensor, Tensor]:
    from archdsl.training.loaders import Pictures
    from archdsl.training.transforms import evaluation

    data = load(config.data, config.split)
    pictures = Pictures(data, data.split.test, evaluation(data, 3, (12, 12)), 12)
    pairs = [pictures[place, 0] for place in range(len(pictures))]
    return torch.stack([pixels for pixels, _ in pairs]), torch.tensor([label for _, label in pairs])


def accuracy(scores: Tensor, labels: Tensor) -> float:
    return (scores.argmax(1) == labels).float().mean().item()


def test_the_best_epoch_is_the_earliest_of_equals(run: tuple[Result, Path]) -> None:
    import csv

    result, out = run
    rows = [float(row["val_accuracy"]) for row in csv.DictReader((out / "log.csv").open())]
    assert rows.index(max(rows)) + 1 == result.best_epoch


@pytest.mark.parametrize("links", [True, False])
def test_an_epoch_that_is_best_is_the_last_too(
    links: bool, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written once, where the file system knows links; the next epoch leaves the best one alone."""

    def refuse(*paths: Path) -> None:
        raise PermissionError

    if not links:
        monkeypatch.setattr("os.link", refuse)
    fit(SmallTrainable(), replace(config, epochs=1), tmp_path)
    best, last = tmp_path / "best.ckpt", tmp_path / "last.ckpt"
    assert best.samefile(last) == links
    content = best.read_bytes()
    assert last.read_bytes() == content
    worse = SmallTrainable(make=lambda *sizes: nn.Sequential(Small(*sizes), Worse()), source="small")
    fit(worse, replace(config, epochs=2), tmp_path / "worse")
    best, last = tmp_path / "worse" / "best.ckpt", tmp_path / "worse" / "last.ckpt"
    assert not best.samefile(last)
    assert [torch.load(path, weights_only=True)["archdsl"]["epochs"] for path in (best, last)] == [1, 2]


class Worse(nn.Module):
    """Says the same of all pictures: after the first epoch, validation gets no better."""

    def forward(self, x: Tensor) -> Tensor:
        return 0 * x


def test_nothing_is_printed_to_stdout(config: Config, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fit(SmallTrainable(), replace(config, epochs=1), tmp_path)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[0] == f"Small on {Path(config.data).name}, in {tmp_path}"
    assert err.splitlines()[1].startswith("epoch 1/1  loss ")
    assert len(err.splitlines()) == 2


def test_names_of_runs(tmp_path: Path) -> None:
    assert unused(tmp_path, "a") == tmp_path / "a"
    (tmp_path / "a").mkdir()
    (tmp_path / "a-2").touch()
    assert unused(tmp_path, "a") == tmp_path / "a-3"


# ---- how it fails ----


def failure(config: Config, out: Path, trainable: SmallTrainable | None = None) -> Any:
    with pytest.raises(SpecError) as caught:
        fit(trainable or SmallTrainable(), config, out)
    return caught.value.diagnostics[0]


def test_a_folder_that_holds_files_is_left_alone(config: Config, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("all my work")
    found = failure(config, tmp_path)
    assert isinstance(found, faults.RunExists)
    assert found.help == "choose another folder with --out"
    assert isinstance(failure(config, tmp_path / "thesis.tex"), faults.RunExists)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_of_two_that_begin_together_one_gets_the_folder(tmp_path: Path) -> None:
    def claimed(run: Run) -> bool:
        start.wait()
        try:
            run.claim()
        except SpecError:
            return False
        return True

    start = Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        for n in range(20):
            assert sum(pool.map(claimed, [Run(tmp_path / str(n))] * 8)) == 1


def test_a_run_is_not_written_over(config: Config, run: tuple[Result, Path]) -> None:
    _, out = run
    found = failure(config, out)
    assert isinstance(found, faults.RunExists)
    assert found.help.startswith(f"continue that run with `--resume {out}`")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lr_of": {"head": 0.1}}, "`--lr head` matches no parameter"),
        ({"freeze": ("fc",), "lr_of": {"fc": 0.1}}, "`--lr fc` matches no parameter"),
        ({"freeze": ("head",)}, "`--freeze head` matches no parameter"),
        ({"resize": 11}, "--resize 11 is less than the 12 pixels that the network takes"),
        ({"devices": "1000", "accelerator": "cpu"}, "cannot train with these settings: 1000 processes would share"),
        ({"devices": "none", "accelerator": "cpu"}, "cannot train with these settings"),
        ({"precision": "8bit"}, "cannot train with these settings"),
    ],
)
def test_settings_are_refused_before_anything_is_written(
    change: dict[str, Any], told: str, config: Config, tmp_path: Path
) -> None:
    assert failure(replace(config, **change), tmp_path / "run").message.startswith(told)
    assert not (tmp_path / "run").exists()


def test_a_batch_norm_that_sees_a_single_number(config: Config, tmp_path: Path) -> None:
    def pooled(channels: int, classes: int) -> nn.Module:
        layers = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(channels), nn.Linear(channels, classes))
        return nn.Sequential(*layers)

    found = failure(replace(config, batch_size=1), tmp_path, SmallTrainable(make=pooled))
    assert isinstance(found, faults.RunFailed)
    assert "Expected more than 1 value per channel when training" in found.message


def test_a_place_where_no_folder_can_be(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert isinstance(failure(config, tmp_path / "file" / "run"), faults.RunFailed)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_picture(workers: int, config: Config, colours: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(colours, tmp_path / "colours"))
    for path in data.glob("red/*.png"):
        path.write_bytes(path.read_bytes()[:200])
    found = failure(replace(config, data=str(data), workers=workers), tmp_path / "run")
    assert isinstance(found, faults.UnreadablePicture)
    assert found.message.startswith(f"cannot read the image `{data}/red/")
    assert "\n" not in found.message
    assert "--skip-unreadable" in found.help


def test_an_unreadable_picture_to_test_on(config: Config, colours: Path, tmp_path: Path) -> None:
    """Found after the last epoch: what was trained is kept, and mended data are tested without training again."""
    data = Path(shutil.copytree(colours, tmp_path / "colours"))
    config = replace(config, data=str(data))
    found = load(str(data), 1)
    broken = found.pictures[found.split.test[0]]  # type: ignore[index]
    content = broken.read_bytes()
    broken.write_bytes(b"")
    fault = failure(config, tmp_path / "run")
    assert isinstance(fault, faults.UnreadablePicture)
    advice = f"replace or remove the file, then repeat the command with `--resume {tmp_path / 'run'}`"
    assert fault.help.startswith(advice)
    broken.write_bytes(content)
    result = fit(SmallTrainable(), config, tmp_path / "run", resume=True)
    assert (result.epochs, result.pictures["test"]) == (2, 12)


@pytest.mark.parametrize(
    "settings", [{"accelerator": "abacus"}, {"devices": "none"}, {"devices": "0"}, {"precision": "3"}]
)
def test_hardware_that_is_not_there(settings: dict[str, str], config: Config, tmp_path: Path) -> None:
    found = failure(replace(config, **settings), tmp_path / "run")  # type: ignore[arg-type]
    assert isinstance(found, faults.TrainerRefuses)
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite(config: Config, tmp_path: Path) -> None:
    found = failure(replace(config, optimizer="sgd", lr=1e30), tmp_path)
    assert isinstance(found, faults.LossNotFinite)
    assert not (tmp_path / "last.ckpt").exists()


class Failing(nn.Module):
    """Runs out of something in its third step."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, classes)
        self.left = 2

    def forward(self, x: Tensor) -> Tensor:
        self.left -= self.training
        if self.left < 0:
            raise torch.OutOfMemoryError("out of memory: 5 GiB are missing\nmany details")
        return self.fc(x.mean((2, 3)))


def test_out_of_memory(config: Config, tmp_path: Path) -> None:
    found = failure(config, tmp_path, SmallTrainable(make=Failing))
    assert isinstance(found, faults.RunFailed)
    assert found.reason == "out of memory: 5 GiB are missing"
    assert found.advice is None


def test_ctrl_c_twice_stops_at_once(config: Config, tmp_path: Path) -> None:
    import signal

    class Impatient(Failing):
        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                signal.raise_signal(signal.SIGINT)
            return self.fc(x.mean((2, 3)))

    handler = signal.getsignal(signal.SIGINT)
    found = failure(replace(config, batch_size=36, epochs=5), tmp_path, SmallTrainable(make=Impatient))
    assert isinstance(found, faults.Stopped)
    assert signal.getsignal(signal.SIGINT) is handler
