"""A moving average of the weights, which is what validates, tests and is exported."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Average(WeightAveraging):
    """Exponential, with a decay that rises from 0.1 as ``(1 + n) / (10 + n)`` after ``n`` steps up to ``decay``.

    So the first, random weights are forgotten within a few steps, however few a small data set has. (A fixed decay of
    0.9999 still holds half of them after 7,000 steps.) ``n`` is kept in the checkpoint.
    """

    def __init__(self, decay: float) -> None:
        def average(averaged: Any, current: Any, steps: Any) -> None:
            get_ema_multi_avg_fn(warmed(decay, int(steps)))(averaged, current, steps)

        super().__init__(multi_avg_fn=torch.no_grad()(average))

    def weights(self) -> dict[str, torch.Tensor]:
        """The average's state dict, as of the module that is trained."""
        assert self._average_model is not None
        return dict(self._average_model.module.state_dict())


def warmed(decay: float, steps: int) -> float:
    """The decay after so many steps."""
    return min(decay, (1 + steps) / (10 + steps))
