"""Building what an editor has open: slow, and therefore done by another process than answers its questions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from archdsl.checks.report import check
from archdsl.compiler import from_buffers
from archdsl.diagnostics.base import Diagnostic
from archdsl.evaluate.values import shape_text
from archdsl.graph import Graph
from archdsl.lsp.document import Analysis
from archdsl.lsp.facts import Facts, facts_of, figure
from archdsl.measure import macs, params


def analyse(path: Path, buffers: Mapping[Path, str]) -> Analysis:
    """All that the compiler finds in a spec: its diagnostics, and what each place of its text gives and costs."""
    spec = from_buffers(path, buffers)
    text = buffers[path]
    if isinstance(spec, Diagnostic):
        return Analysis(text, (spec,))
    report = check(spec)
    facts: Facts = {}
    for graph in report.graphs:
        facts_of(graph, spec.scope.file.source.name, facts)
    return Analysis(text, report.diagnostics, facts, {g.name: _totals(g) for g in report.graphs})


def _totals(graph: Graph) -> str:
    inputs = ", ".join(f"{i.name} {shape_text(i.value.shape)}" for i in graph.inputs)
    outputs = ", ".join(f"{o.name} {shape_text(o.value.shape)}" for o in graph.outputs if not o.when_training)
    costs = f"{figure(params(graph))} parameters, {figure(macs(graph))} multiply-accumulates"
    needs = "".join(f"\n\nneeds: {p.text}" for p in graph.needs.preconditions())
    return f"{inputs} → {outputs}\n\n{costs}{needs}"
