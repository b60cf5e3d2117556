"""Conditions on the open numbers of a class: ``stride != 1 or C != width``."""

from __future__ import annotations

from typing import Literal, TypeAlias

from archdsl.dims import Operator
from archdsl.evaluate.numbers import ORDER
from archdsl.program.numbers import Lane, Number, at, names_in
from archdsl.record import record


@record
class Compared:
    """``left op right``."""

    left: Number
    op: Operator
    right: Number

    def __str__(self) -> str:
        return f"{self.left} {self.op} {self.right}"


@record
class Combined:
    """Two conditions, of which both must hold, or one."""

    op: Literal["and", "or"]
    left: Condition
    right: Condition

    def __str__(self) -> str:
        return f"({self.left} {self.op} {self.right})"


Condition: TypeAlias = Compared | Combined

_OPPOSITES: dict[Operator, Operator] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def opposite(condition: Condition) -> Condition:
    """The condition that holds where this one does not."""
    match condition:
        case Compared(left=left, op=op, right=right):
            return Compared(left, _OPPOSITES[op], right)
        case Combined(op=op, left=left, right=right):
            return Combined("or" if op == "and" else "and", opposite(left), opposite(right))


def names_of(condition: Condition) -> frozenset[str]:
    """The names of the open numbers that it depends on."""
    if isinstance(condition, Compared):
        return names_in(condition.left) | names_in(condition.right)
    return names_of(condition.left) | names_of(condition.right)


def holds(condition: Condition, lane: Lane) -> bool:
    """Does it hold at the numbers of one instance?"""
    match condition:
        case Compared(left=left, op=op, right=right):
            return ORDER[op](at(left, lane), at(right, lane))
        case Combined(op=op, left=left, right=right):
            first, second = holds(left, lane), holds(right, lane)
            return first and second if op == "and" else first or second
