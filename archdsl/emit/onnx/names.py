"""Names in an exported model: of the places where operators run, and of whatever else needs one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from archdsl.graph import (
    Branch,
    BranchTaken,
    Event,
    Graph,
    LoopEvent,
    Merged,
    Module,
    Node,
    OpRun,
    OutputEvent,
    ScopeRun,
)
from archdsl.op import Op

Lineage: TypeAlias = tuple[tuple[str, str], ...]
"""Path and kind of each module from the model down: ``("layer1.0", "Bottleneck")``."""


class Unique:
    """Hands out names, each once: ``relu``, ``relu_1``, ``relu_2``."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}

    def __call__(self, wanted: str) -> str:
        name = wanted
        while name in self._taken:
            self._numbers[wanted] = self._numbers.get(wanted, 0) + 1
            name = f"{wanted}_{self._numbers[wanted]}"
        self._taken.add(name)
        return name


class Place(NamedTuple):
    """Where an operator runs.

    ``name`` is unique: the path of the operator's module, or where it has none (a ``relu`` in passing) the path of the
    scope around it and the operator's word. ``lineage`` ends with the operator itself.
    """

    name: str
    lineage: Lineage


class Places:
    """Finds the places of a graph's nodes. Ask for each node once, in the order in which they run."""

    def __init__(self, graph: Graph) -> None:
        self._lineages = dict(_lineages(graph))
        self._around = dict(_within(graph.instance.events, graph.root))
        self._unique = Unique(module.path for module in self._lineages)
        self._met: set[Module] = set()

    def of(self, node: Node) -> Place:
        module = node.module
        if module is None:
            scope = self._around[node]
            wanted = scope.join(node.op.name)
            return Place(self._unique(wanted), (*self._lineages[scope], (wanted, node.op.name)))
        if module in self._met:  # a shared layer runs again
            return Place(self._unique(module.path), self._lineages[module])
        self._met.add(module)
        return Place(module.path, self._lineages[module])


def _lineages(graph: Graph) -> Iterator[tuple[Module, Lineage]]:
    stack: list[tuple[Module, Lineage]] = [(graph.root, (("", graph.name),))]
    while stack:
        module, lineage = stack.pop()
        yield module, lineage
        stack += [(child, (*lineage, (child.path, _kind(child)))) for child in module.children.values()]


def _kind(module: Module) -> str:
    """The operator's word, the block's name, else what sort of scope it is."""
    what = module.what
    if what is None:
        return "list"  # of declared layers
    return what.name if isinstance(what, Op) else what.name or what.kind


def _within(events: Iterable[Event], scope: Module) -> Iterator[tuple[Node, Module]]:
    """Each node that ran, with the module of the scope in which it did."""
    for event in events:
        match event:
            case OpRun(node=node):
                yield node, scope
            case ScopeRun(instance=instance):
                yield from _within(instance.events, instance.module)
            case LoopEvent(turns=turns):
                for turn in turns:
                    yield from _within(turn.events, scope)
            case Merged(events=inner, nodes=nodes):
                yield from _within(inner, scope)
                yield from ((node, scope) for node in nodes)
            case Branch(events=inner) | BranchTaken(events=inner) | OutputEvent(events=inner):
                yield from _within(inner, scope)
