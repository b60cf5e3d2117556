"""From a sketch to a panel: what each card says, how wide it is, which edges are shortcuts, what stands straight."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from archdsl.emit.diagram.card import least_width
from archdsl.emit.diagram.figure import BESIDE, LANE, Card, Edge, Fork, Item, Join, Junction, Panel, Passage
from archdsl.emit.diagram.outline import Group
from archdsl.emit.diagram.paths import Bypasses, main_chain
from archdsl.emit.diagram.shapes import away_from_loops, bends, u_shaped, untied
from archdsl.emit.diagram.sketch import Sketch, Unit, params_of
from archdsl.emit.diagram.style import Style, distinctions, modules_of
from archdsl.emit.diagram.text import ELLIPSIS, SMALL, width
from archdsl.emit.diagram.words import count_text, plural, short_shape
from archdsl.ops.conv import ConvTranspose
from archdsl.ops.resample import PixelShuffle, Resize

WIDEST = 184.0
"""No card is wider: what does not fit is left out, and told in full by the tooltip."""
LEAST_SHAPE = 30.0
"""Of a shape, what is worth showing."""
MAIN, CHAIN = 1000, 300
"""Weights of edges: of the main chain, and of other straight pieces. Graphviz draws a cluster together with 128."""


class Composer:
    """Makes the panel of a sketch.

    ``within`` is the path of the group that an inset opens: places are told from there. Only the main panel (``letter``
    empty) writes parameters at its cards.
    """

    def __init__(self, style: Style, sketch: Sketch, letter: str = "", within: str = "") -> None:
        self.style = style
        self.sketch = sketch
        self.network = style.network
        self._letter = letter
        self._within = within
        self._chain = main_chain(sketch.units)
        self._on_chain = set(self._chain)
        self._told = distinctions(sketch.units)
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
        return u_shaped(panel, turn) if turn is not None else away_from_loops(untied(panel))

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
            params_text=count_text(params, self.style.is_exact), count=unit.count, letters=letters,
            is_folded=bool(unit.groups), is_bypassed=self._is_looped(unit), is_aside=unit.is_aside,
            residuals=residuals, tooltip=tooltip,
        )  # fmt: skip
        card = self._tensor(unit, card) if unit.is_tensor else self._with_detail(card, unit)
        card = _with_whole_title(card)
        return replace(card, width=min(least_width(card), WIDEST))

    def _residuals(self, unit: Unit) -> int:
        return sum(node in self.network.residuals for node in unit.nodes)

    def _shape(self, unit: Unit) -> str:
        """Between bars the title tells the channels and the bar the sizes."""
        shape = self.style.shape(unit.value, self.style.batch)
        if unit.branch is None:
            return shape
        channels = shape.partition("×")[0]
        return "" if channels in re.findall(r"\d+", unit.title) else channels

    def _tensor(self, unit: Unit, card: Card) -> Card:
        """A parameter of the model's own: a narrow card with its whole shape below its name."""
        parts = [self.style.shape(unit.nodes[0].output, None), card.params_text]
        return replace(card, detail=" · ".join(p for p in parts if p), shape="", params_text="")

    def _with_detail(self, card: Card, unit: Unit) -> Card:
        """The second line: what is fused into a card; of a folded one where it stands and how it differs."""
        if not unit.groups:
            kept = [d for d in unit.details if unit.kind != "conv" or d != self.style.implied]
            return _with_words(card, kept)
        parts = [self.style.place(unit, self._within), *self._told.get(unit, ()), *unit.details]
        parts = [part for part in parts if part and part != unit.title]
        card = replace(card, detail=" · ".join(parts))
        while len(parts) > 1 and least_width(card) > WIDEST:
            del parts[max(1, len(parts) - 1 - len(unit.details))]
            card = replace(card, detail=" · ".join(parts))
        return card

    def _tooltip(self, unit: Unit) -> str:
        """What the card has no room for: the whole path, whole shapes, exact counts."""
        value, params = unit.value, params_of(self.network, unit.nodes)
        lines = [
            self.style.place(unit) or next((n.path for n in unit.nodes if n.path), ""),
            unit.title + (f" ×{unit.count}" if unit.count > 1 else ""),
            *unit.details,
            f"[{', '.join(map(str, value.shape))}] {value.dtype}" if value is not None else "",
            f"{params:,} parameters" if isinstance(params, int) and params else "",
            plural(self._residuals(unit), "shortcut") if unit.groups and self._residuals(unit) else "",
        ]
        return " · ".join(line for line in lines if line)

    # ---- loops ----

    def _is_looped(self, unit: Unit) -> bool:
        """Does a folded card hide shortcuts?"""
        return bool(unit.groups) and (self._residuals(unit) > 0 or self._passes_on(unit.groups[0]))

    def _passes_on(self, group: Group) -> bool:
        """Does a loop's turn lay what it takes beside what it made of it?"""
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
                    passage = Passage(self.style.id(f"{self._ids[unit]}-identity"))
                    passages.append(passage)
                    edges.append(Edge(self._ids[source], passage.id, "skip"))
                    edges.append(Edge(passage.id, self._ids[unit], "skip"))
                else:
                    edges.append(self._edge(source, unit))
            if self._is_looped(unit):
                edges.append(Edge(self._ids[unit], self._ids[unit], "skip"))
        return edges, passages

    def _edge(self, source: Unit, unit: Unit) -> Edge:
        is_skip = unit.is_aside or (source.is_aside and unit.is_merge)
        return Edge(
            self._ids[source], self._ids[unit], "skip" if is_skip else "flow",
            tail_branch=unit.branch if source.is_fork else None,
            head_branch=source.branch if unit.is_join else None,
            weight=1 if is_skip else self._weight(source, unit),
        )  # fmt: skip

    def _weight(self, source: Unit, unit: Unit) -> int:
        if source in self._on_chain and unit in self._on_chain and not (source.is_fork or unit.is_join):
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


def _with_words(card: Card, words: Sequence[str]) -> Card:
    """The card with these words on its second line; where there is no room for all, the last are left out."""
    card = replace(card, detail=" · ".join(words))
    for kept in range(len(words) - 1, 0, -1):
        if least_width(card) <= WIDEST:
            break
        card = replace(card, detail=" · ".join([*words[:kept], ELLIPSIS]))
    return card


def _with_whole_title(card: Card) -> Card:
    """The card; where its shape is so long that its title would be cut off, the shape is."""
    over = least_width(replace(card, detail="")) - WIDEST
    room = width(card.shape, SMALL) - over
    return card if over <= 0 or room < LEAST_SHAPE else replace(card, shape=short_shape(card.shape, room))
