"""A run that was stopped and resumed is, bit for bit, the run that was not."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from training_samples import Small, SmallTrainable

from archdsl.diagnostics.training import (
    AlreadyTrainedFurther,
    NothingToResume,
    OtherNetwork,
    RunFailed,
    RunInUse,
    Stopped,
)
from archdsl.errors import SpecError
from archdsl.training.config import Config
from archdsl.training.fit import fit
from archdsl.training.run import Run, resumed

EPOCHS, STEPS = 3, 4
"""36 pictures in batches of 9: 4 steps an epoch."""


@pytest.fixture(scope="module")
def config(colours: Path) -> Config:
    return Config(data=str(colours), epochs=EPOCHS, batch_size=9, workers=0, lr=0.01)


@pytest.fixture(scope="module")
def whole(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run"
    torch.set_num_threads(1)
    fit(SmallTrainable(), config, out)
    return out


def weights(run: Path, name: str = "last.ckpt") -> dict[str, Any]:
    return torch.load(run / name, weights_only=True)


def log(run: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader((run / "log.csv").open()))
    return [{k: v for k, v in row.items() if k != "images_per_second"} for row in rows]


def assert_same(left: Path, right: Path) -> None:
    """Weights, average, optimizer state, early stopping and log are equal, bit for bit."""
    for name in ("last.ckpt", "best.ckpt"):
        a, b = weights(left, name), weights(right, name)
        assert (a["archdsl"]["epochs"], a["archdsl"]["batches"]) == (b["archdsl"]["epochs"], b["archdsl"]["batches"])
        torch.testing.assert_close(a["state_dict"], b["state_dict"], rtol=0, atol=0)
        torch.testing.assert_close(a["optimizer_states"], b["optimizer_states"], rtol=0, atol=0)
        assert a["lr_schedulers"] == b["lr_schedulers"]
        for name in ("current_model_state", "averaging_state"):
            torch.testing.assert_close(a.get(name), b.get(name), rtol=0, atol=0)
        for name in a["callbacks"]:
            if "EarlyStopping" in name:
                assert str(a["callbacks"][name]) == str(b["callbacks"][name])
    assert log(left) == log(right)


@pytest.mark.parametrize("step", [1, 3, 4, 6, 8, 12])
def test_stopped_at_any_step(step: int, config: Config, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        fit(SmallTrainable(interrupt_at=step), config, tmp_path)
    (stop,) = caught.value.diagnostics
    assert isinstance(stop, Stopped)
    assert f"--resume {tmp_path}" in stop.help
    kept = weights(tmp_path)["archdsl"]
    assert kept["epochs"] * STEPS + kept["batches"] == step
    fit(SmallTrainable(), config, tmp_path, resume=True)
    assert_same(tmp_path, whole)


@pytest.fixture(scope="module")
def everything(config: Config) -> Config:
    """All that has state or chance: moving average, accumulated gradients, mixed pictures, patience, groups."""
    return replace(
        config, ema=0.9, accumulate=2, mixup=0.2, cutmix=1.0, label_smoothing=0.1, erasing=0.5, augment="trivial",
        repeats=2, patience=2, clip=1.0, decay_norms=False, freeze=("conv.bias",), lr_of={"fc": 0.05},
        checkpoint_every=1, deterministic=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole_of_everything(everything: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("everything") / "run"
    torch.set_num_threads(1)
    fit(SmallTrainable(), everything, out)
    return out


@pytest.mark.parametrize("batch", [4, 8, 11])
def test_cut_off_at_any_batch(batch: int, everything: Config, whole_of_everything: Path, tmp_path: Path) -> None:
    """Goes on from the last checkpoint of a step: the 4th batch fails, and the checkpoint is of the 2nd."""
    with pytest.raises(SpecError) as caught:
        fit(SmallTrainable(fail_at=batch), everything, tmp_path)
    assert isinstance(caught.value.diagnostics[0], RunFailed)
    kept = weights(tmp_path)["archdsl"]
    assert kept["epochs"] * STEPS + kept["batches"] == (batch - 1) // 2 * 2
    fit(SmallTrainable(), everything, tmp_path, resume=True)
    assert_same(tmp_path, whole_of_everything)
    torch.testing.assert_close(
        weights(tmp_path, "ema.ckpt")["state_dict"], weights(whole_of_everything)["state_dict"], rtol=0, atol=0
    )


def test_the_folder_may_move_in_between(config: Config, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        fit(SmallTrainable(interrupt_at=9), config, tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    fit(SmallTrainable(), config, tmp_path / "there", resume=True)
    assert_same(tmp_path / "there", whole)


def test_workers_change_nothing(config: Config, whole: Path, tmp_path: Path) -> None:
    fit(SmallTrainable(), replace(config, workers=2), tmp_path)
    assert_same(tmp_path, whole)


def test_the_seed_changes_everything(config: Config, whole: Path, tmp_path: Path) -> None:
    fit(SmallTrainable(), replace(config, seed=1, epochs=1), tmp_path)
    assert log(tmp_path)[0]["train_loss"] != log(whole)[0]["train_loss"]


def test_a_finished_run_can_be_made_longer(config: Config, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    longer = resumed(Run(tmp_path / "run"), {"epochs": 5})
    fit(SmallTrainable(), longer, tmp_path / "run", resume=True)
    assert [row["epoch"] for row in log(tmp_path / "run")] == ["1", "2", "3", "4", "5"]
    assert log(tmp_path / "run")[:3] == log(whole)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["settings"]["epochs"] == 5


def test_a_run_killed_after_its_log_was_written_trains_that_epoch_again(
    config: Config, whole: Path, tmp_path: Path
) -> None:
    with pytest.raises(SpecError):
        fit(SmallTrainable(interrupt_at=5), config, tmp_path)
    kept = (tmp_path / "log.csv").read_text()
    (tmp_path / "log.csv").write_text(kept + kept.splitlines()[-1].replace("1,", "2,", 1) + "\n")
    fit(SmallTrainable(), config, tmp_path, resume=True)
    assert_same(tmp_path, whole)


# ---- what is refused ----


def contents(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def refused(run: Path, config: Config, trainable: SmallTrainable | None = None) -> Any:
    before = contents(run)
    with pytest.raises(SpecError) as caught:
        fit(trainable or SmallTrainable(), config, run, resume=True)
    assert contents(run) == before
    return caught.value.diagnostics[0]


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def test_another_network_of_the_same_weights(config: Config, copy: Path) -> None:
    found = refused(copy, config, SmallTrainable(source="other"))
    assert isinstance(found, OtherNetwork)
    assert "different computations" in found.message


def test_another_network(config: Config, copy: Path) -> None:
    def wider(channels: int, classes: int) -> torch.nn.Module:
        network = Small(channels, classes)
        network.fc = torch.nn.Linear(6, classes, bias=False)
        return network

    found = refused(copy, config, SmallTrainable(make=wider))
    assert isinstance(found, OtherNetwork)
    assert "`fc.bias` is [3] in the checkpoint and missing in the spec" in found.message


def test_fewer_epochs(config: Config, copy: Path) -> None:
    assert isinstance(refused(copy, replace(config, epochs=2)), AlreadyTrainedFurther)


def test_a_file_is_no_run(config: Config, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(SpecError) as caught:
        resumed(Run(tmp_path / "run"), {})
    assert caught.value.diagnostics[0].message.endswith("it has no last.ckpt")


@pytest.mark.parametrize("damage", ["missing", "cut", "empty", "text"])
def test_damaged_checkpoint(damage: str, config: Config, copy: Path) -> None:
    last = copy / "last.ckpt"
    content = {"missing": None, "cut": last.read_bytes()[:5000], "empty": b"", "text": b"weights"}[damage]
    last.unlink()
    if content is not None:
        last.write_bytes(content)
    assert isinstance(refused(copy, config), NothingToResume)


def test_a_checkpoint_runs_no_code(config: Config, copy: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    torch.save({"state_dict": {}, "archdsl": Bomb()}, copy / "last.ckpt")
    assert isinstance(refused(copy, config), NothingToResume)
    assert not (tmp_path / "exploded").exists()


def test_a_checkpoint_of_other_makers(config: Config, copy: Path) -> None:
    torch.save({"state_dict": {}, "archdsl": {"network": "?"}}, copy / "last.ckpt")
    assert isinstance(refused(copy, config), NothingToResume)


def test_settings_that_make_another_run(copy: Path) -> None:
    assert resumed(Run(copy), {"lr": 0.01, "workers": 1}).workers == 1
    with pytest.raises(SpecError) as caught:
        resumed(Run(copy), {"batch_size": 8})
    assert caught.value.diagnostics[0].message == f"`{copy}` was trained with --batch-size 9, not 8"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"skip_unreadable": True}, "--no-skip-unreadable, not --skip-unreadable"),
        ({"weight_decay": 0.1}, "the default of --weight-decay, not 0.1"),
    ],
)
def test_settings_are_told_as_flags(given: dict[str, Any], told: str, copy: Path) -> None:
    with pytest.raises(SpecError) as caught:
        resumed(Run(copy), given)
    assert caught.value.diagnostics[0].message == f"`{copy}` was trained with {told}"


def test_the_recipe_in_the_folder_is_asked_too(copy: Path) -> None:
    """Edited by hand, it counts as flags would, which go first; it was overwritten without a word."""
    recipe = copy / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("epochs = 3", "epochs = 7"))
    assert resumed(Run(copy), {}).epochs == 7
    assert resumed(Run(copy), {"epochs": 9}).epochs == 9
    recipe.write_text(recipe.read_text().replace("lr = 0.01", "lr = 0.5"))
    with pytest.raises(SpecError) as caught:
        resumed(Run(copy), {})
    assert caught.value.diagnostics[0].message == f"`{copy}` was trained with --lr 0.01, not 0.5"
    recipe.unlink()
    assert resumed(Run(copy), {}).epochs == EPOCHS


# ---- one process a folder ----------------------------------------------------------------------------------

HOLDER = """
import sys, time
from pathlib import Path
from archdsl.training.run import Run
with Run(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_run_that_another_process_trains_is_left_alone(config: Config, tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        fit(SmallTrainable(interrupt_at=2), config, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with held(tmp_path) as other:
        with pytest.raises(SpecError) as caught:
            fit(SmallTrainable(), config, tmp_path, resume=True)
        (fault,) = caught.value.diagnostics
        assert isinstance(fault, RunInUse)
        assert str(tmp_path) in fault.message
        after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        assert {name: after[name] for name in before} == before
        link = tmp_path.with_name("link")
        link.symlink_to(tmp_path)
        with pytest.raises(SpecError, match="A0734"):
            fit(SmallTrainable(), config, link, resume=True)
        other.kill()
        other.wait()
        assert (tmp_path / ".lock").exists(), "what a killed process leaves"
        fit(SmallTrainable(), config, tmp_path, resume=True)
    assert not (tmp_path / ".lock").exists()


def test_a_run_that_fails_leaves_no_lock(config: Config, tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        fit(SmallTrainable(fail_at=6), config, tmp_path)
    assert not (tmp_path / ".lock").exists()
    fit(SmallTrainable(), config, tmp_path, resume=True)


def test_a_folder_that_takes_no_lock(config: Config, tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        fit(SmallTrainable(interrupt_at=2), config, tmp_path)
    (tmp_path / ".lock").mkdir()
    with pytest.raises(SpecError, match="cannot write"):
        fit(SmallTrainable(), config, tmp_path, resume=True)
