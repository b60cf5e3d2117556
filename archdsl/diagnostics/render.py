"""Diagnostics as a terminal and as JSON show them. One value, rendered; nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from archdsl.diagnostics.base import Diagnostic, Frame, Label
from archdsl.diagnostics.edits import EditedLine, edited_lines
from archdsl.diagnostics.layout import columns, printable, window, wrap
from archdsl.source import Source, Span

MAX_FRAMES = 6
"""Steps of the instantiation trace shown; the middle of a longer one is folded."""
MAX_LINE = 160
"""Columns of a source line shown where nothing else limits them."""
MAX_LINES = 100
"""Lines of one diagnostic that are shown."""
MAX_PROSE = 2_000
"""Characters of one message or remark that are shown; the middle of a longer one is left out."""
MAX_TEXT = 50_000
"""Bytes after which further diagnostics are counted and not shown."""
LEAST_LINE = 20
"""Columns of a source line shown on the narrowest terminal."""

_COLOURS = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "place": "\x1b[1;34m",
    "bold": "\x1b[1m",
    "help": "\x1b[1;36m",
    "added": "\x1b[1;32m",
    "removed": "\x1b[31m",
}
_RESET = "\x1b[0m"


def render(diagnostics: Iterable[Diagnostic], colour: bool = False, width: int | None = None) -> str:
    """Diagnostics for a terminal of so many columns, a blank line between them. Without a width no prose is wrapped.

    Of very many only the first are shown, and the others counted.
    """
    painter = _Painter(colour, width)
    parts: list[str] = []
    room, left_out = MAX_TEXT, 0
    for diagnostic in diagnostics:
        if room > 0:
            parts.append(painter.diagnostic(diagnostic))
            room -= len(parts[-1].encode(errors="replace"))
        else:
            left_out += 1
    if left_out:
        parts.append(f"… and {left_out:,} more; `archdsl check --format json` prints all of them")
    return "\n\n".join(parts)


def to_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as plain data: positions count lines and columns from 1."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.level,
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

    def __init__(self, colour: bool, width: int | None) -> None:
        self._colour = colour
        self._width = width

    def paint(self, text: str, style: str) -> str:
        return f"{_COLOURS[style]}{text}{_RESET}" if self._colour else text

    def diagnostic(self, d: Diagnostic) -> str:
        head = f"{d.level}[{d.code}]"
        first, *more = wrap(_prose(d.message), self._width, columns(head) + 2, 4)
        lines = [f"{self.paint(head, d.level)}{self.paint(f': {first}', 'bold')}"]
        lines += [f"    {self.paint(line, 'bold')}" for line in more]
        marks = [*([Label(d.span, d.note)] if d.span is not None else []), *d.labels]
        edited = edited_lines(d.edits)
        gutter = max(
            (len(str(n)) for n in (*map(_line, (m.span for m in marks)), *(m.number for m in edited))), default=1
        )
        for source, group in _by_source(marks):
            lines += self._snippet(source, group, gutter, d)
        for text in folded_trace(d.trace):
            lines += self._remark(text, gutter)
        if d.help:
            lines += self._remark(d.help, gutter, "help")
        lines += [self._edited_line(line, gutter) for line in edited]
        for text in d.notes:
            lines += self._remark(text, gutter)
        if len(lines) > MAX_LINES:
            lines[MAX_LINES:] = [f"{' ' * gutter} {self.paint('=', 'place')} … {len(lines) - MAX_LINES:,} more lines"]
        return "\n".join(lines)

    # ---- source lines ----

    def _room(self, gutter: int) -> int:
        """Columns of a source line, beside its number and the bar."""
        return MAX_LINE if self._width is None else max(LEAST_LINE, self._width - gutter - len(" | "))

    def _snippet(self, source: Source, marks: list[Label], gutter: int, d: Diagnostic) -> list[str]:
        bar = self.paint("|", "place")
        margin = " " * gutter
        lines = [f"{margin}{self.paint('-->', 'place')} {_prose(str(marks[0].span))}", f"{margin} {bar}"]
        room = self._room(gutter)
        ordered = sorted(marks, key=lambda m: (m.span.start, m.span.end))
        for number, group in groupby(ordered, key=lambda m: _line(m.span)):
            text, shown = source.line(number), None
            together = list(group)
            around = (min(_within_line(m.span)[0] for m in together), max(_within_line(m.span)[1] for m in together))
            for mark in together:
                excerpt = window(text, *around, room)
                if not excerpt.holds(_within_line(mark.span)[0]):
                    excerpt = window(text, *_within_line(mark.span), room)
                if excerpt.text != shown:
                    lines.append(f"{self.paint(str(number).rjust(gutter), 'place')} {bar} {excerpt.text}")
                shown = excerpt.text
                primary = d.span is not None and mark.span == d.span
                offset, length = excerpt.columns_of(*_within_line(mark.span))
                style = d.level if primary else "place"
                under = self._underline("^" if primary else "-", offset, length, _prose(mark.text), room)
                lines += [f"{margin} {bar} {' ' * indent}{self.paint(part, style)}" for indent, part in under]
        return lines

    def _underline(self, sign: str, offset: int, length: int, note: str, room: int) -> list[tuple[int, str]]:
        """The underline with its note, by lines and their indentation: the note goes below where it fits not beside."""
        line = sign * length
        if not note or self._width is None or offset + length + 1 + columns(note) <= room:
            return [(offset, f"{line} {note}" if note else line)]
        indent = max(0, min(offset, room - 2 * LEAST_LINE))
        return [(offset, line), *((indent, part) for part in wrap(note, room - indent))]

    def _edited_line(self, line: EditedLine, gutter: int) -> str:
        """A line as it becomes, or one that goes."""
        excerpt = window(line.text, *line.changed, self._room(gutter))
        sign, style = ("-", "removed") if line.is_removed else ("+", "added")
        before, changed, after = excerpt.parts(*line.changed)
        text = f"{before}{self.paint(changed, style) if changed else ''}{after}"
        return f"{self.paint(str(line.number).rjust(gutter), 'place')} {self.paint(sign, style)} {text}"

    # ---- prose ----

    def _remark(self, text: str, gutter: int, kind: str = "") -> list[str]:
        margin = " " * gutter
        head = f"{kind}: " if kind else ""
        first, *more = wrap(_prose(text), self._width, gutter + 3 + len(head), gutter + 5)
        said = f"{self.paint(kind, kind)}: {first}" if kind else first
        return [f"{margin} {self.paint('=', 'place')} {said}", *(f"{margin}     {line}" for line in more)]


def _prose(text: str) -> str:
    """A message or a remark, made printable, of a length that can be read."""
    text = printable(text)
    if len(text) <= MAX_PROSE:
        return text
    return f"{text[: MAX_PROSE * 3 // 4]} … {text[-MAX_PROSE // 4 :]}"


def _line(span: Span) -> int:
    return span.source.position(span.start).line


def _within_line(span: Span) -> tuple[int, int]:
    """Characters of its first line that a span covers, at least one."""
    line, column = span.source.position(span.start)
    start = column - 1
    stop = min(len(span.source.line(line)), start + span.end - span.start)
    return start, max(start + 1, stop)


def _by_source(marks: list[Label]) -> list[tuple[Source, list[Label]]]:
    """Marks of one source together, the first mark's source first."""
    groups: dict[Source, list[Label]] = {}
    for mark in marks:
        groups.setdefault(mark.span.source, []).append(mark)
    return list(groups.items())


def folded_trace(frames: tuple[Frame, ...]) -> list[str]:
    """The instantiation trace in words: what repeats is said once, the middle of what is still long is left out."""
    lines: list[str] = []
    at = 0
    while at < len(frames):
        period, times = _repeats(frames, at)
        lines += map(_frame, frames[at : at + period])
        at += period * times
        if times > 1:
            what = "this" if period == 1 else f"these {period}"
            lines.append(f"… {what} {times - 1} more time{'s' * (times > 2)}, the outermost as {frames[at - 1].path}")
    if len(lines) <= MAX_FRAMES:
        return lines
    left_out = len(lines) - MAX_FRAMES + 1
    return [*lines[: MAX_FRAMES - 2], f"… {left_out} more", lines[-1]]


def _frame(frame: Frame) -> str:
    where = f", instantiated as {frame.path} at {frame.span}" if frame.path else f" at {frame.span}"
    return f"in {frame.what}{where}"


def _repeats(frames: tuple[Frame, ...], at: int) -> tuple[int, int]:
    """How many frames from one on come again from the same places of the text; and how often they stand there."""
    places = [frame.span for frame in frames]
    for period in range(1, (len(frames) - at) // 2 + 1):
        cycle, times = places[at : at + period], 1
        while places[at + times * period : at + (times + 1) * period] == cycle:
            times += 1
        if times > 1:
            return period, times
    return 1, 1
