"""A spec open in an editor: its text and tree now, and what the last analysis found, carried over to the text now."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from archdsl.diagnostics.base import Diagnostic
from archdsl.lsp.facts import Facts, Run
from archdsl.lsp.names import Occurrence, occurrences
from archdsl.lsp.reading import Reader
from archdsl.source import Source
from archdsl.syntax import tree


@dataclass(frozen=True)
class Analysis:
    """What building the models of a text found."""

    text: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    facts: Facts = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    """for each model: its inputs, outputs and totals, in words"""


@dataclass
class Document:
    """One version of a text."""

    uri: str
    path: Path
    source: Source
    analysis: Analysis = field(default_factory=Analysis)
    reader: Reader = field(default_factory=Reader)

    @cached_property
    def _parsed(self) -> tuple[tree.File, list[Diagnostic]]:
        return self.reader.read(self.source)

    @property
    def file(self) -> tree.File:
        return self._parsed[0]

    @property
    def problems(self) -> list[Diagnostic]:
        """What is wrong with the text, before anything is built."""
        return self._parsed[1]

    @cached_property
    def names(self) -> list[Occurrence]:
        return occurrences(self.file, self.path)

    def name_at(self, offset: int) -> Occurrence | None:
        """The name at a place, or just before it."""
        at = bisect_right(self.names, offset, key=lambda o: o.span.start)
        return next((o for o in self.names[max(at - 1, 0) : at] if o.span.end >= offset), None)

    def definition_at(self, offset: int) -> tree.Definition | None:
        return next((d for d in self.file.definitions if d.span.start <= offset <= d.span.end), None)

    # ---- facts ----

    @cached_property
    def facts(self) -> Facts:
        """What is known of the places of this text: the last analysis's, where the text has not changed since."""
        before, now = self.analysis.text, self.source.text
        if before == now:
            return self.analysis.facts
        head = _common(before, now)
        tail = _common(before[head:][::-1], now[head:][::-1])
        moved = len(now) - len(before)
        kept = {}
        for (start, end), runs in self.analysis.facts.items():
            if end <= head:
                kept[start, end] = runs
            elif start >= len(before) - tail:
                kept[start + moved, end + moved] = runs
            elif start < head and end > len(before) - tail:
                kept[start, end + moved] = runs
        return kept

    def facts_at(self, offset: int) -> list[Run]:
        """The runs of the smallest place around an offset."""
        around = [(end - start, start, end) for start, end in self.facts if start <= offset <= end]
        return self.facts[min(around)[1:]] if around else []

    def documentation(self, definition: tree.Definition) -> str:
        """The ``##`` comment above a definition."""
        lines: list[str] = []
        above = self.source.position(definition.span.start).line - 1
        for comment in reversed(self.file.comments):
            if self.source.position(comment.span.start).line == above and comment.text.startswith("##"):
                lines.insert(0, comment.text[2:].strip())
                above -= 1
        return "\n".join(lines)


def _common(a: str, b: str) -> int:
    """How many characters two texts begin with alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
