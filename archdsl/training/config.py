"""What a training run can be told. Imports nothing heavy: the command line reads its choices and defaults here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Optimizer = Literal["sgd", "adamw"]
Schedule = Literal["cosine", "step", "constant"]

LEARNING_RATE: dict[Optimizer, float] = {"sgd": 0.05, "adamw": 1e-3}
WEIGHT_DECAY: dict[Optimizer, float] = {"sgd": 5e-4, "adamw": 0.01}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of a run. None means: chosen by what else is known, as each line says."""

    data: str = "digits"
    """``digits``, ``oxflower17:DIR``, or a folder that holds a folder of pictures for each class."""
    split: int = 1
    """Which division into training, validation and test pictures."""
    size: int | None = None
    """Height and width of the input, in pixels. None: what the network asks for."""
    augment: bool = True
    epochs: int = 30
    batch_size: int = 32
    optimizer: Optimizer = "adamw"
    lr: float | None = None
    """Peak learning rate. None: ``LEARNING_RATE`` of the optimizer."""
    momentum: float = 0.9
    """Of SGD."""
    weight_decay: float | None = None
    """None: ``WEIGHT_DECAY`` of the optimizer."""
    schedule: Schedule = "cosine"
    warmup: float = 1.0
    """Epochs over which the learning rate rises from near 0 to its peak."""
    seed: int = 0
    workers: int | None = None
    """Processes that read pictures. None: 0 for data held in memory, else 1 for two CPUs, up to 4."""
    accelerator: str = "auto"
    devices: str = "1"
    precision: str = "32-true"

    @property
    def learning_rate(self) -> float:
        return LEARNING_RATE[self.optimizer] if self.lr is None else self.lr

    @property
    def decay(self) -> float:
        return WEIGHT_DECAY[self.optimizer] if self.weight_decay is None else self.weight_decay


RESUMABLE = frozenset({"data", "epochs", "workers", "accelerator", "devices", "precision"})
"""Settings that may change when a run is resumed: they say where and how long it trains, not what."""
