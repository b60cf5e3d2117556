"""Ctrl-C: the step ends, a checkpoint is kept, and the run can be resumed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from archdsl.diagnostics.training import Stopped
from archdsl.errors import SpecError
from archdsl.training.run import Run


def between_steps(trainer: Trainer, batch_idx: int) -> bool:
    """After this batch, is nothing half done: no gradients that wait for others, no epoch that only lacks its end?"""
    return (batch_idx + 1) % trainer.accumulate_grad_batches == 0 and not trainer.is_last_batch


class StopOnInterrupt(Callback):
    """The first Ctrl-C lets the step end, keeps a checkpoint and stops; the second one stops at once.

    A checkpoint in the midst of a step would hold weights that are half updated. None is made after an epoch's last
    step either: validation runs first, and then the epoch has a checkpoint of its own.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.asked: bool = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Ctrl-C means this in here. Only a main thread hears it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.write(2, b"\nstopping after this step; Ctrl-C again stops at once\n")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if between_steps(trainer, batch_idx) and self._agreed(trainer):
            trainer.save_checkpoint(self.run.last)
            raise SpecError([Stopped(when=f"after step {trainer.global_step}", advice=self.run.advice)])

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._agreed(trainer) and trainer.current_epoch > 0:
            raise SpecError([Stopped(when=f"after epoch {trainer.current_epoch}", advice=self.run.advice)])

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._agreed(trainer):
            raise SpecError([Stopped(when="after the last epoch, before the test", advice=self.run.advice)])

    def _agreed(self, trainer: Trainer) -> bool:
        """Has Ctrl-C been heard by any of the processes that train together? They have to stop at the same step."""
        return trainer.strategy.reduce_boolean_decision(self.asked, all=False)
