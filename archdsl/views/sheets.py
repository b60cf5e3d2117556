"""Tables for other programs: CSV, Markdown, LaTeX (booktabs) and HTML."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import NamedTuple

from archdsl.diagnostics.layout import printable

FORMATS = ("csv", "markdown", "latex")
"""Formats of the command line; notebooks use ``html`` and ``text`` too."""
INDENT = "\ue000"
"""One level of indentation in a cell: no space, because the writers of tables strip spaces."""


class Sheet(NamedTuple):
    """A table as text. ``numbers`` are the headings of the columns that are aligned to the right."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()


def write(sheet: Sheet, format: str) -> str:
    """The table in one of the formats, ending with a line feed."""
    return {"csv": _csv, "markdown": _markdown, "latex": _latex, "html": _html, "text": _text}[format](sheet)


def _csv(sheet: Sheet) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([sheet.headings, *sheet.rows])
    return text.getvalue()


def _markdown(sheet: Sheet) -> str:
    rows = [[_in_markdown(cell) for cell in row] for row in sheet.rows]
    return _tabulated(Sheet(sheet.headings, rows, sheet.numbers), "pipe")


def _latex(sheet: Sheet) -> str:
    text = _tabulated(sheet, "latex_booktabs")  # which escapes the characters of LaTeX
    return _WITH_MATH.sub(lambda found: _MATH[found[0]], text)


def _html(sheet: Sheet) -> str:
    return _tabulated(sheet, "html").replace(INDENT, "&emsp;")  # tabulate escapes the texts


def _text(sheet: Sheet) -> str:
    rows = [[cell.replace(INDENT, INDENT * 2) for cell in row] for row in sheet.rows]
    return _tabulated(Sheet(sheet.headings, rows, sheet.numbers), "simple").replace(INDENT, " ")


def _tabulated(sheet: Sheet, format: str) -> str:
    from tabulate import tabulate

    aligned = ["right" if heading in sheet.numbers else "left" for heading in sheet.headings]
    rows = [[INDENT.join(map(printable, cell.split(INDENT))) for cell in row] for row in sheet.rows]
    return tabulate(rows, list(sheet.headings), format, disable_numparse=True, colalign=aligned) + "\n"


def _in_markdown(text: str) -> str:
    escaped = re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text)
    return escaped.replace(INDENT, "&emsp;")


_MATH = {
    "×": r"$\times$", "·": r"$\cdot$", "≤": r"$\le$", "≈": r"$\approx$", "–": "--", "…": r"\ldots{}", "²": "$^2$",
    "³": "$^3$", "→": r"$\to$", INDENT: r"\quad{}",
}  # fmt: skip
"""Characters that not every font of LaTeX has."""
_WITH_MATH = re.compile("|".join(_MATH))
