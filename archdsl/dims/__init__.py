"""Symbolic sizes, exact: arithmetic with floors, questions about all values of the symbols at once.

    >>> H = symbol("H")
    >>> (H - 1) // 2 + 1
    (H + 1) // 2
    >>> equal((H - 1) // 2 + 1, H // 2)
    When(conditions=(Member(symbol='H', range=Range(m=2, residues=frozenset({0}), lo=2, hi=None)),), \
exact=True, example={'H': 1}, finite=False)

A size is an ``int`` or a `Dim`. `equal`, `at_least` and `truth` answer for all sizes that some `Facts`
allow; `Needs` collects what the layers of one model require.
"""

from archdsl.dims.assume import assume
from archdsl.dims.atoms import Floor, Pos, TooLarge
from archdsl.dims.decide import at_least, equal, truth, witness
from archdsl.dims.evaluate import evaluate, substitute, symbols
from archdsl.dims.facts import Condition, Contradiction, Facts, Member, Operator, Relation
from archdsl.dims.needs import Adopted, Holds, Needs, Outcome, Violated
from archdsl.dims.preconditions import Precondition
from archdsl.dims.ranges import Range
from archdsl.dims.show import show
from archdsl.dims.size import Dim, Size, dmax, dmin, symbol
from archdsl.dims.verdict import Proved, Refuted, Unknown, Verdict, When

__all__ = [
    "Adopted",
    "Condition",
    "Contradiction",
    "Dim",
    "Facts",
    "Floor",
    "Holds",
    "Member",
    "Needs",
    "Operator",
    "Outcome",
    "Pos",
    "Precondition",
    "Proved",
    "Range",
    "Refuted",
    "Relation",
    "Size",
    "TooLarge",
    "Unknown",
    "Verdict",
    "Violated",
    "When",
    "assume",
    "at_least",
    "dmax",
    "dmin",
    "equal",
    "evaluate",
    "show",
    "substitute",
    "symbol",
    "symbols",
    "truth",
    "witness",
]
