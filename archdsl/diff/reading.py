"""What layers read: whether a layer's inputs come from where they came before."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from archdsl.diff.align import Pairs
from archdsl.diff.parts import Group, Leaf
from archdsl.evaluate.values import Value
from archdsl.graph import Graph
from archdsl.record import record

Sources = frozenset[Hashable]
"""Layers (with the number of the output) and inputs of the first network."""


@record(eq=False)
class Side:
    """One network: the leaf that makes each value, the names of inputs, and each leaf's counterpart in the first."""

    makers: Mapping[Value, tuple[Leaf, int]]
    inputs: Mapping[Value, str]
    first: Mapping[Leaf, Leaf]

    @classmethod
    def of(cls, graph: Graph, root: Group, first: Mapping[Leaf, Leaf], names: Mapping[str, str]) -> Side:
        """``names`` gives the names that inputs have in the first network."""
        makers = {value: (leaf, n) for leaf in root.leaves for n, value in enumerate(leaf.node.outputs)}
        return cls(makers, {i.value: names.get(i.name, i.name) for i in graph.inputs}, first)

    def sources(self, value: Value, passed: frozenset[Leaf], found: dict[Value, Sources]) -> Sources:
        """The paired layers from which a value comes, through layers without a pair and those to be ``passed``."""
        stack = [value]
        while stack:
            current = stack[-1]
            direct = self._direct(current, passed)
            if direct is not None:
                found[current] = direct
            else:
                inputs = self.makers[current][0].node.inputs
                waiting = [v for v in inputs if v not in found]
                if waiting:
                    stack += waiting
                    continue
                found[current] = frozenset[Hashable]().union(*(found[v] for v in inputs))
            stack.pop()
        return found[value]

    def _direct(self, value: Value, passed: frozenset[Leaf]) -> Sources | None:
        if value in self.inputs:
            return frozenset({("input", self.inputs[value])})
        maker, place = self.makers.get(value, (None, 0))
        if maker is None:
            return frozenset()
        if maker in self.first and maker not in passed:
            return frozenset({(self.first[maker], place)})
        return None


class Wires:
    """The connections of two networks whose layers are paired."""

    def __init__(self, graphs: tuple[Graph, Graph], roots: tuple[Group, Group], pairs: Pairs) -> None:
        leaves = pairs.leaves()
        names = _input_names(*graphs)
        self.before = Side.of(graphs[0], roots[0], {x: x for x, _ in leaves}, {})
        self.after = Side.of(graphs[1], roots[1], {y: x for x, y in leaves}, names)
        self._old = {y: x for x, y in leaves}
        self._found: dict[frozenset[Leaf], tuple[dict[Value, Sources], dict[Value, Sources]]] = {}

    def rewired(self, before: Leaf, after: Leaf, passed: frozenset[Leaf]) -> tuple[str, str] | None:
        """What a layer reads in each network, in words, if it reads something else; None if it does not."""
        if passed not in self._found:
            self._found[passed] = {}, {}
        ours, theirs = self._found[passed]
        old = frozenset(self._old[leaf] for leaf in passed)
        reads = [self.before.sources(v, old, ours) for v in before.node.inputs]
        now = [self.after.sources(v, passed, theirs) for v in after.node.inputs]
        if len(reads) == len(now):
            is_same = all(x & y or not (x or y) for x, y in zip(reads, now, strict=True))
        else:
            is_same = self._differs_by_unpaired(before, after, reads, now)
        return None if is_same else (_names(reads, before.scope), _names(now, after.scope))

    def _differs_by_unpaired(self, before: Leaf, after: Leaf, reads: list[Sources], now: list[Sources]) -> bool:
        """Whether what is only on one side comes from layers without a pair there."""
        ours = [self._is_unpaired(v, self.before) for v in before.node.inputs]
        theirs = [self._is_unpaired(v, self.after) for v in after.node.inputs]
        kept = [x for x, is_new in zip(reads, ours, strict=True) if not is_new]
        left = [y for y, is_new in zip(now, theirs, strict=True) if not is_new]
        return len(kept) == len(left) and all(x & y for x, y in zip(kept, left, strict=True))

    @staticmethod
    def _is_unpaired(value: Value, side: Side) -> bool:
        maker = side.makers.get(value)
        return maker is not None and maker[0] not in side.first

    def direct(self, before: Leaf, after: Leaf) -> tuple[str, str]:
        """The paired layers and inputs that a layer reads first in each network, in words."""
        reads, now = self._direct(before, after)
        return _names(reads, before.scope), _names(now, after.scope)

    def reads_other(self, before: Leaf, after: Leaf) -> bool:
        """Whether the layers that a layer reads directly are others."""
        reads, now = self._direct(before, after)
        return reads != now

    def _direct(self, before: Leaf, after: Leaf) -> tuple[list[Sources], list[Sources]]:
        none = frozenset[Leaf]()
        reads = [self.before.sources(v, none, {}) for v in before.node.inputs]
        return reads, [self.after.sources(v, none, {}) for v in after.node.inputs]


def _input_names(before: Graph, after: Graph) -> dict[str, str]:
    """For inputs of the second network under new names, those of the inputs at their places in the first."""
    ours = [i.name for i in before.inputs]
    theirs = [i.name for i in after.inputs]
    free = [name for name in ours if name not in theirs]
    new = [name for name in theirs if name not in ours]
    return dict(zip(new, free, strict=False))


def _names(sources: list[Sources], scope: str) -> str:
    """The sources in words, those in the same scope by their names in it."""
    return ", ".join(" or ".join(sorted(_name(s, scope) for s in found)) or "nothing" for found in sources)


def _name(source: Hashable, scope: str) -> str:
    match source:
        case ("input", str(name)):
            return name
        case (Leaf() as leaf, _):
            return f"{leaf.scope}.{leaf.name}" if leaf.scope and leaf.scope != scope else leaf.name
        case _:
            raise AssertionError(source)
