"""Edits that fix what diagnostics report: applied to a text, and shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.source import Source, Span


def edited(source: Source, diagnostics: Iterable[Diagnostic]) -> str:
    """The text with the edits of some diagnostics; of two that overlap the first, and of one's edits all or none."""
    chosen: list[Edit] = []
    for diagnostic in diagnostics:
        edits = [e for e in diagnostic.edits if e.span.source is source]
        if len(edits) == len(diagnostic.edits) and not any(_overlap(e, c) for e in edits for c in chosen):
            chosen += edits
    text = source.text
    for edit in sorted(chosen, key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


def without_argument(argument: Span) -> tuple[Edit, ...]:
    """The edit that removes an argument of a call, with its comma; none where it shares its line with no other part."""
    text = argument.source.text
    start, end = argument.start, argument.end
    while end < len(text) and text[end] == " ":
        end += 1
    before = len(text[:start].rstrip(" "))
    if text[end : end + 1] == ",":
        end += 1
        while text[end : end + 1] == " ":
            end += 1
    elif text[before - 1] == ",":
        start, end = before - 1, argument.end
    elif text[before - 1] == "(" and text[end : end + 1] == ")":
        start, end = before - 1, end + 1
    else:
        return ()
    return (Edit(Span(argument.source, start, end), ""),)


def _overlap(left: Edit, right: Edit) -> bool:
    return left.span.start <= right.span.end and right.span.start <= left.span.end


class EditedLine(NamedTuple):
    """A line as it becomes, or (removed) as it was: its number, its text, and the characters that changed."""

    number: int
    text: str
    changed: tuple[int, int]
    is_removed: bool = False


def edited_lines(edits: Sequence[Edit]) -> list[EditedLine]:
    """The lines that edits touch, as they become; one that nothing is left of, as it was. Edits are within lines."""
    by_line: dict[tuple[Source, int], list[Edit]] = {}
    for edit in sorted(edits, key=lambda e: e.span.start):
        by_line.setdefault((edit.span.source, edit.span.source.position(edit.span.start).line), []).append(edit)
    return [_edited_line(source, number, group) for (source, number), group in by_line.items()]


def _edited_line(source: Source, number: int, edits: list[Edit]) -> EditedLine:
    base, before = source.line_start(number), source.line(number)
    text, first, last = before, len(before), 0
    for edit in reversed(edits):
        start, end = edit.span.start - base, min(edit.span.end - base, len(before))
        text = text[:start] + edit.replacement + text[end:]
        grown = len(edit.replacement) - (end - start)
        first, last = start, max(last + grown, start + len(edit.replacement))
    if not text.strip():
        return EditedLine(number, before, (0, len(before)), is_removed=True)
    return EditedLine(number, text, (first, last))
