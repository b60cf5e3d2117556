"""Docstrings from the spec's ``##`` comments."""

from __future__ import annotations

import textwrap

from archdsl.source import Span

WIDTH = 78


def doc_above(span: Span | None) -> str | None:
    """The ``##`` lines right above a definition, as a docstring; None if there are none."""
    if span is None:
        return None
    number, _ = span.source.position(span.start)
    lines: list[str] = []
    while number > 1 and (line := span.source.line(number - 1).strip()).startswith("##"):
        lines.insert(0, line[2:].strip())
        number -= 1
    text = "\n".join(lines).strip()
    return docstring(text[:1].upper() + text[1:]) if text else None


def docstring(text: str) -> str:
    """Paragraphs filled; the first sentence ends with a full stop."""
    text = "".join(c for c in text if c == "\n" or c.isprintable()).strip()
    paragraphs = [" ".join(p.split()) for p in text.split("\n\n")]
    first = paragraphs[0]
    paragraphs[0] = first if first.endswith((".", "!", "?", ":")) else first + "."
    return "\n\n".join(textwrap.fill(p, WIDTH) for p in paragraphs)
