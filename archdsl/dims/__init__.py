"""Symbolic sizes, exact: arithmetic with floors kept, and questions about all values of the symbols at once.

    >>> H = symbol("H")
    >>> (H - 1) // 2 + 1
    (H + 1) // 2
    >>> truth((H - 1) // 2 + 1, "==", H // 2) is None, witness((H - 1) // 2 + 1, "!=", H // 2)
    (True, {'H': 1})

A size is an ``int`` or a `Dim`. `equal`, `at_least` and `truth` answer for all sizes that some `Facts`
allow, `assume` learns facts, and `Needs` collects what the layers of one model require.

The modules, each resting on those before it: ``order`` and ``atoms`` (what sizes are made of), ``show``,
``size`` (arithmetic and normal form), ``evaluate``; ``ranges``, ``facts``, ``verdict``, ``budget``; ``newton``
and ``profile`` (polynomials on residue classes), ``single`` (one symbol, complete); ``linear``, ``relaxation``,
``polynomial``, ``classes``, ``search``, ``several``, ``threshold`` (inequalities in several symbols), ``identity``
(equality, complete);
``decide`` (the order of the methods), ``assume``; ``wording``, ``preconditions``, ``needs``.
"""

from archdsl.dims.assume import assume
from archdsl.dims.atoms import Floor, Pos, TooLarge
from archdsl.dims.decide import at_least, equal, truth, witness
from archdsl.dims.evaluate import evaluate, substitute, symbols
from archdsl.dims.facts import Condition, Contradiction, Facts, Member, Operator, Relation
from archdsl.dims.needs import Adopted, Holds, Needs, Outcome, Violated
from archdsl.dims.preconditions import Precondition
from archdsl.dims.ranges import Range
from archdsl.dims.search import sample
from archdsl.dims.show import show
from archdsl.dims.size import Dim, Size, dmax, dmin, known, symbol
from archdsl.dims.verdict import Proved, Refuted, Unknown, Values, Verdict, When
from archdsl.dims.wording import describe

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
    "Values",
    "Verdict",
    "Violated",
    "When",
    "assume",
    "at_least",
    "describe",
    "dmax",
    "dmin",
    "equal",
    "evaluate",
    "known",
    "sample",
    "show",
    "substitute",
    "symbol",
    "symbols",
    "truth",
    "witness",
]
