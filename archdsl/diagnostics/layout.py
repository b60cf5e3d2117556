"""Text on a terminal: made harmless, measured in columns, wrapped, cut around a place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

TAB = " " * 4
CUT = "…"


def printable(text: str) -> str:
    """Tabs as spaces, control characters visible: a spec cannot drive the terminal."""
    return "".join(TAB if c == "\t" else c if c.isprintable() else "\ufffd" for c in text)


def columns(text: str) -> int:
    """Columns of a terminal that a printable text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def wrap(text: str, width: int | None, first: int = 0, rest: int = 0) -> list[str]:
    """The lines of a text, broken at spaces; ``first`` and ``rest`` columns stand before its first and its other lines.

    A word that is longer than a line has one for itself.
    """
    if width is None or first + columns(text) <= width:
        return [text]
    lines: list[str] = []
    line, *words = text.split(" ")
    room = width - first
    for word in words:
        longer = f"{line} {word}"
        if line and columns(longer) > room:
            lines.append(line)
            longer, room = word, width - rest
        line = longer
    return [*lines, line]


class Excerpt(NamedTuple):
    """Characters ``start`` to ``end`` of a line of text, made printable, with marks where it was cut."""

    line: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return f"{self._lead}{printable(self.line[self.start : self.end])}{CUT if self.end < len(self.line) else ''}"

    @property
    def _lead(self) -> str:
        return CUT if self.start else ""

    def holds(self, at: int) -> bool:
        """Can a character of the line be seen (or the place behind its last)?"""
        return self.start <= at and (at < self.end or self.end == len(self.line))

    def parts(self, start: int, end: int) -> tuple[str, str, str]:
        """What is shown before some characters of the line, of them, and after them."""
        start, end = (min(max(at, self.start), self.end) for at in (start, end))
        before = f"{self._lead}{printable(self.line[self.start : start])}"
        shown = printable(self.line[start:end])
        return before, shown, self.text[len(before) + len(shown) :]

    def columns_of(self, start: int, end: int) -> tuple[int, int]:
        """Where some characters of the line begin in the text, and how many columns they take; at least one."""
        before, shown, _ = self.parts(start, end)
        return columns(before), max(1, columns(shown))


def window(line: str, start: int, end: int, room: int) -> Excerpt:
    """As much of a line as fits into some columns, around its characters ``start`` to ``end``."""
    if len(printable(line)) <= room and columns(printable(line)) <= room:
        return Excerpt(line, 0, len(line))
    taken = _grown(line, start, min(end, len(line)), room - 2 * len(CUT))
    return Excerpt(line, *taken)


def _grown(line: str, start: int, end: int, room: int) -> tuple[int, int]:
    """Characters from ``start`` on, to ``end`` if they fit; what room is left goes to both sides alike."""
    start = min(start, len(line))
    first, last = start, start
    for at in _inside_out(start, end, len(line)):
        room -= columns(printable(line[at]))
        if room < 0:
            break
        first, last = min(first, at), max(last, at + 1)
    return first, last


def _inside_out(start: int, end: int, length: int) -> Iterator[int]:
    """The characters from ``start`` to ``end``, then those beside them, by turns."""
    yield from range(start, end)
    before, after = start - 1, max(start, end)
    while before >= 0 or after < length:
        if after < length:
            yield after
            after += 1
        if before >= 0:
            yield before
            before -= 1
