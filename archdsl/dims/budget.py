"""A bound on the work of one question, counted in steps and not in time, so that answers never vary."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

QUESTION = 1 << 21
"""Steps that one question may cost: some tenths of a second."""


class Exhausted(Exception):
    """A method would cost more than is left. The next, cheaper one may still be tried."""


class Budget:
    """The steps that are left."""

    __slots__ = ("left",)

    def __init__(self, steps: int = QUESTION) -> None:
        self.left: int = steps

    def spend(self, steps: int) -> None:
        """Take steps away. Raises `Exhausted`, and takes none, where fewer are left."""
        if steps > self.left:
            raise Exhausted
        self.left -= steps

    @contextmanager
    def part(self, steps: int) -> Generator[Budget]:
        """A budget of its own for a part of the work: at most so many of the steps that are left."""
        part = Budget(min(steps, self.left))
        self.left -= part.left
        try:
            yield part
        finally:
            self.left += part.left
