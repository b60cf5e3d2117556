"""A01xx: syntax errors."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class UnexpectedCharacter(Diagnostic):
    """An unexpected character.

    Strings are in double quotes, powers are written `**`, and comments begin with `#`.
    """

    code = "A0101"
    title = "unexpected character {shown}"
    at = "no token begins with this character"
    hint = "{advice}"

    character: str
    advice: str | None = None

    @property
    def shown(self) -> str:
        printable = self.character.isprintable() and self.character != "`"
        return f"`{self.character}`" if printable else f"U+{ord(self.character):04X}"


@record(kw_only=True)
class UnexpectedToken(Diagnostic):
    """A syntax error.

    The message lists the tokens that are possible there. If a bracket is still open on an earlier line, it is shown as
    the probable cause.
    """

    code = "A0102"
    title = "syntax error: unexpected {found}"
    at = "expected {expected}"
    hint = "{advice}"

    found: str
    expected: str | None
    advice: str | None = None


@record(kw_only=True)
class UnpairedBracket(Diagnostic):
    """Unbalanced brackets.

    Each `(`, `[` and `{` is closed by the matching bracket, innermost first.
    """

    code = "A0103"
    title = "{what}"
    at = "{where}"
    hint = "{advice}"

    what: str
    where: str | None = None
    advice: str | None = None


@record(kw_only=True)
class NestedTooDeep(Diagnostic):
    """Brackets nested too deeply.

    The limit protects against files that exhaust memory; no network needs that depth.
    """

    code = "A0104"
    title = "brackets are nested deeper than {limit}"
    hint = "move the inner parts to a `block` or a `let`"

    limit: int


@record(kw_only=True)
class UnsupportedVersion(Diagnostic):
    """A spec in a newer version of the language.

    The first line of a spec may state its version.
    """

    code = "A0105"
    title = "this spec is in version {found} of the language; this archdsl supports versions up to {known}"
    hint = "{advice}"

    found: int
    known: int
    advice: str = "upgrade archdsl, or state `arch 1`"


@record(kw_only=True)
class NumberTooLarge(Diagnostic):
    """A number that is too large, or too long.

    Numbers have at most 40 digits. Floats are IEEE 754 doubles, as in Python: the largest is about 1.8e308, and numbers
    closer to zero than about 5e-324 are zero.
    """

    code = "A0106"
    title = "this number {problem}"
    at = "{limit}"

    problem: str
    limit: str


@record(kw_only=True)
class TooManyWords(Diagnostic):
    """A statement or a file that is too long.

    A word is a name, a number, a string or a sign. A statement has at most 20,000, a file 250,000: the limits protect
    against files that exhaust time or memory. Of a file that is too long nothing is read.
    """

    code = "A0107"
    title = "this {part} has more than {limit} words"
    hint = "{advice}"

    part: str
    limit: str
    advice: str


@record(kw_only=True)
class NameTooLong(Diagnostic):
    """A name that is too long.

    Names become keys of the state dict and attributes in Python.
    """

    code = "A0108"
    title = "this name has more than {limit} characters"

    limit: str
