"""A01xx: the text is not `.arch`."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class UnexpectedCharacter(Diagnostic):
    """A character that no word of the language begins with.

    Strings stand in double quotes, powers are written `**`, and comments begin with `#`.
    """

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
    """A word where another one is expected.

    The message lists what could stand there. Where a bracket is still open on an earlier line, that bracket is probably
    what is at fault, and it is shown.
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
    """Brackets that do not pair.

    Each `(`, `[` and `{` is closed by its own kind, innermost first.
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
    """Brackets nested too deep.

    No network needs so many; the limit keeps a file from exhausting its reader.
    """

    code = "A0104"
    title = "brackets nested deeper than {limit}"
    hint = "give the inner parts names: a `block`, or a `let`"

    limit: int


@record(kw_only=True)
class UnsupportedVersion(Diagnostic):
    """A spec in a later version of the language.

    The first line of a spec may state the version that it is written in.
    """

    code = "A0105"
    title = "this spec is written in version {found} of the language; version {known} is the newest known here"
    hint = "{advice}"

    found: int
    known: int
    advice: str = "upgrade archdsl, or state `arch 1`"


@record(kw_only=True)
class NumberTooLarge(Diagnostic):
    """A number that is too large, or too long.

    Numbers have at most 40 digits. Numbers that are not whole are IEEE 754 doubles, as in Python: the largest is about
    1.8e308, and one nearer to zero than about 5e-324 is zero.
    """

    code = "A0106"
    title = "this number {problem}"
    at = "{limit}"

    problem: str
    limit: str


@record(kw_only=True)
class StatementTooLong(Diagnostic):
    """A statement with too many words.

    Operators and chains nest as brackets do; the limit keeps a file from exhausting its reader.
    """

    code = "A0107"
    title = "this statement has more than {limit} words"
    hint = "repeat with `for`, or divide it: a `block`, or a `let`"

    limit: str


@record(kw_only=True)
class NameTooLong(Diagnostic):
    """A name with too many characters.

    Names become names of parameters in a state dict and of attributes in Python.
    """

    code = "A0108"
    title = "this name has more than {limit} characters"

    limit: str
