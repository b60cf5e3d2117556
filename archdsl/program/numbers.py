"""Numbers of a class that are not the same in all its instances.

A whole number or size that is open is a symbol (`archdsl.dims.Dim`), which arithmetic carries along. A float that is
open, or computed from open numbers, is an `OpenFloat`: it keeps the expression as it is written (``dim ** -0.5``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeAlias

from archdsl.dims import Dim, Size, substitute, symbols
from archdsl.evaluate.tables import Nested
from archdsl.op import Op
from archdsl.program.layers import OpenLayer
from archdsl.record import record

Number: TypeAlias = Size | float
Argument: TypeAlias = "Number | bool | Op | OpenArgument | tuple[Argument, ...] | None"
"""What a parameter of a class may be: a number, true or false, an activation, a list of these, none."""
Lane: TypeAlias = Mapping[str, Argument]
"""The values in one instance of what is open, by name."""

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip
"""Those of the language on numbers."""


@record
class Operation:
    """``left op right``, ``op`` an operator of the language."""

    op: str
    left: Number
    right: Number


@record
class OpenArgument:
    """An argument of the class, passed on as it is."""

    name: str

    def __str__(self) -> str:
        return self.name


class OpenFloat(float):
    """A float that differs between instances: a parameter by its name, or an operation.

    As a float it is its value in the first instance. It is equal to one with the same expression.
    """

    expression: str | Operation

    def __new__(cls, value: float, expression: str | Operation) -> OpenFloat:
        made = super().__new__(cls, value)
        made.expression = expression
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpenFloat) and other.expression == self.expression

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.expression)

    def __str__(self) -> str:
        said = self.expression
        return said if isinstance(said, str) else f"({said.left} {said.op} {said.right})"

    __repr__ = __str__


@record
class OpenNumbers:
    """Numbers of a table that differ between instances: those of each, by its open numbers."""

    lanes: tuple[tuple[frozenset[tuple[str, Argument]], Nested], ...]

    def at(self, lane: Lane) -> Nested | None:
        """The numbers in one instance, as nested tuples; None in an instance that has no such table."""
        return dict(self.lanes).get(frozenset(lane.items()))


def names_in(number: object) -> frozenset[str]:
    """The names of the open numbers that a number depends on."""
    match number:
        case OpenFloat():
            said = number.expression
            return frozenset([said]) if isinstance(said, str) else names_in(said.left) | names_in(said.right)
        case Dim():
            return symbols(number)
        case OpenLayer(argument=name) | OpenArgument(name=name):
            return frozenset([name])
        case tuple() | list():
            return frozenset[str]().union(*map(names_in, number))
        case _:
            return frozenset()


def at(value: Any, lane: Lane) -> Any:
    """A value (a record or tuple, perhaps) with the numbers of one instance in place of those that are open."""
    match value:
        case OpenFloat():
            said = value.expression
            if isinstance(said, str):
                return lane.get(said, value)
            return OPERATORS[said.op](at(said.left, lane), at(said.right, lane))
        case OpenNumbers():
            return value.at(lane)
        case Dim():
            return substitute(value, {name: size for name, size in lane.items() if isinstance(size, int | Dim)})
        case OpenLayer(argument=name) | OpenArgument(name=name):
            return lane.get(name, value)
        case list():
            return [at(item, lane) for item in value]
        case tuple():
            items = [at(item, lane) for item in value]
            if all(a is b for a, b in zip(items, value, strict=True)):
                return value
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = [(f.name, getattr(value, f.name)) for f in fields(value)]
            changed = {name: found for name, part in parts if (found := at(part, lane)) is not part}
            return replace(value, **changed) if changed else value
    return value


def is_exactly(value: Any, other: Any) -> bool:
    """Are two values equal and of the same types throughout? What `archdsl.record.exactly` says, without the keys."""
    kind = type(value)
    if value is other or kind is not type(other):
        return value is other
    if isinstance(value, tuple):
        return len(value) == len(other) and all(map(is_exactly, value, other))
    if is_dataclass(value) and kind.__eq__ is not object.__eq__:
        return all(is_exactly(getattr(value, f.name), getattr(other, f.name)) for f in fields(value))
    return repr(value) == repr(other) if kind is float else bool(value == other)
