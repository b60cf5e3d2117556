"""The interfaces by which parts of the evaluator use each other without importing each other."""

from __future__ import annotations

from typing import Protocol

from archdsl.evaluate.place import Place
from archdsl.evaluate.values import SpecValue
from archdsl.syntax import tree


class Evaluates(Protocol):
    """Evaluates expressions."""

    def evaluate(self, node: tree.ChainExpr, place: Place) -> SpecValue:
        """The value of an expression."""
        ...

    def holds(self, node: tree.Expr, place: Place) -> bool:
        """Whether a condition is true."""
        ...


class ReadsNames(Protocol):
    """Reads computed names."""

    def computed_text(self, node: tree.Label, place: Place) -> str:
        """The text of a name or label, its expressions evaluated."""
        ...
