"""Totals of several networks as columns of text, with ratios to the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics.layout import printable
from archdsl.dims import Size
from archdsl.emit.summary import Summary, plain
from archdsl.evaluate.values import shape_text
from archdsl.views.numbers import compact_shape, in_bytes, short
from archdsl.views.sheets import Sheet

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


def size_ratio(size: Size, base: Size) -> Fraction | None:
    """``size / base`` where it is one number whatever the symbols are, else None."""
    if isinstance(size, int) or isinstance(base, int):
        return Fraction(size, base) if isinstance(size, int) and isinstance(base, int) and base else None
    monomial, coefficient = next(iter(base.terms.items()))
    found = Fraction(size.terms.get(monomial, 0), coefficient)
    return found if size * found.denominator == base * found.numerator else None


# ---- the table ---------------------------------------------------------------------------------------------

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
    names = [printable(name) for name in names]
    short = [s.name for s in summaries], [Path(name).name for name in names]
    return next((labels for labels in short if len(set(labels)) == len(labels)), names)


def _ratio_text(ratio: Fraction | None) -> str:
    """Three digits: ``×0.184``, ``×12.3``; nothing where the ratio is no number."""
    return f"×{float(f'{float(ratio):.3g}'):,}".removesuffix(".0") if ratio is not None else ""


def sheet(names: Sequence[str], summaries: Sequence[Summary], format: str) -> Sheet:
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
