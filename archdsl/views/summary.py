"""A summary as rows of text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from archdsl.dims import Size
from archdsl.emit.summary import Row, Summary, plain
from archdsl.evaluate.values import shape_text
from archdsl.measure import AxisField, Field
from archdsl.op import Tensor
from archdsl.views.numbers import compact_shape, short
from archdsl.views.sheets import INDENT, Sheet

COLUMNS = ("output", "params", "MACs", "FLOPs", "field", "stride", "memory")
ROOM = 18
"""Characters of a symbolic cost in a cell."""
MAX_ROWS = 45
"""Maximum number of rows where no depth is given."""


class Line(NamedTuple):
    """A row as text."""

    level: int
    row: Row
    cells: dict[str, str]

    @property
    def label(self) -> str:
        return "  " * self.level + label(self.row)


def lines_of(rows: Iterable[Row], inputs: dict[str, Tensor], level: int) -> Iterator[Line]:
    for row in rows:
        yield Line(level, row, _cells(row, inputs))
        yield from lines_of(row.children, inputs, level + 1)


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
        "params": count_text(costs.params),
        "MACs": short(costs.macs, room=ROOM),
        "FLOPs": short(costs.flops, room=ROOM),
        "field": _of_inputs(row.fields, inputs, _extent),
        "stride": _of_inputs(row.fields, inputs, _stride),
        "memory": short(costs.memory, "B", ROOM),
    }


def count_text(size: Size) -> str:
    """A number of parameters: exact, unless it is symbolic; nothing for 0."""
    return (f"{size:,}" if size else "") if isinstance(size, int) else short(size, room=ROOM)


def _shapes(shapes: Sequence[tuple[Size, ...]]) -> str:
    """The shape of what leaves a row; of several, each once."""
    counts = {shape: shapes.count(shape) for shape in shapes}
    return ", ".join((f"{n} × " if n > 1 else "") + compact_shape(shape_text(shape)) for shape, n in counts.items())


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


# ---- depth -------------------------------------------------------------------------------------------------


def levels(rows: Iterable[Row]) -> int:
    """The depth of the module tree."""
    return max((1 + levels(row.children) for row in rows), default=0)


def fitting_depth(rows: Sequence[Row]) -> int:
    """The greatest depth at which the rows are not too many."""
    return max((d for d in range(1, levels(rows) + 1) if _count(rows, d) <= MAX_ROWS), default=1)


def _count(rows: Iterable[Row], depth: int) -> int:
    return sum(1 + _count(row.children, depth - 1) for row in rows) if depth else 0


# ---- for other programs ----------------------------------------------------------------------------------


def sheet(summary: Summary, rows: Sequence[Row], format: str) -> Sheet:
    """The rows and the totals as a table: with exact numbers as CSV, else with the texts of a terminal."""
    lines = list(lines_of(rows, summary.inputs, 0))
    if format == "csv":
        return Sheet(CSV_COLUMNS, [_csv_row(line) for line in lines])
    shown = [name for name in COLUMNS if any(line.cells[name] for line in lines)]
    totals = {"params": summary.totals.params, "MACs": summary.totals.macs, "FLOPs": summary.totals.flops}
    total = {name: count_text(size) if name == "params" else short(size, room=ROOM) for name, size in totals.items()}
    total["memory"] = short(summary.totals.memory, "B", ROOM)
    cells = [[INDENT * line.level + label(line.row), *(line.cells[name] for name in shown)] for line in lines]
    cells.append(["total", *(total.get(name, "") for name in shown)])
    return Sheet(["layer", *shown], cells, frozenset(shown) - {"output"})


CSV_COLUMNS = (
    "level",
    "path",
    "layer",
    "times",
    "output",
    "params",
    "macs",
    "flops",
    "activation_bytes",
    "field",
    "stride",
)


def _csv_row(line: Line) -> list[str]:
    """Numbers are for one of ``times`` equal modules."""
    row, costs = line.row, line.row.costs
    sizes = (costs.params, costs.macs, costs.flops, costs.memory)
    shapes = ", ".join(map(shape_text, row.shapes))
    return [
        *(str(line.level), row.path or row.name, label(row), str(row.times), shapes),
        *(str(plain(size)) for size in sizes),
        *(line.cells[name] for name in ("field", "stride")),
    ]
