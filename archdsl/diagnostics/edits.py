"""Edits that mend what diagnostics tell, applied to a text."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.source import Source


def mended(source: Source, diagnostics: Iterable[Diagnostic]) -> str:
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


def _overlap(left: Edit, right: Edit) -> bool:
    return left.span.start <= right.span.end and right.span.start <= left.span.end
