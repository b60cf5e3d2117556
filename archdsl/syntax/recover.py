"""After a fault: which lines to leave out, so that the rest of a definition can still be read.

Lines at fault are blanked, not cut: every place in the text stays what it was. Braces that pair with others outside
them are kept, so that a broken header leaves its body behind. A mark is left where a statement may stand; the tree
shows it as ``Broken``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Self

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.syntax import UnpairedBracket
from archdsl.record import record
from archdsl.source import Source, Span
from archdsl.syntax import tree

MOST = 20
"""Errors of one definition that are reported."""
MOST_OF_FILE = 100
"""Errors of one file after which the rest is not searched for more."""
MOST_READ = 200_000
"""Characters that may be read again to find more errors."""

_ROUND = re.compile(r'"[^"\n]*"|#[^\n]*|[()\[\]]')
_BRACES = re.compile(r'"[^"\n]*"|#[^\n]*|[{}]')
_HEAD = re.compile(
    r"^(?:[ ]?(?:[^\w\s][^\w\n]{0,2})?|[ \t]+(?=(?:block|model|fn)\b))((?:\w+[ \t,]+)*\w+)[ \t]*(?:[({=]|from\b)",
    re.MULTILINE,
)
"""What a definition begins with, its first word perhaps misspelt or missing; an indented call is no definition."""
_USED = re.compile(r"^use[ \t]+(\w+(?:[ \t]*,[ \t]*\w+)*)", re.MULTILINE)
_FIRST = frozenset({"use", "block", "model", "fn", "let", "claim", "arch"})


@record(frozen=False)
class Effort:
    """What has been done to find the errors of a file: the characters that were ``read`` again."""

    read: int = 0

    def is_spent(self, errors: int) -> bool:
        """Whether to stop, after so many errors."""
        return errors >= MOST_OF_FILE or (errors > 0 and self.read > MOST_READ)


class Attempt(NamedTuple):
    """A definition's text with some lines left out.

    ``marks`` are the places of the marks, each with the start and end of what it stands for; ``behind`` is where the
    last lines that were left out end.
    """

    text: str
    marks: tuple[tuple[int, int, int], ...] = ()
    behind: int = 0
    faults: int = 0
    """how many it is without"""

    def is_behind(self, fault: Diagnostic, offset: int) -> bool:
        """Whether a fault is another than the last: it stands after the lines that were left out."""
        return fault.span is not None and fault.span.start - offset >= self.behind

    def without(self, fault: Diagnostic, offset: int) -> Iterator[Attempt]:
        """What to try after a fault, the least first."""
        if fault.span is None or self.faults >= MOST or fault.span.start - offset >= len(self.text):
            return
        at = fault.span.start - offset
        opened = [label.span.start - offset for label in fault.labels if label.span.text in ("(", "[", "{")]
        if isinstance(fault, UnpairedBracket) and fault.span.text == "{":
            yield self._replace(text=f"{self.text}\n}}", behind=len(self.text), faults=self.faults + 1)
        if opened and self.text.count("\n", opened[0], at):
            yield self._blank(opened[0], self.text.rfind("\n", 0, at) - 1)
        yield self._blank(at, at)
        if isinstance(fault, UnpairedBracket):
            yield self._blank(at, at, keep=False)

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _blank(self, first: int, last: int, keep: bool = True) -> Self:
        """Without the lines from the one of offset ``first`` to the one of ``last``."""
        start = self.text.rfind("\n", 0, first) + 1
        end = self._line_end(last)
        closed = end
        while closed < len(self.text) and _is_open(self.text[start:closed]):
            closed = self._line_end(closed + 1)
        end = end if _is_open(self.text[start:closed]) else closed
        start += len(self.text[start:end]) - len(self.text[start:end].lstrip())
        out = [c if c == "\n" else " " for c in self.text[start:end]]
        for brace in _unpaired(self.text, start, end) if keep else ():
            out[brace - start] = self.text[brace]
            if self.text[brace] == "}" and brace + 1 < end:
                out[brace - start + 1] = ";"
        marks = self.marks
        if " " in out:
            mark = out.index(" ")
            out[mark] = "_"
            if "{" in out[mark + 1 :] and out[mark + 1] == " ":
                out[mark + 1] = ";"
            marks = (*marks, (start + mark, start, end))
        text = self.text[:start] + "".join(out) + self.text[end:]
        return self._replace(text=text, marks=marks, behind=end, faults=self.faults + 1)


def _is_open(text: str) -> bool:
    """Is a round or square bracket of a text closed only behind it?"""
    found = [match[0] for match in _ROUND.finditer(text)]
    return sum(found.count(c) for c in "([") > sum(found.count(c) for c in ")]")


def _unpaired(text: str, start: int, end: int) -> list[int]:
    """The braces between two offsets whose partners stand outside."""
    found: list[int] = []
    for match in _BRACES.finditer(text, start, end):
        if match[0] == "}" and found and text[found[-1]] == "{":
            found.pop()
        elif match[0] in ("{", "}"):
            found.append(match.start())
    return found


def lost(source: Source, start: int, end: int) -> list[tree.Definition]:
    """A definition of which nothing can be read but the names that it gives the file."""
    heads = [m.span(1) for head in (_HEAD, _USED) for m in head.finditer(source.text, start, end)]
    words = [w for head in heads for w in re.compile(r"[A-Za-z_]\w*").finditer(source.text, *head)]
    named = {w[0]: Span(source, w.start(), w.end()) for w in words if w[0] not in _FIRST}
    return [tree.Lost(Span(source, start, end), tuple(tree.Name(s, n) for n, s in named.items()))] if named else []
