"""What calls of functions and comprehensions gave on plain numbers: evaluated once for all models of a file."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from archdsl.dims import Dim

MAX_REMEMBERED = 2_000_000
"""Numbers that are remembered: ten times the tables of Swin v2-B, some 100 MB."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, and the steps of evaluation that it took."""

    result: Any
    steps: int


class Memory:
    """Results by what was evaluated and on what. The text of a file never changes, so nor do they."""

    def __init__(self) -> None:
        self._outcomes: dict[Hashable, Outcome] = {}
        self._numbers = 0

    def find(self, key: Hashable) -> Outcome | None:
        return self._outcomes.get(key)

    def keep(self, key: Hashable, result: Any, steps: int) -> None:
        """Remember a result, if it is plain and there is room."""
        numbers = plain_count(result)
        if numbers is None or self._numbers + numbers + 1 > MAX_REMEMBERED:
            return
        self._numbers += numbers + 1
        self._outcomes[key] = Outcome(result, steps)


def plain_count(value: Any) -> int | None:
    """How many numbers and strings a value is made of; None if it holds anything that belongs to one network."""
    if isinstance(value, list):
        total = 0
        for item in value:
            inside = plain_count(item)
            if inside is None:
                return None
            total += inside
        return total
    return 1 if isinstance(value, int | float | str | range) and not isinstance(value, Dim) else None
