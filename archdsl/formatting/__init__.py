"""One canonical layout: comments kept, the tree unchanged, and a text that has it already left as it is.

The author decides what a line is, within reason: a line break after an opening brace or bracket, between statements or
before an arrow is kept, and so is one empty line. All else is decided here: spaces, indentation, commas, and where a
line of more than 120 characters breaks.
"""

from __future__ import annotations

from archdsl.collection import paused_collection
from archdsl.diagnostics.base import Diagnostic
from archdsl.formatting.comments import Comments
from archdsl.formatting.layout import Layout, UnknownVersion
from archdsl.formatting.parts import Piece
from archdsl.formatting.rows import rows_of, text_of
from archdsl.source import Source
from archdsl.syntax import grammar
from archdsl.syntax.faults import Fault
from archdsl.syntax.parse import comments_of, parse


@paused_collection()
def format_source(source: Source) -> str | list[Diagnostic]:
    """The text in its canonical layout, with ``\\n`` at the end of each line; or what is wrong with it."""
    comments = Comments(source.text, comments_of(source))
    try:
        definitions: list[Piece] = grammar.parse(source.text, "start", Layout(comments))
    except (Fault, UnknownVersion):
        return parse(source)[1]
    return text_of(rows_of(definitions, comments.gaps(0, definitions, len(source.text))))
