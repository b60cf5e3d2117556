"""The comments of a source: where each stands, and which of them have a place in the layout already."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from archdsl.syntax.tree import Comment


class HasExtent(Protocol):
    start: int
    end: int


class Gap(NamedTuple):
    """What stands between two parts of a text: its comments, and the author's line breaks."""

    trailing: tuple[Comment, ...] = ()
    """comments on the line of the part before"""
    own: tuple[tuple[int, Comment], ...] = ()
    """comments on lines of their own, each with the empty lines before it (0 or 1)"""
    newline: bool = False
    blank: int = 0
    """empty lines before the part after (0 or 1)"""

    @property
    def commented(self) -> bool:
        return bool(self.trailing or self.own)

    def first(self) -> Gap:
        """The gap after an opening bracket: no empty line at its top."""
        own = tuple((blank * bool(i), comment) for i, (blank, comment) in enumerate(self.own))
        return self._replace(own=own, blank=self.blank * bool(own))

    def hoisting(self, comments: list[Comment]) -> Gap:
        """The gap with comments from within the part after it, where they have no place."""
        if not comments:
            return self
        first = ((self.blank, comments[0]), *((0, c) for c in comments[1:]))
        return self._replace(own=self.own + first, newline=True, blank=0)


class Comments:
    """Gives out each comment once."""

    def __init__(self, text: str, comments: tuple[Comment, ...]) -> None:
        self._text = text
        self._waiting: list[Comment | None] = list(comments)
        self._starts = [c.span.start for c in comments]

    def gap(self, start: int, end: int) -> Gap:
        """What stands from ``start`` up to ``end``; its comments are taken."""
        trailing: list[Comment] = []
        own: list[tuple[int, Comment]] = []
        position = start
        for comment in self.take(start, end):
            lines = self._text.count("\n", position, comment.span.start)
            if lines == 0 and start > 0 and not own:
                trailing.append(comment)
            else:
                own.append((int(lines > 1 and position > 0), comment))
            position = comment.span.end
        lines = self._text.count("\n", position, end)
        return Gap(tuple(trailing), tuple(own), lines > 0 or position > start, int(lines > 1 and position > 0))

    def take(self, start: int, end: int) -> list[Comment]:
        """The comments from ``start`` up to ``end`` that have no place yet."""
        low, high = bisect_left(self._starts, start), bisect_left(self._starts, end)
        taken = [c for c in self._waiting[low:high] if c is not None]
        if taken:
            self._waiting[low:high] = [None] * (high - low)
        return taken

    def gaps(self, start: int, items: Sequence[HasExtent], end: int) -> list[Gap]:
        """What stands before each item and after the last. Comments that have no place in an item stand before it."""
        gaps: list[Gap] = []
        for item in items:
            gap = self.gap(start, item.start)
            gaps.append(gap.hoisting(self.take(item.start, item.end)))
            start = item.end
        return [*gaps, self.gap(start, end)]
