"""Which groups are opened: in the main panel by a page budget, in an inset by a number of items.

Rule 3: everything is opened that fits the page; above that the deepest is folded first. Equal groups in a row stay
folded, whatever room there is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby

from archdsl.emit.diagram.fold import Run, folded
from archdsl.emit.diagram.outline import Group, Merge, Network, Part
from archdsl.emit.diagram.sketch import IsOpen, Sketch, has_merge, is_trivial
from archdsl.graph import GraphOutput

FEW = 7
"""A panel with fewer cards has room for what is in its blocks."""


def openable(network: Network, parts: Sequence[Part], level: int = 0) -> Iterator[tuple[int, Group]]:
    """The groups that may be opened in place, with their depths."""
    for part in folded(network, parts):
        match part:
            case Run(groups=groups):
                for group in groups:
                    is_shown = is_trivial(network, group) or (
                        group.instance is None and (len(groups) == 1 or not has_merge(group))
                    )
                    if not is_shown and len(groups) == 1:
                        yield level, group
                    if is_shown or len(groups) == 1:
                        yield from openable(network, group.parts, level + (not is_shown))
            case Merge():
                for branch in part.branches:
                    yield from openable(network, branch, level)


def repeated(network: Network) -> frozenset[object]:
    """Texts of the blocks that the network runs more than once: they are shown once, in an inset."""
    return frozenset(text for text, runs in network.runs_of.items() if len(runs) > 1 and runs[0].block is not None)


def choice(opened: Collection[Group], closed: Collection[str]) -> IsOpen:
    """Open these groups, never those with these paths."""

    def is_open(group: Group) -> bool | None:
        if group.path in closed:
            return False
        return True if group in opened else None

    return is_open


def to_depth(depth: int, closed: Collection[str]) -> IsOpen:
    """Open all modules above the level ``depth`` of the module tree: the cards are at most that deep."""

    def is_open(group: Group) -> bool | None:
        if group.path in closed:
            return False
        if group.path is None:
            return None
        return group.path.count(".") + 1 < depth or None

    return is_open


def widest_view(
    network: Network, closed: Collection[str], fits: Callable[[Sketch], bool], outputs: Sequence[GraphOutput]
) -> Sketch:
    """The main panel with as much opened as fits; all folded, if nothing does."""
    found = list(openable(network, network.parts))
    often = repeated(network)

    def sketch(opened: Collection[Group]) -> Sketch:
        return Sketch(network, network.parts, choice(opened, closed), outputs)

    for depth in range(1 + max((level for level, _ in found), default=-1), 0, -1):
        opened = {group for level, group in found if level < depth and group.text not in often}
        view = sketch(opened)
        if fits(view):
            return _with_families(network, sketch, opened, found, fits)
    return _with_families(network, sketch, set(), found, fits)


def _with_families(
    network: Network, sketch: Callable[[Collection[Group]], Sketch], opened: set[Group], found: list[tuple[int, Group]],
    fits: Callable[[Sketch], bool],
) -> Sketch:  # fmt: skip
    """Where a view has few cards, the blocks with the fewest nodes are opened as well, all of a kind or none."""
    view = sketch(opened)
    often = repeated(network)
    for family in families([group for _, group in found if group not in opened and group.text not in often]):
        if len(view.units) < FEW:
            wider = sketch(opened | set(family))
            if fits(wider):
                opened |= set(family)
                view = wider
    return view


def families(groups: Sequence[Group]) -> list[list[Group]]:
    """Groups by the text that they run, those with the fewest nodes first."""
    order = {text: number for number, text in enumerate(dict.fromkeys(g.text for g in groups))}
    together = sorted(groups, key=lambda g: order[g.text])
    found = [list(members) for _, members in groupby(together, key=lambda g: order[g.text])]
    return sorted(found, key=lambda family: len(family[0].nodes))


def inner_view(
    network: Network, group: Group, closed: Collection[str], most: int, outputs: Sequence[GraphOutput]
) -> Sketch:
    """The inside of a group, as much of it opened as ``most`` items allow."""
    opened: set[Group] = set()
    view = Sketch(network, group.parts, choice(opened, closed), outputs)
    candidates = [inner for level, inner in openable(network, group.parts) if level == 0]
    while candidates:
        family = families(candidates)[0]
        wider = Sketch(network, group.parts, choice(opened | set(family), closed), outputs)
        if size(wider) <= most:
            opened |= set(family)
            view = wider
            candidates += [i for g in family for level, i in openable(network, g.parts) if level == 0]
        candidates = [c for c in candidates if c not in family]
    return view


def size(sketch: Sketch) -> int:
    """Items of a panel but for what only goes in or out."""
    return sum(unit.kind != "io" for unit in sketch.units)
