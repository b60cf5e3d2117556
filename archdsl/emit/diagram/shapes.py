"""Other shapes of a panel than one straight column: a U, several columns, a column with its middle left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from archdsl.emit.diagram.card import least_width
from archdsl.emit.diagram.figure import ADDS, LANE, Card, Edge, Item, Link, Panel, Passage
from archdsl.emit.diagram.sizes import count_text
from archdsl.emit.diagram.space import beside, ranks

# ---- a U ---------------------------------------------------------------------------------------------------


def bends(panel: Panel) -> list[tuple[str, str, str]]:
    """The shortcuts of a panel that is a U: from where, over what, to where. Empty where it is none.

    They are nested in each other, the outermost first. What each leads over is its passage, or one card (a crop).
    """
    place = {name: number for number, name in enumerate(panel.chain)}
    beside = [item.id for item in panel.items if item.id not in place]
    comes = {e.head: e.tail for e in panel.edges if e.tail in place}
    goes = {e.tail: e.head for e in panel.edges if e.head in place}
    joined = Counter(end for edge in panel.edges for end in (edge.tail, edge.head))
    if not all(joined[name] == 2 and name in comes and name in goes for name in beside):
        return []
    skips = sorted(((comes[name], name, goes[name]) for name in beside), key=lambda skip: place[skip[0]])
    nested = all(place[a] < place[c] < place[d] < place[b] for (a, _, b), (c, _, d) in pairwise(skips))
    return skips if len(skips) > 1 and nested else []


def u_shaped(panel: Panel, turn: str) -> Panel:
    """The way down at the left, the way up at the right, each shortcut straight across; it turns before ``turn``.

    What follows the layer that narrows the map for the last time is the bottom: it is drawn below both, in the middle.
    """
    beside = {item.id: _across(item) for item in panel.items if item.id not in panel.chain}
    rows = [tuple(name for name in skip if beside.get(name, name)) for skip in bends(panel)]
    place = {name: number for number, name in enumerate(panel.chain)}
    up = place[turn]
    bottom = range(min(place[rows[-1][0]] + 2, up), up)
    edges = []
    for edge in panel.edges:
        if edge.tail in beside or edge.head in beside:
            continue
        head = place[edge.head]
        is_turning = head in (bottom.start, up)
        edges.append(replace(edge, is_upward=head >= up, weight=1 if is_turning else edge.weight))
    flat = [Edge(tail, head, "skip", is_flat=True) for row in rows for tail, head in pairwise(row)]
    items = (beside.get(item.id, item) for item in panel.items)
    return replace(panel, items=tuple(filter(None, items)), edges=(*edges, *flat), rows=tuple(rows))


def _across(item: Item) -> Item | None:
    """What a shortcut leads over, where it is straight: a word is not needed, and a layer's name is enough."""
    if isinstance(item, Passage):
        return None
    if not isinstance(item, Card) or item.is_folded:
        return item
    named = replace(item, is_aside=True)
    return replace(named, width=max(LANE, least_width(named)))


# ---- lines without a word -------------------------------------------------------------------------------------


def straightened(panel: Panel) -> Panel:
    """The panel with one plain line in place of each passage without a word: it passes a value on to another use."""
    comes = {edge.head: edge for edge in panel.edges}
    silent = {item.id for item in panel.items if isinstance(item, Passage) and not item.text}
    edges = (
        replace(e, tail=comes[e.tail].tail, kind="flow") if e.tail in silent else e
        for e in panel.edges
        if e.head not in silent
    )
    return replace(panel, items=tuple(i for i in panel.items if i.id not in silent), edges=tuple(edges))


# ---- columns -----------------------------------------------------------------------------------------------


def cuts(panel: Panel) -> list[int]:
    """Places on the main chain after which nothing but the chain goes on, from an item that feeds nothing else."""
    place = {name: number for number, name in enumerate(panel.chain)}
    fed = Counter(edge.tail for edge in panel.edges if edge.tail != edge.head)
    covered = [0] * (len(panel.chain) + 1)
    for first, last in _spans(panel, place):
        covered[first] += 1
        covered[last] -= 1
    found, open_spans = [], 0
    for number, name in enumerate(panel.chain[:-1]):
        open_spans += covered[number]
        if not open_spans and fed[name] == 1:
            found.append(number)
    return found


def _spans(panel: Panel, place: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Pieces of the main chain that something beside it ties together: their first and last places."""
    near: dict[str, set[str]] = {item.id: set() for item in panel.items}
    for edge in panel.edges:
        near[edge.tail].add(edge.head)
        near[edge.head].add(edge.tail)
        ends = place.get(edge.tail), place.get(edge.head)
        if ends[0] is not None and ends[1] is not None and ends[1] > ends[0] + 1:
            yield ends[0], ends[1]
    seen: set[str] = set()
    for item in panel.items:
        if item.id not in place and item.id not in seen:
            branch = beside(item.id, near, place)
            seen |= branch
            held = [place[other] for name in branch for other in near[name] if other in place]
            yield min(held, default=0), max(held, default=0)


def in_columns(panel: Panel, count: int) -> Panel | None:
    """The panel in columns of about the same height; None where it cannot be cut so often."""
    heights = _running_heights(panel)
    chosen: list[int] = []
    for number in range(1, count):
        wished = heights[-1] * number / count
        left = [cut for cut in cuts(panel) if not chosen or cut > chosen[-1]]
        if not left:
            return None
        chosen.append(min(left, key=lambda cut: abs(heights[cut] - wished)))
    return _cut(panel, chosen)


def _running_heights(panel: Panel) -> list[float]:
    heights = {item.id: item.height + 12 for item in panel.items}
    running, total = [], 0.0
    for name in panel.chain:
        total += heights[name]
        running.append(total)
    return running


def _cut(panel: Panel, places: Sequence[int]) -> Panel:
    items: list[Item] = list(panel.items)
    edges = list(panel.edges)
    rows: list[tuple[str, str]] = []
    top = panel.chain[0]
    for number, place in enumerate(places, 1):
        above, below = panel.chain[place], panel.chain[place + 1]
        goes, comes = Link(f"to-{number}", number), Link(f"from-{number}", number)
        items += [goes, comes]
        whole = next(e for e in edges if (e.tail, e.head) == (above, below))
        edges.remove(whole)
        edges += [replace(whole, head=goes.id), replace(whole, tail=comes.id)]
        rows.append((top, comes.id))
        top = comes.id
    return replace(panel, items=tuple(items), edges=tuple(edges), rows=(*panel.rows, *rows))


# ---- untying -----------------------------------------------------------------------------------------------

MOST_LINES = 1000
"""Rows that the lines of a panel may pass, all together. More of them are neither read nor laid out in good time."""
FAR = 3


def untied(panel: Panel) -> Panel:
    """Where lines pass too many rows, shortcuts that come from far only name their origin."""
    rank = ranks(panel)
    if sum(abs(rank[e.head] - rank[e.tail]) for e in panel.edges) <= MOST_LINES:
        return panel
    names = {item.id: item.title if isinstance(item, Card) else item.id for item in panel.items}
    passages = {item.id for item in panel.items if isinstance(item, Passage)}
    ends = {edge.tail: edge.head for edge in panel.edges if edge.tail in passages}
    cut = [e for e in panel.edges if e.head in passages and rank[ends[e.head]] - rank[e.tail] > FAR]
    texts = {edge.head: f"from {names[edge.tail]}" for edge in cut}
    items = (replace(i, text=texts[i.id]) if isinstance(i, Passage) and i.id in texts else i for i in panel.items)
    return replace(panel, items=tuple(items), edges=tuple(e for e in panel.edges if e.head not in texts))


# ---- leaving out -------------------------------------------------------------------------------------------


def shortened(panel: Panel, kept: int) -> Panel:
    """The panel with one card for the middle of its main chain, so that about ``kept`` cards of it are left."""
    places = cuts(panel)
    first = next((c for c in places if c >= kept // 2), None)
    last = next((c for c in reversed(places) if c < len(panel.chain) - kept // 2), None)
    if first is None or last is None or last <= first + 1:
        return panel
    middle = panel.chain[first + 1 : last + 1]
    gone = _hanging_on(panel, middle)
    card = _summary([item for item in panel.items if item.id in gone], panel, middle)
    items = [card if item.id == card.id else item for item in panel.items if item.id not in gone or item.id == card.id]
    new = dict.fromkeys(gone, card.id)
    edges = [
        replace(e, tail=new.get(e.tail, e.tail), head=new.get(e.head, e.head))
        for e in panel.edges
        if not (e.tail in gone and e.head in gone)
    ]
    chain = (*panel.chain[: first + 1], card.id, *panel.chain[last + 1 :])
    rows = tuple(row for row in panel.rows if gone.isdisjoint(row))
    return replace(panel, items=tuple(items), edges=tuple(edges), chain=chain, rows=rows)


def _hanging_on(panel: Panel, names: Sequence[str]) -> set[str]:
    """Some of the chain's items, with the items beside them."""
    chain = dict.fromkeys(panel.chain, 0)
    near: dict[str, set[str]] = {item.id: set() for item in panel.items}
    for edge in panel.edges:
        near[edge.tail].add(edge.head)
        near[edge.head].add(edge.tail)
    found = set(names)
    for name in names:
        for other in near[name]:
            if other not in chain and other not in found:
                found |= beside(other, near, chain)
    return found


def _summary(items: Sequence[Item], panel: Panel, middle: Sequence[str]) -> Card:
    """One folded card for many items."""
    cards = {item.id: item for item in items if isinstance(item, Card)}
    named = [name for name in middle if name in cards]
    params = sum((p for item in items if (p := getattr(item, "params", 0))), start=0)
    residuals = sum(getattr(item, "residuals", 0) for item in items)
    return Card(
        id=middle[0], kind="block", title=f"{sum(card.count for card in cards.values()):,} more",
        details=(f"{named[0]} to {named[-1]}",) if named else (), params=params, params_text=count_text(params),
        is_folded=True, mark=ADDS if residuals else "", residuals=residuals, tooltip=f"{middle[0]} to {middle[-1]}",
        width=next(i.width for i in panel.items if i.id == panel.chain[0]),
    )  # fmt: skip
