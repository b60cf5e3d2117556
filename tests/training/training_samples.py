"""A small network and small pictures, so that whole runs take a second."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from archdsl.training.trainable import Network, Size


class Small(nn.Module):
    """Convolution, batch norm, dropout: what has state, and what has chance in it.

    ``interrupt_at`` raises the signal of Ctrl-C in the midst of that training step (from 1), ``fail_at`` an error.
    """

    def __init__(
        self, channels: int, classes: int, interrupt_at: int | None = None, fail_at: int | None = None
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 6, 3)
        self.bn = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, classes)
        self.interrupt_at, self.fail_at = interrupt_at, fail_at
        self.steps = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.requires_grad is False and torch.is_grad_enabled():
            self.steps += 1
            if self.steps == self.interrupt_at:
                signal.raise_signal(signal.SIGINT)
            if self.steps == self.fail_at:
                raise RuntimeError("the power is gone")
        features = torch.relu(self.bn(self.conv(x))).mean((2, 3))
        return self.fc(nn.functional.dropout(features, 0.3, self.training))


@dataclass(frozen=True)
class SmallTrainable:
    name: str = "Small"
    channels: int | None = None
    size: Size | None = (12, 12)
    interrupt_at: int | None = None
    fail_at: int | None = None
    source: str = "small"
    make: Callable[..., nn.Module] = Small

    def build(self, *, classes: int, channels: int, size: Size) -> Network:
        extra: dict[str, Any] = {
            name: value for name in ("interrupt_at", "fail_at") if (value := getattr(self, name)) is not None
        }
        module = self.make(channels, classes, **extra)
        return Network(module=module, source=self.source, export=lambda path, state: torch.save(state, path))


def paint(path: Path, hue: int, seed: int, size: tuple[int, int] = (20, 16)) -> None:
    """A noisy picture in which one channel is bright: easy to learn, not trivial."""
    noise = np.random.default_rng(seed).integers(0, 160, (*size, 3), dtype=np.uint8)
    noise[..., hue] += 60
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise).save(path)
