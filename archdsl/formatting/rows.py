"""Lines put together to a text: empty lines between definitions, comments at the ends of lines."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.formatting.comments import Gap
from archdsl.formatting.doc import Printer, Row
from archdsl.formatting.parts import Piece
from archdsl.source import Position

EMPTY = Row("", ())


def rows_of(definitions: list[Piece], gaps: list[Gap]) -> list[Row]:
    """The lines of definitions and of what stands between them; an empty one sets those of several lines apart."""
    rows: list[Row] = []
    several = False
    for definition, gap in zip(definitions, gaps, strict=False):
        lines = Printer().print(definition.doc)
        _put_gap(rows, gap, apart=several or len(lines) > 1)
        rows += lines
        several = len(lines) > 1
    _put_gap(rows, gaps[-1]._replace(blank=0), apart=several and bool(gaps[-1].own))
    return rows


def _put_gap(rows: list[Row], gap: Gap, apart: bool) -> None:
    """What stands between two definitions: the empty line that sets them apart comes first."""
    if gap.trailing:
        rows[-1] = rows[-1]._replace(comments=rows[-1].comments + gap.trailing)
    apart = apart and bool(rows)
    for blank, comment in gap.own:
        rows += [EMPTY] * (blank or apart) + [Row(comment.text, ())]
        apart = False
    rows += [EMPTY] * (gap.blank or apart)


def text_of(rows: list[Row]) -> str:
    """The lines with the comments at their ends: in one column where their author set them in one."""
    return "".join(f"{line}\n" for run in _columns(rows) for line in _lines(run))


def _columns(rows: list[Row]) -> Iterator[list[Row]]:
    """Rows in runs: those whose comments stood below each other in the source, every other row by itself."""
    run: list[Row] = []
    for row in rows:
        if run and not _below(run[-1], row):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _below(upper: Row, lower: Row) -> bool:
    if not upper.comments or not lower.comments:
        return False
    first, second = (_position(row) for row in (upper, lower))
    return first.column == second.column and first.line + 1 == second.line


def _position(row: Row) -> Position:
    span = row.comments[0].span
    return span.source.position(span.start)


def _lines(run: list[Row]) -> Iterator[str]:
    width = max(len(row.text) for row in run)
    for row in run:
        comments = " ".join(c.text for c in row.comments)
        yield f"{row.text:{width}}  {comments}" if comments else row.text
