"""A04xx: claims and assertions that do not hold."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class ClaimFails(Diagnostic):
    """A claim that does not hold.

    For symbolic sizes the smallest counterexample is shown, otherwise the numbers themselves.
    """

    code = "A0401"
    title = 'the claim "{claim}" does not hold'
    at = "{detail}"

    claim: str
    detail: str


@record(kw_only=True)
class AssertionFails(Diagnostic):
    """An assertion in a model or block that does not hold."""

    code = "A0402"
    title = "this assertion does not hold"
    at = "{detail}"

    detail: str


@record(kw_only=True)
class ClaimUndecided(Diagnostic):
    """A claim that could be neither proved nor refuted.

    Inequalities between polynomials with remainders are undecidable in general. archdsl reports such a claim as
    undecided and never guesses.
    """

    code = "A0403"
    title = 'the claim "{claim}" could be neither proved nor refuted'
    at = "{detail}"
    hint = "replace symbols by numbers, or simplify the claim"

    claim: str
    detail: str


@record(kw_only=True)
class ClaimEmpty(Diagnostic):
    """A claim that asserts nothing.

    It has no assertion, or none is reached: its loops run over empty lists, or its conditions never hold.
    """

    code = "A0404"
    title = 'the claim "{claim}" asserts nothing'
    at = "no assertion is reached"
    hint = "add an `assert`, or remove the claim"

    claim: str
