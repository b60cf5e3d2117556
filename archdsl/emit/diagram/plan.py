"""The plan of a figure: what is opened, what stands beside it, how far the rows are apart, so that it fits a page."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from archdsl.diagnostics.diagrams import NoSuchModule
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.emit.diagram.caption import caption, height
from archdsl.emit.diagram.figure import GAP, LOOP_GAP, PAD, Card, Figure, Fork, Panel
from archdsl.emit.diagram.insets import Opened, inset, titles, worth_opening
from archdsl.emit.diagram.outline import Group, Network, groups_of
from archdsl.emit.diagram.panel import Composer
from archdsl.emit.diagram.parallel import gather
from archdsl.emit.diagram.shapes import in_columns, shortened
from archdsl.emit.diagram.sketch import Sketch, Unit
from archdsl.emit.diagram.space import Space, has_neighbouring_loops, space
from archdsl.emit.diagram.style import Style
from archdsl.emit.diagram.views import to_depth, widest_view
from archdsl.errors import SpecError
from archdsl.graph import Graph

PAGE_WIDTH, PAGE_HEIGHT = 523.0, 760.0
"""What the margins of A4 leave (523 × 770), a little less: heights are estimates."""
ROOM_WIDTH, ROOM_HEIGHT = PAGE_WIDTH - 2 * PAD, PAGE_HEIGHT - 2 * PAD - 57
"""Of that, for panels: less the margin, and less a caption of some lines."""
SLACK = 0.93
"""Of the figure's width, for the caption: renderers measure it with other fonts."""
CLOSE_GAP, LEAST_GAP = 11.0, 9.0
"""Between rows: what is worth seeing more of a network, and what a short page may demand."""
BETWEEN = 16.0
"""Between panels."""
LEAST_WIDTH = 200.0
"""No caption is set narrower."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def plan(graph: Graph, opened: Sequence[str] = (), closed: Collection[str] = (), depth: int | None = None) -> Figure:
    """The figure of a network.

    Args:
        opened: paths of modules that are shown from within, in insets, in place of those that would be chosen.
        closed: paths of modules that are shown as one card.
        depth: how many levels of the module tree are shown, whatever room that takes.

    Raises:
        SpecError: there is no module of such a path, or nothing in it.
    """
    network = Network(graph)
    groups = {g.path: g for g in reversed(list(groups_of(network.parts))) if g.path is not None}
    wrong = [*_missing(graph, opened, groups, "opened"), *_missing(graph, closed, groups, "folded")]
    if wrong:
        raise SpecError(wrong)
    main = _main(network, closed, depth)
    if opened:
        insets = [Opened(network, groups[path], _card_of(main, groups[path]), closed) for path in opened]
    else:
        insets = worth_opening(network, main, closed)
    return _assemble(Style(network), main, insets, wanted=len(opened), is_whole=depth is not None)


def _missing(graph: Graph, paths: Collection[str], groups: Collection[str], done: str) -> Iterator[NoSuchModule]:
    for path in paths:
        if path not in groups:
            listed = ", ".join(sorted(g for g in groups if g)[:8])
            advice = did_you_mean(path, groups) or (f"its parts are {listed}, …" if listed else "it has none")
            yield NoSuchModule(model=graph.name, path=path, done=done, advice=advice)


def _main(network: Network, closed: Collection[str], depth: int | None) -> Sketch:
    outputs = network.graph.outputs
    if depth is not None:
        return Sketch(network, network.parts, to_depth(depth, closed), outputs)
    sketch = widest_view(network, closed, lambda view: _fits(_room(network, view)), outputs)
    if _room(network, sketch).width > ROOM_WIDTH:
        gather(sketch)
    return sketch


def _room(network: Network, sketch: Sketch) -> Space:
    return space(Composer(Style(network), sketch).panel())


def _fits(room: Space) -> bool:
    """Does a panel fit the page, its rows not too close?"""
    return room.width <= ROOM_WIDTH and room.height(CLOSE_GAP) <= ROOM_HEIGHT


def _card_of(main: Sketch, group: Group) -> Unit:
    """The card of the main panel in which a group is folded, or a card of its own."""
    nodes = set(group.nodes)
    found = (u for u in main.units if u.groups and nodes <= set(u.nodes))
    return next(found, Unit("block", group.path or "", groups=(group,)))


# ---- putting together --------------------------------------------------------------------------------------


def _assemble(style: Style, main: Sketch, insets: Sequence[Opened], wanted: int, is_whole: bool) -> Figure:
    """The main panel and as many insets as fit, ``wanted`` at least; in columns, where it would be too high.

    Where nothing fits, the middle of the main chain is left out and a card there says so, unless the whole was asked
    for (``is_whole``).
    """
    for columns, count in _arrangements(len(insets), wanted):
        panels = _panels(style, main, insets[:count])
        first = in_columns(panels[0], columns) if columns > 1 else panels[0]
        if first is not None and (side := _side([first, *panels[1:]])):
            return _figure(style, [first, *panels[1:]], side)
    panels = _panels(style, main, insets[:wanted])
    return _figure(style, panels if is_whole else [_within_page(panels[0]), *panels[1:]], 2)


def _arrangements(insets: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Columns of the main panel and number of insets, the best first."""
    yield from ((1, count) for count in range(insets, max(wanted, 1) - 1, -1))
    yield from ((2, count) for count in range(insets, max(wanted, 1) - 1, -1))
    if not wanted:
        yield from ((columns, 0) for columns in (1, 2, 3))


def _within_page(panel: Panel) -> Panel:
    """The panel with as little left out of its middle as the page demands."""
    kept = range(len(panel.chain), 4, -1)
    found = bisect_left(kept, True, key=lambda count: space(shortened(panel, count)).height(LEAST_GAP) <= ROOM_HEIGHT)
    return shortened(panel, kept[found]) if found < len(kept) else panel


def _panels(style: Style, main: Sketch, insets: Sequence[Opened]) -> list[Panel]:
    style.taken.clear()
    letters: dict[Unit, tuple[str, ...]] = {}
    for letter, opened in zip(LETTERS, insets, strict=False):
        letters[opened.unit] = (*letters.get(opened.unit, ()), letter)
    first = Composer(style, main).panel(letters)
    named = zip(LETTERS, insets, titles(insets), strict=False)
    return [first, *_of_one_width([inset(style, opened, letter, title, letters) for letter, opened, title in named])]


def _of_one_width(panels: Sequence[Panel]) -> list[Panel]:
    """Insets stand above each other: their main chains' cards are as wide as the widest."""
    main = {p.id: [i for i in p.items if isinstance(i, Card) and i.id in p.chain] for p in panels}
    if any(isinstance(item, Fork) for panel in panels for item in panel.items):
        return list(panels)
    widest = max((card.width for cards in main.values() for card in cards), default=0.0)
    return [_widened(panel, {card.id for card in main[panel.id]}, widest) for panel in panels]


def _widened(panel: Panel, names: Collection[str], width: float) -> Panel:
    items = (replace(i, width=width) if isinstance(i, Card) and i.id in names else i for i in panel.items)
    return replace(panel, items=tuple(items))


def _side(panels: Sequence[Panel]) -> int:
    """2 where the insets fit beside the main panel, 1 where they fit below it, 0 where they do not fit."""
    first, *rest = map(space, panels)
    page = ROOM_HEIGHT
    if first.width > ROOM_WIDTH or first.height(LEAST_GAP) > page:
        return 0
    across, down = max((s.width for s in rest), default=-BETWEEN), _stacked(rest, LEAST_GAP)
    if first.width + BETWEEN + across <= ROOM_WIDTH and down <= page:
        return 2
    return int(across <= ROOM_WIDTH and first.height(LEAST_GAP) + BETWEEN + down <= page)


def _stacked(spaces: Sequence[Space], gap: float) -> float:
    return sum(s.height(gap) for s in spaces) + gap * (len(spaces) - 1)


def _figure(style: Style, panels: Sequence[Panel], columns: int) -> Figure:
    spaces = [space(panel) for panel in panels]
    widths = [spaces[0].width, max((s.width for s in spaces[1:]), default=0.0)]
    across = sum(widths) + (BETWEEN if len(panels) > 1 else 0) if columns == 2 else max(widths)
    foot = caption(style, panels, columns, max(across * SLACK, LEAST_WIDTH))
    page = PAGE_HEIGHT - 2 * PAD - height(foot, len(panels))
    return Figure(style.network.graph.name, tuple(panels), foot, _gap(panels, spaces, columns, page), columns)


def _gap(panels: Sequence[Panel], spaces: Sequence[Space], columns: int, page: float) -> float:
    """As far apart as looks best, as close as the page demands."""
    gap = LOOP_GAP if any(has_neighbouring_loops(panel) for panel in panels) else GAP
    stacks = [spaces[:1], spaces[1:]] if columns == 2 else [spaces]
    for stack in stacks:
        gaps = sum(len(s.rows) for s in stack) - 1
        if gaps > 0 and _stacked(stack, LEAST_GAP) <= page:
            gap = min(gap, (page - _stacked(stack, 0)) // gaps)
    return gap
