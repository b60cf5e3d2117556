"""Random weights: drawn cheaply, compared as distributions, and made non-trivial."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

PERIOD = 99_991
"""Numbers drawn for one tensor, at most. A prime, so that no two rows of a weight are equal."""
TAIL = 6.0
"""Standard deviations by which an honest sample may stray: with the seeds fixed, it does so always or never."""
KOLMOGOROV = 3.3
"""The same for the greatest distance of two distributions, in units of √(2/n): passed by one pair in 10⁹."""


_FILLS = (torch.ops.aten.uniform_.default, torch.ops.aten.normal_.default)


class Zeroed(TorchDispatchMode):
    """Zeros in place of random numbers, where contents do not matter."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0].zero_() if func in _FILLS else func(*args, **(kwargs or {}))


class Repeating(TorchDispatchMode):
    """Fills large tensors with `PERIOD` random numbers again and again: the distribution at a tenth of the time."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _FILLS or args[0].numel() <= PERIOD:
            return func(*args, **(kwargs or {}))
        flat = args[0].view(-1)
        func(flat[:PERIOD], *args[1:], **(kwargs or {}))
        filled = PERIOD
        while filled < len(flat):
            more = min(filled, len(flat) - filled)
            flat[filled : filled + more] = flat[:more]
            filled += more
        return args[0]


def difference(found: Tensor, expected: Tensor) -> str | None:
    """In what two freshly initialised tensors differ as distributions, in kind, mean or spread; None if in nothing."""
    a, b = (t.detach().reshape(-1)[:PERIOD].double() for t in (found, expected))
    if bool((b == b[0]).all()):
        return None if torch.equal(a, b) else f"constant {b[0]:g}, not {a[:3].tolist()}…"
    spread, n = float(b.std()), len(b)
    if abs(float(a.mean() - b.mean())) > TAIL * spread * math.sqrt(2 / n):
        return f"mean {b.mean():g}, not {a.mean():g}"
    if abs(float(a.std()) / spread - 1) > TAIL / math.sqrt(n):
        return f"spread {spread:g}, not {a.std():g}"
    if kolmogorov(a, b) > KOLMOGOROV * math.sqrt(2 / n):
        return f"another kind: {kurtosis(b):.2f}, not {kurtosis(a):.2f} (kurtosis)"
    return None


def kolmogorov(a: Tensor, b: Tensor) -> float:
    """The greatest distance between the distribution functions of two samples of one size.

    They are compared at every sixteenth number of the first, which misses less than 16 / size.
    """
    x, y = (np.sort(t.numpy()) for t in (a, b))
    at = x[::16]
    return float(abs(np.searchsorted(x, at, "right") - np.searchsorted(y, at, "right")).max()) / len(x)


def kurtosis(x: Tensor) -> float:
    """3 for normal numbers, 1.8 for uniform ones."""
    return float(((x - x.mean()) / x.std()).pow(4).mean())


def randomise(module: nn.Module, images: Tensor, scale: float) -> None:
    """Weights at which signals neither vanish nor explode; biases, scales and statistics unlike a fresh network's.

    Weights keep their draws and are scaled as He et al. advise, what is constant is moved, and batch norms get nearly
    the statistics that they see on the images: otherwise what residual units add up would grow exponentially. The
    `scale` of normalised signals is small, so that a unit adds less to what passes it, and less to the rounding that
    grows there: in a network of a hundred units that would drown the comparison.
    """
    with torch.no_grad():
        for tensor in module.parameters():
            if tensor.ndim <= 1 or bool((tensor == tensor.view(-1)[0]).all()):
                tensor.add_(torch.randn(tensor.shape), alpha=0.1).mul_(scale)
            else:
                tensor.mul_(math.sqrt(2 / tensor[0].numel()) / tensor.view(-1)[:PERIOD].std())
        norms = [m for m in module.eval().modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        for norm in norms:
            norm.train().momentum = 1.0
        if norms:
            module(images)
        for norm in norms:
            assert norm.running_var is not None
            assert norm.running_mean is not None
            norm.running_mean.add_(0.1 * norm.running_var.sqrt() * torch.randn(norm.num_features))
            norm.running_var.mul_(0.8 + 0.4 * torch.rand(norm.num_features)).add_(0.01)
