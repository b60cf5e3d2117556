"""The preconditions of one model: what its layers require of its symbols, and who required it."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from typing import TypeAlias

from archdsl.dims.assume import adopt, learn
from archdsl.dims.budget import QUESTION, Budget
from archdsl.dims.decide import decide
from archdsl.dims.evaluate import symbols
from archdsl.dims.facts import (
    NOTHING,
    Condition,
    Contradiction,
    Facts,
    Member,
    Operator,
    Relation,
    Sign,
    difference,
    relation,
    satisfies,
)
from archdsl.dims.preconditions import Demand, Precondition, gather
from archdsl.dims.ranges import ANY
from archdsl.dims.search import least
from archdsl.dims.size import Dim, Size
from archdsl.dims.verdict import Proved, Refuted, Unknown, Values, Verdict, When
from archdsl.record import record

MODEL = 8 * QUESTION
"""Steps that all the questions of one model may cost together."""


@record(slots=True)
class Holds:
    """It holds for all sizes that meet the preconditions so far."""


@record(slots=True)
class Adopted:
    """It fails at ``example`` and has become a precondition: exactly these conditions.

    ``example`` is None where it could neither be proved nor be shown to fail.
    """

    conditions: tuple[Condition, ...]
    example: Values | None


@record(slots=True)
class Violated:
    """It cannot be required: it fails at ``example``, and for all sizes but finitely many.

    Where it fails only because of what was required before, ``against`` are those preconditions.
    """

    example: Values
    finite: bool = False
    """It holds for some sizes, but finitely many."""
    against: tuple[Precondition, ...] = ()


Outcome: TypeAlias = Holds | Adopted | Violated

HOLDS = Holds()
_VIOLATED = Violated({})


class Needs:
    """Collects the preconditions of one model. On plain integers every question is one comparison.

    The methods raise `TooLarge` where the difference of two sizes outgrows the caps.
    """

    __slots__ = ("_answered", "_budget", "_demands", "_start", "facts")

    facts: Facts
    """What was known from the start, and all that was required since."""

    def __init__(self, facts: Facts = NOTHING) -> None:
        self.facts = self._start = facts
        self._demands: list[Demand] = []
        self._answered: dict[tuple[Dim, Sign], Holds | Violated] = {}
        self._budget = Budget(MODEL)

    def require(self, a: Size, operator: Operator, b: Size, origin: object = None) -> Outcome:
        """Require ``a operator b`` on behalf of ``origin``; what is not proved becomes a precondition.

        What could hold for finitely many sizes only is violated: no one means a network for H = 7 alone.
        """
        return self._demand(a, operator, b, origin, finite=False)

    def assume(self, a: Size, operator: Operator, b: Size, origin: object = None) -> Outcome:
        """Like `require`, for what an author states on purpose: finitely many sizes are as good as any."""
        return self._demand(a, operator, b, origin, finite=True)

    def suppose(self, a: Size, operator: Operator, b: Size, budget: Budget) -> None:
        """Take ``a operator b`` for known from the start: no precondition. Raises `Contradiction`."""
        size, sign = difference(a, operator, b)
        before, self.facts = self.facts, learn(self.facts, size, sign, budget)
        self._start = self.facts if self._start is before else learn(self._start, size, sign, budget)

    def require_multiple(self, a: Size, m: Size, origin: object = None) -> Outcome:
        """Require that ``a`` is a multiple of ``m``, and ``m`` at least 1."""
        if isinstance(a, int) and isinstance(m, int) and m > 0:
            return _VIOLATED if a % m else HOLDS
        positive = self.require(m, ">=", 1, origin)
        if isinstance(positive, Violated):
            return positive
        outcome = self.require(a % m, "==", 0, origin)
        return positive if isinstance(outcome, Holds) else outcome

    def preconditions(self) -> list[Precondition]:
        """What sizes must satisfy, in the order in which it came up; symbols with one range together."""
        return gather(self._demands)

    def _demand(self, a: Size, operator: Operator, b: Size, origin: object, *, finite: bool) -> Outcome:
        if isinstance(a, int) and isinstance(b, int):
            return HOLDS if _COMPARE[operator](a, b) else _VIOLATED
        size, sign = difference(a, operator, b)
        if isinstance(size, int):
            return HOLDS if satisfies(size, sign) else Violated(least(symbols(a) | symbols(b), self.facts))
        answered = self._answered.get((size, sign))
        if answered is not None and not (finite and isinstance(answered, Violated)):
            return answered
        outcome = self._ask(size, sign, origin, finite)
        # Facts only grow, so an answer stays; and what has been adopted holds from now on.
        self._answered[size, sign] = outcome if isinstance(outcome, Violated) else HOLDS
        return outcome

    def _ask(self, size: Dim, sign: Sign, origin: object, finite: bool) -> Outcome:
        match self._decide(size, sign, self.facts):
            case Proved():
                return HOLDS
            case Refuted(example):
                return self._violated(size, sign, example)
            case When(example=example, finite=True) if not finite:
                return Violated(example, finite=True)
            case When(conditions, exact=True, example=example):
                return self._adopt(size, sign, conditions, example, origin)
            case When(example=example):
                return self._adopt(size, sign, _as_it_stands(size, sign), example, origin)
            case Unknown():
                return self._adopt(size, sign, _as_it_stands(size, sign), None, origin)

    def _decide(self, size: Dim, sign: Sign, facts: Facts) -> Verdict:
        """The verdict, for as much work as is left."""
        with self._budget.part(QUESTION) as budget:
            return decide(size, sign, facts, budget)

    def _adopt(
        self, size: Dim, sign: Sign, conditions: tuple[Condition, ...], example: Values | None, origin: object
    ) -> Outcome:
        """Make the conditions, which are the same as ``size sign 0``, preconditions."""
        own = self._own(size, sign, conditions)
        try:
            self.facts = self._learned(size, sign, conditions)
        except Contradiction:
            return self._violated(size, sign, example or {})
        self._demands += [Demand(condition, origin, example is None) for condition in own]
        return Adopted(own, example)

    def _learned(self, size: Dim, sign: Sign, conditions: tuple[Condition, ...]) -> Facts:
        if not self.facts.substitutions:
            return adopt(self.facts, conditions)
        with self._budget.part(QUESTION) as budget:
            return learn(self.facts, size, sign, budget)

    def _own(self, size: Dim, sign: Sign, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """The conditions without what others required before, where that is as exact."""
        if not self.facts.substitutions and all(map(self._is_own, conditions)):
            return conditions
        match self._decide(size, sign, NOTHING):
            case When(conditions=own, exact=True) if all(isinstance(condition, Member) for condition in own):
                return own
            case _:
                return conditions

    def _is_own(self, condition: Condition) -> bool:
        """Whether nothing of what was known before can have come into the condition."""
        if isinstance(condition, Relation):
            return True
        known = self.facts.range_of(condition.symbol)
        return known == ANY or (known.m == condition.range.m == 1 and known.hi is None)

    def _violated(self, size: Dim, sign: Sign, example: Values) -> Violated:
        if isinstance(self._decide(size, sign, self._start), Refuted):
            return Violated(example)
        names = symbols(size)
        against = [found for found in self.preconditions() if not names.isdisjoint(found.symbols)]
        return Violated(example, against=tuple(against))


_COMPARE: dict[Operator, Callable[[int, int], bool]] = {
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


def _as_it_stands(size: Dim, sign: Sign) -> tuple[Condition, ...]:
    """The question itself as the condition."""
    fact = relation(size, sign)
    return (fact,) if isinstance(fact, Relation) else ()
