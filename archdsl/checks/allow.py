"""``# allow: name`` switches a lint off for the statement or definition that it stands behind, or right above.

Several names are separated by commas; what follows in parentheses, or after a dash, is the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.lints import Lint, UnknownLint
from archdsl.diagnostics.names import UnusedName
from archdsl.diagnostics.nearest import did_you_mean, respelt
from archdsl.source import Source, Span
from archdsl.syntax import tree
from archdsl.syntax.parse import parse

ALLOW = re.compile(r"#+\s*allow:\s*([\w-]+(?:\s*,\s*[\w-]+)*)")


class Allowed(NamedTuple):
    """A lint that is switched off for part of a text; ``said`` is where its name stands."""

    lint: str
    said: Span
    start: int
    end: int


def lints() -> dict[str, type[Diagnostic]]:
    """The lints by name."""
    return {UnusedName.lint: UnusedName, **{kind.lint: kind for kind in Lint.__subclasses__()}}


def without_allowed(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Those that no comment switches off."""
    for diagnostic in found:
        lint, span = getattr(diagnostic, "lint", None), diagnostic.span
        if lint is None or span is None or not _is_allowed(lint, span):
            yield diagnostic


def unknown_lints(source: Source) -> Iterator[UnknownLint]:
    """Comments that allow what does not exist."""
    for allowed in _allowed(source):
        if allowed.lint not in lints():
            advice = did_you_mean(allowed.lint, lints()) or f"the lints are {', '.join(lints())}"
            edits = respelt(allowed.said, allowed.lint, lints())
            yield UnknownLint(span=allowed.said, name=allowed.lint, advice=advice, edits=edits)


def _is_allowed(lint: str, span: Span) -> bool:
    return any(a.lint == lint and a.start <= span.start < a.end for a in _allowed(span.source))


@lru_cache(maxsize=64)
def _allowed(source: Source) -> tuple[Allowed, ...]:
    if "allow:" not in source.text:
        return ()
    file, _ = parse(source)
    ends: dict[int, tuple[int, int]] = {}
    for definition in file.definitions:
        for node in tree.walk(definition):
            line = source.position(node.span.start).line
            start, end = ends.get(line, (node.span.start, node.span.end))
            ends[line] = min(start, node.span.start), max(end, node.span.end)
    return tuple(a for comment in file.comments for a in _of(comment, ends, source))


def _of(comment: tree.Comment, ends: dict[int, tuple[int, int]], source: Source) -> Iterator[Allowed]:
    """What a comment allows: behind a statement on its line, else right above one."""
    match = ALLOW.match(comment.text)
    if match is None:
        return
    line = source.position(comment.span.start).line
    is_alone = source.line(line).lstrip().startswith("#")
    while is_alone and line < source.line_count and (line not in ends or source.line(line).lstrip().startswith("#")):
        line += 1
    start, end = ends.get(line, (0, 0))
    for name in re.finditer(r"[\w-]+", match[1]):
        at = comment.span.start + match.start(1) + name.start()
        yield Allowed(name[0], Span(source, at, at + len(name[0])), start, end)
