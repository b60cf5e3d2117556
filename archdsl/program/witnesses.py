"""Whether a block built on symbols does, at the numbers of an instance, what this does in the checked graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.graph import Graph, Instance, Node, Value, values_in
from archdsl.program.numbers import Lane, at, is_exactly
from archdsl.program.recorded import Target
from archdsl.program.symbolic import Symbolic


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
            found = self._between(a, b, lane)
            if found is not None:
                return found
            if [values.get(v) for v in a.inputs] != list(b.inputs):
                return f"{a.op.name} reads something else"
            if (a.path or "").removeprefix(built.module.path) != (b.path or "").removeprefix(witness.module.path):
                return f"{a.op.name} has another place"
            values.update(zip(a.outputs, b.outputs, strict=True))
        same = [values.get(v) for v in leaving] == wanted
        return None if same else "another result"

    def _between(self, a: Node, b: Node, lane: Lane) -> str | None:
        """How two operators differ by themselves."""
        if not is_exactly(at(a.op, lane), b.op):
            return f"{a.op} is not {b.op}"
        if not is_exactly(at(self.target.form(a.facets), lane), self.target.form(b.facets)):
            return f"{a.op.name} has another form"
        if self.on_symbols.casts(a) != self.target.casts(b):
            return f"the inputs of {a.op.name} are converted otherwise"
        if not is_exactly(at(a.output_types, lane), b.output_types):
            return f"{a.op.name} gives other sizes"
        return None


def ends(instance: Instance, graph: Graph) -> tuple[list[Value], list[Value]]:
    """The values that arrive in an instance of a graph and those that it gives: of a network its inputs and outputs."""
    if instance is graph.instance:
        return [i.value for i in graph.inputs], [o.value for o in graph.outputs]
    return list(values_in(instance.stream)), list(values_in(instance.result))


def nodes_in(instance: Instance) -> Sequence[Node]:
    """All operators of an instance, those of instances in it too."""
    return [node for inner in instance.walk() for node in inner.nodes]
