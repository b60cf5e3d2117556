"""Places in a text as the protocol says them: lines from 0, columns in UTF-16 units. Nothing else knows of these."""

from __future__ import annotations

from lsprotocol.types import Location, Position, Range

from archdsl.source import Source, Span


def position(source: Source, offset: int) -> Position:
    """The place of a character."""
    line, column = source.position(min(offset, len(source.text)))
    return Position(line - 1, units(source.line(line)[: column - 1]))


def units(text: str) -> int:
    """Length in UTF-16: two for a character beyond the basic plane."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def offset(source: Source, place: Position) -> int:
    """The character at a place; the end of the line, or of the text, where the place lies behind it."""
    if place.line >= source.line_count:
        return len(source.text)
    text = source.line(place.line + 1)
    start = source.line_start(place.line + 1)
    if text.isascii():
        return start + min(place.character, len(text))
    before = text.encode("utf-16-le", errors="surrogatepass")[: 2 * place.character]
    return start + len(before.decode("utf-16-le", errors="ignore"))


def range_of(span: Span) -> Range:
    return Range(position(span.source, span.start), position(span.source, span.end))


def location(span: Span, uri: str) -> Location:
    return Location(uri, range_of(span))
