"""The memory of a run: its log and its checkpoints."""

from __future__ import annotations

import csv
import io
import math
import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only

from archdsl.diagnostics.training import LossNotFinite
from archdsl.errors import SpecError
from archdsl.files import write_whole
from archdsl.training.curves import Row, draw
from archdsl.training.run import Run

COLUMNS: tuple[str, ...] = (
    "epoch", "step", "lr", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "images_per_second",
)  # fmt: skip


class Record(Callback):
    """After each epoch: a row in the log, a checkpoint, one more if validation never went better. At the end: curves.

    The rows are in the checkpoints too, so that a resumed run continues its own log and knows its own best, wherever
    its folder has been moved. (Lightning's CSVLogger deletes the log of the run that is resumed, and its
    ModelCheckpoint forgets the best score when the folder has moved.) In an epoch that was stopped and resumed, the
    figures of training are of its second part.
    """

    def __init__(self, run: Run, title: str) -> None:
        """``title`` stands over the curves."""
        self.run, self.title = run, title
        self.rows: list[Row] = []
        self._pictures, self._began, self._rate, self._lr = 0, 0.0, 0.0, 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    @property
    def best(self) -> Row:
        """The epoch that validated best, the earliest of equals."""
        return max(self.rows, key=lambda row: row["val_accuracy"])

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._began = self._began or time.perf_counter()
        self._lr = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._pictures += len(batch[1]) * trainer.world_size
        self._rate = self._pictures / (time.perf_counter() - self._began)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row = self._row(trainer)
        self._pictures, self._began = 0, 0.0
        for loss in (row["train_loss"], row["val_loss"]):
            if not math.isfinite(loss):
                raise SpecError([LossNotFinite(loss=loss, epoch=int(row["epoch"]))])
        self.rows.append(row)
        self._write()
        if self.best is row:
            trainer.save_checkpoint(self.run.best)
        trainer.save_checkpoint(self.run.last)
        pl_module.print(_told(row, trainer.max_epochs))

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._draw()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._draw()

    @rank_zero_only
    def _draw(self) -> None:
        if self.rows:
            draw(self.rows, self.title, self.run.curves)

    def _row(self, trainer: Trainer) -> Row:
        figures = {name: value.item() for name, value in trainer.callback_metrics.items()}
        figures["epoch"] = trainer.current_epoch + 1
        figures["step"] = trainer.global_step
        figures["lr"] = self._lr
        figures["images_per_second"] = round(self._rate, 1)
        return {name: figures[name] for name in COLUMNS}

    @rank_zero_only
    def _write(self) -> None:
        """The whole file, for a run that was killed may have written an epoch that it trains again."""
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        write_whole(self.run.log, text.getvalue().encode())


def _told(row: Row, epochs: int | None) -> str:
    return (
        f"epoch {row['epoch']}/{epochs}  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.1%}"
        f"  validation: loss {row['val_loss']:.4f}  accuracy {row['val_accuracy']:.1%}"
        f"  {row['images_per_second']:.0f} images/s"
    )
