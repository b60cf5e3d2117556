"""The type of a value of a network."""

from __future__ import annotations

from math import prod
from typing import Literal, NamedTuple

from archdsl.dims import Size

DType = Literal["float32", "int64", "bool"]


class Tensor(NamedTuple):
    """The type of a value: its sizes, outermost first, and its element type."""

    shape: tuple[Size, ...]
    dtype: DType = "float32"

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def numel(self) -> Size:
        """Number of elements."""
        return prod(self.shape)
