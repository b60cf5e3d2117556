"""Lightning's Trainer: made from the settings, kept quiet, its exceptions told as diagnostics."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.strategies import ModelParallelStrategy, Strategy
from lightning.pytorch.utilities import rank_zero_only

from archdsl.diagnostics.files import CannotWrite
from archdsl.diagnostics.training import NoAverage, RunFailed, Stopped, TrainerRefuses
from archdsl.errors import SpecError
from archdsl.training.checkpoints import WholeCheckpoints
from archdsl.training.config import Config
from archdsl.training.explained import first_line
from archdsl.training.run import Run

NOISE = (
    ".*LeafSpec.*is deprecated",  # Lightning's own affair
    ".*does not have many workers",  # the workers are a setting
    ".*dataloader is not resumable",  # it is: see loaders.Draws
    ".*WeightAveraging callback with a model that overrides",  # nothing is sharded where there is an average
    ".*The 'fused' implementation of",
    ".*in eval mode at the start of training",  # frozen norms: see task.Classification.train
)


def trainer(config: Config, callbacks: list[Callback]) -> Trainer:
    """Raises: SpecError, where accelerator, devices, strategy or precision are not to be had."""
    if config.ema and config.strategy == "fsdp":
        raise SpecError([NoAverage()])
    try:
        engine = Trainer(
            accelerator=config.accelerator,
            devices=config.devices,
            num_nodes=config.nodes,
            strategy=_strategy(config),
            sync_batchnorm=config.sync_bn,
            precision=config.precision,  # pyright: ignore[reportArgumentType]  # Lightning checks the string
            deterministic=config.deterministic or None,
            benchmark=not config.deterministic,  # cuDNN tries which of its convolutions is fastest at this size
            max_epochs=config.epochs,
            accumulate_grad_batches=config.accumulate,
            gradient_clip_val=config.clip,
            callbacks=callbacks,
            plugins=[WholeCheckpoints()],
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=any(isinstance(c, ProgressBar) for c in callbacks),
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # loaders.Draws shares the pictures out
        )
    except (MisconfigurationException, ValueError, TypeError, RuntimeError, ImportError) as error:
        raise SpecError([TrainerRefuses(reason=first_line(error))]) from None
    cpus = os.cpu_count() or 1
    if isinstance(engine.accelerator, CPUAccelerator) and engine.num_devices > cpus:
        reason = f"{engine.num_devices} processes would share {cpus} CPUs"
        raise SpecError([TrainerRefuses(reason=reason)])
    return engine


def _strategy(config: Config) -> Strategy | str:
    """Sharded, the weights are spread over the devices of a machine, and machines hold copies of each other."""
    return ModelParallelStrategy(save_distributed_checkpoint=False) if config.strategy == "fsdp" else config.strategy


def leads() -> bool:
    """Is this, of the processes that train together, the one that speaks and writes?"""
    return rank_zero_only.rank == 0  # pyright: ignore[reportFunctionMemberAccess]  # set by Lightning


@contextmanager
def quiet() -> Iterator[None]:
    """Without tips and known false alarms. What is shown goes to stderr: stdout belongs to the result."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        for message in NOISE:
            warnings.filterwarnings("ignore", message=message)
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def stoppable(run: Run) -> Iterator[None]:
    """Tells how to go on after Ctrl-C, and after a fault to write.

    Raises: SpecError.
    """
    try:
        yield
    except MisconfigurationException as error:
        raise SpecError([RunFailed(what="training", reason=first_line(error), advice=run.advice)]) from error
    except (KeyboardInterrupt, SystemExit):  # Lightning makes the one into the other
        raise SpecError([Stopped(when="at once", advice=run.advice)]) from None
    except SpecError as error:
        if not any(isinstance(d, CannotWrite) for d in error.diagnostics):
            raise
        reason = error.diagnostics[0].message
        raise SpecError([RunFailed(what="training", reason=reason, advice=run.advice)]) from None
