"""``archdsl compare``: totals of several networks, with ratios to the first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    add_spec_argument,
    load_model,
    print_json,
)
from archdsl.cli.measurement_options import add_measure_arguments, measured
from archdsl.diagnostics.base import Diagnostic
from archdsl.emit.summary import Summary, tensor_to_json, totals_to_json
from archdsl.errors import SpecError
from archdsl.views.compare import FACTS, Column, columns, sheet, size_ratio
from archdsl.views.sheets import FORMATS, write

if TYPE_CHECKING:
    from rich.table import Table


def configure(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser, "first")
    add_spec_argument(parser, "others", nargs="+", help="networks to compare with the first")
    add_build_arguments(parser)
    add_measure_arguments(parser)
    add_format_argument(parser, *FORMATS)


def run(args: argparse.Namespace) -> int:
    names = [args.first, *args.others]
    summaries = _summaries(names, args)
    if args.format == "json":
        networks = [_to_json(n, s, summaries[0]) for n, s in zip(names, summaries, strict=True)]
        print_json({"ok": True, "networks": networks})
    elif args.format in FORMATS:
        sys.stdout.write(write(sheet(names, summaries, args.format), args.format))
    else:
        _print(names, summaries)
    return 0


def _summaries(names: Sequence[str], args: argparse.Namespace) -> list[Summary]:
    """
    Raises:
        SpecError: any of them has an error; all errors are reported.
    """
    found: list[Summary] = []
    problems: list[Diagnostic] = []
    for name in names:
        try:
            found.append(measured(load_model(name, args), args))
        except SpecError as error:
            problems += error.diagnostics
    if problems:
        raise SpecError(problems)
    return found


def _to_json(spec: str, summary: Summary, first: Summary) -> dict[str, Any]:
    ratios = {fact.key: size_ratio(fact.of(summary), fact.of(first)) for fact in FACTS}
    return {
        "spec": spec,
        "model": summary.name,
        "inputs": {name: tensor_to_json(t) for name, t in summary.inputs.items()},
        "totals": totals_to_json(summary),
        "ratios": {key: None if r is None else float(r) for key, r in ratios.items()},
    }


# ---- the table ---------------------------------------------------------------------------------------------

GIVEN_UP = ("FLOPs", "training", "activations", "input", "depth")
"""Columns that are omitted on a narrow terminal, in this order."""


def _print(names: Sequence[str], summaries: Sequence[Summary]) -> None:
    from rich.text import Text

    from archdsl.cli.tables import show, terminal_width

    width = terminal_width()
    fitting, left_out = _fit(columns(names, summaries), width)
    notes = [_conditions(summaries), f"×: ratio to {fitting[0].cells[0]}. 1 MB = 10⁶ bytes."]
    if left_out:
        notes.append(f"This terminal is too narrow for {', '.join(left_out)}.")
    body = max(88, sum(_width(column) for column in fitting))
    show(_table(fitting), "", *(Text(note, style="dim") for note in notes), width=min(width, body))


def _fit(columns: list[Column], width: int) -> tuple[list[Column], list[str]]:
    """The columns for which there is room, and the names of the others."""
    left_out: list[str] = []
    for name in GIVEN_UP:
        if sum(map(_width, columns)) <= width:
            break
        left_out += [c.heading for c in columns if c.heading == name]
        columns = [c for c in columns if c.heading != name]
    return columns, left_out


def _width(column: Column) -> int:
    cells, ratios = column.widths
    return cells + 2 + (ratios + 2 if ratios else 0)


def _table(columns: Sequence[Column]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    cells: list[list[str]] = []
    for column in columns:
        width, ratios = column.widths
        is_text = column.heading in ("model", "input")
        table.add_column(column.heading, justify="left" if is_text else "right", width=width, overflow="fold")
        cells.append(column.cells)
        if ratios:
            table.add_column("", width=ratios, no_wrap=True, style="dim")
            cells.append(column.ratios)
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    return table


def _conditions(summaries: Sequence[Summary]) -> str:
    """Returns the batch size and the optimizer of the totals."""
    batch = {f"{name} = {size}" for s in summaries for name, size in s.batch.items()}
    return f"Costs for {', '.join(sorted(batch)) or 'the given batch'}; training memory with {summaries[0].optimizer}."
