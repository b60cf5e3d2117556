"""What the tensors of a checkpoint are: shapes, element types and statistics, read in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

PIECE = 2**22
"""Numbers that are converted at a time: a tensor of any size takes no more memory than these in float64."""


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation (of the population), least and greatest of the finite numbers; how many are not."""

    mean: float
    std: float
    least: float
    greatest: float
    nan: int
    infinite: int


def statistics(tensor: Tensor) -> Statistics | None:
    """The statistics of a tensor, in float64; None if it has no elements."""
    import torch

    if tensor.numel() == 0:
        return None
    count, total, least, greatest, nans, infinite = 0, 0.0, nan, nan, 0, 0
    pieces = tensor.reshape(-1).split(PIECE)
    for piece in pieces:
        numbers = piece.double()
        finite = numbers[torch.isfinite(numbers)]
        nans += int(numbers.isnan().sum())
        infinite += int(numbers.isinf().sum())
        if len(finite):
            count += len(finite)
            total += finite.sum().item()
            least = min(finite.min().item(), least if isfinite(least) else finite.min().item())
            greatest = max(finite.max().item(), greatest if isfinite(greatest) else finite.max().item())
    mean = total / count if count else nan
    squares = sum(((p.double() - mean).square().nan_to_num(0.0, 0.0, 0.0).sum().item() for p in pieces), 0.0)
    return Statistics(mean, sqrt(squares / count) if count else nan, least, greatest, nans, infinite)
