"""Documents and their layout: where lines break, so that none is longer than ``WIDTH`` characters where that can be.

The documents are those of Lindig's "Strictly Pretty" (2000), after Wadler's "A prettier printer" (1998): a group is
laid out flat if it fits on its line, and else broken at its line breaks. Three things are added, which specs need: what
follows a group on its line is measured with it; a tall part, which takes several lines whatever its width, may hang at
the end of a flat group; and some line breaks are allowed only inside brackets, where they end no statement.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from archdsl.record import record
from archdsl.syntax.tree import Comment

WIDTH = 120
INDENT = 2


@record(slots=True)
class Line:
    """A line break in a broken group, ``flat`` in a flat one. ``inner``: it is allowed only inside brackets."""

    flat: str = " "
    inner: bool = False


@record(slots=True)
class Hard:
    """A line break wherever it stands, before ``blank`` empty lines."""

    blank: int = 0


@record(slots=True)
class Indent:
    """What is indented if its group is broken."""

    doc: Doc


@record(slots=True)
class Group:
    """Flat where it fits, else broken."""

    doc: Doc


@record(slots=True)
class Tall:
    """A part that holds hard breaks: broken, even where it stands in a flat group."""

    doc: Doc


@record(slots=True)
class Inside:
    """What stands between ``()`` or ``[]``, where line breaks end no statement (``free``), or between ``{}``."""

    doc: Doc
    free: bool


@record(slots=True)
class Choice:
    """``flat`` if it fits; else ``tall``, if its first line fits; else ``flat``, broken."""

    flat: Group
    tall: Group


@record(slots=True)
class IfBroken:
    """Text of a broken group only: the comma after its last item."""

    text: str


@record(slots=True)
class Trailing:
    """A comment for the end of the line on which it stands; it does not count as width."""

    comment: Comment


Doc: TypeAlias = "str | list[Doc] | Line | Hard | Indent | Group | Choice | Tall | Inside | IfBroken | Trailing"


class Frame(NamedTuple):
    """A document that waits to be laid out, and how: its indentation, flat or not, whether breaks are free."""

    doc: Doc
    indent: int
    flat: bool
    free: bool


class Row(NamedTuple):
    """A finished line, and the comments at its end."""

    text: str
    comments: tuple[Comment, ...]


class Printer:
    """Lays out one document, in time linear in it: a group is measured only as far as its line reaches."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._stack: list[Frame] = []
        self._line: list[str] = []
        self._column = 0
        self._comments: list[Comment] = []

    def print(self, doc: Doc) -> list[Row]:
        self._stack.append(Frame(doc, 0, False, False))
        while self._stack:
            self._put(self._stack.pop())
        self._break(0, 0)
        return self._rows

    def _put(self, frame: Frame) -> None:
        doc, indent, flat, free = frame
        match doc:
            case str():
                self._line.append(doc)
                self._column += len(doc)
            case Group(doc=inner):
                self._stack.append(Frame(inner, indent, flat or self._fits(frame, inner), free))
            case Choice(flat=whole, tall=hanging):
                fits = flat or self._fits(frame, whole.doc) or not self._fits(frame, hanging.doc)
                self._stack.append(Frame(whole if fits else hanging, indent, flat, free))
            case Indent(doc=inner):
                self._stack.append(Frame(inner, indent if flat else indent + INDENT, flat, free))
            case Hard(blank=blank):
                self._break(indent, blank)
            case Line() if not flat and (free or not doc.inner):
                self._break(indent, 0)
            case Trailing(comment=comment):
                self._comments.append(comment)
            case _:
                _open(frame, self._stack)

    def _break(self, indent: int, blank: int) -> None:
        self._rows.append(Row("".join(self._line).rstrip(), tuple(self._comments)))
        self._rows.extend([Row("", ())] * blank)
        self._line, self._column, self._comments = [" " * indent], indent, []

    def _fits(self, frame: Frame, doc: Doc) -> bool:
        """Whether a document, flat, and what follows it up to the next possible line break, end within the width."""
        room = WIDTH - self._column
        waiting = [Frame(doc, frame.indent, True, frame.free)]
        following = len(self._stack)
        while room >= 0:
            if not waiting:
                if following == 0:
                    return True
                following -= 1
                waiting.append(self._stack[following])
            frame = waiting.pop()
            match frame.doc:
                case str() as text:
                    room -= len(text)
                case Group(doc=inner) | Indent(doc=inner) | Choice(flat=inner):
                    waiting.append(Frame(inner, 0, frame.flat, frame.free))
                case Hard():
                    return True
                case Line(inner=inner) if not frame.flat and (frame.free or not inner):
                    return True
                case Trailing():
                    pass
                case _:
                    _open(frame, waiting)
        return False


def _open(frame: Frame, stack: list[Frame]) -> None:
    """Put the parts of a document, each with how it is laid out, onto a stack."""
    doc, indent, flat, free = frame
    match doc:
        case list():
            stack.extend([Frame(part, indent, flat, free) for part in reversed(doc)])
        case Line(flat=text):
            stack.append(Frame(text, indent, flat, free))
        case Tall(doc=inner):
            stack.append(Frame(inner, indent, False, free))
        case Inside(doc=inner, free=inside):
            stack.append(Frame(inner, indent, flat, inside))
        case IfBroken(text=text) if not flat:
            stack.append(Frame(text, indent, flat, free))
