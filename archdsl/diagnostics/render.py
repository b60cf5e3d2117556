"""Diagnostics as a terminal and as JSON show them. One value, rendered; nothing is decided here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from archdsl.diagnostics.base import Diagnostic, Frame, Label
from archdsl.source import Source, Span

MAX_FRAMES = 6
"""Steps of the instantiation trace shown; the middle of a longer one is folded."""
MAX_LINE = 160
"""Columns of a source line shown: a longer one is cut around the underlined place."""

_COLOURS = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "place": "\x1b[1;34m",
    "bold": "\x1b[1m",
    "help": "\x1b[1;36m",
}
_RESET = "\x1b[0m"


def render(diagnostics: Iterable[Diagnostic], colour: bool = False) -> str:
    """Diagnostics for a terminal, a blank line between them."""
    return "\n\n".join(_Painter(colour).diagnostic(d) for d in diagnostics)


def to_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as plain data: positions count lines and columns from 1."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "note": diagnostic.note or None,
        "help": diagnostic.help or None,
        "notes": list(diagnostic.notes),
        "place": _place(diagnostic.span),
        "labels": [{"place": _place(label.span), "text": label.text} for label in diagnostic.labels],
        "trace": [{"what": f.what, "path": f.path, "place": _place(f.span)} for f in diagnostic.trace],
        "edits": [{"place": _place(e.span), "replacement": e.replacement} for e in diagnostic.edits],
    }


def _place(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    start, end = span.source.position(span.start), span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    }


class _Painter:
    """Lays out one diagnostic, in colour or not."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def paint(self, text: str, style: str) -> str:
        return f"{_COLOURS[style]}{text}{_RESET}" if self._colour else text

    def diagnostic(self, d: Diagnostic) -> str:
        message = _printable(d.message)
        head = self.paint(f"{d.severity}[{d.code}]", d.severity) + self.paint(f": {message}", "bold")
        lines = [head]
        marks = [*([Label(d.span, d.note)] if d.span is not None else []), *d.labels]
        width = max((len(str(m.span.source.position(m.span.start).line)) for m in marks), default=1)
        for source, group in _by_source(marks):
            lines += self._snippet(source, group, width, d)
        margin = " " * width
        lines += [f"{margin} {self.paint('=', 'place')} {_printable(text)}" for text in _trace(d.trace)]
        if d.help:
            lines.append(f"{margin} {self.paint('=', 'place')} {self.paint('help', 'help')}: {_printable(d.help)}")
        lines += [f"{margin} {self.paint('=', 'place')} {_printable(text)}" for text in d.notes]
        return "\n".join(lines)

    def _snippet(self, source: Source, marks: list[Label], width: int, d: Diagnostic) -> list[str]:
        bar = self.paint("|", "place")
        margin = " " * width
        last = 0
        lines = [f"{margin}{self.paint('-->', 'place')} {_printable(str(marks[0].span))}", f"{margin} {bar}"]
        for mark in sorted(marks, key=lambda m: (m.span.start, m.span.end)):
            primary = d.span is not None and mark.span == d.span
            number = source.position(mark.span.start).line
            text, offset, length = _excerpt(mark.span)
            if number != last:
                lines.append(f"{self.paint(str(number).rjust(width), 'place')} {bar} {text}")
            last = number
            underline = ("^" if primary else "-") * length
            note = f" {_printable(mark.text)}" if mark.text else ""
            style = d.severity if primary else "place"
            lines.append(f"{margin} {bar} {' ' * offset}{self.paint(underline + note, style)}")
        return lines


def _by_source(marks: list[Label]) -> list[tuple[Source, list[Label]]]:
    """Marks of one source together, the first mark's source first."""
    groups: dict[Source, list[Label]] = {}
    for mark in marks:
        groups.setdefault(mark.span.source, []).append(mark)
    return list(groups.items())


def _excerpt(span: Span) -> tuple[str, int, int]:
    """The line on which a span begins, made printable; where the underline begins and how long it is, in columns."""
    line, column = span.source.position(span.start)
    text = span.source.line(line)
    start = column - 1
    stop = min(len(text), start + max(1, span.end - span.start))
    cut = max(0, start - MAX_LINE // 2) if len(text) > MAX_LINE else 0
    shown = text[cut : cut + MAX_LINE]
    before = _printable(shown[: start - cut])
    marked = _printable(shown[start - cut : stop - cut])
    return _printable(shown), _columns(before), max(1, _columns(marked))


def _printable(text: str) -> str:
    """Tabs as spaces, control characters visible: a spec cannot drive the terminal."""
    return "".join(" " * 4 if c == "\t" else c if c.isprintable() else "�" for c in text)


def _columns(text: str) -> int:
    """Terminal columns: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _trace(frames: tuple[Frame, ...]) -> list[str]:
    lines = []
    for frame in frames:
        where = f", instantiated as {frame.path} at {frame.span}" if frame.path else f" at {frame.span}"
        lines.append(f"in {frame.what}{where}")
    if len(lines) <= MAX_FRAMES:
        return lines
    left_out = len(lines) - MAX_FRAMES + 1
    return [*lines[: MAX_FRAMES - 2], f"… {left_out} more", lines[-1]]
