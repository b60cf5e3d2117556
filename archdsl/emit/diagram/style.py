"""What all panels of a figure share: what is true of the whole network, and the names of its parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from archdsl.dims import Size, symbols
from archdsl.dims.evaluate import compounds
from archdsl.emit.diagram.fold import same_argument
from archdsl.emit.diagram.outline import Group, Network, groups_of
from archdsl.emit.diagram.sizes import (
    EXACT_BELOW,
    count_text,
    exact_text,
    in_quotients,
    joined,
    multiples,
    rounded_up,
    short_shape,
    size_text,
)
from archdsl.emit.diagram.sketch import Unit, params_of
from archdsl.emit.diagram.text import SMALL, shorten
from archdsl.emit.diagram.words import kind_of, last_name, parent, title_of
from archdsl.graph import Module, Node, Value

SHAPE_ROOM = 80.0
"""Room for a shape and for a number of parameters: symbolic ones may be long, the tooltip has them in full."""


WIDEST = 184.0
"""No card is wider: a text that does not fit goes on below, or is shortened; the tooltip has it in full."""


@dataclass
class Style:
    """The words of the network, and the ids that are taken."""

    network: Network
    taken: dict[str, int] = field(default_factory=dict)
    """Ids, each with the last number that was given to one like it."""
    widest: float = WIDEST
    """Width of a card at most, unless the first part of its title is wider."""
    is_rounding: bool = False
    """Has a shape been written with a division that may round?"""

    @cached_property
    def batch(self) -> Size | None:
        """The first size of the inputs, where it is a symbol: figures leave it out."""
        firsts = {i.value.shape[0] for i in self.network.graph.inputs if i.value.shape}
        only = firsts.pop() if len(firsts) == 1 else None
        return only if only is not None and symbols(only) else None

    @cached_property
    def total(self) -> Size:
        return params_of(self.network, self.network.graph.nodes)

    @cached_property
    def is_exact(self) -> bool:
        """Are parameters written out at each layer?"""
        return isinstance(self.total, int) and self.total < EXACT_BELOW

    @cached_property
    def implied(self) -> str:
        """The norm that follows every convolution: the caption states it once. Empty where there is none."""
        convs = [n for n in self.network.graph.nodes if kind_of(n) == "conv"]
        follow = {self._norm_after(node) for node in convs}
        return follow.pop() if len(convs) > 1 and len(follow) == 1 else ""

    def _norm_after(self, node: Node) -> str:
        readers = self.network.consumers[node.output]
        return title_of(readers[0]) if len(readers) == 1 and kind_of(readers[0]) == "norm" else ""

    @cached_property
    def _modules(self) -> Mapping[str, Module]:
        return {module.path: module for module in self.network.graph.root.walk()}

    @cached_property
    def rounds_up(self) -> bool:
        """Is every divided size of the network rounded up? Then ``H/8`` stands for ``(H + 7) // 8``."""
        values = {v: None for node in self.network.graph.nodes for v in (*node.inputs, *node.outputs)}
        found = {atom for value in values for size in value.shape for atom in compounds(size)}
        return bool(found) and all(rounded_up(atom) is not None for atom in found)

    @cached_property
    def _factors(self) -> Mapping[str, int]:
        return multiples(self.network.graph.needs.facts)

    def shape(self, value: Value | None, batch: Size | None) -> str:
        """``64×56×56``: without the batch, where it is the first size."""
        if value is None:
            return ""
        sizes = value.shape[1:] if value.shape and batch is not None and value.shape[0] == batch else value.shape
        return short_shape(joined([self._size(size) for size in sizes]), SHAPE_ROOM)

    def _size(self, size: Size) -> str:
        exact = exact_text(size, self._factors)
        if exact is not None:
            return exact
        self.is_rounding |= not isinstance(size, int) and any(compounds(size))
        return size_text(in_quotients(size) if self.rounds_up else size)

    def count(self, count: Size) -> str:
        """A number of parameters as cards write it."""
        return shorten(count_text(count, self.is_exact), SHAPE_ROOM, SMALL)

    def id(self, wish: str) -> str:
        """An id that no other item has: the wish, where it is free."""
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", wish) or "item"
        found = name
        while found in self.taken:
            self.taken[name] += 1
            found = f"{name}-{self.taken[name]}"
        self.taken[found] = 1
        return found

    def place(self, unit: Unit, within: str = "") -> str:
        """``layer1`` for all that it holds, ``features.4–6`` for some, ``conv1`` for one; below ``within``."""
        paths = modules_of(unit)
        if not paths:
            return ""
        above = parent(paths[0])
        module = self._modules.get(above)
        if len(paths) == 1:
            found = paths[0]
        elif above and module is not None and [c.path for c in module.children.values()] == paths:
            found = above
        else:
            found = span(paths)
        return found.removeprefix(f"{within}.") if within else found


def modules_of(unit: Unit) -> list[str]:
    """Paths of the modules that a folded card represents; a loop's turn has the path of its first module."""
    found: list[str] = []
    for group in unit.groups:
        inner = [group] if group.path is not None else list(groups_of(group.parts))
        found += [g.path for g in inner if g.path is not None][:1]
    return list(dict.fromkeys(found))


def span(paths: Sequence[str]) -> str:
    """``layer2.1–3``, ``block1 to block3``; one path as it is, nothing for none."""
    if len(paths) < 2:
        return "".join(paths)
    first, last = paths[0], last_name(paths[-1])
    return f"{first}–{last}" if last.isdecimal() and last_name(first).isdecimal() else f"{first} to {last}"


def distinctions(units: Iterable[Unit]) -> dict[Unit, list[str]]:
    """For folded cards of one block, the arguments that distinguish them: integers, and at most two."""
    families: dict[object, list[Unit]] = {}
    for unit in units:
        if unit.groups and unit.groups[0].instance is not None:
            families.setdefault(unit.groups[0].text, []).append(unit)
    return {unit: texts for family in families.values() for unit, texts in _distinguish(family).items()}


def _distinguish(family: Sequence[Unit]) -> dict[Unit, list[str]]:
    first = family[0].groups[0].instance
    assert first is not None
    required = [p.name.text for p in first.scope.params if p.default is None and p.name.text != "stride"]
    settled = [n for n in required if all(_is_settled(unit, n) for unit in family)]
    rows = [_arguments(unit.groups[0]) for unit in family]
    varying = [n for n in settled if len(family) == 1 or any(row[n] != rows[0][n] for row in rows)]
    telling = [n for n in varying if not any(isinstance(row[n], float) for row in rows)]
    is_told = len(telling) <= 2 and all(type(row[n]) is int for row in rows for n in telling)
    return {u: [f"{n} {row[n]}" for n in telling] if is_told else [] for u, row in zip(family, rows, strict=True)}


def _is_settled(unit: Unit, name: str) -> bool:
    """Have all groups of a card the same value of an argument?"""
    first = _arguments(unit.groups[0])[name]
    return all(same_argument(_arguments(group)[name], first) for group in unit.groups)


def _arguments(group: Group) -> Mapping[str, object]:
    assert group.instance is not None
    return group.instance.arguments
