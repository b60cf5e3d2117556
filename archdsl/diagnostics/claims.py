"""A04xx: claims and assertions that do not hold."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class ClaimFails(Diagnostic):
    code = "A0401"
    title = 'the claim "{claim}" does not hold'
    at = "{detail}"

    claim: str
    detail: str


@record(kw_only=True)
class AssertionFails(Diagnostic):
    code = "A0402"
    title = "this assertion does not hold"
    at = "{detail}"

    detail: str


@record(kw_only=True)
class ClaimUndecided(Diagnostic):
    code = "A0403"
    title = 'the claim "{claim}" could be neither proved nor refuted'
    at = "{detail}"
    hint = "state it for sizes in numbers, or in a simpler form"

    claim: str
    detail: str
