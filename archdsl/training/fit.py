"""One run, from data to measured accuracy."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from archdsl.diagnostics.files import BadSetting
from archdsl.errors import SpecError
from archdsl.training import transforms
from archdsl.training.average import Average
from archdsl.training.config import Config
from archdsl.training.data import Data
from archdsl.training.explained import explained
from archdsl.training.folders import shown
from archdsl.training.interrupt import StopOnInterrupt
from archdsl.training.loaders import Draws, Pictures, loader
from archdsl.training.onnxfile import describe
from archdsl.training.progress import Progress
from archdsl.training.record import Record
from archdsl.training.run import Run, check_epochs, check_network, hardware, versions
from archdsl.training.sources import load
from archdsl.training.start import start
from archdsl.training.task import Classification
from archdsl.training.trainable import Fitted, Network, Trainable, check_batch, sized
from archdsl.training.trainer import quiet, stoppable, trainer

Loaders = Mapping[str, DataLoader[tuple[Tensor, int]]]
"""Batches of the parts ``train``, ``val`` and ``test``."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run found. Accuracies are shares of 1; the test is of the epoch that validated best."""

    model: str
    data: str
    classes: int
    pictures: dict[str, int]
    epochs: int
    best_epoch: int
    val_accuracy: float
    test_accuracy: float
    test_loss: float
    seconds: float
    """Of training and validation in this process, without the test."""
    files: dict[str, str]


def fit(trainable: Trainable, config: Config, out: Path, *, resume: bool = False, export: bool = False) -> Result:
    """Train, keep the best, and measure it on the test pictures.

    ``out`` is the run's folder: a new or empty one, or one to ``resume``. ``export`` writes the best network as ONNX.
    On a CPU the result is the same bit for bit for the same seed and number of threads, whatever the number of workers,
    and whether the run was stopped and resumed or not.

    Raises: SpecError, whatever stands in the way; with ``Stopped`` in it after Ctrl-C.
    """
    run, data = Run(out), load(config.data, config.split, config.skip_unreadable)
    torch.manual_seed(config.seed)
    fitted = sized(trainable, data, config.size, config.train_size)
    told = [] if resume else _start(fitted.network, trainable.name, config)
    facts = _facts(trainable.name, data, fitted, config)
    task = Classification(fitted.network, len(data.classes), config, facts)
    loaders = _loaders(data, fitted, config)
    _check_batch(trainable.name, fitted, config, loaders, task.still)
    title = f"{trainable.name} on {data.name}"
    average = Average(config.ema) if config.ema else None
    record = Record(run, title, config.checkpoint_every, average, config.tensorboard)
    stop = StopOnInterrupt(run)
    with stoppable(run), explained("training", lambda: run.advice), quiet(), ExitStack() as held:
        engine = trainer(config, _callbacks(config, average, record, stop))
        if not resume:
            run.claim()
        held.enter_context(run.locked())
        if resume:
            _go_on(run, task, loaders)
        facts |= {"settings": asdict(config), "versions": versions(), "hardware": hardware(), "resumed": resume}
        run.note_origin(config, fitted.network.spec)
        run.note(facts)
        rank_zero_only(print)("\n".join(map(shown, [f"{title}, in {out}", *told, *_skipped(data)])))
        began = time.perf_counter()
        with stop.listening():
            last = run.last if resume else None
            engine.fit(task, loaders["train"], loaders["val"], ckpt_path=last, weights_only=True)
        seconds = round(time.perf_counter() - began, 1)
        figures = _test(engine, task, loaders, run)
        result = Result(
            model=trainable.name,
            data=data.name,
            classes=len(data.classes),
            pictures={part: len(indices) for part, indices in data.split._asdict().items()},
            epochs=len(record.rows),
            best_epoch=int(record.best["epoch"]),
            val_accuracy=record.best["val_accuracy"],
            test_accuracy=figures["test_accuracy"],
            test_loss=figures["test_loss"],
            seconds=seconds,
            files=_files(run, fitted.network, config, export),
        )
        run.note({**facts, "result": asdict(result)})
    return result


def _loaders(data: Data, fitted: Fitted, config: Config) -> Loaders:
    if config.resize is not None and config.resize < max(fitted.size):
        reason = f"--resize {config.resize} is less than the {max(fitted.size)} pixels that the network takes"
        raise SpecError([BadSetting(span=None, reason=reason)])
    plain = transforms.evaluation(data, fitted.channels, fitted.size, config.resize)
    small = (config.train_size, config.train_size) if config.train_size else fitted.size
    varied = transforms.training(data, fitted.channels, small, config)
    workers = config.workers
    if workers is None:
        workers = min(4, max(1, (os.cpu_count() or 1) // 2)) if data.photographs else 0

    def part(indices: list[int], transform: v2.Transform, seed: int | None) -> DataLoader[tuple[Tensor, int]]:
        pictures = Pictures(data, indices, transform, least=min(fitted.size))
        return loader(pictures, Draws(len(indices), config.batch_size, seed, config.repeats), workers)

    return {
        "train": part(data.split.train, varied, config.seed),
        "val": part(data.split.val, plain, None),
        "test": part(data.split.test, plain, None),
    }


def _check_batch(name: str, fitted: Fitted, config: Config, loaders: Loaders, frozen: Sequence[nn.Module]) -> None:
    """Raises: SpecError, where a batch norm would see one number in each channel. Synchronized ones see all devices."""
    draws = loaders["train"].sampler
    assert isinstance(draws, Draws)
    size = (config.train_size, config.train_size) if config.train_size else fitted.size
    if not config.sync_bn:
        check_batch(name, fitted.network, size, min(config.batch_size, len(draws)), frozen)


def _go_on(run: Run, task: Classification, loaders: Loaders) -> None:
    """Let the data begin where the last checkpoint ended."""
    checkpoint = run.checkpoint()
    check_network(run, checkpoint, task.identity, task.state_dict())
    check_epochs(run, checkpoint, task.config.epochs)
    draws = loaders["train"].sampler
    assert isinstance(draws, Draws)
    draws.resume(checkpoint["archdsl"]["epochs"], checkpoint["archdsl"]["batches"])


def _start(network: Network, name: str, config: Config) -> list[str]:
    """Load the initial weights. Returns lines that report what was done."""
    return start(network, config.weights, name) if config.weights else []


def _callbacks(config: Config, average: Average | None, record: Record, stop: StopOnInterrupt) -> list[Callback]:
    """In the order in which they are asked: a checkpoint is made when the average has taken its step."""
    callbacks: list[Callback] = [average] if average else []
    if config.patience is not None:
        callbacks.append(EarlyStopping("val_accuracy", mode="max", patience=config.patience, check_finite=False))
    if sys.stderr.isatty():
        callbacks.append(Progress(record))
    return [*callbacks, record, stop]


def _skipped(data: Data) -> list[str]:
    if not data.skipped:
        return []
    named = ", ".join(map(str, data.skipped[:5])) + (", …" if len(data.skipped) > 5 else "")
    left = "1 unreadable image is" if len(data.skipped) == 1 else f"{len(data.skipped)} unreadable images are"
    return [f"{left} skipped: {named}"]


def _facts(model: str, data: Data, fitted: Fitted, config: Config) -> dict[str, Any]:
    """What one has to know to feed the network, and to build it again."""
    given = {"channels": fitted.channels, "size": fitted.size, "mean": data.mean, "std": data.std}
    return {
        "model": model,
        "data": data.name,
        "input": {**given, "photographs": data.photographs, "native": data.size, "resize": config.resize},
        "classes": data.classes,
        "skipped": [shown(str(path)) for path in data.skipped],
        "spec": dict(fitted.network.spec),
    }


def _test(engine: Trainer, task: Classification, loaders: Loaders, run: Run) -> Mapping[str, float]:
    """Metrics of the best epoch's network, whose weights are left in it."""
    best = engine.strategy.broadcast(run.best)  # other processes may have thought of another free folder
    if task.config.strategy == "fsdp":  # each process takes its shards
        return engine.test(task, loaders["test"], ckpt_path=best, weights_only=True, verbose=False)[0]
    task.load_state_dict(torch.load(best, map_location="cpu", weights_only=True)["state_dict"])
    return engine.test(task, loaders["test"], verbose=False)[0]


@rank_zero_only
def _export(run: Run, network: Network) -> None:
    best = torch.load(run.best, map_location="cpu", weights_only=True)
    state = {name.removeprefix("network."): value for name, value in best["state_dict"].items()}
    network.export(run.onnx, state)
    describe(run.onnx, best["archdsl"], run.best)


def _files(run: Run, network: Network, config: Config, export: bool) -> dict[str, str]:
    """Where everything lies; the ONNX file is written now, if asked for."""
    paths = {"best": run.best, "last": run.last, "log": run.log, "curves": run.curves}
    if config.ema:
        paths["ema"] = run.average
    if export:
        _export(run, network)
        paths["onnx"] = run.onnx
    return {name: str(path) for name, path in paths.items()}
