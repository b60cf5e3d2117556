"""From a sketch to a panel: the texts and widths of cards, which edges are shortcuts, which are straight."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from archdsl.dims import Size
from archdsl.emit.diagram.card import besides, full_title, least_width
from archdsl.emit.diagram.figure import ADDS, BESIDE, LANE, LAYS, Card, Edge, Fork, Item, Join, Junction, Panel, Passage
from archdsl.emit.diagram.outline import Group, Network
from archdsl.emit.diagram.paths import Bypasses, main_chain
from archdsl.emit.diagram.shapes import bends, straightened, u_shaped, untied
from archdsl.emit.diagram.sizes import short_shape
from archdsl.emit.diagram.sketch import Sketch, Unit, params_of
from archdsl.emit.diagram.style import Style, distinctions, modules_of
from archdsl.emit.diagram.text import SIZE, SMALL, shorten, width
from archdsl.emit.diagram.words import last_name, listed, plural
from archdsl.graph import Module, Node
from archdsl.ops.conv import ConvTranspose
from archdsl.ops.resample import PixelShuffle, Resize

TITLED = 1.25
"""By how much a card may be wider for the first part of its title."""
MAIN, CHAIN = 1000, 300
"""Weights of edges: of the main chain, and of other straight pieces. Graphviz draws a cluster together with 128."""


class Composer:
    """Makes the panel of a sketch.

    ``within`` is the path of the group that an inset opens: places are relative to it. Only the main panel (``letter``
    empty) writes parameters at its cards.
    """

    def __init__(self, style: Style, sketch: Sketch, letter: str = "", within: str = "") -> None:
        self.style = style
        self.sketch = sketch
        self.network: Network = style.network
        self._letter = letter
        self._within = within
        self._chain = main_chain(sketch.units)
        self._on_chain = set(self._chain)
        self._links = set(pairwise(self._chain))
        self._distinctions = distinctions(sketch.units)
        self._ids = {unit: style.id(self._wish(unit)) for unit in sketch.units}

    def panel(self, letters: Mapping[Unit, tuple[str, ...]] | None = None, title: str = "") -> Panel:
        """The panel; ``letters`` are those of the insets in which a folded card is opened."""
        letters = letters or {}
        items = self._even({unit: self._item(unit, letters.get(unit, ())) for unit in self.sketch.units})
        edges, passages = self._edges()
        chain = tuple(self._ids[unit] for unit in self._chain)
        panel = Panel(
            self._letter or "main", (*items.values(), *passages), tuple(edges), chain, self._letter, title
        )  # fmt: skip
        skips = bends(panel)
        turn = self._turn(skips[-1]) if skips else None
        return u_shaped(panel, turn) if turn is not None else straightened(untied(panel))

    def _wish(self, unit: Unit) -> str:
        paths = modules_of(unit) or [n.path for n in unit.nodes if n.path is not None]
        if paths:
            return paths[0]
        title = "fork" if unit.is_fork else unit.title if unit.is_plain or unit.kind == "io" else "merge"
        return f"{self._letter or 'main'}-{title}"

    # ---- items ----

    def _item(self, unit: Unit, letters: tuple[str, ...]) -> Item:
        params = 0 if self._letter else params_of(self.network, unit.nodes)
        residuals, tooltip = self._residuals(unit), self._tooltip(unit)
        if unit.is_fork:
            return Fork(self._ids[unit], sum(unit in u.sources for u in self.sketch.units), 0)
        if unit.sign:
            return Junction(self._ids[unit], unit.sign, residuals, params, tooltip)
        if unit.is_join:
            shape = self.style.shape(unit.value, self.style.batch)
            return Join(self._ids[unit], len(unit.sources), unit.title, shape, 0, params, tooltip)
        card = Card(
            id=self._ids[unit], kind=unit.kind, title=unit.title, shape=self._shape(unit), params=params,
            params_text=self._params_text(unit), count=unit.count, letters=letters, is_folded=bool(unit.groups),
            mark=self._mark(unit), is_aside=unit.is_aside, residuals=residuals, tooltip=tooltip,
        )  # fmt: skip
        if unit.is_tensor:
            card = self._tensor(unit, card)
        elif unit.is_aside:
            card = self._aside(unit, card)
        else:
            card = _with_full_title(card, self._details(unit), self.style.widest)
        return replace(card, width=min(least_width(card), TITLED * self.style.widest))

    def _residuals(self, unit: Unit) -> int:
        return sum(node in self.network.residuals for node in unit.nodes)

    def _shape(self, unit: Unit) -> str:
        """Between bars the title has the channels and the bar the sizes; several outputs are listed below the title."""
        if len(unit.outputs) > 1:
            return ""
        shape = self.style.shape(unit.value, self.style.batch)
        if unit.branch is None:
            return shape
        channels = shape.partition("×")[0]
        return "" if channels in re.findall(r"\d+", unit.title) else channels

    def _params_text(self, unit: Unit) -> str:
        """The parameters of the card; of several equal parts, those of each, where these are as many."""
        if self._letter:
            return ""
        total = self.style.count(params_of(self.network, unit.nodes))
        if unit.count == 1 or not total:
            return total
        counts = {params_of(self.network, member) for member in unit.members}
        return f"{total} in all" if len(counts) > 1 else f"{self.style.count(counts.pop())} each"

    def _tensor(self, unit: Unit, card: Card) -> Card:
        """A parameter of the model's own: a narrow card with its shape below its name."""
        parts = [self.style.shape(unit.nodes[0].output, None), card.params_text]
        return replace(card, details=(listed(parts),), shape="", params_text="")

    def _aside(self, unit: Unit, card: Card) -> Card:
        """A card on a shortcut: shape and parameters below its name, where it has parameters."""
        if not card.params_text:
            return replace(card, shape="")
        return replace(card, details=(listed([card.shape, card.params_text]),), shape="", params_text="")

    def _details(self, unit: Unit) -> list[str]:
        """Words of the second line: what is fused into a card; of a folded one its place and how it differs."""
        words = [d for d in unit.details if unit.groups or unit.kind != "conv" or d != self.style.implied]
        if unit.groups:
            place = self.style.place(unit, self._within)
            words = [word for word in (place, *self._distinctions.get(unit, ()), *words) if word != unit.title]
        if len(unit.outputs) > 1:
            shapes = [self.style.shape(value, self.style.batch) for value in unit.outputs]
            words += [plural(len(shapes), "output"), *shapes]
        if self._is_shared(unit):
            words.append("shared")
        return [word for word in words if word]

    def _tooltip(self, unit: Unit) -> str:
        """What the card has no room for: the full path, full shapes, exact counts."""
        value, params = unit.value, params_of(self.network, unit.nodes)
        lines = [
            self.style.place(unit) or next((n.path for n in unit.nodes if n.path), ""),
            unit.title + (f" ×{unit.count}" if unit.count > 1 else ""),
            *unit.details,
            *(f"[{', '.join(map(str, v.shape))}] {v.dtype}" for v in unit.outputs or (value,) if v is not None),
            _parameters(params),
            plural(self._residuals(unit), "shortcut") if unit.groups and self._residuals(unit) else "",
        ]
        return listed(lines)

    def _is_shared(self, unit: Unit) -> bool:
        """Does a module that the unit runs, run elsewhere in the panel too, or in several of the unit's equal parts?"""
        parts = [set(_modules(member)) for member in unit.members]
        within = Counter(module for part in parts for module in part)
        here = Counter(_modules(unit.nodes))
        return any(self._runs[module] > times or within[module] > 1 for module, times in here.items())

    @cached_property
    def _runs(self) -> Counter[Module]:
        """How often each module that owns tensors runs in the panel."""
        return Counter(module for unit in self.sketch.units for module in _modules(unit.nodes))

    # ---- marks ----

    def _mark(self, unit: Unit) -> str:
        """``+x`` on a folded card whose layers add to what arrives, ``x,…`` where they are laid beside it."""
        if not unit.groups:
            return ""
        if self._residuals(unit):
            return ADDS
        return LAYS if self._passes_on(unit.groups[0]) else ""

    def _passes_on(self, group: Group) -> bool:
        """Is the result of a loop's turn laid beside its input?"""
        if group.instance is not None:
            return False
        turn = Sketch(self.network, group.parts, lambda _: None)
        ways = Bypasses(turn)
        return any(s.kind == "io" and ways.is_bypass(s, u) for u in turn.units if u.is_merge for s in u.sources)

    # ---- widths ----

    def _even(self, items: Mapping[Unit, Item]) -> dict[Unit, Item]:
        """One width for the cards of a kind in a panel; bars as wide as what they join."""
        widths = {"aside": LANE}
        for unit, item in items.items():
            widths[self._row(unit)] = max(widths.get(self._row(unit), 0), item.width)
        pitch = widths.get("branch", 0) + BESIDE
        found: dict[Unit, Item] = {}
        for unit, item in items.items():
            match item:
                case Card():
                    found[unit] = replace(item, width=widths[self._row(unit)])
                case Fork() | Join():
                    found[unit] = replace(item, width=item.branches * pitch)
                case _:
                    found[unit] = item
        return found

    def _row(self, unit: Unit) -> str:
        if unit.branch is not None:
            return "branch"
        if unit.is_aside:
            return "aside"
        return "tensor" if unit.is_tensor else "main" if unit in self._on_chain else "side"

    # ---- edges ----

    def _edges(self) -> tuple[list[Edge], list[Passage]]:
        edges: list[Edge] = []
        passages: list[Passage] = []
        ways = Bypasses(self.sketch)
        for unit in self.sketch.units:
            for source in unit.sources:
                if unit.is_merge and not unit.is_fork and ways.is_bypass(source, unit):
                    text = "identity" if self._residuals(unit) else ""
                    passage = Passage(self.style.id(f"{self._ids[unit]}-identity"), text)
                    passages.append(passage)
                    edges.append(Edge(self._ids[source], passage.id, "skip"))
                    edges.append(Edge(passage.id, self._ids[unit], "skip"))
                else:
                    edges.append(self._edge(source, unit))
        return edges, passages

    def _edge(self, source: Unit, unit: Unit) -> Edge:
        is_skip = unit.is_aside or (source.is_aside and unit.is_merge)
        return Edge(
            self._ids[source], self._ids[unit], "skip" if is_skip else "flow",
            tail_branch=unit.branch if source.is_fork else None,
            head_branch=source.branch if unit.is_join else None,
            weight=1 if is_skip else self._weight(source, unit), lines=max(1, len(unit.arriving.get(source, ()))),
        )  # fmt: skip

    def _weight(self, source: Unit, unit: Unit) -> int:
        if (source, unit) in self._links and not (source.is_fork or unit.is_join):
            return MAIN
        return CHAIN if unit.sources == [source] or unit.is_join else 1

    def _turn(self, innermost: tuple[str, str, str]) -> str | None:
        """Where a U begins to go up: at the first layer that makes its input larger."""
        ids = [self._ids[unit] for unit in self._chain]
        first, last = ids.index(innermost[0]), ids.index(innermost[2])
        between = self._chain[first + 1 : last + 1]
        grows = (u for u in between if any(isinstance(n.op, ConvTranspose | Resize | PixelShuffle) for n in u.nodes))
        found = next(grows, None)
        return self._ids[found] if found is not None else None


def _modules(nodes: Sequence[Node]) -> list[Module]:
    """The modules with tensors of their own that some nodes run."""
    return [node.module for node in nodes if node.module is not None and node.weights]


def _parameters(count: Size) -> str:
    if isinstance(count, int):
        return f"{count:,} parameters" if count else ""
    return f"{count} parameters"


def _with_full_title(card: Card, words: Sequence[str], usual: float) -> Card:
    """The card with these words below its title, and with the end of a title that is too long before them.

    The card is about as wide as ``usual``. Where the first part of its title lacks room beside the shape, the shape
    goes below too.
    """
    first, *more = card.title.split(", ")
    widest = min(max(usual, _title_width(card, first) + besides(replace(card, shape=""))), TITLED * usual)
    over = _title_width(card, first) - (widest - besides(card))
    if over > 0 and card.shape:
        below = widest - besides(replace(card, shape=""))
        card, words = replace(card, shape=""), [short_shape(card.shape, below), *words]
    room = widest - besides(card)
    while more and _title_width(card, f"{first}, {more[0]}") <= room:
        first = f"{first}, {more.pop(0)}"
    return replace(card, title=first, details=_lines([", ".join(more), *words] if more else words, room))


def _title_width(card: Card, title: str) -> float:
    return width(full_title(replace(card, title=title)), SIZE, card.is_folded)


def _lines(words: Sequence[str], room: float) -> tuple[str, ...]:
    """Words on as few lines as the room allows; a path that is wider than a line without the modules around it."""
    lines: list[str] = []
    for word in (last_name(word) if width(word, SMALL) > room else word for word in words):
        longer = f"{lines[-1]} · {word}" if lines else word
        if lines and width(longer, SMALL) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(shorten(line, room, SMALL) for line in lines)
