"""Reading a text again after an edit: a definition whose text is what it was is not parsed again, only moved."""

from __future__ import annotations

from typing import Any

from archdsl.diagnostics.base import Diagnostic
from archdsl.source import Source, Span
from archdsl.syntax import tree
from archdsl.syntax.parse import VERSION, comments_of, parse, parse_piece, pieces, word_beyond_limit


class Reader:
    """Reads the versions of one text, and remembers the definitions of the last."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, list[tree.Definition]]] = {}

    def read(self, source: Source) -> tuple[tree.File, list[Diagnostic]]:
        """What ``parse`` finds, sooner."""
        try:
            definitions = self._definitions(source)
        except RecursionError:  # nested deeper than can be moved
            definitions = None
        if definitions is None:
            return parse(source)
        return tree.File(source, tuple(definitions), comments_of(source)), []

    def _definitions(self, source: Source) -> list[tree.Definition] | None:
        """All definitions; None where one is not right: then the whole text is read for all that is wrong."""
        if word_beyond_limit(source) is not None:
            return None
        found: dict[str, tuple[int, list[tree.Definition]]] = {}
        definitions: list[tree.Definition] = []
        for start, end in pieces(source.text):
            text = source.text[start:end]
            if text in self._known:
                before, known = self._known[text]
                piece = [moved(d, source, start - before) for d in known]
            else:
                piece = parse_piece(source, start, end)
            if isinstance(piece, Diagnostic) or any(isinstance(d, tree.Version) and d.number != VERSION for d in piece):
                return None
            found[text] = (start, piece)
            definitions += piece
        self._known = found
        return definitions


def moved(part: Any, source: Source, by: int) -> Any:
    """A node and all below it in another text, so many characters further on."""
    if isinstance(part, tree.Node):
        return type(part)(*(moved(value, source, by) for value in part.__dict__.values()))
    if isinstance(part, Span):
        return Span(source, part.start + by, part.end + by)
    if isinstance(part, tuple):
        return tuple(moved(item, source, by) for item in part)
    return part
