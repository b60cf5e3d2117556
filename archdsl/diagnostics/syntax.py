"""A01xx: the text is not `.arch`."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class UnexpectedCharacter(Diagnostic):
    code = "A0101"
    title = "unexpected character {shown}"
    at = "no word of the language begins like this"
    hint = "{advice}"

    character: str
    advice: str | None = None

    @property
    def shown(self) -> str:
        printable = self.character.isprintable() and self.character != "`"
        return f"`{self.character}`" if printable else f"U+{ord(self.character):04X}"


@record(kw_only=True)
class UnexpectedToken(Diagnostic):
    code = "A0102"
    title = "syntax error: unexpected {found}"
    at = "expected {expected}"
    hint = "{advice}"

    found: str
    expected: str | None
    advice: str | None = None


@record(kw_only=True)
class UnpairedBracket(Diagnostic):
    code = "A0103"
    title = "{what}"
    at = "{where}"
    hint = "{advice}"

    what: str
    where: str | None = None
    advice: str | None = None


@record(kw_only=True)
class NestedTooDeep(Diagnostic):
    code = "A0104"
    title = "brackets nested deeper than {limit}"
    hint = "give the inner parts names: a `block`, or a `let`"

    limit: int


@record(kw_only=True)
class UnsupportedVersion(Diagnostic):
    code = "A0105"
    title = "this spec is written in version {found} of the language; version {known} is the newest known here"
    hint = "{advice}"

    found: int
    known: int
    advice: str = "upgrade archdsl, or state `arch 1`"


@record(kw_only=True)
class NumberTooLarge(Diagnostic):
    code = "A0106"
    title = "this number has {digits} digits"
    at = "at most {limit} are read"

    digits: int
    limit: int
