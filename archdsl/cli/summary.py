"""``archdsl summary``: the module tree with sizes and costs, and the totals."""

from __future__ import annotations

import argparse
import io
import sys
from contextlib import redirect_stdout

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    add_spec_argument,
    levels,
    load_model,
    print_json,
)
from archdsl.cli.measurement_options import add_measure_arguments, measured
from archdsl.emit.summary import sort, summarise, to_depth, to_json
from archdsl.model import Model
from archdsl.views.sheets import FORMATS, write
from archdsl.views.summary import MAX_ROWS, fitting_depth, sheet
from archdsl.views.summary import levels as levels_of


def configure(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    add_build_arguments(parser)
    add_measure_arguments(parser)
    parser.add_argument(
        "--depth", type=levels, metavar="N", help=f"number of levels (default: as many as fit in {MAX_ROWS} rows)"
    )
    parser.add_argument(
        "--sort",
        choices=("macs", "params", "memory"),
        help="sort order at every level, largest first (default: execution order)",
    )
    add_format_argument(parser, *FORMATS)


def run(args: argparse.Namespace) -> int:
    summary = measured(load_model(args.spec, args), args)
    rows = sort(summary.rows, args.sort) if args.sort else summary.rows
    if args.format == "json":
        print_json({"ok": True, **to_json(summary, to_depth(rows, args.depth) if args.depth else rows)})
        return 0
    from archdsl.cli.summary_table import print_summary

    deepest = levels_of(rows)
    depth = min(args.depth or fitting_depth(rows), deepest)
    if args.format in FORMATS:
        sys.stdout.write(write(sheet(summary, to_depth(rows, depth), args.format), args.format))
    else:
        print_summary(summary, to_depth(rows, depth), depth, deepest)
    return 0


def text(model: Model, optimizer: str) -> str:
    """Returns the output of the command for a model, with the training memory of an optimizer."""
    from archdsl.cli.summary_table import print_summary

    summary = summarise(model.graph, 1, optimizer)
    deepest = levels_of(summary.rows)
    depth = fitting_depth(summary.rows)
    with redirect_stdout(io.StringIO()) as printed:
        print_summary(summary, to_depth(summary.rows, depth), depth, deepest)
    return printed.getvalue()
