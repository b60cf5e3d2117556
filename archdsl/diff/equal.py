"""Whether two graphs are equal: the proof that a change of the text changes nothing.

Each graph is written as terms: a layer is its operator, its place in the module tree, and the terms that it reads.
Terms are numbered by one table for both graphs. Layers that draw random numbers are also counted, so that two of them
are never one. The graphs are equal if they have the same layers, each as often, and the same inputs, outputs, weights
(with their order and initial values) and preconditions. The order in which independent layers run is not compared, nor
are names of blocks and values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from archdsl.diff.parts import Numbers, Reader
from archdsl.evaluate.values import Value
from archdsl.graph import Graph, Node, TensorDeclared, flattened
from archdsl.op import Tensor, Weight
from archdsl.record import record


@record
class Form:
    """A graph in terms."""

    inputs: tuple[tuple[str, Tensor], ...]
    outputs: tuple[tuple[str, int, bool], ...]
    layers: Counter[int]
    buffers: Counter[int]
    weights: tuple[tuple[str, Weight], ...]
    preconditions: frozenset[str]


def form(reader: Reader, numbers: Numbers) -> Form:
    """The terms of the graph of a reader."""
    graph = reader.graph
    terms = _terms(reader, numbers)
    layers = Counter(numbers.of(("layer", tuple(terms[v] for v in node.outputs))) for node in graph.nodes)
    held = (
        (event.node.path, event.name, terms[event.held] if event.held is not None else None)
        for instance in graph.instance.walk()
        for event in flattened(instance.events)
        if isinstance(event, TensorDeclared)
    )
    return Form(
        inputs=tuple((i.name, i.value.type) for i in graph.inputs),
        outputs=tuple((o.name, terms[o.value], o.when_training) for o in graph.outputs),
        layers=layers,
        buffers=Counter(map(numbers.of, held)),
        weights=tuple(graph.weights.items()),
        preconditions=frozenset(p.text for p in graph.needs.preconditions()),
    )


def _terms(reader: Reader, numbers: Numbers) -> dict[Value, int]:
    """The term of each value."""
    graph = reader.graph
    terms: dict[Value, int] = {i.value: numbers.of(("input", i.name, i.value.type)) for i in graph.inputs}
    drawn = 0
    for node in [*_contents(graph), *graph.nodes]:
        drawn += node.op.is_random
        key: Hashable = (
            type(node.op),
            tuple(reader.arguments(node).values()),
            node.path,
            tuple(terms[value] for value in node.inputs),
            drawn if node.op.is_random else 0,
        )
        for place, value in enumerate(node.outputs):
            terms[value] = numbers.of((key, place))
    return terms


def _contents(graph: Graph) -> list[Node]:
    """The layers that compute the values of buffers."""
    return [
        node
        for instance in graph.instance.walk()
        for event in flattened(instance.events)
        if isinstance(event, TensorDeclared)
        for node in event.contents
    ]
