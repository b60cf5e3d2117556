"""A04xx: claims and assertions that do not hold."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class ClaimFails(Diagnostic):
    """A claim that does not hold.

    Refuted by the least example where sizes are symbolic, else by the numbers themselves.
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

    Questions about polynomials with remainders have no answer in general. What cannot be decided is said to be so,
    never guessed.
    """

    code = "A0403"
    title = 'the claim "{claim}" could be neither proved nor refuted'
    at = "{detail}"
    hint = "state it for sizes in numbers, or in a simpler form"

    claim: str
    detail: str


@record(kw_only=True)
class ClaimEmpty(Diagnostic):
    """A claim that asserts nothing.

    It has no assertion, or none that is reached: its loops run over empty lists, its conditions never hold.
    """

    code = "A0404"
    title = 'the claim "{claim}" asserts nothing'
    at = "no assertion is reached"
    hint = "state what holds with `assert …`, or remove the claim"

    claim: str
