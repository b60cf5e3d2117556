"""The four answers to a question about sizes. A closed set: ``match`` on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from archdsl.dims.facts import Condition
from archdsl.record import record

Values: TypeAlias = Mapping[str, int]


@record(slots=True)
class Proved:
    """It holds for all sizes that the facts allow."""


@record(slots=True)
class Refuted:
    """It holds for none of the sizes that the facts allow; ``example`` is the least of them."""

    example: Values


@record(slots=True)
class When:
    """It fails at ``example``, and holds where all the conditions do.

    Where ``exact``, it holds nowhere else: the conditions say the same, in other words. Else they are
    sufficient only. ``finite``: it is known to hold for finitely many sizes only, of infinitely many.
    For one symbol the example is the least that fails (where a divisor is symbolic, the least that a
    search of some thousand values came upon).
    """

    conditions: tuple[Condition, ...]
    exact: bool
    example: Values
    finite: bool = False


@record(slots=True)
class Unknown:
    """Neither a proof nor an example was found. Never to be taken for a yes."""


Verdict: TypeAlias = Proved | Refuted | When | Unknown

PROVED = Proved()
UNKNOWN = Unknown()
