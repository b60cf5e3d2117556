"""The bar that a terminal shows while an epoch runs."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar

from archdsl.training.record import Record


class Progress(TQDMProgressBar):
    """Lightning's bar (which tells the time left in the epoch), with pictures a second."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        return {"images/s": f"{self.record.rate:.0f}"}
