"""Which folded blocks are opened beside the model.

Of the repeated blocks, those that hold most of the network, one inset for each distinct structure, at most two; and the
attention in them, where it is a block of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from archdsl.emit.diagram.figure import Panel
from archdsl.emit.diagram.fold import alike, leaves
from archdsl.emit.diagram.outline import Group, Merge, Network, Part, nodes_of
from archdsl.emit.diagram.panel import Composer
from archdsl.emit.diagram.paths import in_order
from archdsl.emit.diagram.sketch import Sketch, Unit, group_title
from archdsl.emit.diagram.style import Style, modules_of, span
from archdsl.emit.diagram.views import inner_view, size
from archdsl.graph import GraphOutput
from archdsl.ops.dropout import Inert

MOST_ITEMS = 12
"""Of an inset, when blocks in it are opened."""
MOST_CARDS = 24
"""Of an inset at all."""
MOST_INSETS = 2
LEADING_ITEMS = 3
"""Of an inset that leads to the next one."""


@dataclass(eq=False)
class Opened:
    """A group shown from within, and the card of the main panel that it belongs to."""

    network: Network
    group: Group
    unit: Unit
    closed: Collection[str]
    most: int = MOST_ITEMS

    @cached_property
    def sketch(self) -> Sketch:
        inside = inner_view(self.network, self.group, self.closed, self.most, ())
        if _ends_openly(inside):
            return inside
        return inner_view(self.network, self.group, self.closed, self.most, self._results())

    def _results(self) -> list[GraphOutput]:
        values = leaves(self.network, self.group)
        names = ["y"] if len(values) == 1 else [self.network.names.get(v, "y") for v in values]
        return [GraphOutput(name, value, False) for name, value in zip(names, values, strict=True)]

    @cached_property
    def structure(self) -> object:
        """Kinds and operators and how they are joined: the same for blocks that differ in sizes, or in dropping."""
        number: dict[Unit, int] = {}
        found: list[object] = []
        for unit in in_order(self.sketch.units):
            content = _content(unit)
            if unit.kind == "norm" and not content:
                number[unit] = number[unit.sources[0]]
                continue
            number[unit] = len(found)
            found.append((unit.kind, unit.sign, content, tuple(number[s] for s in unit.sources)))
        return tuple(found)

    @cached_property
    def manner(self) -> object:
        """The titles with their numbers left out: strides and the like still count."""
        return tuple(re.sub(r"\d+", "#", unit.title) for unit in self.sketch.units)

    @property
    def kin(self) -> tuple[Group, ...]:
        """The groups of the same card that are equal."""
        return tuple(group for group in self.unit.groups if alike(group, self.group))

    @cached_property
    def shortcut(self) -> str:
        """What sort of shortcut it has, where that does more than pass its value on."""
        for merge in _residuals(self.group.parts):
            nodes = [node for branch in merge.branches[1:] for node in nodes_of(branch)]
            if any(self.network.params[node] for node in nodes):
                return "projection shortcut"
            if nodes:
                return "parameter-free shortcut"
        return ""


def _content(unit: Unit) -> object:
    """What a unit does; dropouts do not count."""
    return unit.title if unit.groups else tuple(type(n.op) for n in unit.nodes if not isinstance(n.op, Inert))


def _residuals(parts: Sequence[Part]) -> Iterator[Merge]:
    return (part for part in parts if isinstance(part, Merge) and part.is_residual)


def _ends_openly(sketch: Sketch) -> bool:
    """Does the panel end in one card with its own shape? Else what comes out is shown."""
    read = {source for unit in sketch.units for source in unit.sources}
    ends = [unit for unit in sketch.units if unit not in read]
    return len(ends) == 1 and not ends[0].sign and not ends[0].is_join


# ---- choosing ----------------------------------------------------------------------------------------------


def worth_opening(network: Network, main: Sketch, closed: Collection[str]) -> list[Opened]:
    """Insets by how much they show, the best first: at most two, in the order of the network, and an attention."""
    chosen: list[Opened] = []
    for family in _by_coverage(main):
        found = [Opened(network, group, unit, closed) for unit in family for group in unit.groups]
        fitting = [o for o in found if 1 < size(o.sketch) <= MOST_CARDS]
        for opened in _structures(fitting):
            if len(chosen) < MOST_INSETS:
                chosen.append(opened)
    order = {unit: number for number, unit in enumerate(main.units)}
    chosen.sort(key=lambda o: (order[o.unit], o.unit.groups.index(o.group)))
    chosen = next(filter(None, map(_way_to_attention, chosen)), chosen)
    for number, opened in enumerate(chosen, 1):
        attention = _attention(opened)
        if attention is not None:
            return [*chosen[:number], attention, *chosen[number:]]
    return chosen


def _attention(opened: Opened) -> Opened | None:
    """The attention in an inset, where it is a folded block."""
    folded = (u for u in opened.sketch.units if u.kind == "attention" and u.groups)
    found = (Opened(opened.network, unit.groups[0], unit, opened.closed) for unit in folded)
    return next((inner for inner in found if 1 < size(inner.sketch) <= MOST_CARDS), None)


def _way_to_attention(opened: Opened) -> list[Opened]:
    """Two insets, where one leaves an attention hidden among shortcuts: what leads to it, and that. Else none."""
    if not _hiding_attention(opened):
        return []
    above = replace(opened, most=LEADING_ITEMS)
    hiding = _hiding_attention(above)
    return [above, *(Opened(opened.network, unit.groups[0], unit, opened.closed) for unit in hiding[:1])]


def _hiding_attention(opened: Opened) -> list[Unit]:
    attentions = opened.network.attentions
    return [u for u in opened.sketch.units if u.kind == "block" and not attentions.isdisjoint(u.nodes)]


def _by_coverage(main: Sketch) -> list[list[Unit]]:
    """Folded cards by the text that they run, those that hold most operators first; single ones only if all are."""
    families: dict[object, list[Unit]] = {}
    for unit in main.units:
        if unit.groups:
            families.setdefault(unit.groups[0].text, []).append(unit)
    ordered = sorted(families.values(), key=lambda family: -sum(len(u.nodes) for u in family))
    repeated = [family for family in ordered if sum(u.count for u in family) > 1]
    return repeated or ordered


def _structures(found: list[Opened]) -> list[Opened]:
    """One for each structure, the most frequent first; together from one card, where one card has them."""
    kinds: dict[object, list[Opened]] = {}
    for opened in found:
        kinds.setdefault(opened.structure, []).append(opened)
    chosen: list[Opened] = []
    for members in sorted(kinds.values(), key=len):
        usual = Counter(o.manner for o in members).most_common(1)[0][0]
        typical = [o for o in members if o.manner == usual]
        beside = [o for o in typical if chosen and o.unit is chosen[0].unit]
        chosen.append((beside or typical)[0])
    return sorted(chosen, key=lambda o: -len(kinds[o.structure]))


# ---- panels ------------------------------------------------------------------------------------------------


def inset(style: Style, opened: Opened, letter: str, title: str, letters: Mapping[Unit, tuple[str, ...]]) -> Panel:
    """The panel of what is opened; ``letters`` are those of the insets in which a card of it is opened in turn."""
    return Composer(style, opened.sketch, letter, opened.group.path or "").panel(letters, title)


def titles(insets: Sequence[Opened]) -> list[str]:
    """``Bottleneck, layer2.0, projection shortcut`` and ``Bottleneck, layer2.1–3``."""
    return [_title(opened, [o for o in insets if o.group.text is opened.group.text]) for opened in insets]


def _title(opened: Opened, kin: Sequence[Opened]) -> str:
    name = group_title(opened.network, opened.group)
    shown = opened.kin if len(kin) > 1 else (opened.group,)
    paths = modules_of(replace(opened.unit, groups=shown))
    shortcut = opened.shortcut if len({o.shortcut for o in kin}) > 1 else ""
    return ", ".join(dict.fromkeys(text for text in (name, span(paths), shortcut) if text))
