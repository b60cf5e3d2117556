"""The report of a check as text."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.checks.report import Report
from archdsl.compiler import Spec
from archdsl.diagnostics.layout import printable, wrap
from archdsl.dims import Size, TooLarge
from archdsl.evaluate.values import shape_text, size_text
from archdsl.graph import Graph
from archdsl.measure import params

MAX_TENSORS = 50
"""Inputs or outputs of a model that are listed."""
MAX_LINES = 500
"""Lines of a report that are printed."""
MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}


def text(report: Report, width: int | None = None, paint: Callable[[str], str] = str) -> str:
    """Returns a report without its diagnostics, wrapped to a width. ``paint`` colors the mark of a claim."""
    lines = [printable(report.spec.scope.file.source.name)]
    for graph in report.graphs:
        inputs = _listed([f"{i.name} {shape_text(i.value.shape)}" for i in graph.inputs])
        outputs = _listed([f"{o.name} {shape_text(o.value.shape)}" for o in graph.outputs if not o.when_training])
        lines.append(f"  {graph.name}: {inputs} -> {outputs or 'nothing at inference'}, {_parameters(graph)}")
        lines += [f"    needs: {p.text}" for p in graph.needs.preconditions()]
    lines += [f"  {paint(MARKS[c.standing])} {printable(c.text)}: {c.how}" for c in report.claims]
    if len(lines) == 1 and report.ok:
        lines += _nothing_built(report.spec)
    if len(lines) > MAX_LINES:
        lines[MAX_LINES:] = [f"  … and {len(lines) - MAX_LINES:,} more lines; `--format json` prints everything"]
    return "\n".join(part for line in lines for part in _wrapped(line, width))


def _wrapped(line: str, width: int | None) -> list[str]:
    """A line broken at spaces, its other lines indented further than its first."""
    text = line.lstrip(" ")
    indent = len(line) - len(text)
    first, *more = wrap(text, width, indent, indent + 4)
    return [" " * indent + first, *(" " * (indent + 4) + part for part in more)]


def _listed(tensors: list[str]) -> str:
    more = [f"… ({len(tensors):,} in all)"] if len(tensors) > MAX_TENSORS else []
    return ", ".join([*tensors[:MAX_TENSORS], *more])


def _nothing_built(spec: Spec) -> list[str]:
    """Why a file that is well-formed shows nothing."""
    missing = {m: [p.name.text for p in b.definition.params if p.default is None] for m, b in spec.models.items()}
    if not missing:
        return ["  no model and no claim: only names were checked"]
    return [
        f"  {model} needs arguments, so only names were checked; set {', '.join(names)} with --set, or define a model:"
        f" `model … = {model}({', '.join(names)})`"
        for model, names in missing.items()
    ]


def count_params(graph: Graph) -> Size | None:
    """Trainable parameters; None where the count is a larger formula than can be decided about."""
    try:
        return params(graph)
    except TooLarge:
        return None


def _parameters(graph: Graph) -> str:
    count = count_params(graph)
    if count is None:
        return "too many parameters to count"
    return f"{count:,} parameters" if isinstance(count, int) else f"{size_text(count)} parameters"
