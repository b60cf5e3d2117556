"""From where on one symbol suffices, whatever the others are: ``H * W >= 49`` where H is at least 49.

Exact only where it was shown to fail below for all values of the others: ``9 * C + C * K < 9 * C * K`` is
exactly K >= 2.
"""

from __future__ import annotations

from archdsl.dims.budget import Budget
from archdsl.dims.evaluate import has_max, has_symbolic_divisor, substitute, symbols
from archdsl.dims.facts import Facts, Member, Relation
from archdsl.dims.ranges import Range, make_range
from archdsl.dims.several import proves, proves_nonnegative
from archdsl.dims.verdict import Values, When

HIGHEST = 1 << 20
"""The greatest bound that is tried."""
MAX_BELOW = 64
"""Most values below a bound, of each of which it is shown to fail."""


def threshold(fact: Relation, failing: Values, facts: Facts, budget: Budget) -> When | None:
    """The verdict on a relation ``>=`` that fails somewhere, if a bound on one symbol makes it hold.

    Of several such bounds an exact one, if there is one. Raises `Exhausted`.
    """
    if has_max(fact.size) or has_symbolic_divisor(fact.size):
        return None
    sufficient = None
    for name in sorted(symbols(fact.size)):
        start = _least_sufficient(fact, name, facts, budget)
        if start is None:
            continue
        exact = _fails_below(fact, name, start, facts, budget)
        verdict = When((Member(name, start),), exact, failing)
        if exact:
            return verdict
        sufficient = sufficient or verdict
    return sufficient


def _least_sufficient(fact: Relation, name: str, facts: Facts, budget: Budget) -> Range | None:
    """What is known of the symbol, from the least value on for which the relation can be proved."""
    known = facts.range_of(name)

    def proved_from(value: int) -> bool:
        above = make_range(known.m, known.residues, value, known.hi)
        return above is not None and proves(fact, facts.with_range(name, above), budget)

    fails, holds = known.lo, min(HIGHEST, known.hi or HIGHEST)
    if holds <= fails or not proved_from(holds):
        return None
    while holds - fails > 1:
        middle = (fails + holds) // 2
        if proved_from(middle):
            holds = middle
        else:
            fails = middle
    return make_range(known.m, known.residues, holds, known.hi)


def _fails_below(fact: Relation, name: str, start: Range, facts: Facts, budget: Budget) -> bool:
    """Whether the relation was shown to fail at all values below, whatever the other symbols are."""
    below = make_range(start.m, start.residues, facts.range_of(name).lo, start.lo - 1)
    if below is None or (below.hi or 0) - below.lo > MAX_BELOW * below.m:
        return False
    return all(proves_nonnegative(-substitute(fact.size, {name: value}) - 1, facts, budget) for value in below.values())
