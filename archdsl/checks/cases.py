"""Claims by cases: a condition that holds for some sizes only is assumed to hold, and then not to.

A claim is run once for each case. A run answers the undecided conditions that it comes to as its choices say, and
learns each answer as a fact; at the first condition beyond its choices it takes one side and leaves the others to later
runs.
"""

from __future__ import annotations

from dataclasses import field

from archdsl.dims import (
    Contradiction,
    Needs,
    Operator,
    Proved,
    Refuted,
    Size,
    Unknown,
    Values,
    Verdict,
    When,
    sample,
    symbols,
)
from archdsl.dims.assume import learn
from archdsl.dims.budget import QUESTION, Budget
from archdsl.dims.decide import decide, depends
from archdsl.dims.facts import difference
from archdsl.record import record

MAX_CASES = 64
"""Most cases of one claim."""
CLAIM = 4 * QUESTION
"""Steps that all the questions of one claim may cost together."""
_LEAST_LEFT = QUESTION >> 5
"""Steps that a case needs: with fewer, hardly anything is decided."""

_ALTERNATIVES: dict[Operator, tuple[Operator, ...]] = {
    "==": ("==", "<", ">"),
    "!=": ("<", ">", "=="),
    "<": ("<", ">="),
    ">": (">", "<="),
    "<=": ("<=", ">"),
    ">=": (">=", "<"),
}
"""What may be, each of the ways apart."""
_NEGATED: dict[Operator, Operator] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Impossible(Exception):
    """No sizes belong to the case."""


class TooManyCases(Exception):
    """There are more cases, or they take more work, than a claim may."""


@record(frozen=False)
class Case:
    """One run of a claim: the choices that it begins with, and those that it comes to."""

    choices: tuple[int, ...]
    budget: Budget
    made: list[int] = field(default_factory=list)
    left: list[tuple[int, ...]] = field(default_factory=list)
    """The choices of other cases, that begin like this one."""
    asked: set[str] = field(default_factory=set)
    """The symbols that conditions are about."""
    is_assumed: bool = False
    """Something is assumed of the sizes."""

    def holds(self, needs: Needs, a: Size, operator: Operator, b: Size) -> bool:
        """Whether ``a operator b``, in this case. Raises `Impossible` and `TooManyCases`."""
        self.asked |= symbols(a) | symbols(b)
        if not depends(a, operator, b, needs.facts):
            match self.verdict(needs, a, operator, b):
                case Proved():
                    return True
                case Refuted():
                    return False
        way = self._way(operator)
        self.is_assumed = True
        try:
            with self.budget.part(QUESTION) as budget:
                needs.suppose(a, way, b, budget)
        except Contradiction:
            raise Impossible from None
        return way == operator or (operator == "!=" and way != "==")

    def _way(self, operator: Operator) -> Operator:
        """The way in which it is answered in this case; the others are left to other cases."""
        ways, place = _ALTERNATIVES[operator], len(self.made)
        if place < len(self.choices):
            self.made.append(self.choices[place])
        else:
            self.left += [(*self.made, other) for other in range(1, len(ways))]
            self.made.append(0)
        if len(self.left) > MAX_CASES or self.budget.left < _LEAST_LEFT:
            raise TooManyCases
        return ways[self.made[-1]]

    def verdict(self, needs: Needs, a: Size, operator: Operator, b: Size) -> Verdict:
        """The verdict for as much work as is left to the claim."""
        with self.budget.part(QUESTION) as budget:
            return decide(*difference(a, operator, b), needs.facts, budget)

    def counterexample(
        self, needs: Needs, a: Size, operator: Operator, b: Size, verdict: Refuted | When | Unknown
    ) -> Values | None:
        """Sizes of this case, small ones, at which ``a operator b`` does not hold. Raises `Impossible`."""
        if not self.is_assumed and (isinstance(verdict, Unknown) or needs.facts.allow(verdict.example)):
            return None if isinstance(verdict, Unknown) else verdict.example
        try:
            with self.budget.part(QUESTION) as budget:
                facts = learn(needs.facts, *difference(a, _NEGATED[operator], b), budget)
            return sample(facts, self.asked | symbols(a) | symbols(b))
        except Contradiction:
            raise Impossible from None

    def example(self, needs: Needs) -> Values | None:
        """Sizes of this case, small ones. Raises `Impossible`."""
        try:
            return {} if not self.asked else sample(needs.facts, self.asked)
        except Contradiction:
            raise Impossible from None
