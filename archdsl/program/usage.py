"""Where values of a graph are made and read, seen from its instances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archdsl.graph import (
    Event,
    Graph,
    Instance,
    Merged,
    Module,
    Node,
    OpRun,
    ScopeRun,
    TensorDeclared,
    Value,
    flattened,
)


class Usage:
    """Answers for one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._parent: dict[Instance, Instance | None] = {graph.instance: None}
        self._maker: dict[Value, Instance] = {given.value: graph.instance for given in graph.inputs}
        self.producer: dict[Value, Node] = {}
        self._runs: Counter[Module] = Counter()
        self._random: set[Instance] = set()
        self.exported: dict[Instance, dict[Value, None]] = {}
        """Values of an instance that are read outside of it, in the order in which they are first read."""
        self.imported: dict[Instance, dict[Value, None]] = {}
        """Values from outside that are read in an instance, likewise."""
        self.readers: dict[Value, list[Node | None]] = {}
        """The operators that read a value; None for an output of the network."""
        self.instances: list[Instance] = list(graph.instance.walk())
        for instance in self.instances:
            self._enter(instance)
        self._read_all()

    def _enter(self, instance: Instance) -> None:
        self._runs[instance.module] += 1
        for node in instance.nodes:
            self._made(node, instance)
        self._parent.update(dict.fromkeys(instance.inner, instance))

    def _made(self, node: Node, instance: Instance) -> None:
        for value in node.outputs:
            self._maker[value] = instance
            self.producer[value] = node
        if node.module is not None and node.module is not instance.module:
            self._runs[node.module] += 1
        if node.op.is_random:
            self._random.update(self._around(instance))

    def _around(self, instance: Instance) -> Iterator[Instance]:
        """An instance and those that it stands in."""
        current: Instance | None = instance
        while current is not None:
            yield current
            current = self._parent.get(current)

    def _read_all(self) -> None:
        for instance in self.instances:
            for node in instance.nodes:
                for value in node.inputs:
                    self._read(value, instance)
                    self.readers.setdefault(value, []).append(node)
        for output in self.graph.outputs:
            self._read(output.value, self.graph.instance)
            self.readers.setdefault(output.value, []).append(None)

    def _read(self, value: Value, reader: Instance) -> None:
        maker = self._maker.get(value)
        if maker is None:
            return
        if maker is reader:
            return
        readers, makers = list(self._around(reader)), list(self._around(maker))
        while readers and makers and readers[-1] is makers[-1]:  # what holds both
            readers.pop()
            makers.pop()
        for instance in makers:
            self.exported.setdefault(instance, {})[value] = None
        for instance in readers:
            self.imported.setdefault(instance, {})[value] = None

    def is_random(self, instance: Instance) -> bool:
        return instance in self._random

    def is_rerun(self, module: Module | None) -> bool:
        """Does it run more than once? Then the order of its runs matters: it may keep running averages."""
        return module is not None and self._runs[module] > 1


def _nodes(events: Iterable[Event]) -> Iterator[Node]:
    """All operators that run in some events, those in scopes too."""
    for event in flattened(events):
        match event:
            case OpRun(node=node) | TensorDeclared(node=node):
                yield node
            case Merged(nodes=nodes):
                yield from nodes
            case ScopeRun(instance=instance):
                yield from (node for inner in instance.walk() for node in inner.nodes)
