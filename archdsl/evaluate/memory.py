"""What calls of functions and comprehensions gave on plain numbers: evaluated once for all models of a file."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from archdsl.record import record

MAX_REMEMBERED = 2_000_000
"""Numbers that are remembered: ten times the tables of Swin v2-B, some 100 MB."""

Result = TypeVar("Result")


@record(slots=True)
class Outcome(Generic[Result]):
    """A result, and the steps of evaluation that it took."""

    result: Result
    steps: int


class Memory(Generic[Result]):
    """Results by what was evaluated and on what. The text of a file never changes, so nor do they."""

    def __init__(self) -> None:
        self._outcomes: dict[Hashable, Outcome[Result]] = {}
        self._numbers = 0

    def find(self, key: Hashable) -> Outcome[Result] | None:
        return self._outcomes.get(key)

    def keep(self, key: Hashable, result: Result, numbers: int, steps: int) -> None:
        """Remember a result that is made of so many numbers and strings, if there is room."""
        if self._numbers + numbers + 1 > MAX_REMEMBERED:
            return
        self._numbers += numbers + 1
        self._outcomes[key] = Outcome(result, steps)
