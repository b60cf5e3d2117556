"""``archdsl check``: shapes, names and claims of specs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archdsl.checks.allow import lints
from archdsl.checks.report import Report, check
from archdsl.cli.common import (
    SPEC_HELP,
    add_build_arguments,
    add_format_argument,
    add_spec_argument,
    open_or_fail,
    print_json,
    show_diagnostics,
    spec_names,
    wants_color,
    width_of,
)
from archdsl.cli.fixes import Fix, fixes, print_diffs, print_fixes, write
from archdsl.cli.fixes import to_json as to_json_fixes
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.render import to_json
from archdsl.emit.summary import plain, tensor_to_json
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.views.report import MARKS, count_params, text

ALL_WARNINGS = "warnings"


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
            reports.append(check(open_or_fail(name, args.inputs), dict(args.settings), dict(args.inputs)))
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
        "params": None if (count := count_params(graph)) is None else plain(count),
        "preconditions": [p.text for p in graph.needs.preconditions()],
    }


def _print(reports: Sequence[Report], problems: Sequence[Diagnostic]) -> None:
    for report in reports:
        print(text(report, width_of(sys.stdout), _colored))
    if problems:
        sys.stdout.flush()
        if reports:
            print(file=sys.stderr)
        show_diagnostics(problems)


def _colored(mark: str) -> str:
    """A mark in green or red, where color is wanted."""
    if not wants_color(sys.stdout):
        return mark
    return f"\x1b[{32 if mark == MARKS['holds'] else 31}m{mark}\x1b[0m"
