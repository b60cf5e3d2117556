"""Diagnostics as an editor shows them, and the edits that fix them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    DiagnosticTag,
    Location,
    Position,
    Range,
    TextEdit,
    WorkspaceEdit,
)

from archdsl.diagnostics import base
from archdsl.diagnostics.names import DeadLayer, UnusedName
from archdsl.lsp.positions import range_of
from archdsl.source import Source, Span

SEVERITIES = {"error": DiagnosticSeverity.Error, "warning": DiagnosticSeverity.Warning}
START = Range(Position(0, 0), Position(0, 0))

ToUri = Callable[[Source], str]


def shown(problems: Iterable[base.Diagnostic], here: Source, uri_of: ToUri) -> list[Diagnostic]:
    """The diagnostics of a text; one of another file stands at the top, and says where it is."""
    return [_shown(problem, here, uri_of) for problem in problems]


def _shown(problem: base.Diagnostic, here: Source, uri_of: ToUri) -> Diagnostic:
    inside = problem.span is not None and problem.span.source.name == here.name
    text = [problem.message, problem.note, f"help: {problem.help}" if problem.help else ""]
    if problem.span is not None and not inside:
        text.insert(0, f"in {problem.span}")
    related = [(label.span, label.text) for label in problem.labels]
    related += [(frame.span, f"in {frame.what}" + f", as {frame.path}" * bool(frame.path)) for frame in problem.trace]
    return Diagnostic(
        range_of(problem.span) if inside and problem.span is not None else START,
        "\n".join(filter(None, text)),
        SEVERITIES[problem.severity],
        problem.code,
        source="archdsl",
        tags=[DiagnosticTag.Unnecessary] if isinstance(problem, UnusedName | DeadLayer) else None,
        related_information=[DiagnosticRelatedInformation(_place(span, uri_of), text) for span, text in related],
    )


def _place(span: Span, uri_of: ToUri) -> Location:
    return Location(uri_of(span.source), range_of(span))


def fixes(
    problems: Iterable[base.Diagnostic], wanted: Sequence[Diagnostic], here: Source, uri: str
) -> list[CodeAction]:
    """A quick fix for each of the diagnostics at a place that knows its edits."""
    found = []
    for problem in problems:
        if not problem.edits or any(edit.span.source.name != here.name for edit in problem.edits):
            continue
        matching = [d for d in wanted if d.code == problem.code and problem.span and d.range == range_of(problem.span)]
        if matching:
            edits = [TextEdit(range_of(edit.span), edit.replacement) for edit in problem.edits]
            title = problem.help or f"fix {problem.code}"
            found.append(
                CodeAction(
                    title, CodeActionKind.QuickFix, matching, is_preferred=True, edit=WorkspaceEdit({uri: edits})
                )
            )
    return found
