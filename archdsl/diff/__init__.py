"""The difference of two networks: edits at their places, what they do, and which checkpoints still load.

The passes, each a function that can be called alone: `parts` (a graph as a tree), `equal` (the proof of no difference),
`align` (which part is which), `edits` and `gather` (what changed), `interface`, `effects`, `checkpoint`.
"""

from __future__ import annotations

from archdsl.diff.align import align
from archdsl.diff.checkpoint import Checkpoint, checkpoint
from archdsl.diff.edits import Edit, edits
from archdsl.diff.effects import Effects, effects
from archdsl.diff.equal import form
from archdsl.diff.gather import Change, gathered
from archdsl.diff.interface import InterfaceChange, interface_changes
from archdsl.diff.parts import Numbers, Reader, runs_of
from archdsl.diff.reading import Wires
from archdsl.dims import Size, symbol
from archdsl.dims.evaluate import symbols
from archdsl.graph import Graph
from archdsl.record import record

__all__ = ["Change", "Checkpoint", "Difference", "diff"]


@record
class Difference:
    """How the second network differs from the first. ``is_equal`` is proved: the graphs are the same."""

    is_equal: bool
    changes: tuple[Change, ...]
    interface: tuple[InterfaceChange, ...]
    effects: Effects
    checkpoint: Checkpoint


def diff(before: Graph, after: Graph) -> Difference:
    """The difference of two networks."""
    numbers = Numbers()
    readers = Reader(before, numbers, {}), Reader(after, numbers, _renamed(before, after))
    roots = readers[0].root(), readers[1].root()
    is_equal = form(readers[0], numbers) == form(readers[1], numbers)
    pairs = align(*roots)
    interface = interface_changes(before, after)
    found = [] if is_equal else edits(*roots, pairs, Wires((before, after), roots, pairs))
    if not (is_equal or found or interface):
        found = [Edit("reordered", "", "", "weights or random layers")]
    changes = gathered(found, pairs, runs_of(roots[1]))
    return Difference(
        is_equal, changes, interface, effects(readers, roots, pairs, changes), checkpoint(before, after, pairs)
    )


def _renamed(before: Graph, after: Graph) -> dict[str, Size]:
    """New names of the second network's symbolic sizes: those that inputs have at the same places in the first."""
    found: dict[str, Size] = {}
    for x, y in zip(before.inputs, after.inputs, strict=False):
        for old, new in zip(x.value.shape, y.value.shape, strict=False):
            for one, other in zip(_symbol(old), _symbol(new), strict=False):
                if one != other:
                    found.setdefault(other, symbol(one))
    return found


def _symbol(size: Size) -> list[str]:
    """The symbol that a size is; none if it is a number or a formula."""
    names = symbols(size)
    return [name for name in names if size == symbol(name)]
