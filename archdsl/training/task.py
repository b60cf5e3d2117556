"""Classification as Lightning sees it: loss, metrics, optimizer and schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics import MeanMetric, Metric
from torchmetrics.classification import MulticlassAccuracy
from torchvision.transforms import v2

from archdsl.training.config import Config, Schedule
from archdsl.training.loaders import mixed
from archdsl.training.optimizer import check_rates, optimizer
from archdsl.training.select import freeze
from archdsl.training.trainable import Network

AUXILIARY_WEIGHT = 0.3
"""Of each auxiliary head's loss (Szegedy et al. 2014, section 5)."""

Batch = tuple[Tensor, Tensor]
"""Pictures float32 [N, channels, H, W] and labels int64 [N]."""


class Classification(pl.LightningModule):
    """Trains ``network`` to tell ``classes`` apart.

    Every checkpoint holds under ``archdsl`` what ``facts`` says of the data, the digest of the network's source, the
    settings, the epochs that are complete, the batches done in the next one, and the metrics of those. What is random
    in a step is a function of the seed and the batch, so that no state of a random generator needs to be kept.
    """

    def __init__(self, network: Network, classes: int, config: Config, facts: Mapping[str, Any] | None = None) -> None:
        """Raises: SpecError, where a selector matches no weight."""
        super().__init__()
        self.network: nn.Module = network.module
        self.identity: str = sha256(network.source.encode()).hexdigest()
        self.config: Config = config
        self.facts: dict[str, Any] = dict(facts or {})
        self.still: list[nn.Module] = freeze(self.network, config.freeze)
        check_rates(self.network, config)
        self._mix = mixing(config, classes)
        self._sharded = False
        self._begun: dict[str, Any] | None = None
        if config.channels_last:
            self.network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        for part in ("train", "val", "test"):
            self.add_module(f"{part}_loss", MeanMetric(nan_strategy="disable"))
            # torchmetrics would look whether labels are classes: on a GPU, a wait in every step
            self.add_module(f"{part}_accuracy", MulticlassAccuracy(classes, average="micro", validate_args=False))

    # ---- the network ----

    def configure_model(self) -> None:
        """Shard the network by the spec's blocks, where it is to be sharded."""
        if self.config.strategy == "fsdp" and not self._sharded:
            shard(self.network, self.device_mesh)
            self._sharded = True

    def on_fit_start(self) -> None:
        """Lightning takes modules in the mode that they are in. Compiled in place, names in the state dict stay."""
        self.train()
        if self.config.compile:
            self.network.compile()

    def train(self, mode: bool = True) -> Classification:
        """Frozen norms evaluate even then: in training their running statistics would drift."""
        super().train(mode)
        for norm in self.still:
            norm.eval()
        return self

    # ---- steps ----

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        if self._begun is not None:
            self._continue(self._begun)
            self._begun = None
        done = self.current_epoch * int(self.trainer.num_training_batches) + batch_idx
        torch.manual_seed(mixed(self.config.seed, done * self.trainer.world_size + self.global_rank))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        pictures, labels = batch
        pictures, targets = self._mix(pictures, labels) if self._mix else (pictures, labels)
        outputs = self.network(self._laid_out(pictures))
        scores, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
        loss = self._loss(scores, targets)
        self._record("train", loss, scores, targets if targets.ndim == 1 else targets.argmax(1))
        return loss + AUXILIARY_WEIGHT * sum(self._loss(side, targets) for side in auxiliary)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate("val", batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate("test", batch)

    def _evaluate(self, part: str, batch: Batch) -> None:
        pictures, labels = batch
        scores = self.network(self._laid_out(pictures))
        self._record(part, cross_entropy(scores, labels), scores, labels)

    def _loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(scores, targets, label_smoothing=self.config.label_smoothing)

    def _laid_out(self, pictures: Tensor) -> Tensor:
        return pictures.contiguous(memory_format=torch.channels_last) if self.config.channels_last else pictures

    def _record(self, part: str, loss: Tensor, scores: Tensor, labels: Tensor) -> None:
        """Over an epoch: the mean loss of its pictures, and the share of them that is recognised.

        Where pictures are mixed, the class with the larger share counts.
        """
        both = self._metrics(part)
        both[f"{part}_loss"].update(loss.detach().expand(len(labels)))  # torchmetrics 1.9 drops a weight here
        both[f"{part}_accuracy"].update(scores.detach(), labels)
        self.log_dict(both, on_step=False, on_epoch=True)

    def _metrics(self, part: str) -> dict[str, Metric]:
        return {name: getattr(self, name) for name in (f"{part}_loss", f"{part}_accuracy")}

    # ---- optimizer ----

    def configure_optimizers(self) -> Any:
        """The rate is set before every step."""
        found, config = optimizer(self.network, self.config), self.config
        steps = int(self.trainer.estimated_stepping_batches)
        warm = round(config.warmup * steps / config.epochs)
        scheduler = LambdaLR(found, lambda step: factor(config.schedule, step, steps, warm))
        return {"optimizer": found, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    # ---- checkpoints ----

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        ended = self.trainer.is_last_batch
        checkpoint["archdsl"] = {
            **self.facts,
            "network": self.identity,
            "settings": {**asdict(self.config), "lr_of": dict(self.config.lr_of)},
            "epochs": self.current_epoch + ended,
            "batches": 0 if ended else self.trainer.fit_loop.batch_idx + 1,
            "metrics": {} if ended else {name: _state(metric) for name, metric in self._metrics("train").items()},
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Metrics are set when the first batch begins, since Lightning resets them until then."""
        self._begun = checkpoint["archdsl"]["metrics"]

    def _continue(self, begun: Mapping[str, Any]) -> None:
        """Metrics of the part of the epoch that was done go on, in one of the processes."""
        if self.global_rank == 0:
            for name, state in begun.items():
                metric = getattr(self, name)
                for key, value in state.items():
                    setattr(metric, key, value.to(metric.device))
                metric._update_count = 1


def _state(metric: Metric) -> dict[str, Tensor]:
    """What a metric has gathered, in all processes together."""
    with metric.sync_context(should_unsync=True):
        return {key: value.clone().cpu() for key, value in metric.metric_state.items() if isinstance(value, Tensor)}


def mixing(config: Config, classes: int) -> v2.Transform | None:
    """Mixup or cutmix of a batch; where both are asked for, one of them by chance (as torchvision's recipe does)."""
    kinds: list[v2.Transform] = []
    if config.mixup:
        kinds.append(v2.MixUp(alpha=config.mixup, num_classes=classes))
    if config.cutmix:
        kinds.append(v2.CutMix(alpha=config.cutmix, num_classes=classes))
    return v2.RandomChoice(kinds) if kinds else None


def shard(network: nn.Module, mesh: Any) -> None:
    """FSDP, a shard a block of the spec: every class of the compiled source is one."""
    from torch.distributed.fsdp import fully_shard

    blocks = [m for m in network.modules() if not type(m).__module__.startswith("torch.")]
    for block in reversed(blocks):  # inner ones first; the last is the network itself
        if any(True for _ in block.parameters()):
            fully_shard(block, mesh=mesh)


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
