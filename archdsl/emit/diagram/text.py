"""How wide a text is: cards are sized here, not by the renderer, so that every renderer draws the same figure.

Widths are those of Adobe's Helvetica metrics, which Arial, Liberation Sans and Arimo share. All lengths are points.
"""

from __future__ import annotations

FONT = "Arial"
SIZE = 9.0
"""Names of layers, titles, captions."""
SMALL = 7.5
"""Everything else: nothing in a figure is smaller."""
SIGN = 11.0
"""The sign in a circle."""

_ASCII = {
    False: (
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
        556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
        1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
        667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
        333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
        556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
    ),
    True: (
        278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
        556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
        975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
        667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
        333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
        611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
    ),
}  # fmt: skip
"""Thousandths of the font size for the characters from the space to the tilde, plain and bold."""

TIE = "\u00a0"
"""A space at which no line ends: between a number and its unit."""
_OTHER = {"×": 584, "—": 1000, "…": 1000, "±": 584}
_SPACE = 278
_UNKNOWN = 1000
"""No letter of the fonts in question is much wider than its size."""


def _thousandths(letter: str) -> int:
    """Width of a character beyond ASCII.

    ``graphviz-pure`` takes each byte of UTF-8 for a space. Where that is more than the character's own width, it
    counts: a cell is to be as wide as every renderer takes it to be.
    """
    narrow = 0 if letter in "·−–²³°" or letter == TIE else _UNKNOWN
    return max(_OTHER.get(letter, narrow), _SPACE * len(letter.encode(errors="replace")))


ELLIPSIS = "…"


def width(text: str, size: float = SIZE, bold: bool = False) -> float:
    """Width of one line, in points."""
    ascii_widths = _ASCII[bold]
    thousandths = 0
    for letter in text:
        place = ord(letter) - 32
        thousandths += ascii_widths[place] if 0 <= place < 95 else _thousandths(letter)
    return thousandths * size / 1000


def shorten(text: str, room: float, size: float = SIZE, bold: bool = False) -> str:
    """The text, its end replaced by an ellipsis where it is wider than ``room``."""
    if width(text, size, bold) <= room:
        return text
    kept = len(text)
    while kept and width(text[:kept].rstrip() + ELLIPSIS, size, bold) > room:
        kept -= 1
    return text[:kept].rstrip() + ELLIPSIS


def wrap(text: str, room: float, size: float, before: float = 0.0) -> list[str]:
    """A text on as few lines as the room allows, of about the same length; ``before`` of the first is taken."""
    fewest = _lines(text, room, size, before)
    least, most = 0.0, room
    while most - least > 1:
        middle = (least + most) / 2
        if len(_lines(text, middle, size, before)) > len(fewest):
            least = middle
        else:
            most = middle
    return _lines(text, most, size, before)


def _lines(text: str, room: float, size: float, before: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        taken = before if not lines else 0.0
        if line and taken + width(longer, size) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def plain(text: str) -> str:
    """The text on one line, without characters that no image shows (control characters, half surrogates)."""
    return "".join(letter if letter.isprintable() or letter == TIE else " " for letter in text)
