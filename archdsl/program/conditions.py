"""Conditions on the open numbers of a class: ``stride != 1 or C != width``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
class Flag:
    """An argument is true, or (``is_presence``) is given at all; the opposite where not ``is_on``."""

    name: str
    is_on: bool = True
    is_presence: bool = False

    def __str__(self) -> str:
        test = f"{self.name} is given" if self.is_presence else self.name
        return test if self.is_on else f"not {test}"


@record
class Combined:
    """Two conditions, of which both must hold, or one."""

    op: Literal["and", "or"]
    left: Condition
    right: Condition

    def __str__(self) -> str:
        return f"({self.left} {self.op} {self.right})"


Condition: TypeAlias = Compared | Flag | Combined

_OPPOSITES: dict[Operator, Operator] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def opposite(condition: Condition) -> Condition:
    """The condition that holds where this one does not."""
    match condition:
        case Compared(left=left, op=op, right=right):
            return Compared(left, _OPPOSITES[op], right)
        case Flag():
            return replace(condition, is_on=not condition.is_on)
        case Combined(op=op, left=left, right=right):
            return Combined("or" if op == "and" else "and", opposite(left), opposite(right))


def names_of(condition: Condition) -> frozenset[str]:
    """The names of the open numbers that it depends on."""
    match condition:
        case Compared(left=left, right=right):
            return names_in(left) | names_in(right)
        case Flag(name=name):
            return frozenset([name])
        case Combined(left=first, right=second):
            return names_of(first) | names_of(second)


def holds(condition: Condition, lane: Lane) -> bool:
    """Does it hold at the numbers of one instance?"""
    match condition:
        case Compared(left=left, op=op, right=right):
            return ORDER[op](at(left, lane), at(right, lane))
        case Flag(name=name, is_on=is_on, is_presence=is_presence):
            return (lane[name] is not None if is_presence else lane[name] is True) is is_on
        case Combined(op=op, left=left, right=right):
            first, second = holds(left, lane), holds(right, lane)
            return first and second if op == "and" else first or second


def decided(condition: Condition, lanes: Sequence[Lane]) -> bool | None:
    """Whether it holds in all of some instances (true) or in none; None if in some, or if a number is not known."""
    if not all(names_of(condition) <= lane.keys() for lane in lanes):
        return None
    answers = {holds(condition, lane) for lane in lanes}
    return answers.pop() if len(answers) == 1 else None
