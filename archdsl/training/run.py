"""The folder of a run: what lies where, what it says about itself, and whether it may be continued."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from archdsl.diagnostics.training import (
    AlreadyTrainedFurther,
    NothingToResume,
    OtherNetwork,
    OtherSetting,
    RunExists,
    RunInUse,
)
from archdsl.errors import SpecError
from archdsl.files import cannot_write, write_whole
from archdsl.training import recipe
from archdsl.training.config import RESUMABLE, Config

KEPT = {"network", "settings", "epochs", "batches", "metrics"}
"""What a checkpoint says of the run besides the data: see ``task.Classification``."""


@dataclass(frozen=True)
class Run:
    """Paths in the folder ``out``."""

    out: Path

    @property
    def best(self) -> Path:
        """Lightning checkpoint of the epoch that validated best; `archdsl compile --weights` reads it."""
        return self.out / "best.ckpt"

    @property
    def last(self) -> Path:
        """Lightning checkpoint to resume from."""
        return self.out / "last.ckpt"

    @property
    def average(self) -> Path:
        """The moving average of the weights after the last epoch, where one is taken."""
        return self.out / "ema.ckpt"

    @property
    def onnx(self) -> Path:
        return self.out / "best.onnx"

    @property
    def log(self) -> Path:
        return self.out / "log.csv"

    @property
    def curves(self) -> Path:
        return self.out / "curves.png"

    @property
    def tensorboard(self) -> Path:
        """Folder of the log that TensorBoard shows."""
        return self.out / "tensorboard"

    @property
    def recipe(self) -> Path:
        """All settings; `archdsl train --recipe` takes it to repeat the run."""
        return self.out / "recipe.toml"

    @property
    def spec(self) -> Path:
        """Folder of the spec's files, as they were."""
        return self.out / "spec"

    @property
    def facts(self) -> Path:
        """Settings, classes, normalisation, versions and, in the end, results."""
        return self.out / "run.json"

    @property
    def lock(self) -> Path:
        """Locked by the process that trains; there only while it does, or after it was killed."""
        return self.out / ".lock"

    @property
    def files(self) -> list[Path]:
        """What a training writes and a report reads."""
        return [self.best, self.last, self.average, self.onnx, self.log, self.curves, self.recipe, self.facts]

    @property
    def advice(self) -> str | None:
        """How to go on after a stop; None where nothing was kept yet."""
        if not self.last.exists():
            return None
        return f"repeat the command with `--resume {self.out}` to continue from its last checkpoint"

    @rank_zero_only
    def claim(self) -> None:
        """Make the folder.

        Raises: SpecError, if it holds files.
        """
        if self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir())):
            raise SpecError([self._taken()])
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            self.facts.touch(exist_ok=False)  # of two that begin at the same moment, one gets the folder
        except FileExistsError:
            raise SpecError([self._taken()]) from None
        except OSError as error:
            raise SpecError([cannot_write(self.out, error)]) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Train in here: no other process can, until this one leaves or dies. Of those that train together, one locks.

        Raises: SpecError, where another process has the folder.
        """
        if rank_zero_only.rank != 0:  # pyright: ignore[reportFunctionMemberAccess]  # set by Lightning
            yield
            return
        lock = FileLock(self.lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise SpecError([RunInUse(path=str(self.out))]) from None
        except OSError as error:
            raise SpecError([cannot_write(self.lock, error)]) from None
        try:
            yield
        finally:
            with suppress(OSError):  # Windows keeps a file that is open
                self.lock.unlink()
            lock.release()

    def _taken(self) -> RunExists:
        goes_on = f"continue that run with `--resume {self.out}`, or " if self.last.exists() else ""
        return RunExists(path=str(self.out), advice=f"{goes_on}choose another folder with --out")

    @rank_zero_only
    def note(self, facts: Mapping[str, Any]) -> None:
        write_whole(self.facts, (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())

    @rank_zero_only
    def note_origin(self, config: Config, spec: Mapping[str, Any]) -> None:
        """Keep what it takes to repeat the run: its recipe and its spec."""
        write_whole(self.recipe, recipe.text(config).encode())
        for name, text in spec.get("files", {}).items():
            write_whole(self.spec / name, text.encode())

    def checkpoint(self) -> dict[str, Any]:
        """The last checkpoint. Only tensors and plain values are unpickled, never code."""
        try:
            checkpoint = torch.load(self.last, map_location="cpu", weights_only=True)
            if checkpoint["archdsl"].keys() >= KEPT:
                return checkpoint
            reason = "its last.ckpt is from another version of archdsl"
        except (FileNotFoundError, NotADirectoryError):
            reason = "it has no last.ckpt"
        except Exception:  # torch raises many kinds on a damaged, a hostile or a foreign file
            reason = "its last.ckpt is damaged, or was not written by archdsl"
        raise SpecError([NothingToResume(path=str(self.out), reason=reason)])


def unused(base: Path, name: str) -> Path:
    """``base/name``, or the first of ``base/name-2``, ``base/name-3`` … that is free."""
    names = (name if n == 1 else f"{name}-{n}" for n in count(1))
    return next(path for path in (base / n for n in names) if not path.exists())


def resumed(run: Run, given: Mapping[str, Any]) -> Config:
    """The settings of a run to go on with: those saved, and those that may change and are ``given``, by flags or in the
    recipe in its folder.

    Raises: SpecError, where another one is given.
    """
    try:
        saved = Config(**run.checkpoint()["archdsl"]["settings"])
    except TypeError:
        reason = "its last.ckpt is from another version of archdsl"
        raise SpecError([NothingToResume(path=str(run.out), reason=reason)]) from None
    given = {**(recipe.read(str(run.recipe)) if run.recipe.exists() else {}), **given}
    for name, value in given.items():
        before = getattr(saved, name)
        if name not in RESUMABLE and value != before:
            told = _flag(name, value) if isinstance(value, bool) else str(value)
            raise SpecError([OtherSetting(path=str(run.out), saved=_flag(name, before), given=told)])
    return replace(saved, **given)


def _flag(name: str, value: Any) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"the default of --{flag}" if value is None else f"--{flag} {value}"


def check_network(run: Run, checkpoint: Mapping[str, Any], identity: str, state: Mapping[str, Tensor]) -> None:
    """Raises: SpecError, where the checkpoint is of another network than the one of this identity and state."""
    if difference := _difference(checkpoint, identity, state):
        raise SpecError([OtherNetwork(path=str(run.out), difference=difference)])


def check_epochs(run: Run, checkpoint: Mapping[str, Any], epochs: int) -> None:
    """Raises: SpecError, where the checkpoint has trained for more than ``epochs``."""
    done = checkpoint["archdsl"]["epochs"]
    if done > epochs:
        raise SpecError([AlreadyTrainedFurther(path=str(run.out), done=done, asked=epochs)])


def _difference(checkpoint: Mapping[str, Any], identity: str, state: Mapping[str, Tensor]) -> str | None:
    before = {name: list(value.shape) for name, value in checkpoint["state_dict"].items()}
    now = {name: list(value.shape) for name, value in state.items()}
    for name in [*before, *now]:
        there, here = before.get(name, "missing"), now.get(name, "missing")
        if there != here:
            return f"`{name.removeprefix('network.')}` is {there} in the checkpoint and {here} in the spec"
    if checkpoint["archdsl"]["network"] != identity:
        return "it has the same weights, but different computations"
    return None


def versions() -> dict[str, str | None]:
    """Of what a result hangs on; None for a checkout that was never installed."""
    packages = ("archdsl", "torch", "torchvision", "lightning", "torchmetrics", "pillow")
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


def hardware() -> dict[str, str | int]:
    """What the run is computed on."""
    facts: dict[str, str | int] = {"machine": f"{platform.system()} {platform.machine()}", "cpus": os.cpu_count() or 1}
    if torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return {**facts, "threads": torch.get_num_threads(), "processor": _processor()}


def _processor() -> str:
    """The processor's own name where the system tells it (Linux), else its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
