"""Whether a block built on symbols does, at the numbers of an instance, what this does in the checked graph."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass

from archdsl.dims import Dim
from archdsl.graph import Graph, Instance, Node, Value, values_in
from archdsl.op import Facets
from archdsl.program.layers import OpenLayer
from archdsl.program.numbers import Lane, at, is_exactly, names_in
from archdsl.program.recorded import Target
from archdsl.program.symbolic import Symbolic
from archdsl.record import exactly


@dataclass(frozen=True)
class Operators:
    """Compares operators, each pair once: equal ones share their facets. ``form`` is what one is in the target."""

    form: Callable[[Facets], object]
    _names: dict[Facets, list[str]] = field(default_factory=dict[Facets, list[str]])
    _known: dict[Hashable, str | None] = field(default_factory=dict[Hashable, str | None])

    def difference(self, a: Facets, b: Facets, lane: Lane) -> str | None:
        """How an operator differs from one on symbols at some numbers; None if it does not."""
        if a is b:
            return None
        if a not in self._names:
            self._names[a] = sorted(_open_in((a.op, a.inputs, a.outputs)))
        key = a, b, exactly(tuple(lane[name] for name in self._names[a] if name in lane))
        if key not in self._known:
            self._known[key] = self._compare(a, b, lane)
        return self._known[key]

    def _compare(self, a: Facets, b: Facets, lane: Lane) -> str | None:
        if not is_exactly(at(a.op, lane), b.op):
            return f"{a.op} is not {b.op}"
        if not isinstance(a.op, OpenLayer) and not is_exactly(at(self.form(a), lane), self.form(b)):
            return f"{a.op.name} has another form"
        if not is_exactly(at(a.outputs, lane), b.outputs):
            return f"{a.op.name} gives other sizes"
        return None


def _open_in(value: object) -> frozenset[str]:
    """The names of the open numbers in a value: a record or tuple, perhaps."""
    if isinstance(value, tuple):
        return frozenset[str]().union(*map(_open_in, value))
    if is_dataclass(value) and not isinstance(value, Dim | OpenLayer):
        return frozenset[str]().union(*(_open_in(getattr(value, f.name)) for f in fields(value)))
    return names_in(value)


@dataclass(frozen=True)
class Witnesses:
    """Compares with the instances of one graph.

    ``target`` answers for that graph, ``on_symbols`` for the block's; ``order`` numbers the operators of the graph as
    they run.
    """

    graph: Graph
    target: Target
    on_symbols: Target
    order: Mapping[Node, int]
    operators: Operators

    def difference(self, symbolic: Symbolic, lane: Lane, witness: Instance) -> str | None:
        """How an instance differs from the block at its numbers; None if it does not."""
        built = symbolic.instance
        arriving, leaving = ends(built, symbolic.graph)
        given, wanted = ends(witness, self.graph)
        if not is_exactly(at(tuple(v.type for v in arriving), lane), tuple(v.type for v in given)):
            return "other sizes arrive"
        ours, theirs = symbolic.graph.nodes, sorted(nodes_in(witness), key=self.order.__getitem__)
        if len(ours) != len(theirs):
            return f"{len(theirs)} operators run, not {len(ours)}"
        values: dict[Value, Value] = dict(zip(arriving, given, strict=True))
        for a, b in zip(ours, theirs, strict=True):
            found = self.operators.difference(a.facets, b.facets, lane)
            if found is not None:
                return found
            if self.on_symbols.casts(a) != self.target.casts(b):
                return f"the inputs of {a.op.name} are converted otherwise"
            if [values.get(v) for v in a.inputs] != list(b.inputs):
                return f"{a.op.name} reads something else"
            if (a.path or "").removeprefix(built.module.path) != (b.path or "").removeprefix(witness.module.path):
                return f"{a.op.name} has another place"
            values.update(zip(a.outputs, b.outputs, strict=True))
        same = [values.get(v) for v in leaving] == wanted
        return None if same else "another result"


def ends(instance: Instance, graph: Graph) -> tuple[list[Value], list[Value]]:
    """The values that arrive in an instance of a graph and those that it gives: of a network its inputs and outputs."""
    if instance is graph.instance:
        return [i.value for i in graph.inputs], [o.value for o in graph.outputs]
    return list(values_in(instance.stream)), list(values_in(instance.result))


def nodes_in(instance: Instance) -> Sequence[Node]:
    """All operators of an instance, those of instances in it too."""
    return [node for inner in instance.walk() for node in inner.nodes]
