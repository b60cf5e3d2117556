"""The plan of a figure: what is opened, what is beside it, how far the rows are apart, so that it fits a page."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from archdsl.diagnostics.diagrams import NoSuchModule
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.emit.diagram.caption import caption
from archdsl.emit.diagram.caption import height as foot_height
from archdsl.emit.diagram.figure import GAP, PAD, Card, Figure, Foot, Fork, Item, Panel
from archdsl.emit.diagram.insets import Opened, inset, titles, worth_opening
from archdsl.emit.diagram.outline import Group, Network, groups_of
from archdsl.emit.diagram.panel import Composer
from archdsl.emit.diagram.parallel import gather
from archdsl.emit.diagram.shapes import in_columns, shortened
from archdsl.emit.diagram.sketch import Sketch, Unit
from archdsl.emit.diagram.space import Space, space
from archdsl.emit.diagram.style import WIDEST, Style
from archdsl.emit.diagram.text import SMALL
from archdsl.emit.diagram.views import to_depth, widest_view
from archdsl.errors import SpecError
from archdsl.graph import Graph

SMALLEST = 6.0
"""Points of the smallest text in any figure."""
FOOT_ROOM = 57.0
"""Of a page's height, for a caption of some lines."""
SLACK = 0.93
"""Of the figure's width, for the caption: renderers measure it with other fonts."""
CLOSE_GAP, LEAST_GAP = 11.0, 9.0
"""Between rows: for a view that opens more of a network, and the least on a full page."""
BETWEEN = 16.0
"""Between panels."""
SLACK_TEXT = 0.96
"""Of the enlargement of a page, since the widths of panels are estimates."""
HEIGHT_SLACK = 10.0
"""How much higher than planned a figure may turn out."""
LEAST_WIDTH = 200.0
"""No caption is set narrower."""
NARROWEST = 130.0
"""The widest that a card may be on the narrowest page."""
ENDLESS = 14_400.0
"""Points of the highest image that other programs read."""
LOOSE = 1.25
"""By how much the width of a panel with side branches may be estimated too large."""
MOST_COLUMNS = 24
MOST_PAGES = 2.5
"""How far a figure may exceed the page before its middle is left out."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Page:
    """The room of a figure in points; by default the margins of A4 leave it (523 × 770, a little less)."""

    width: float = 523.0
    height: float = 760.0
    smallest: float = SMALLEST
    """Height of the smallest text in a figure that is scaled down to fit."""

    def enlarged(self) -> Page:
        """The page on which a figure may be planned that is scaled down until its smallest text is `smallest`."""
        factor = max(1.0, SLACK_TEXT * SMALL / self.smallest)
        return Page(self.width * factor, self.height * factor, SMALL)

    @property
    def card(self) -> float:
        """The widest that a card is, if its title allows: there is room beside it for a shortcut."""
        return min(WIDEST, max(0.42 * self.across, NARROWEST))

    @property
    def across(self) -> float:
        """For panels: less the margin."""
        return self.width - 2 * PAD

    @property
    def down(self) -> float:
        """For panels: less the margin and a caption."""
        return self.height - 2 * PAD - FOOT_ROOM


A4 = Page()
WITH_ALL = Foot()


@dataclass(frozen=True)
class Choice:
    """What a user asks a figure to show.

    ``opened`` are paths of modules, or names of blocks, that are shown from within in insets in place of those that
    would be chosen; ``closed`` are paths of modules that are one card. ``depth`` is how many levels of the module tree
    are shown, whatever room that takes.
    """

    opened: Sequence[str] = ()
    closed: Collection[str] = ()
    depth: int | None = None
    foot: Foot = WITH_ALL
    page: Page = A4


AUTOMATIC = Choice()


def plan(graph: Graph, choice: Choice = AUTOMATIC) -> Figure:
    """The figure of a network.

    Raises:
        SpecError: there is no module of such a path, or nothing in it.
    """
    network = Network(graph)
    groups = _openable(network)
    wrong = [
        *_missing(graph, choice.opened, groups, "opened"),
        *_missing(graph, choice.closed, [g.path for g in groups.values()], "folded"),
    ]
    if wrong:
        raise SpecError(wrong)
    opened = [groups[path] for path in choice.opened]
    natural, enlarged = (Planner(network, choice, page) for page in (choice.page, choice.page.enlarged()))
    found = natural.figure(opened)
    if found is None or (len(found.panels) == 1 and any(_is_repeated(item) for item in found.items())):
        found = enlarged.figure(opened) or found
    return found or enlarged.oversized_figure(opened)


def _is_repeated(item: Item) -> bool:
    """Is it a folded block that a reader would like to see opened?"""
    return isinstance(item, Card) and item.is_folded


def _openable(network: Network) -> dict[str, Group]:
    """The groups that can be opened, by path; by the name of a block, its first run."""
    groups = [g for g in groups_of(network.parts) if g.path is not None]
    by_block = {g.block: g for g in reversed(groups) if g.block is not None}
    return {**by_block, **{g.path: g for g in reversed(groups) if g.path is not None}}


def _missing(graph: Graph, paths: Collection[str], groups: Collection[str | None], done: str) -> Iterator[NoSuchModule]:
    for path in paths:
        if path not in groups:
            known = [name for name in groups if name]
            listed = ", ".join(sorted(known)[:8])
            advice = did_you_mean(path, known) or (f"its modules are {listed}, …" if listed else "it has none")
            yield NoSuchModule(model=graph.name, path=path, done=done, advice=advice)


class Planner:
    """Plans the figure of a network for a page."""

    def __init__(self, network: Network, choice: Choice, page: Page) -> None:
        self.network = network
        self.choice = choice
        self.page = page
        self.style: Style = Style(network, widest=page.card)

    def figure(self, opened: Sequence[Group]) -> Figure | None:
        """The figure, in columns where it would be too high; None where it does not fit the page."""
        main, insets = self._content(opened)
        if self.choice.depth is not None:
            return self._in_full(main, insets[: len(opened)])
        for columns, count in _arrangements(len(insets), len(opened)):
            panels = self._panels(main, insets[:count])
            first = in_columns(panels[0], columns) if columns > 1 else panels[0]
            if first is not None and (side := self._side([first, *panels[1:]])):
                page = self.choice.page
                return self._put_together([first, *panels[1:]], side, page.width, page.height + HEIGHT_SLACK)
        return None

    def oversized_figure(self, opened: Sequence[Group]) -> Figure:
        """The figure beyond the page; of a very long one, a card represents the middle of the main chain."""
        main, insets = self._content(opened)
        panels = self._panels(main, insets[: len(opened)])
        room = space(panels[0])
        if room.width > MOST_PAGES * self.page.across or room.height(LEAST_GAP) > MOST_PAGES * self.page.down:
            panels[0] = self._within_page(panels[0])
        is_narrow = max(space(panel).width for panel in panels) <= LOOSE * self.page.across
        return self._put_together(panels, 1, self.choice.page.width if is_narrow else None, ENDLESS)

    def _in_full(self, main: Sketch, insets: Sequence[Opened]) -> Figure:
        """All that was asked for, in as many columns as the page's height demands."""
        panels = self._panels(main, insets)
        first = panels[0]
        for columns in range(2, MOST_COLUMNS):
            wider = in_columns(panels[0], columns)
            if wider is None or space(first).height(LEAST_GAP) <= self.page.down:
                break
            first = wider
        return self._put_together([first, *panels[1:]], 2, None)

    # ---- what is shown ----

    def _content(self, opened: Sequence[Group]) -> tuple[Sketch, list[Opened]]:
        main = self._main()
        if opened:
            return main, [Opened(self.network, g, _card_of(main, g), self.choice.closed) for g in opened]
        return main, worth_opening(self.network, main, self.choice.closed)

    def _main(self) -> Sketch:
        network, closed, outputs = self.network, self.choice.closed, self.network.graph.outputs
        if self.choice.depth is not None:
            return Sketch(network, network.parts, to_depth(self.choice.depth, closed), outputs)
        sketch = widest_view(network, closed, self._fits, outputs)
        if self._room(sketch).width > self.page.across:
            gather(sketch)
        return sketch

    def _room(self, sketch: Sketch) -> Space:
        return space(Composer(Style(self.network, widest=self.page.card), sketch).panel())

    def _fits(self, sketch: Sketch) -> bool:
        """Does a panel fit the page, its rows not too close?"""
        room = self._room(sketch)
        return room.width <= self.page.across and room.height(CLOSE_GAP) <= self.page.down

    # ---- putting together ----

    def _panels(self, main: Sketch, insets: Sequence[Opened]) -> list[Panel]:
        self.style.taken.clear()
        letters: dict[Unit, tuple[str, ...]] = {}
        for letter, opened in zip(LETTERS, insets, strict=False):
            letters[opened.unit] = (*letters.get(opened.unit, ()), letter)
        first = Composer(self.style, main).panel(letters)
        named = zip(LETTERS, insets, titles(insets), strict=False)
        opened = [inset(self.style, opened, letter, title, letters) for letter, opened, title in named]
        return [first, *_of_one_width(opened)]

    def _side(self, panels: Sequence[Panel]) -> int:
        """2 where the insets fit beside the main panel, 1 where they fit below it, 0 where they do not fit."""
        first, *rest = map(space, panels)
        page = self.page
        if first.width > page.across or first.height(LEAST_GAP) > page.down:
            return 0
        across, down = max((s.width for s in rest), default=-BETWEEN), _stacked(rest, LEAST_GAP)
        if first.width + BETWEEN + across <= page.across and down <= page.down:
            return 2
        return int(across <= page.across and first.height(LEAST_GAP) + BETWEEN + down <= page.down)

    def _within_page(self, panel: Panel) -> Panel:
        """The panel with as little left out of its middle as the page demands."""

        def fits(count: int) -> bool:
            return space(shortened(panel, count)).height(LEAST_GAP) <= self.page.down

        kept = range(len(panel.chain), 4, -1)
        found = bisect_left(kept, True, key=fits)
        return shortened(panel, kept[found]) if found < len(kept) else panel

    def _put_together(
        self, panels: Sequence[Panel], columns: int, width: float | None, height: float = ENDLESS
    ) -> Figure:
        """The figure, scaled down where it is larger than ``width`` and ``height``, if a width is given."""
        spaces = [space(panel) for panel in panels]
        widths = [spaces[0].width, max((s.width for s in spaces[1:]), default=0.0)]
        across = sum(widths) + (BETWEEN if len(panels) > 1 else 0) if columns == 2 else max(widths)
        foot = caption(self.style, panels, columns, max(across * SLACK, LEAST_WIDTH), self.choice.foot)
        room = self.page.height - 2 * PAD - foot_height(foot, len(panels))
        gap = _gap(spaces, columns, room)
        size = (width, height) if width is not None else None
        return Figure(self.network.graph.name, tuple(panels), foot, gap, columns, size)


def _card_of(main: Sketch, group: Group) -> Unit:
    """The card of the main panel in which a group is folded, or a card of its own."""
    nodes = set(group.nodes)
    found = (u for u in main.units if u.groups and nodes <= set(u.nodes))
    return next(found, Unit("block", group.path or "", groups=(group,)))


def _arrangements(insets: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Columns of the main panel and number of insets, the best first."""
    yield from ((1, count) for count in range(insets, max(wanted, 1) - 1, -1))
    yield from ((2, count) for count in range(insets, max(wanted, 1) - 1, -1))
    if not wanted:
        yield from ((columns, 0) for columns in (1, 2, 3))


def _of_one_width(panels: Sequence[Panel]) -> list[Panel]:
    """Insets are above each other: their main chains' cards are as wide as the widest."""
    main = {p.id: [i for i in p.items if isinstance(i, Card) and i.id in p.chain] for p in panels}
    if any(isinstance(item, Fork) for panel in panels for item in panel.items):
        return list(panels)
    widest = max((card.width for cards in main.values() for card in cards), default=0.0)
    return [_widened(panel, {card.id for card in main[panel.id]}, widest) for panel in panels]


def _widened(panel: Panel, names: Collection[str], width: float) -> Panel:
    items = (replace(i, width=width) if isinstance(i, Card) and i.id in names else i for i in panel.items)
    return replace(panel, items=tuple(items))


def _stacked(spaces: Sequence[Space], gap: float) -> float:
    return sum(s.height(gap) for s in spaces) + gap * (len(spaces) - 1)


def _gap(spaces: Sequence[Space], columns: int, room: float) -> float:
    """As far apart as looks best, as close as the room demands."""
    gap = GAP
    stacks = [spaces[:1], spaces[1:]] if columns == 2 else [spaces]
    for stack in stacks:
        gaps = sum(len(s.rows) for s in stack) - 1
        if gaps > 0 and _stacked(stack, LEAST_GAP) <= room:
            gap = min(gap, (room - _stacked(stack, 0)) // gaps)
    return gap
