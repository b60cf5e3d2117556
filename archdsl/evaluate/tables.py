"""Lists of numbers: what makes one a constant tensor, and what is remembered of those that cost time to compute."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import SupportsIndex, TypeAlias, overload

from archdsl.dims import Dim, Size
from archdsl.evaluate.values import SpecValue, is_list, is_number
from archdsl.op import DType

Nested: TypeAlias = "SpecValue | tuple[Nested, ...]"
"""A nested list as nested tuples."""


class Table(list[SpecValue]):
    """The list of a comprehension with one variable that runs over a range, and no condition.

    Over a range with a symbolic end the same text is a value (`Expressions.count`). A table behaves as that value does
    wherever a value is meant, so that a spec that is right for every size is right at each.
    """

    @overload
    def __getitem__(self, index: SupportsIndex) -> SpecValue: ...
    @overload
    def __getitem__(self, index: slice) -> Table: ...
    def __getitem__(self, index: SupportsIndex | slice) -> SpecValue:
        return Table(super().__getitem__(index)) if isinstance(index, slice) else super().__getitem__(index)


class OpenTable(Table):
    """A table whose numbers, and perhaps whose length, are not the same wherever its text is run.

    ``data`` stands for its numbers, as nested tuples; sizes in ``shape`` are open. As a list it has the numbers of the
    first place.
    """

    def __init__(self, items: Iterable[SpecValue], data: Hashable, shape: tuple[Size, ...]) -> None:
        super().__init__(items)
        self.data = data
        self.shape = shape


def nested_shape(items: SpecValue) -> tuple[int, ...] | None:
    """Shape of a nested list of numbers; None if it is ragged, empty or holds anything else."""
    if not is_list(items):
        return () if is_number(items) and not isinstance(items, Dim) else None
    if not len(items):
        return None
    shapes: set[tuple[int, ...] | None] = {()} if isinstance(items, range) else {nested_shape(item) for item in items}
    inner = shapes.pop()
    return None if shapes or inner is None else (len(items), *inner)


def leaves(items: SpecValue) -> Iterator[SpecValue]:
    """The numbers of a nested list, from the first to the last."""
    if is_list(items):
        for item in items:
            yield from leaves(item)
    else:
        yield items


def as_tuples(items: SpecValue) -> Nested:
    """A nested list as nested tuples."""
    return tuple(map(as_tuples, items)) if is_list(items) else items


def dtype_of(numbers: Sequence[int | float]) -> DType | None:
    """The element type of a tensor of these numbers: bool, int64 or float32; None if one is too large for it."""
    if all(isinstance(number, bool) for number in numbers):
        return "bool"
    if all(isinstance(number, int) for number in numbers):
        return "int64" if all(-(2**63) <= number < 2**63 for number in numbers) else None
    try:
        struct.pack("<f", max(map(abs, numbers)))
    except OverflowError:
        return None
    return "float32"
