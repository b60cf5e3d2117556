"""The memory of a run: its log and its checkpoints."""

from __future__ import annotations

import csv
import io
import math
import time
from datetime import timedelta
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only

from archdsl.diagnostics.training import LossNotFinite
from archdsl.errors import SpecError
from archdsl.files import write_whole
from archdsl.training.average import Average
from archdsl.training.checkpoints import link, save
from archdsl.training.curves import Row, draw
from archdsl.training.interrupt import between_steps
from archdsl.training.run import Run

COLUMNS: tuple[str, ...] = (
    "epoch", "step", "lr", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "images_per_second",
)  # fmt: skip


class Record(Callback):
    """After each epoch: a row in the log, a checkpoint, one more if validation never went better. At the end: curves.

    A checkpoint every so many steps too, from which a run that was killed goes on.
    The rows are in the checkpoints, so that a resumed run continues its own log and knows its own best, wherever
    its folder has been moved. (Lightning's CSVLogger deletes the log of the run that is resumed, and its
    ModelCheckpoint forgets the best score when the folder has moved.)
    """

    def __init__(
        self, run: Run, title: str, every: int = 0, average: Average | None = None, board: bool = False
    ) -> None:
        """``title`` stands over the curves. ``every``: steps from checkpoint to checkpoint; 0 for none.

        ``board``: log for TensorBoard too.
        """
        self.run: Run = run
        self.title: str = title
        self.every: int = every
        self.average: Average | None = average
        self.board: bool = board
        self.rows: list[Row] = []
        self.rate: float = 0.0
        """Pictures a second, so far in this epoch."""
        self._pictures, self._began, self._lr = 0, 0.0, 0.0
        self._start, self._first = 0.0, 0
        self._writer: Any = None

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    @property
    def best(self) -> Row:
        """The epoch that validated best, the earliest of equals."""
        return max(self.rows, key=lambda row: row["val_accuracy"])

    # ---- while it trains ----

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start, self._first = time.perf_counter(), trainer.current_epoch
        self._began = self._start
        if self.board and trainer.is_global_zero:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.run.tensorboard), purge_step=len(self.rows) + 1)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The wait for the first batch counts too. (A resumed epoch has no such start; there the training's counts.)"""
        self._pictures, self._began = 0, time.perf_counter()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._lr = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        due = bool(self.every) and between_steps(trainer, batch_idx) and trainer.global_step % self.every == 0
        free = trainer.world_size == 1 and pl_module.device.type == "cpu"  # elsewhere a look at the loss costs a wait
        if due or free or trainer.is_last_batch:
            _check(trainer, float(trainer.strategy.reduce(outputs["loss"].detach())))
        self._pictures += len(batch[1]) * trainer.world_size
        self.rate = self._pictures / (time.perf_counter() - self._began)
        if due:
            trainer.save_checkpoint(self.run.last)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row = self._row(trainer)
        _check(trainer, row["train_loss"], row["val_loss"])
        self.rows.append(row)
        self._write()
        self._keep_average(pl_module)
        if self.best is row:
            trainer.save_checkpoint(self.run.best)
            self._also_last()
        else:
            trainer.save_checkpoint(self.run.last)
        pl_module.print(_told(row, trainer.max_epochs, self._left(trainer)))

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._close()

    # ---- what it writes ----

    @rank_zero_only
    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self.rows:
            draw(self.rows, self.title, self.run.curves)

    def _row(self, trainer: Trainer) -> Row:
        figures = {name: value.item() for name, value in trainer.callback_metrics.items()}
        figures["epoch"] = trainer.current_epoch + 1
        figures["step"] = trainer.global_step
        figures["lr"] = self._lr
        figures["images_per_second"] = round(self.rate, 1)
        return {name: figures[name] for name in COLUMNS}

    @rank_zero_only
    def _write(self) -> None:
        """The whole file, for a run that was killed may have written an epoch that it trains again."""
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        write_whole(self.run.log, text.getvalue().encode())
        if self._writer is not None:
            for name, value in self.rows[-1].items():
                if name != "epoch":
                    self._writer.add_scalar(name.replace("_", "/", 1), value, self.rows[-1]["epoch"])
            self._writer.flush()

    @rank_zero_only
    def _also_last(self) -> None:
        """The best checkpoint is the last one too, until the next: large ones are not written twice."""
        link(self.run.best, self.run.last)

    @rank_zero_only
    def _keep_average(self, pl_module: LightningModule) -> None:
        if self.average is not None:
            checkpoint: dict[str, Any] = {"state_dict": self.average.weights()}
            pl_module.on_save_checkpoint(checkpoint)
            save(checkpoint, self.run.average)

    def _left(self, trainer: Trainer) -> float:
        """Seconds that the epochs to come will take, as those of this process did."""
        done = trainer.current_epoch + 1 - self._first
        return (time.perf_counter() - self._start) / done * ((trainer.max_epochs or 0) - trainer.current_epoch - 1)


def _check(trainer: Trainer, *losses: float) -> None:
    """Raises: SpecError, where a loss is not finite. Before a checkpoint, so that the last one stays good."""
    for loss in losses:
        if not math.isfinite(loss):
            raise SpecError([LossNotFinite(loss=loss, epoch=trainer.current_epoch + 1)])


def _told(row: Row, epochs: int | None, left: float) -> str:
    rest = f"  {timedelta(seconds=round(left))} left" if left else ""
    return (
        f"epoch {row['epoch']}/{epochs}  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.1%}"
        f"  validation: loss {row['val_loss']:.4f}  accuracy {row['val_accuracy']:.1%}"
        f"  {row['images_per_second']:.0f} images/s{rest}"
    )
