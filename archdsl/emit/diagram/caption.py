"""The foot of a figure: the model's totals, and one line that explains the marks that are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.emit.diagram.figure import Caption, Card, Item, Link, Panel
from archdsl.emit.diagram.style import Style
from archdsl.emit.diagram.text import SIZE, SMALL, TIE, width, wrap
from archdsl.emit.diagram.words import rounded
from archdsl.measure import macs

LEADING = 1.2
"""Height of a line, in sizes of its font."""
AROUND, ALONE = 8.0, 13.0
"""What Graphviz leaves above and below a label, and what more it leaves where it packs no panels."""


def caption(style: Style, panels: Sequence[Panel], columns: int, room: float) -> Caption:
    """The foot, set to a width of ``room``."""
    title = f"{style.network.graph.name}."
    head = width(f"{title} ", SIZE, bold=True)
    facts = wrap(facts_text(style), room, SIZE, before=head)
    return Caption(title, tuple(facts), tuple(wrap(" ".join(_marks(style, panels, columns)), room, SMALL)))


def height(caption: Caption, panels: int) -> float:
    lines = LEADING * (SIZE * len(caption.facts) + SMALL * len(caption.legend))
    return lines + AROUND + (ALONE if panels == 1 else 0)


def facts_text(style: Style) -> str:
    """Parameters, multiply-accumulates, and what is true of every convolution."""
    total = style.total
    found = [f"{total:,}{TIE}parameters" if isinstance(total, int) else f"{total}{TIE}parameters"]
    work = macs(style.network.graph)
    if isinstance(work, int):
        found.append(f"{_work(work)}{_at(style)}")
    text = ", ".join(found) + "."
    return f"{text} Every conv is followed by {style.implied}." if style.implied else text


def _work(work: int) -> str:
    return f"{work:,}{TIE}MACs" if work < 1_000_000 else f"{rounded(work, TIE)}MACs"


def _at(style: Style) -> str:
    """The size of the picture that the work is for, where the input is one."""
    inputs = style.network.graph.inputs
    sizes = inputs[0].value.shape[2:]
    return f" at {'×'.join(map(str, sizes))}" if len(inputs) == 1 and len(sizes) > 1 else ""


def _marks(style: Style, panels: Sequence[Panel], columns: int) -> Iterator[str]:
    items: list[Item] = [item for panel in panels for item in panel.items]
    cards = [item for item in items if isinstance(item, Card)]
    if any(card.is_folded for card in cards):
        yield "Double outline: a folded block."
    if any(card.count > 1 for card in cards):
        yield "×n: n times."
    yield from _shortcuts(panels)
    letters = [panel.letter for panel in panels if panel.letter]
    if letters:
        yield f"{', '.join(letters)}: opened {'at the right' if columns > 1 else 'below'}."
    if any(isinstance(item, Link) for item in items):
        yield "Circled numbers: from column to column."
    told = {"output shape": [card.shape for card in cards], "parameters": [card.params_text for card in cards]}
    if shown := [name for name, texts in told.items() if any(texts)]:
        yield f"Right: {', '.join(shown)}."
    if any("/" in getattr(item, "shape", "") for item in items):
        yield f"Divided sizes are rounded {'up' if style.rounds_up else 'down'}."


def _shortcuts(panels: Sequence[Panel]) -> Iterator[str]:
    skips = [edge for panel in panels for edge in panel.edges if edge.kind == "skip"]
    loops = any(edge.tail == edge.head for edge in skips)
    lines = any(edge.tail != edge.head for edge in skips)
    if loops and lines:
        yield "Orange: a shortcut; as a loop, within the block."
    elif loops:
        yield "Orange loop: shortcuts within the block."
    elif lines:
        yield "Orange: a shortcut."
