"""All that checking a spec finds: its models, its claims, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from archdsl.checks import FILE_CHECKS, GRAPH_CHECKS
from archdsl.checks.allow import unknown_lints, without_allowed
from archdsl.checks.claims import ClaimResult, Graphs, check_claim
from archdsl.checks.numbering import renumbered_members
from archdsl.collection import paused_collection
from archdsl.compiler import Spec, build, choose
from archdsl.diagnostics.base import Diagnostic, Label
from archdsl.diagnostics.names import DeadLayer, UnknownName, UnusedName
from archdsl.elaborate.shapes import InputShapes
from archdsl.evaluate.values import BlockLayer
from archdsl.graph import Graph
from archdsl.record import record
from archdsl.source import Span
from archdsl.syntax import tree

MAX_LABELS = 5
"""Places that are shown of an unknown name."""


@record
class Report:
    """What was found: the models that could be built, the claims, and the diagnostics of both and of the text."""

    spec: Spec
    graphs: tuple[Graph, ...]
    claims: tuple[ClaimResult, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        return not any(d.severity == "error" for d in self.diagnostics)


@paused_collection()
def check(spec: Spec, settings: Mapping[str, Any] | None = None, inputs: InputShapes | None = None) -> Report:
    """Check a spec: the model that was named, or all that need no argument; and its claims.

    With settings or input shapes, only the model that the spec means is built, and claims are left aside: they are
    about the models as they are written.
    """
    problems: dict[object, Diagnostic] = {_key(d): d for d in spec.diagnostics}
    chosen = _chosen(spec, bool(settings or inputs), problems)
    graphs = []
    memory = Graphs()
    for model in chosen:
        if settings or inputs:
            built = build(spec, model, settings or {}, inputs or {})
            graph, found = built.graph, built.diagnostics
        else:
            graph, found = memory.of(model)
        for diagnostic in found:
            problems.setdefault(_key(diagnostic), diagnostic)
        if graph is not None:
            graphs.append(graph)
    claims = () if settings or inputs else tuple(check_claim(c, spec.scope, memory) for c in _claims(spec))
    for diagnostic in (*_checks(spec, graphs), *(d for claim in claims for d in claim.diagnostics)):
        problems.setdefault(_key(diagnostic), diagnostic)
    return Report(spec, tuple(graphs), claims, _in_text_order(list(problems.values())))


def _chosen(spec: Spec, one: bool, problems: dict[object, Diagnostic]) -> list[BlockLayer]:
    if spec.model is None and not one:
        return list(spec.buildable.values())
    model = choose(spec)
    if isinstance(model, Diagnostic):
        problems.setdefault(_key(model), model)
        return []
    return [model]


def _claims(spec: Spec) -> list[tree.Claim]:
    return [d for d in spec.scope.file.definitions if isinstance(d, tree.Claim)]


def _checks(spec: Spec, graphs: list[Graph]) -> list[Diagnostic]:
    found = [d for check in FILE_CHECKS for d in check(spec.scope)]
    found += unknown_lints(spec.scope.file.source)
    idle = [d.statement for d in found if isinstance(d, UnusedName) and d.statement is not None]
    of_graphs = _everywhere([d for check in GRAPH_CHECKS for graph in graphs for d in check(graph)], graphs)
    found += renumbered_members(graphs)
    found += (d for d in of_graphs if not (isinstance(d, DeadLayer) and _inside(d, idle)))
    return list(without_allowed(found))


def _everywhere(found: list[Diagnostic], graphs: list[Graph]) -> Iterator[Diagnostic]:
    """What checks found in graphs: an edit is sure only if every run of its place in the text asks for it."""
    runs = Counter(node.span for graph in graphs for node in graph.nodes) if any(d.edits for d in found) else Counter()
    asked = Counter((d.code, d.span) for d in found)
    for d in found:
        is_sure = d.span is None or asked[d.code, d.span] >= runs[d.span]
        yield d if not d.edits or is_sure else replace(d, edits=())


def _inside(layer: DeadLayer, statements: list[Span]) -> bool:
    """Does the layer stand in a statement whose name nobody reads? That says it already."""
    at = layer.span
    return at is not None and any(s.source is at.source and s.start <= at.start and at.end <= s.end for s in statements)


def _once_a_name(found: list[Diagnostic]) -> list[Diagnostic]:
    """Of an unknown name the first place, with the others as labels: the fault is that nothing defines it."""
    first: dict[object, int] = {}
    kept: list[Diagnostic] = []
    for diagnostic in found:
        if not isinstance(diagnostic, UnknownName) or diagnostic.span is None:
            kept.append(diagnostic)
            continue
        at = first.setdefault((diagnostic.name, diagnostic.span.source), len(kept))
        if at == len(kept):
            kept.append(diagnostic)
            continue
        before = kept[at]
        shown = (*before.labels, Label(diagnostic.span, "and here"))[:MAX_LABELS]
        kept[at] = replace(before, labels=shown, edits=(*before.edits, *diagnostic.edits))
    return kept


def _in_text_order(found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """As a reader meets the places: the files in the order in which they first came up, each from its top."""
    files: dict[str, int] = {}
    for diagnostic in found:
        if diagnostic.span is not None:
            files.setdefault(diagnostic.span.source.name, len(files))
    ordered = sorted(found, key=lambda d: (files[d.span.source.name], d.span.start) if d.span else (-1, 0))
    return tuple(_once_a_name(ordered))


def _key(diagnostic: Diagnostic) -> object:
    """One fault found in several models is one diagnostic."""
    return (diagnostic.code, diagnostic.span) if diagnostic.span is not None else diagnostic
