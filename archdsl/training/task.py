"""Classification as Lightning sees it: loss, metrics, optimizer and schedule."""

from __future__ import annotations

import math
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

from archdsl.training.config import Config, Schedule
from archdsl.training.loaders import mixed
from archdsl.training.trainable import Network

AUXILIARY_WEIGHT = 0.3
"""Of each auxiliary head's loss (Szegedy et al. 2014, section 5)."""

Batch = tuple[Tensor, Tensor]
"""Pictures float32 [N, channels, H, W] and labels int64 [N]."""


class Classification(pl.LightningModule):
    """Trains ``network`` to tell ``classes`` apart.

    Every checkpoint holds under ``archdsl`` the digest of the network's source, the settings, the epochs that are
    complete and the batches done in the next one. What is random in a step is a function of the seed and the step, so
    that no state of a random generator needs to be kept.
    """

    def __init__(self, network: Network, classes: int, config: Config) -> None:
        super().__init__()
        self.network = network.module
        self.identity = sha256(network.source.encode()).hexdigest()
        self.config = config
        for part in ("train", "val", "test"):
            self.add_module(f"{part}_loss", MeanMetric(nan_strategy="disable"))
            self.add_module(f"{part}_accuracy", MulticlassAccuracy(classes, average="micro"))

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        torch.manual_seed(mixed(self.config.seed, self.global_step * self.trainer.world_size + self.global_rank))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        pictures, labels = batch
        outputs = self.network(pictures)
        scores, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
        loss = cross_entropy(scores, labels)
        self._record("train", loss, scores, labels)
        return loss + AUXILIARY_WEIGHT * sum(cross_entropy(side, labels) for side in auxiliary)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate("val", batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate("test", batch)

    def _evaluate(self, part: str, batch: Batch) -> None:
        pictures, labels = batch
        scores = self.network(pictures)
        self._record(part, cross_entropy(scores, labels), scores, labels)

    def _record(self, part: str, loss: Tensor, scores: Tensor, labels: Tensor) -> None:
        """Over an epoch: the mean loss of its pictures, and the share of them that is recognised."""
        mean, accuracy = getattr(self, f"{part}_loss"), getattr(self, f"{part}_accuracy")
        mean.update(loss.detach(), weight=len(labels))
        accuracy.update(scores.detach(), labels)
        both = {f"{part}_loss": mean, f"{part}_accuracy": accuracy}
        self.log_dict(both, on_step=False, on_epoch=True)

    def configure_optimizers(self) -> Any:
        """The rate is set before every step."""
        optimizer, config = self._optimizer(), self.config
        steps = int(self.trainer.estimated_stepping_batches)
        warm = round(config.warmup * steps / config.epochs)
        scheduler = LambdaLR(optimizer, lambda step: factor(config.schedule, step, steps, warm))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _optimizer(self) -> torch.optim.Optimizer:
        config, weights = self.config, self.network.parameters()
        if config.optimizer == "sgd":
            return torch.optim.SGD(
                weights, lr=config.learning_rate, momentum=config.momentum, weight_decay=config.decay
            )
        return torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=config.decay)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        ended = self.trainer.is_last_batch
        checkpoint["archdsl"] = {
            "network": self.identity,
            "settings": asdict(self.config),
            "epochs": self.current_epoch + ended,
            "batches": 0 if ended else self.trainer.fit_loop.batch_idx + 1,
        }


def factor(schedule: Schedule, step: int, steps: int, warm: int) -> float:
    """What the peak learning rate is multiplied by in ``step`` of ``steps``, of which the first ``warm`` rise linearly.

    ``cosine`` falls to 0 on half a cosine, ``step`` to a tenth after each third, ``constant`` stays.
    A function of the step alone: a run that is resumed, or made longer, needs no history.
    """
    if step < warm:
        return (step + 1) / (warm + 1)
    match schedule:
        case "cosine":
            done = (step - warm) / max(1, steps - warm)
            return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        case "step":
            return 0.1 ** (3 * step // max(1, steps))
        case "constant":
            return 1.0
