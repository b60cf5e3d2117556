"""Diagnostics as workflow commands of GitHub Actions, which shows them beside the changed lines.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.layout import printable


def annotation(d: Diagnostic) -> str:
    """One line: ``::error file=net.arch,line=3,…::message``. A diagnostic without a file has no place."""
    facts = {"title": f"archdsl {d.code}"}
    if d.span is not None and not d.span.source.name.startswith("<"):
        start, end = d.span.source.position(d.span.start), d.span.source.position(d.span.end)
        facts |= {"file": d.span.source.name, "line": str(start.line), "endLine": str(end.line)}
        if start.line == end.line:  # columns of a range over several lines are refused
            facts |= {"col": str(start.column), "endColumn": str(end.column)}
    text = "\n".join(filter(None, [d.message, d.note, f"help: {d.help}" if d.help else "", *d.notes]))
    properties = ",".join(f"{key}={_property(value)}" for key, value in facts.items())
    return f"::{d.level} {properties}::{_data(text)}"


def _data(text: str) -> str:
    """Text in which line ends and control characters cannot begin another command."""
    lines = (printable(line) for line in text.replace("%", "%25").split("\n"))
    return "%0A".join(lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
