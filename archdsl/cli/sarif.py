"""Diagnostics as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0): what code hosts and editors read."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from archdsl.cli.explain import pages
from archdsl.diagnostics.base import Diagnostic, Edit, Frame
from archdsl.diagnostics.catalogue import catalogue
from archdsl.source import Source, Span
from archdsl.version import __version__

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
"""What paths are relative to: the folder where the command ran."""


def to_sarif(diagnostics: Sequence[Diagnostic]) -> dict[str, object]:
    """One run with all diagnostics, and a rule for each code among them."""
    codes = sorted({d.code for d in diagnostics})
    driver = {"name": "archdsl", "version": __version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"uri": f"{Path.cwd().as_uri()}/"}},
        "invocations": [{"executionSuccessful": True}],
        "results": [_result(d, codes.index(d.code)) for d in diagnostics],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, object]:
    """What is known of a code: its page is the help."""
    kind = catalogue()[code]
    summary, _, body = inspect.cleandoc(kind.__doc__ or "").partition("\n")
    page = (pages() / f"{code}.md").read_text(encoding="utf-8")
    return {
        "id": code,
        "name": kind.__name__,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": " ".join(body.split()) or summary},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": kind.severity},
    }


def _result(d: Diagnostic, rule: int) -> dict[str, object]:
    text = [d.message, d.note, f"help: {d.help}" if d.help else "", *d.notes]
    result: dict[str, object] = {
        "ruleId": d.code,
        "ruleIndex": rule,
        "level": d.level,
        "message": {"text": "\n".join(filter(None, text))},
    }
    places = {
        "locations": [_location(d.span)] if d.span is not None and _is_file(d.span.source) else [],
        "relatedLocations": [{"id": i, **_location(label.span, label.text)} for i, label in enumerate(d.labels, 1)],
        "stacks": [_stack(d.trace)] if d.trace else [],
        "fixes": [_fix(d)] if d.edits else [],
    }
    return {**result, **{key: found for key, found in places.items() if found}}


def _location(span: Span, text: str = "") -> dict[str, object]:
    physical = {"artifactLocation": _artifact(span.source), "region": _region(span)}
    return {"physicalLocation": physical, **({"message": {"text": text}} if text else {})}


def _is_file(source: Source) -> bool:
    """Is a text a file, not what stands on the command line?"""
    return not source.name.startswith("<")


def _artifact(source: Source) -> dict[str, object]:
    path = Path(source.name)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(os.fsencode(path.as_posix())), "uriBaseId": BASE}


def _region(span: Span) -> dict[str, object]:
    """Lines and columns from 1, the end column behind the last character, as here; empty where something is put in."""
    start, end = span.source.position(span.start), span.source.position(span.end)
    return {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}


def _stack(trace: Iterable[Frame]) -> dict[str, object]:
    """The instantiation trace: innermost first, as SARIF has call stacks."""
    frames = [{"location": _location(f.span, f"in {f.what}" + f", as {f.path}" * bool(f.path))} for f in trace]
    return {"message": {"text": "instantiated by"}, "frames": frames}


def _fix(d: Diagnostic) -> dict[str, object]:
    by_source: dict[Source, list[Edit]] = {}
    for edit in d.edits:
        by_source.setdefault(edit.span.source, []).append(edit)
    changes = [
        {
            "artifactLocation": _artifact(source),
            "replacements": [
                {"deletedRegion": _region(e.span), "insertedContent": {"text": e.replacement}} for e in edits
            ],
        }
        for source, edits in by_source.items()
    ]
    return {"description": {"text": d.help or f"fix {d.code}"}, "artifactChanges": changes}
