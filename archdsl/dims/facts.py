"""What is known of the symbols: ranges, relations between them, and equations solved for a symbol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Literal, TypeAlias

from archdsl.dims.evaluate import evaluate, symbols
from archdsl.dims.ranges import ANY, Range
from archdsl.dims.size import Dim, Size, constant_term, floor_divided, lead, variable_gcd
from archdsl.record import record

Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]
Sign: TypeAlias = Literal["==", "!=", ">="]
"""The three relations to zero that all six operators come down to."""


class Contradiction(ValueError):
    """What is to be assumed cannot be, given what is known."""


@record(slots=True)
class Member:
    """The condition that a symbol lies in a range."""

    symbol: str
    range: Range

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition is met at these values."""
        return values[self.symbol] in self.range


@record(slots=True)
class Relation:
    """The condition ``size sign 0``, in the canonical form that `relation` gives it."""

    size: Dim
    sign: Sign

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition is met at these values; it is not where a divisor is not at least 1."""
        try:
            return satisfies(evaluate(self.size, values), self.sign)
        except ZeroDivisionError:
            return False


Condition: TypeAlias = Member | Relation


def is_internal(name: str) -> bool:
    """Whether this is the name of a symbol that no one wrote: a quotient such as ``C/g``."""
    return "/" in name


def satisfies(value: int, sign: Sign) -> bool:
    """Whether ``value sign 0``."""
    match sign:
        case "==":
            return value == 0
        case "!=":
            return value != 0
        case ">=":
            return value >= 0


def difference(a: Size, operator: Operator, b: Size) -> tuple[Size, Sign]:
    """``(size, sign)`` with ``size sign 0`` the same as ``a operator b``."""
    match operator:
        case "==" | "!=":
            return a - b, operator
        case ">=":
            return a - b, ">="
        case "<=":
            return b - a, ">="
        case ">":
            return a - b - 1, ">="
        case "<":
            return b - a - 1, ">="


def relation(size: Size, sign: Sign) -> Relation | bool:
    """``size sign 0`` in canonical form: without a common divisor, and of f and -f the one chosen.

    A bool where the numbers alone decide: 2 * H + 1 is never 0.
    """
    if isinstance(size, int):
        return satisfies(size, sign)
    common = variable_gcd(size)
    if sign == ">=":  # g A + c >= 0 iff A + c // g >= 0
        return Relation(floor_divided(size, common) if common > 1 else size, sign)
    if constant_term(size) % common:
        return sign == "!="
    size = floor_divided(size, common) if common > 1 else size
    return Relation(-size if size.terms[lead(size)] < 0 else size, sign)


@record(slots=True)
class Facts:
    """What is known. Every symbol is at least 1, if nothing more is."""

    ranges: Mapping[str, Range] = field(default_factory=dict[str, Range])
    relations: tuple[Relation, ...] = ()
    substitutions: Mapping[str, Size] = field(default_factory=dict[str, Size])
    """Symbols that an equation gives in terms of others. These no longer occur in ``relations``."""

    def range_of(self, name: str) -> Range:
        """What is known of one symbol alone."""
        return self.ranges.get(name, ANY)

    def with_range(self, name: str, known: Range) -> Facts:
        """These facts and the range. Raises `Contradiction`."""
        met = self.range_of(name).meet(known)
        if met is None:
            raise Contradiction(f"no value of {name} is left")
        return replace(self, ranges={**self.ranges, name: met})

    def with_relation(self, fact: Relation) -> Facts:
        """These facts and the relation."""
        return self if fact in self.relations else replace(self, relations=(*self.relations, fact))

    def allow(self, values: Mapping[str, int]) -> bool:
        """Whether no fact about these symbols alone rules the values out."""
        return (
            all(value in self.range_of(name) for name, value in values.items())
            and all(fact.holds(values) for fact in self.relations if symbols(fact.size) <= values.keys())
            and all(
                evaluate(size, values) == values[name]
                for name, size in self.substitutions.items()
                if {name, *symbols(size)} <= values.keys()
            )
        )

    def about(self, names: frozenset[str]) -> list[Relation]:
        """The relations in which one of these symbols occurs."""
        return [fact for fact in self.relations if not names.isdisjoint(symbols(fact.size))]


NOTHING = Facts()
"""No facts but that every symbol is at least 1."""
