"""Costs by module: of each place in the module tree, with all that lies below it."""

from __future__ import annotations

from archdsl.dims import Size
from archdsl.graph import Graph, Module, Node
from archdsl.measure.batch import Batch
from archdsl.measure.cost import node_macs, node_operations
from archdsl.measure.memory import Activations
from archdsl.measure.params import numel
from archdsl.record import record


@record(slots=True)
class Totals:
    """Costs that add up. ``memory``: bytes that backward keeps of what is made there."""

    params: Size = 0
    buffers: Size = 0
    macs: Size = 0
    flops: Size = 0
    memory: Size = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.params + other.params,
            self.buffers + other.buffers,
            self.macs + other.macs,
            self.flops + other.flops,
            self.memory + other.memory,
        )

    def times(self, count: int) -> Totals:
        if count == 1:
            return self
        costs = (self.params, self.buffers, self.macs, self.flops, self.memory)
        return Totals(*(count * cost for cost in costs))


class Costs:
    """The costs of a graph's parts, for a batch."""

    def __init__(self, graph: Graph, sizes: Batch) -> None:
        self.activations: Activations = Activations(graph, sizes)
        self._sizes = sizes
        self._live = graph.live(training=False)

    def of_node(self, node: Node) -> Totals:
        """What a run costs; weights are the module's."""
        memory = self.activations.made_by(node)
        if node not in self._live:
            return Totals(memory=memory)
        macs = node_macs(node, self._sizes)
        return Totals(macs=macs, flops=2 * macs + node_operations(node, self._sizes), memory=memory)


def of_weights(module: Module) -> Totals:
    """What a module owns itself."""
    trained = sum(numel(w) for w in module.own.values() if not w.buffer)
    return Totals(params=trained, buffers=sum(numel(w) for w in module.own.values() if w.buffer))


def by_module(graph: Graph, batch: Size | None = 1) -> dict[str, Totals]:
    """Costs by dotted path, in state-dict order; "" is the whole network but for its inputs, which no module makes.

    A run of a shared module counts where the module stands.
    """
    costs = Costs(graph, Batch(graph, batch))
    found = {module.path: of_weights(module) for module in graph.root.walk()}
    for instance in graph.instance.walk():
        for node in instance.nodes:
            found[(node.module or instance.module).path] += costs.of_node(node)
    for path in reversed(found):
        if path:
            found[path.rpartition(".")[0]] += found[path]
    return found
