"""``archdsl check``: shapes, names and claims of specs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archdsl.checks.allow import lints
from archdsl.checks.claims import ClaimResult
from archdsl.checks.report import Report, check
from archdsl.cli.common import (
    SPEC_HELP,
    add_build_arguments,
    add_format_argument,
    add_spec_argument,
    open_or_fail,
    print_json,
    show_diagnostics,
    shown,
    spec_names,
    wants_color,
    width_of,
)
from archdsl.cli.fixes import Fix, fixes, print_diffs, print_fixes, write
from archdsl.cli.fixes import to_json as to_json_fixes
from archdsl.compiler import Spec
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.layout import wrap
from archdsl.diagnostics.render import to_json
from archdsl.dims import Size, TooLarge
from archdsl.emit.summary import plain, tensor_to_json
from archdsl.errors import SpecError
from archdsl.evaluate.values import shape_text, size_text
from archdsl.graph import Graph
from archdsl.measure import params

MAX_TENSORS = 50
"""Inputs or outputs of a model that are listed."""
MAX_LINES = 500
"""Lines of a report that are printed."""
ALL_WARNINGS = "warnings"
MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}


def configure(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser, "specs", nargs="+", help=f"{SPEC_HELP}; or a folder of specs")
    add_build_arguments(parser)
    add_format_argument(parser, "sarif", "github")
    parser.add_argument(
        "--deny", action="append", default=[], choices=(ALL_WARNINGS, *lints()), metavar="LINT",
        help="make a lint, or all `warnings`, an error; repeatable",
    )  # fmt: skip
    parser.add_argument("--fix", action="store_true", help="fix the spec files where a fix is certain, before checking")
    parser.add_argument("--diff", action="store_true", help="dry run of --fix: print the fixes as a diff")


def run(args: argparse.Namespace) -> int:
    """Checks every spec. Returns 1 if any has an error or, with --diff, has certain fixes."""
    reports: list[Report] = []
    problems: list[Diagnostic] = []
    names = spec_names(args.specs, problems)
    if args.diff:
        found = fixes(names)
        print_diffs(found)
        return int(bool(found))
    fixed = fixes(names) if args.fix else []
    write(fixed)
    for name in names:
        try:
            reports.append(check(open_or_fail(name), dict(args.settings), dict(args.inputs)))
        except SpecError as error:
            problems += error.diagnostics
    diagnostics = [_denied(d, args.deny) for d in (*problems, *(d for r in reports for d in r.diagnostics))]
    _show(reports, diagnostics, fixed, args.format)
    return int(any(d.level == "error" for d in diagnostics))


def _denied(diagnostic: Diagnostic, deny: Sequence[str]) -> Diagnostic:
    """The diagnostic, as an error if it is a warning that ``--deny`` names."""
    named = getattr(diagnostic, "lint", None) in deny or ALL_WARNINGS in deny
    return replace(diagnostic, is_denied=True) if named and diagnostic.severity == "warning" else diagnostic


def _show(reports: Sequence[Report], found: Sequence[Diagnostic], fixed: Sequence[Fix], format: str) -> None:
    """Prints the results in a format."""
    match format:
        case "sarif":
            from archdsl.cli.sarif import to_sarif

            print_json(to_sarif(found))
        case "github":
            from archdsl.cli.github import annotation

            print("\n".join(map(annotation, found)), end="\n" if found else "")
        case "json":
            ok = not any(d.level == "error" for d in found)
            changed = {"fixed": to_json_fixes(fixed)} if fixed else {}
            specs = [facts(r) for r in reports]
            print_json({"ok": ok, "specs": specs, "diagnostics": [to_json(d) for d in found], **changed})
        case _:
            print_fixes(fixed)
            _print(reports, found)


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


def _print(reports: Sequence[Report], problems: Sequence[Diagnostic]) -> None:
    for report in reports:
        print(text(report, width_of(sys.stdout)))
    if problems:
        sys.stdout.flush()
        if reports:
            print(file=sys.stderr)
        show_diagnostics(problems)


def text(report: Report, width: int | None = None) -> str:
    """Returns the text output of a report, without its diagnostics, wrapped to a width."""
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
    if not wants_color(sys.stdout):
        return mark
    return f"\x1b[{32 if claim.standing == 'holds' else 31}m{mark}\x1b[0m"
