"""The foot of a figure: the model's totals, and one line that explains the marks that are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from archdsl.dims import Size, symbols
from archdsl.emit.diagram.figure import ADDS, LAYS, Caption, Card, Foot, Item, Link, Panel
from archdsl.emit.diagram.sizes import rounded, typeset
from archdsl.emit.diagram.style import Style
from archdsl.emit.diagram.text import SIZE, SMALL, TIE, width, wrap
from archdsl.emit.diagram.theme import Kind
from archdsl.measure import macs

ROW, SMALL_ROW, APART = 12.0, 10.0, 3.0
"""Heights of a line of facts and of one of the legend, and the room between both and before the key."""
AROUND, ALONE = 8.0, 13.0
"""What Graphviz leaves above and below a label, and what more it leaves where it packs no panels."""
KEY_ROW = 14.0
"""Height of a line of the key."""
SWATCH, AFTER_SWATCH, BETWEEN_ENTRIES = 11.0, 4.0, 10.0
NAMES: Mapping[Kind, str] = {
    "conv": "convolution",
    "linear": "linear, einsum",
    "attention": "attention",
    "pool": "pooling, resampling",
    "norm": "normalization, dropout",
    "act": "activation",
    "other": "other operators",
}
"""Kinds of cards that differ by nothing but their color."""


def caption(style: Style, panels: Sequence[Panel], columns: int, room: float, parts: Foot) -> Caption:
    """The foot, set to a width of ``room``."""
    title = f"{style.network.graph.name}."
    head = width(f"{title} ", SIZE, bold=True)
    facts = tuple(wrap(facts_text(style, room - head), room, SIZE, before=head))
    legend = tuple(wrap(" ".join(_marks(style, panels, columns)), room, SMALL))
    return Caption(title, facts, legend, _key(panels, room) if parts.key else (), parts.caption)


def height(caption: Caption, panels: int) -> float:
    """What the foot adds to a figure's height."""
    lines = (ROW * len(caption.facts) + APART + SMALL_ROW * len(caption.legend)) if caption.is_shown else 0.0
    key = APART + KEY_ROW * len(caption.key) if caption.key else 0.0
    return lines + key + AROUND + (ALONE if panels == 1 else 0) if lines or key else 0.0


def _key(panels: Sequence[Panel], room: float) -> tuple[tuple[Kind, ...], ...]:
    """The kinds that occur, in rows of at most a width of ``room``."""
    present: set[Kind] = {item.kind for panel in panels for item in panel.items if isinstance(item, Card)}
    rows: list[list[Kind]] = []
    taken = 0.0
    room /= 1.15
    kinds: list[Kind] = [kind for kind in NAMES if kind in present]
    for kind in kinds:
        wanted = entry_width(kind) + BETWEEN_ENTRIES
        if not rows or taken + wanted > room:
            rows.append([])
            taken = 0.0
        rows[-1].append(kind)
        taken += wanted
    return tuple(map(tuple, rows))


def entry_width(kind: Kind) -> float:
    """Width of a color with its name."""
    return SWATCH + AFTER_SWATCH + ceil(width(NAMES[kind], SMALL))


def facts_text(style: Style, room: float) -> str:
    """Parameters, multiply-accumulates, and what is true of every convolution."""
    total = style.total
    found = [f"{total:,}{TIE}parameters" if isinstance(total, int) else _symbolic(total, room)]
    work = macs(style.network.graph)
    if isinstance(work, int):
        found.append(f"{_work(work)}{_at(style)}")
    text = ", ".join(found) + "."
    return f"{text} Every conv is followed by {style.implied}." if style.implied else text


def _symbolic(total: Size, room: float) -> str:
    """A number of parameters that depends on symbols, where it fits one line."""
    text = typeset(str(total))
    if width(f"{text} parameters.", SIZE) > room:
        return f"parameters depend on {', '.join(sorted(symbols(total)))}"
    return f"{text}{TIE}parameters"


def _work(work: int) -> str:
    return f"{work:,}{TIE}MACs" if work < 1_000_000 else f"{rounded(work, TIE)}MACs"


def _at(style: Style) -> str:
    """The size of the image that the work is for, where the input is one."""
    inputs = style.network.graph.inputs
    sizes = inputs[0].value.shape[2:]
    return f" at {'×'.join(map(str, sizes))}" if len(inputs) == 1 and len(sizes) > 1 else ""


def _marks(style: Style, panels: Sequence[Panel], columns: int) -> Iterator[str]:
    items: list[Item] = [item for panel in panels for item in panel.items]
    cards = [item for item in items if isinstance(item, Card)]
    if any(card.is_folded for card in cards):
        yield "Double outline: a folded block."
    if any(card.count > 1 for card in cards):
        yield "×n: n times in a row."
    marks = {card.mark for card in cards}
    if ADDS in marks:
        yield f"{ADDS}: residual additions in each."
    if LAYS in marks:
        yield f"{LAYS}: concatenated with its input."
    if any("shared" in " ".join(card.details) for card in cards):
        yield "Shared: one module in several places, its parameters counted once."
    yield from _shortcuts(panels)
    letters = [panel.letter for panel in panels if panel.letter]
    if letters:
        yield f"{', '.join(letters)}: opened {'at the right' if columns > 1 else 'below'}."
    if any(isinstance(item, Link) for item in items):
        yield "Circled numbers: from column to column."
    shown = {"output shape": [card.shape for card in cards], "parameters": [card.params_text for card in cards]}
    if names := [name for name, texts in shown.items() if any(texts)]:
        yield f"Right: {', '.join(names)}."
    if style.is_rounding:
        yield f"Divided sizes are rounded {'up' if style.rounds_up else 'down'}."


def _shortcuts(panels: Sequence[Panel]) -> Iterator[str]:
    skips = [edge for panel in panels for edge in panel.edges if edge.kind == "skip"]
    if any(edge.is_flat for edge in skips):
        yield "Orange: skip connections."
    elif skips:
        yield "Orange: shortcuts."
