"""``archdsl compare``: totals of several networks, with ratios to the first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    add_spec_argument,
    load_model,
    print_json,
    shown,
)
from archdsl.cli.measurement_options import add_measure_arguments, measured
from archdsl.cli.number_format import compact_shape, in_bytes, short
from archdsl.cli.sheets import FORMATS, Sheet, write
from archdsl.diagnostics.base import Diagnostic
from archdsl.dims import Size
from archdsl.emit.summary import Summary, plain, tensor_to_json, totals_to_json
from archdsl.errors import SpecError
from archdsl.evaluate.values import shape_text

if TYPE_CHECKING:
    from rich.table import Table


ROOM = 22
"""Characters of a symbolic total in a cell."""


class Fact(NamedTuple):
    """A total that is compared: its column, its key in JSON, its value for a network, and its format."""

    heading: str
    key: str
    of: Callable[[Summary], Size]
    text: Callable[[Size], str]


def _count(size: Size) -> str:
    return f"{size:,}" if isinstance(size, int) else short(size, room=ROOM)


FACTS = (
    Fact("parameters", "params", lambda s: s.totals.params, _count),
    Fact("MACs", "macs", lambda s: s.totals.macs, partial(short, room=ROOM)),
    Fact("FLOPs", "flops", lambda s: s.totals.flops, partial(short, room=ROOM)),
    Fact("activations", "activation_bytes", lambda s: s.totals.memory, partial(in_bytes, room=ROOM)),
    Fact("training", "training_bytes", lambda s: s.training.total, partial(in_bytes, room=ROOM)),
)


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
        sys.stdout.write(write(_sheet(names, summaries, args.format), args.format))
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


def size_ratio(size: Size, base: Size) -> Fraction | None:
    """``size / base`` where it is one number whatever the symbols are, else None."""
    if isinstance(size, int) or isinstance(base, int):
        return Fraction(size, base) if isinstance(size, int) and isinstance(base, int) and base else None
    monomial, coefficient = next(iter(base.terms.items()))
    found = Fraction(size.terms.get(monomial, 0), coefficient)
    return found if size * found.denominator == base * found.numerator else None


def _to_json(spec: str, summary: Summary, first: Summary) -> dict[str, Any]:
    ratios = {fact.key: size_ratio(fact.of(summary), fact.of(first)) for fact in FACTS}
    return {
        "spec": spec,
        "model": summary.name,
        "inputs": {name: tensor_to_json(t) for name, t in summary.inputs.items()},
        "totals": totals_to_json(summary),
        "ratios": {key: None if r is None else float(r) for key, r in ratios.items()},
    }


def _sheet(names: Sequence[str], summaries: Sequence[Summary], format: str) -> Sheet:
    """With exact numbers as CSV, else with the texts and ratios of a terminal."""
    if format == "csv":
        inputs = [", ".join(shape_text(t.shape) for t in s.inputs.values()) for s in summaries]
        rows = [
            [label, input, *(str(plain(fact.of(s))) for fact in FACTS), str(s.depth)]
            for label, input, s in zip(_labels(names, summaries), inputs, summaries, strict=True)
        ]
        return Sheet(["model", "input", *(fact.key for fact in FACTS), "depth"], rows)
    headings: list[str] = []
    cells: list[list[str]] = []
    for column in columns(names, summaries):
        headings += [column.heading, *(["×"] if column.ratios else [])]
        cells += [column.cells, *([column.ratios] if column.ratios else [])]
    return Sheet(headings, list(zip(*cells, strict=True)), frozenset(headings) - {"model", "input"})


# ---- the table ---------------------------------------------------------------------------------------------

GIVEN_UP = ("FLOPs", "training", "activations", "input", "depth")
"""Columns that are omitted on a narrow terminal, in this order."""
WIDEST_CELL = 32
"""Maximum width of a cell; longer texts (symbolic sizes) are wrapped."""


class Column(NamedTuple):
    """A column of the table, with ``ratios`` next to its cells."""

    heading: str
    cells: list[str]
    ratios: list[str]

    @property
    def widths(self) -> tuple[int, int]:
        cells = min(WIDEST_CELL, max(map(len, self.cells)))
        return max(len(self.heading), cells), max(map(len, self.ratios), default=0)


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


def columns(names: Sequence[str], summaries: Sequence[Summary]) -> list[Column]:
    """The totals of networks, with ratios to the first."""
    found = [Column("model", _labels(names, summaries), [])]
    inputs = [", ".join(compact_shape(shape_text(t.shape)) for t in s.inputs.values()) for s in summaries]
    if len(set(inputs)) > 1:
        found.append(Column("input", inputs, []))
    for fact in FACTS:
        sizes = [fact.of(s) for s in summaries]
        ratios = [_ratio_text(size_ratio(size, sizes[0])) for size in sizes[1:]]
        found.append(Column(fact.heading, [fact.text(size) or "0" for size in sizes], ["", *ratios]))
    found.append(Column("depth", [str(s.depth) for s in summaries], []))
    return found


def _labels(names: Sequence[str], summaries: Sequence[Summary]) -> list[str]:
    """Returns distinct labels: the names of the networks, of their files, or else the arguments."""
    names = [shown(name) for name in names]
    short = [s.name for s in summaries], [Path(name).name for name in names]
    return next((labels for labels in short if len(set(labels)) == len(labels)), names)


def _ratio_text(ratio: Fraction | None) -> str:
    """Three digits: ``×0.184``, ``×12.3``; nothing where the ratio is no number."""
    return f"×{float(f'{float(ratio):.3g}'):,}".removesuffix(".0") if ratio is not None else ""


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
