"""How much room a panel takes: estimated from its items, so that a figure is planned without a renderer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from archdsl.emit.diagram.figure import BESIDE, Card, Edge, Fork, Item, Link, Panel, Passage, apart
from archdsl.emit.diagram.text import width as text_width

MARGIN, HEADING = 7.0, 17.0
"""Around and above what is opened."""


@dataclass(frozen=True)
class Space:
    """Width, and heights of the rows, in points."""

    width: float
    rows: tuple[float, ...]
    around: float = 0.0

    def height(self, gap: float) -> float:
        return sum(self.rows) + gap * (len(self.rows) - 1) + self.around


def space(panel: Panel) -> Space:
    """Room for the rows that a layered layout gives a panel: its chain in the middle, shortcuts at the right of it."""
    rank = ranks(panel)
    rows: list[list[Item]] = [[] for _ in range(1 + max(rank.values(), default=0))]
    for item in panel.items:
        rows[rank[item.id]].append(item)
    passing: list[list[Edge]] = [[] for _ in rows]
    for edge in panel.edges:
        for row in range(rank[edge.tail] + 1, rank[edge.head]):
            passing[row].append(edge)
    chain = frozenset(panel.chain)
    gaps = _gaps(panel)
    parts = [_parts(row, lines, chain, gaps) for row, lines in zip(rows, passing, strict=True)]
    across = [sum(part) for part in parts]
    is_forked = any(isinstance(item, Fork) for item in panel.items)
    left, middle, right = (max(part) for part in zip(*parts, strict=True))
    width = max(across) if is_forked else max(left, _two_sides(panel, chain)) + middle + right
    heights = tuple(max((item.height for item in row), default=0.0) for row in rows)
    if not panel.letter:
        return Space(width, heights)
    heading = text_width(panel.heading, bold=True)
    return Space(max(width, heading) + 2 * MARGIN, heights, 2 * MARGIN + HEADING)


def _two_sides(panel: Panel, chain: Collection[str]) -> float:
    """Width of the two widest side branches: a layout may set one on each side of the chain."""
    near: dict[str, set[str]] = {item.id: set() for item in panel.items}
    for edge in panel.edges:
        near[edge.tail].add(edge.head)
        near[edge.head].add(edge.tail)
    widths: dict[str, float] = {}
    held = {name for row in panel.rows for name in row}
    for item in panel.items:
        is_aside = isinstance(item, Passage) or (isinstance(item, Card) and item.is_aside)
        if item.id not in chain and item.id not in held and not is_aside:
            branch = min(beside(item.id, near, chain))
            widths[branch] = max(widths.get(branch, 0.0), item.width + BESIDE)
    return sum(sorted(widths.values())[-2:])


def beside(name: str, near: Mapping[str, set[str]], chain: Collection[str]) -> set[str]:
    """The items off the main chain that hang together with one."""
    seen, stack = {name}, [name]
    while stack:
        for other in near[stack.pop()]:
            if other not in chain and other not in seen:
                seen.add(other)
                stack.append(other)
    return seen


def _gaps(panel: Panel) -> dict[str, float]:
    """The distance of an item from the one beside it in a row of the panel; heads of columns are left out."""
    heads = {item.id for item in panel.items if isinstance(item, Link)}
    return {name: BESIDE * apart(row) for row in panel.rows for name in row[1:] if name not in heads}


def _parts(
    row: Sequence[Item], passing: Sequence[Edge], chain: Collection[str], gaps: Mapping[str, float]
) -> tuple[float, float, float]:
    """Of a row: how wide it is at the left of the chain, on it (or in columns), at the right."""
    left = middle = right = 0.0
    for item in row:
        if item.id in chain or item.id in gaps:
            middle += item.width + (gaps.get(item.id, BESIDE) if middle else 0)
        elif isinstance(item, Passage) or (isinstance(item, Card) and item.is_aside):
            right += item.width + BESIDE
        else:
            left += item.width + BESIDE
    for edge in passing:
        if edge.kind == "skip":
            right += BESIDE
        elif edge.tail not in chain:
            left += BESIDE
    return left, middle, right


def ranks(panel: Panel) -> dict[str, int]:
    """The row of each item: the longest way down to it; items side by side share the lower one's."""
    below: dict[str, list[str]] = {item.id: [] for item in panel.items}
    for edge in panel.edges:
        if not edge.is_flat and edge.tail != edge.head:
            above, under = _downward(edge)
            below[above].append(under)
    order = _from_above(below)
    found = dict.fromkeys(below, 0)
    is_settled = False
    while not is_settled:
        for name in order:
            for under in below[name]:
                found[under] = max(found[under], found[name] + 1)
        is_settled = all(len({found[name] for name in row}) == 1 for row in panel.rows)
        for row in panel.rows:
            found |= dict.fromkeys(row, max(found[name] for name in row))
    fed = {under for others in below.values() for under in others}
    for name, others in below.items():
        if others and name not in fed:
            found[name] = min(found[under] for under in others) - 1  # an input is next to its reader
    return found


def _from_above(below: Mapping[str, Sequence[str]]) -> list[str]:
    """The items so that each comes before what is below it."""
    waiting = Counter(under for others in below.values() for under in others)
    order = [name for name in below if not waiting[name]]
    for name in order:  # grows as it is read
        for under in below[name]:
            waiting[under] -= 1
            if not waiting[under]:
                order.append(under)
    return order


def _downward(edge: Edge) -> tuple[str, str]:
    return (edge.head, edge.tail) if edge.is_upward else (edge.tail, edge.head)
