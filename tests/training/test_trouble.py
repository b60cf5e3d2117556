"""Trouble in the midst of a run: each has a diagnostic, and the last good checkpoint stays."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import get_worker_info
from training_samples import Small, SmallTrainable

from archdsl.diagnostics import training as faults
from archdsl.errors import SpecError
from archdsl.training.config import Config
from archdsl.training.data import Data
from archdsl.training.fit import fit


@pytest.fixture(scope="module")
def config(colours: Path) -> Config:
    return Config(data=str(colours), epochs=2, batch_size=9, workers=0, lr=0.01, checkpoint_every=1, tensorboard=False)


def failure(config: Config, out: Path, trainable: SmallTrainable | None = None) -> Any:
    with pytest.raises(SpecError) as caught:
        fit(trainable or SmallTrainable(), config, out)
    return caught.value.diagnostics[0]


def kept(out: Path) -> dict[str, Any]:
    """The last checkpoint, which has to be whole and of finite weights, with nothing half written beside it."""
    checkpoint = torch.load(out / "last.ckpt", weights_only=True)
    assert all(torch.isfinite(value).all() for value in checkpoint["state_dict"].values())
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    return checkpoint["archdsl"]


class Diverging(Small):
    def forward(self, x: Tensor) -> Tensor:
        scores = super().forward(x)
        return scores * float("nan") if self.steps > 2 else scores


def test_a_loss_that_is_no_number(config: Config, tmp_path: Path) -> None:
    found = failure(config, tmp_path, SmallTrainable(make=Diverging))
    assert isinstance(found, faults.LossNotFinite)
    assert found.message == "the loss is nan in epoch 1: training has diverged"
    assert kept(tmp_path)["batches"] == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no limit to a file's size")
def test_a_full_disk(config: Config, tmp_path: Path) -> None:
    """Simulated: from the second epoch on no file may grow beyond what any checkpoint needs."""
    import resource

    class Filling(Small):
        def forward(self, x: Tensor) -> Tensor:
            scores = super().forward(x)
            if self.steps == 6:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
            return scores

    try:
        found = failure(config, tmp_path, SmallTrainable(make=Filling))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert isinstance(found, faults.RunFailed)
    assert f"--resume {tmp_path}" in found.help
    assert (kept(tmp_path)["epochs"], kept(tmp_path)["batches"]) == (1, 1)
    fit(SmallTrainable(), config, tmp_path, resume=True)
    assert kept(tmp_path)["epochs"] == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_worker_that_dies(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Data.pixels

    def deadly(self: Data, index: int, least: int) -> Tensor:
        if get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, index, least)

    monkeypatch.setattr(Data, "pixels", deadly)
    found = failure(replace(config, workers=1), tmp_path)
    assert isinstance(found, faults.WorkerDied)
    assert found.message.startswith("a data loader process died: it ")  # was killed, or is gone: who asks first


def test_an_average_cannot_be_sharded(config: Config, tmp_path: Path) -> None:
    assert isinstance(failure(replace(config, ema=0.9, strategy="fsdp"), tmp_path / "run"), faults.NoAverage)
    assert not (tmp_path / "run").exists()


def test_names_of_weights_survive_compilation(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled without the C++ compiler, which takes its time: what matters here are names and results."""
    real, calls = torch.compile, []

    def eagerly(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return real(*args, **{**kwargs, "backend": "eager"})

    monkeypatch.setattr(torch, "compile", eagerly)
    settings = replace(config, epochs=1, ema=0.9, channels_last=True)
    fit(SmallTrainable(), replace(settings, compile=True), tmp_path / "compiled")
    fit(SmallTrainable(), settings, tmp_path / "plain")
    assert calls
    for name in ("best.ckpt", "last.ckpt", "ema.ckpt"):
        ours, theirs = (torch.load(tmp_path / run / name, weights_only=True) for run in ("compiled", "plain"))
        torch.testing.assert_close(ours["state_dict"], theirs["state_dict"])


def test_early_stopping(config: Config, tmp_path: Path) -> None:
    """A rate of nearly 0 improves nothing: the first epoch stays the best, and two more are waited for."""
    result = fit(SmallTrainable(), replace(config, epochs=20, lr=1e-12, patience=2), tmp_path)
    assert (result.best_epoch, result.epochs) == (1, 3)
