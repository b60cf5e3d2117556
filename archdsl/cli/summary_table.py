"""A summary as a table for a terminal; columns that do not fit are listed below it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from archdsl.cli.number_format import exact, in_bytes, short
from archdsl.cli.tables import show, terminal_width
from archdsl.dims import Size, symbols
from archdsl.dims.wording import listed
from archdsl.emit.summary import Row, Summary
from archdsl.evaluate.values import shape_text
from archdsl.measure import AxisField, Field
from archdsl.op import Tensor

COLUMNS = ("output", "params", "MACs", "FLOPs", "field", "stride", "memory")
GIVEN_UP = ("FLOPs", "stride", "field", "memory", "output")
"""Columns that are omitted on a narrow terminal, in this order."""
LEAST_TREE = 24
"""Minimum width of the tree, in columns."""
WIDEST_CELL = 32
"""Maximum width of a cell; longer texts (symbolic sizes) are wrapped."""
LEAST_WIDTH = 88
"""Minimum width of the notes below a table, in columns."""


class Line(NamedTuple):
    """A row as text."""

    level: int
    row: Row
    cells: dict[str, str]

    @property
    def label(self) -> str:
        return "  " * self.level + label(self.row)


def print_summary(summary: Summary, rows: Sequence[Row], depth: int, deepest: int) -> None:
    """Prints the rows, the totals, and notes. ``depth`` of ``deepest`` levels are shown."""
    width = terminal_width()
    lines = list(_lines(rows, summary.inputs, 0))
    shown, tree = _fit(lines, width)
    notes = (Text(note, style="dim") for note in _notes(summary, lines, shown, depth, deepest))
    show(
        *(_heading(summary), _table(lines, shown, tree), "", _totals(summary), "", *notes),
        width=min(width, max(LEAST_WIDTH, _table_width(lines, shown, tree))),
    )


def _heading(summary: Summary) -> Text:
    outputs = ", ".join(f"{name} {shape_text(t.shape)}" for name, t in summary.outputs.items())
    inputs = ", ".join(f"{name} {shape_text(t.shape)}" for name, t in summary.inputs.items())
    return Text.assemble((summary.name, "bold"), f": {inputs} -> {outputs}\n")


# ---- rows as text ------------------------------------------------------------------------------------------


def _lines(rows: Iterable[Row], inputs: dict[str, Tensor], level: int) -> Iterator[Line]:
    for row in rows:
        yield Line(level, row, _cells(row, inputs))
        yield from _lines(row.children, inputs, level + 1)


def label(row: Row) -> str:
    """``conv1: conv 7×7, 64, /2``, ``1–5: Bottleneck ×5``, ``relu``."""
    name = row.name if row.last_name is None else f"{row.name}–{_differing_end(row.name, row.last_name)}"
    times = f" ×{row.times}" if row.times > 1 else ""
    remark = " (training only)" if row.in_training_only else " (shared)" if row.is_shared else ""
    return (f"{name}: {row.what}" if name else row.what) + times + remark


def _differing_end(first: str, last: str) -> str:
    """The last name of a run without what both begin with: ``encoder_layer_11`` after ``encoder_layer_0`` is ``11``."""
    stem = re.sub(r"\d+$", "", first)
    return last.removeprefix(stem) if last != stem else last


def _cells(row: Row, inputs: dict[str, Tensor]) -> dict[str, str]:
    costs = row.costs
    return {
        "output": _shapes(row.shapes),
        "params": exact(costs.params) if costs.params != 0 else "",
        "MACs": short(costs.macs),
        "FLOPs": short(costs.flops),
        "field": _of_inputs(row.fields, inputs, _extent),
        "stride": _of_inputs(row.fields, inputs, _stride),
        "memory": short(costs.memory, "B"),
    }


def _shapes(shapes: Sequence[tuple[Size, ...]]) -> str:
    """The shape of what leaves a row; of several, each once."""
    counts = {shape: shapes.count(shape) for shape in shapes}
    return ", ".join((f"{n} × " if n > 1 else "") + shape_text(shape) for shape, n in counts.items())


def _of_inputs(fields: dict[str, Field], inputs: dict[str, Tensor], text: Callable[[AxisField], str]) -> str:
    """What ``text`` says of the spatial axes of every input; once where it says the same of all axes."""
    found: list[str] = []
    for name, field in fields.items():
        axes = [text(field[axis]) for axis in spatial_axes(inputs[name])]
        joined = "×".join(axes) if len(set(axes)) > 1 else "".join(axes[:1])
        if joined:
            found.append(joined if len(inputs) == 1 else f"{name} {joined}")
    return ", ".join(found)


def spatial_axes(tensor: Tensor) -> range:
    """The axes of an input that a receptive field is shown for: without the batch, and the channels of an image."""
    return range(2 if tensor.rank > 3 else 1, tensor.rank)


def _extent(axis: AxisField) -> str:
    most = f"≤{axis.most}" if axis.is_bound else str(axis.most)
    return most if axis.least == axis.most else f"{axis.least}–{most}"


def _stride(axis: AxisField) -> str:
    return " or ".join(map(str, axis.strides)) or "–"


# ---- the table ---------------------------------------------------------------------------------------------


def _fit(lines: Sequence[Line], width: int) -> tuple[list[str], int]:
    """Returns the columns that fit, and the width of the tree."""
    natural = max(len(line.label) for line in lines)
    shown = [name for name in COLUMNS if any(line.cells[name] for line in lines)]
    room = width - _table_width(lines, shown, 0)
    for given_up in GIVEN_UP:
        if room >= min(natural, LEAST_TREE):
            break
        shown = [name for name in shown if name != given_up]
        room = width - _table_width(lines, shown, 0)
    return shown, max(1, min(room, natural))


def _table_width(lines: Sequence[Line], shown: Sequence[str], tree: int) -> int:
    return tree + sum(2 + _width(name, lines) for name in shown)


def _width(column: str, lines: Sequence[Line]) -> int:
    return max(len(column), min(WIDEST_CELL, max(len(line.cells[column]) for line in lines)))


def _table(lines: Sequence[Line], shown: Sequence[str], tree: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("layer", width=tree, no_wrap=True, overflow="ellipsis")
    for name in shown:
        left = name == "output"
        table.add_column(name, justify="left" if left else "right", width=_width(name, lines), overflow="fold")
    for line in lines:
        table.add_row(_label(line), *(line.cells[name] for name in shown))
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
    table.add_row("parameters", f"{exact(totals.params)} trainable, {exact(totals.buffers)} in buffers")
    table.add_row("stored", dtypes or "nothing")
    table.add_row("MACs", _exact_and_short(totals.macs))
    table.add_row("FLOPs", _exact_and_short(totals.flops))
    table.add_row("depth", f"{summary.depth} layer{'' if summary.depth == 1 else 's'} with weights")
    table.add_row("training", f"at most {in_bytes(training.total)} with {summary.optimizer}:")
    table.add_row("", " + ".join(f"{name} {in_bytes(size)}" for name, size in parts))
    return table


def _exact_and_short(size: Size) -> str:
    brief = short(size)
    return f"{exact(size)} ({brief})" if isinstance(size, int) and size > 999 else exact(size)


def _notes(summary: Summary, lines: Sequence[Line], shown: Sequence[str], depth: int, deepest: int) -> Iterator[str]:
    """Yields the notes that explain the columns shown."""
    batch = ", ".join(f"{name} = {size}" for name, size in summary.batch.items())
    free = sorted(_symbols(summary) - set(summary.batch))
    every = f", as polynomials in {listed(free)}" if free else ""
    yield f"Costs for {batch or 'the given batch'}{every}."
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


def _symbols(summary: Summary) -> set[str]:
    shapes = [tensor.shape for tensor in summary.inputs.values()]
    return {name for shape in shapes for size in shape for name in symbols(size)}
