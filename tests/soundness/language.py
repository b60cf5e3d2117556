"""What torch is asked, where the language says more than torch: rules that refuse what torch would take.

Each has its reason in docs/reliability.md. They are written here in terms of torch's own tensors.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Stricter(Exception):
    """The language refuses on purpose what torch would take; the text names the rule."""


def held(condition: bool, rule: str) -> None:
    if not condition:
        raise Stricter(rule)


def floats(x: Tensor) -> Tensor:
    """What layers take."""
    held(x.dtype == torch.float32, "layers take float32")
    return x


def counted(x: Tensor) -> Tensor:
    """A bool counts as 1 or 0."""
    return x.long() if x.dtype == torch.bool else x


def with_axes(x: Tensor) -> Tensor:
    """torch gives a single number an axis 0 and -1 where one is named."""
    held(x.ndim > 0, "a single number has no axes")
    return x


def spatial(x: Tensor) -> int:
    """Number of spatial axes: every value has a batch axis and channels."""
    held(3 <= floats(x).ndim <= 5, "[N, C, spatial…], never without its batch")
    return x.ndim - 2


def each(value: object, axes: int) -> None:
    """A list has one number for each axis; torch repeats a list of one."""
    held(not isinstance(value, tuple) or len(value) == axes, "a list has a number for each axis")


def several(numbers: int) -> None:
    """One number has no variance: torch refuses it in some forms only."""
    held(numbers > 1, "one number has no variance")


def there(x: Tensor) -> Tensor:
    held(x.numel() > 0, "every size is 1 at least")
    return x


_stretched: list[bool] = [False]


def meet(*values: object) -> None:
    """Values that are combined element by element: notes whether an axis of size 1 is stretched."""
    shapes = [value.shape for value in values if isinstance(value, Tensor)]
    for axis in range(1, max(map(len, shapes)) + 1):
        _stretched[0] |= len({shape[-axis] if axis <= len(shape) else 1 for shape in shapes}) > 1


def stretched() -> bool:
    """Whether an axis was stretched since this was asked last."""
    found, _stretched[0] = _stretched[0], False
    return found
