"""``archdsl check``: shapes, names and claims of specs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from archdsl.checks.claims import ClaimResult
from archdsl.checks.mending import mend
from archdsl.checks.report import Report, check
from archdsl.cli.common import (
    SPEC_HELP,
    add_build_arguments,
    add_format_argument,
    open_or_fail,
    print_json,
    show_diagnostics,
    shown,
    wants_colour,
)
from archdsl.compiler import Spec, open_spec
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.render import to_json
from archdsl.dims import Size, TooLarge
from archdsl.emit.summary import plain, tensor_to_json
from archdsl.errors import SpecError
from archdsl.evaluate.values import shape_text, size_text
from archdsl.files import write_whole
from archdsl.graph import Graph
from archdsl.measure import params

MAX_TENSORS = 50
"""Inputs or outputs of a model that are listed."""
MAX_LINES = 500
"""Lines of a report that are printed."""
MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("specs", nargs="+", metavar="SPEC", help=SPEC_HELP)
    add_build_arguments(parser)
    add_format_argument(parser, "sarif")
    parser.add_argument("--fix", action="store_true", help="fix the spec files where a fix is certain, before checking")


def run(args: argparse.Namespace) -> int:
    """Checks every spec. Returns 1 if any has an error."""
    reports: list[Report] = []
    unread: list[Diagnostic] = []
    if args.fix:
        _fix(args.specs)
    for name in args.specs:
        try:
            reports.append(check(open_or_fail(name), dict(args.settings), dict(args.inputs)))
        except SpecError as error:
            unread += error.diagnostics
    ok = not unread and all(r.ok for r in reports)
    found = [*unread, *(d for r in reports for d in r.diagnostics)]
    if args.format == "sarif":
        from archdsl.cli.sarif import to_sarif

        print_json(to_sarif(found))
    elif args.format == "json":
        print_json({"ok": ok, "specs": [facts(r) for r in reports], "diagnostics": [to_json(d) for d in found]})
    else:
        _print(reports, found)
    return 0 if ok else 1


def _fix(names: list[str]) -> None:
    """Applies the certain fixes to the files of specs. A file whose bytes differ from its text is left unchanged."""
    for name in names:
        spec = open_spec(name)
        if isinstance(spec, Diagnostic):
            continue
        sources = {Path(s.name).resolve(): s for s in spec.sources}
        for path, text in mend(spec).items():
            if path.is_file() and path.read_bytes() == sources[path].text.encode() != text.encode():
                write_whole(path, text.encode())


def facts(report: Report) -> dict[str, Any]:
    """Returns the result of a check for JSON output."""
    return {
        "spec": report.spec.scope.file.source.name,
        "models": [_model(g) for g in report.graphs],
        "claims": [{"claim": c.text, "standing": c.standing, "how": c.how} for c in report.claims],
    }


def _model(graph: Graph) -> dict[str, Any]:
    return {
        "model": graph.name,
        "inputs": {i.name: tensor_to_json(i.value.type) for i in graph.inputs},
        "outputs": {o.name: tensor_to_json(o.value.type) for o in graph.outputs},
        "training_only": [o.name for o in graph.outputs if o.when_training],
        "params": None if (count := _params(graph)) is None else plain(count),
        "preconditions": [p.text for p in graph.needs.preconditions()],
    }


def _print(reports: list[Report], problems: list[Diagnostic]) -> None:
    for report in reports:
        print(text(report))
    if problems:
        sys.stdout.flush()
        if reports:
            print(file=sys.stderr)
        show_diagnostics(problems)


def text(report: Report) -> str:
    """Returns the text output of a report, without its diagnostics."""
    lines = [shown(report.spec.scope.file.source.name)]
    for graph in report.graphs:
        inputs = _listed([f"{i.name} {shape_text(i.value.shape)}" for i in graph.inputs])
        outputs = _listed([f"{o.name} {shape_text(o.value.shape)}" for o in graph.outputs if not o.when_training])
        lines.append(f"  {graph.name}: {inputs} -> {outputs or 'nothing at inference'}, {_parameters(graph)}")
        lines += [f"    needs: {p.text}" for p in graph.needs.preconditions()]
    lines += [f"  {_mark(c)} {shown(c.text)}: {c.how}" for c in report.claims]
    if len(lines) == 1 and report.ok:
        lines += _nothing_built(report.spec)
    if len(lines) > MAX_LINES:
        lines[MAX_LINES:] = [f"  … and {len(lines) - MAX_LINES:,} more lines; `--format json` prints everything"]
    return "\n".join(lines)


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


def _params(graph: Graph) -> Size | None:
    """Trainable parameters; None where the count is a larger formula than can be decided about."""
    try:
        return params(graph)
    except TooLarge:
        return None


def _parameters(graph: Graph) -> str:
    count = _params(graph)
    if count is None:
        return "too many parameters to count"
    return f"{count:,} parameters" if isinstance(count, int) else f"{size_text(count)} parameters"


def _mark(claim: ClaimResult) -> str:
    mark = MARKS[claim.standing]
    if not wants_colour(sys.stdout):
        return mark
    return f"\x1b[{32 if claim.standing == 'holds' else 31}m{mark}\x1b[0m"
