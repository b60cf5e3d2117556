"""Definitions that an emitted file brings along, where torch has none: those that a callee without a dot names."""

from __future__ import annotations

from typing import NamedTuple


class Helper(NamedTuple):
    """A definition, as the emitted file holds it, and the names of those that it needs before it."""

    source: str
    needs: tuple[str, ...] = ()


HELPERS: dict[str, Helper] = {
    "drop_path": Helper('''\
def drop_path(x: Tensor, p: float, training: bool) -> Tensor:
    """Stochastic depth: zero whole examples with probability p, scale up the others."""
    if not training or p == 0.0:
        return x
    kept = x.new_empty(x.shape[:1] + (1,) * (x.ndim - 1)).bernoulli_(1.0 - p)
    return x * (kept.div_(1.0 - p) if p < 1.0 else kept)
'''),
    "DropPath": Helper(
        '''\
class DropPath(nn.Module):
    """Stochastic depth: zero whole examples with probability p, scale up the others."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return drop_path(x, self.p, self.training)
''',
        needs=("drop_path",),
    ),
}
"""By name. They may use ``torch``, ``nn``, ``F`` and ``Tensor``."""
