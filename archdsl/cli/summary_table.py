"""A summary as a table for a terminal; columns that do not fit are listed below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from archdsl.cli.tables import show, terminal_width
from archdsl.dims import Size, symbols
from archdsl.dims.wording import listed
from archdsl.emit.summary import Row, Summary
from archdsl.evaluate.values import shape_text
from archdsl.views.numbers import in_bytes, short
from archdsl.views.summary import COLUMNS, Line, count_text, lines_of

GIVEN_UP = ("FLOPs", "stride", "field", "memory", "MACs", "output")
"""Columns that are omitted on a narrow terminal, in this order."""
LEAST_TREE = 24
"""Minimum width of the tree, in columns."""
WIDEST_CELL = 32
"""Maximum width of a cell; longer texts (symbolic sizes) are wrapped."""
NARROW_CELL = 23
"""Maximum width of a cell where the columns would not fit otherwise."""
LEAST_WIDTH = 88
"""Minimum width of the notes below a table, in columns."""


def print_summary(summary: Summary, rows: Sequence[Row], depth: int, deepest: int) -> None:
    """Prints the rows, the totals, and notes. ``depth`` of ``deepest`` levels are shown."""
    width = terminal_width()
    lines = list(lines_of(rows, summary.inputs, 0))
    layout = _fit(lines, width)
    notes = (Text(note, style="dim") for note in _notes(summary, lines, layout.shown, depth, deepest))
    show(
        *(_heading(summary), _table(lines, layout), "", _totals(summary), "", *notes),
        width=min(width, max(LEAST_WIDTH, layout.tree + layout.beside(lines))),
    )


def _heading(summary: Summary) -> Text:
    outputs = ", ".join(f"{name} {shape_text(t.shape)}" for name, t in summary.outputs.items())
    inputs = ", ".join(f"{name} {shape_text(t.shape)}" for name, t in summary.inputs.items())
    return Text.assemble((summary.name, "bold"), f": {inputs} -> {outputs}\n")


# ---- the table ---------------------------------------------------------------------------------------------


class Layout(NamedTuple):
    """The columns that are shown, the width of the tree, and the maximum width of a cell."""

    shown: Sequence[str]
    tree: int
    widest: int

    def width(self, column: str, lines: Sequence[Line]) -> int:
        return max(len(column), min(self.widest, max(len(line.cells[column]) for line in lines)))

    def beside(self, lines: Sequence[Line]) -> int:
        """Width of the columns beside the tree."""
        return sum(2 + self.width(name, lines) for name in self.shown)


def _fit(lines: Sequence[Line], width: int) -> Layout:
    """The columns that fit: wide cells are wrapped first, then columns are omitted."""
    natural = max(len(line.label) for line in lines)
    shown = [name for name in COLUMNS if any(line.cells[name] for line in lines)]
    layout = Layout(shown, 0, NARROW_CELL)
    for given_up in ("", *GIVEN_UP):
        shown = [name for name in shown if name != given_up]
        for widest in (WIDEST_CELL, NARROW_CELL):
            layout = Layout(shown, 0, widest)
            room = width - layout.beside(lines)
            if room >= min(natural, LEAST_TREE):
                return layout._replace(tree=min(room, natural))
    return layout._replace(tree=max(1, width - layout.beside(lines)))


def _table(lines: Sequence[Line], layout: Layout) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("layer", width=layout.tree, no_wrap=True, overflow="ellipsis")
    for name in layout.shown:
        justify = "left" if name == "output" else "right"
        table.add_column(name, justify=justify, width=layout.width(name, lines), overflow="fold")
    for line in lines:
        table.add_row(_label(line), *(line.cells[name] for name in layout.shown))
    return table


def _label(line: Line) -> Text:
    """Returns the label in color: modules brighter than operators, ``×n`` highlighted."""
    style = "dim" if line.row.in_training_only else "" if line.row.name else "dim"
    text = Text(line.label, style=style)
    text.highlight_regex(r"×\d+(?= \(|$)", "bold cyan")
    return text


# ---- below the table ---------------------------------------------------------------------------------------


def _totals(summary: Summary) -> Table:
    totals, training = summary.totals, summary.training
    dtypes = " + ".join(f"{in_bytes(size)} {dtype}" for dtype, size in summary.bytes_by_dtype.items())
    parts = (
        ("weights", training.weights),
        ("gradients", training.gradients),
        ("optimizer", training.optimizer),
        ("activations", training.activations),
    )
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(
        "parameters", f"{count_text(totals.params) or '0'} trainable, {count_text(totals.buffers) or '0'} in buffers"
    )
    table.add_row("stored", dtypes or "nothing")
    table.add_row("MACs", _exact_and_short(totals.macs))
    table.add_row("FLOPs", _exact_and_short(totals.flops))
    table.add_row("depth", f"{summary.depth} layer{'' if summary.depth == 1 else 's'} with weights")
    table.add_row("training", f"at most {in_bytes(training.total)} with {summary.optimizer}:")
    table.add_row("", " + ".join(f"{name} {in_bytes(size)}" for name, size in parts))
    return table


def _exact_and_short(size: Size) -> str:
    if not isinstance(size, int):
        return short(size)
    return f"{size:,} ({short(size)})" if size > 999 else str(size)


def _notes(summary: Summary, lines: Sequence[Line], shown: Sequence[str], depth: int, deepest: int) -> Iterator[str]:
    """Yields the notes that explain the columns shown."""
    batch = ", ".join(f"{name} = {size}" for name, size in summary.batch.items())
    free = sorted(_symbols(summary) - set(summary.batch))
    yield f"Costs for {batch or 'the given batch'}."
    if free:
        signs = _signs(summary, lines)
        yield f"Costs are polynomials in {listed(free)}; --input {_hint(summary)} computes numbers.{signs}"
    if summary.preconditions:
        yield f"Preconditions: {'; '.join(summary.preconditions)}."
    yield (
        "MACs: multiply-accumulates of convolutions, linear layers and matrix products. FLOPs: 2 for each MAC, 1 for "
        "each other elementary operation. Both at inference."
    )
    if "field" in shown:
        bounds = any(axis.is_bound for line in lines for field in line.row.fields.values() for axis in field)
        yield (
            "field: receptive field, minimum–maximum over the paths, along each spatial axis (one number if all are "
            f"equal; all: the entire axis{'; ≤: upper bound' if bounds else ''}). "
            "stride: input distance between adjacent outputs."
        )
    if "memory" in shown:
        yield (
            "memory: activations saved for backward. training: upper bound, because activations are freed while "
            "gradients are computed; without the workspace of operators. 1 MB = 10⁶ bytes."
        )
    if any(line.row.times > 1 for line in lines):
        yield "×n: n equal modules in sequence. Numbers are for one of them; field and stride after the last."
    left_out = [name for name in COLUMNS if name not in shown and any(line.cells[name] for line in lines)]
    if left_out:
        yield f"This terminal is too narrow for {', '.join(left_out)}."
    if depth < deepest:
        yield f"{depth} of {deepest} levels: --depth {depth + 1} shows more."


def _signs(summary: Summary, lines: Sequence[Line]) -> str:
    """What the signs of shortened polynomials mean."""
    totals = (summary.totals.macs, summary.totals.flops, summary.training.total)
    texts = " ".join([*map(short, totals), *(cell for line in lines for cell in line.cells.values())])
    meaning = {"≈": "division without rounding", "…": "terms of lower degree"}
    found = [f"{sign}: {text}" for sign, text in meaning.items() if sign in texts]
    return f" {', '.join(found)}; --format json has all terms." if found else ""


def _hint(summary: Summary) -> str:
    """An input shape to type: the shape of the first input, with numbers for its symbols except the batch."""
    name, tensor = next(iter(summary.inputs.items()))
    sizes = [str(size) if isinstance(size, int) or str(size) in summary.batch else "224" for size in tensor.shape]
    return ("" if len(summary.inputs) == 1 else f"{name}=") + "x".join(sizes)


def _symbols(summary: Summary) -> set[str]:
    shapes = [tensor.shape for tensor in summary.inputs.values()]
    return {name for shape in shapes for size in shape for name in symbols(size)}
