"""What the layout is put together from: parts of the text with their documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import cached_property
from typing import TypeAlias

from lark import Token

from archdsl.formatting.comments import Gap
from archdsl.formatting.doc import Doc, Group, Hard, Indent, Inside, Line, Tall, Trailing
from archdsl.record import record
from archdsl.syntax.faults import end_of, start_of
from archdsl.syntax.grammar import Parts
from archdsl.syntax.tree import Comment


@record(frozen=False, slots=True)
class Part:
    """A piece of the text: from ``start`` up to ``end`` in the source, laid out by ``doc``."""

    doc: Doc
    start: int
    end: int
    tall: bool = False
    """it takes several lines, however short: its author broke it, or comments stand in it"""
    hugs: bool = False
    """its line breaks are within: it follows `=` on the same line even if it is long"""
    simple: bool = False
    """a name or a number: many of them stand on a line of a list"""
    hanging: Doc | None = None
    """the same with its bodies broken, if it ends in one"""


class Arms:
    """Bodies with what stands before each: ``seq { … }``, ``if … { … } else { … }``, a plain ``{ … }``."""

    hugs = True
    simple = False

    def __init__(self, arms: Sequence[tuple[Piece | None, Body]], parts: Parts) -> None:
        self.arms: list[tuple[Piece | None, Body]] = list(arms)
        self.start: int
        self.end: int
        self.start, self.end = extent(parts)

    @cached_property
    def _broken(self) -> bool:
        return any(body.tall for _, body in self.arms) or (len(self.arms) > 1 and self._tall_heads)

    @cached_property
    def _tall_heads(self) -> bool:
        return any(head is not None and head.tall for head, _ in self.arms)

    @property
    def tall(self) -> bool:
        return self._broken or self._tall_heads

    @cached_property
    def doc(self) -> Doc:
        """All bodies broken, or none."""
        if self._broken:
            return self.hanging
        if len(self.arms) == 1:
            head, body = self.arms[0]
            return [*_before(head), Group(body.inline)]
        return Group(spaced([[*_before(head), body.inline] for head, body in self.arms], " "))

    @cached_property
    def hanging(self) -> Doc:
        return spaced([[*_before(head), body.broken] for head, body in self.arms], " ")


Piece: TypeAlias = Part | Arms


@record(frozen=False)
class Body:
    """``{ … }``: statements in runs, each joined by ``;`` on one line, and what stands between the runs."""

    runs: list[list[Piece]]
    gaps: list[Gap]
    """before each run, and before the closing brace"""
    lead: list[Comment] = field(default_factory=list)
    """comments from before the opening brace"""

    @cached_property
    def tall(self) -> bool:
        if self.lead or any(gap.commented for gap in self.gaps):
            return True
        return bool(self.runs) and (any(g.newline for g in self.gaps) or any(p.tall for run in self.runs for p in run))

    @cached_property
    def broken(self) -> Doc:
        """One run a line; one statement, if all of it stood on one line."""
        if not self.tall:
            statements = [p.doc for run in self.runs for p in run]
            inner = Indent([Hard(), spaced(statements, Hard())])
            return Tall(["{", Inside(inner, False), Hard(), "}"]) if statements else "{}"
        first, *others = self.gaps
        lead = tuple((0, comment) for comment in self.lead)
        gaps = [first._replace(own=lead + first.own).first(), *others]
        lines: list[Doc] = []
        for gap, run in zip(gaps, self.runs, strict=False):
            lines += [*between(gap), _joined(run)]
        lines += between(gaps[-1])[:-1]
        return Tall(["{", Inside(Indent(lines), False), Hard(), "}"])

    @cached_property
    def inline(self) -> Doc:
        """One line where it fits its group, else one statement a line."""
        statements = [p.doc for run in self.runs for p in run]
        lines = Indent([Line(), spaced(statements, Line("; "))])
        return ["{", Inside(lines, False), Line(), "}"] if statements else "{}"


def _joined(run: list[Piece]) -> Doc:
    """Statements on one line, or each on its own where they do not fit."""
    if len(run) == 1:
        return run[0].doc
    docs = [p.doc for p in run]
    return spaced(docs, Hard()) if any(p.tall for p in run) else Group(spaced(docs, Line("; ")))


def _before(head: Piece | None) -> list[Doc]:
    return [] if head is None else [head.doc, " "]


def between(gap: Gap) -> list[Doc]:
    """The comments of a gap and the break at its end."""
    doc: list[Doc] = [Trailing(c) for c in gap.trailing]
    for blank, comment in gap.own:
        doc += [Hard(blank), comment.text]
    return [*doc, Hard(gap.blank)]


def spaced(docs: list[Doc], separator: Doc) -> list[Doc]:
    """Documents with a separator between them."""
    return [d for doc in docs for d in (separator, doc)][1:]


def filled(docs: list[Doc]) -> list[Doc]:
    """As many on a line as fit, separated by commas."""
    return docs[:1] + [d for doc in docs[1:] for d in (",", Group([Line(), doc]))]


def extent(parts: Parts) -> tuple[int, int]:
    """From where to where in the source the parts of a rule reach."""
    there = [p for p in parts if p is not None]
    first, last = there[0], there[-1]
    start = start_of(first) if isinstance(first, Token) else first.start
    end = end_of(last) if isinstance(last, Token) else last.end
    return start, end
