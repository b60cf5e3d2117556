"""Sizes for a batch of a certain size, which costs are stated for; and numbers for symbols."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import product

from archdsl.dims import Dim, Size, evaluate, substitute, symbol, symbols, witness
from archdsl.graph import Graph, Node, Value
from archdsl.op import Tensor

USUAL = 65
"""Symbols other than the batch are about so large, odd and even ones."""
TRIES = 64


def batch_symbols(graph: Graph) -> frozenset[str]:
    """Names of the batch: the first axis of the inputs, where it is a symbol that stands on no other of their axes."""
    shapes = [i.value.shape for i in graph.inputs]
    first = {name for shape in shapes if shape for name in _own_symbol(shape[0])}
    others = {name for shape in shapes for size in shape[1:] for name in symbols(size)}
    return frozenset(first - others)


def _own_symbol(size: Size) -> frozenset[str]:
    names = symbols(size)
    return names if len(names) == 1 and size == symbol(*names) else frozenset()


def accepted_sizes(graph: Graph, batch: int, usual: int = USUAL) -> dict[str, int] | None:
    """Values of the symbols that meet the preconditions, all different where they can be; None if none were found.

    Those of leading axes are ``batch`` if that is allowed, the others ``usual`` and more: from 1 on, the least.
    """
    shapes = [given.value.shape for given in graph.inputs]
    names = dict.fromkeys(name for shape in shapes for size in shape for name in sorted(symbols(size)))
    leading = {str(shape[0]) for shape in shapes if shape}
    apart_first = (1, 0) if usual > 1 else (0, 1)  # sizes that differ show axes that were swapped
    for larger, apart in product(range(TRIES), apart_first):
        others = {name: usual + larger + apart * place for place, name in enumerate(names)}
        wanted = {name: batch if name in leading else size for name, size in others.items()}
        values = {name: _at_least(graph, name, size) for name, size in wanted.items()}
        if accepts(graph, values):
            return values
    total = sum((size for shape in shapes for size in shape if isinstance(size, Dim)), start=0)
    found = witness(total, ">=", 1, graph.needs.facts)
    return dict(found) if found is not None and accepts(graph, found) else None


def _at_least(graph: Graph, name: str, wanted: int) -> int:
    """The first allowed value from there on, else the last."""
    allowed = graph.needs.facts.range_of(name)
    last = allowed.lo
    for last in allowed.values():
        if last >= wanted:
            break
    return last


def accepts(graph: Graph, values: Mapping[str, int]) -> bool:
    """Whether these values of the symbols meet the preconditions."""
    return all(condition.holds(values) for found in graph.needs.preconditions() for condition in found.conditions)


class Batch:
    """A graph's sizes where its batch is ``size``; None leaves it symbolic. ``symbols`` are those that it replaces."""

    def __init__(self, graph: Graph, size: Size | None = 1) -> None:
        self.symbols: dict[str, Size] = {} if size is None else dict.fromkeys(batch_symbols(graph), size)
        self._graph = graph
        self._sizes: dict[Dim, Size] = {}
        self._numbers: dict[Dim, int] = {}
        self._types: dict[Value, Tensor] = {}

    def size(self, size: Size) -> Size:
        if isinstance(size, int) or not self.symbols:
            return size
        if size not in self._sizes:
            self._sizes[size] = substitute(size, self.symbols)
        return self._sizes[size]

    def type(self, value: Value) -> Tensor:
        if value not in self._types:
            self._types[value] = Tensor(tuple(map(self.size, value.shape)), value.dtype)
        return self._types[value]

    def types(self, node: Node) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Types of a node's inputs and outputs: what its facets take."""
        return tuple(map(self.type, node.inputs)), tuple(map(self.type, node.outputs))

    def number(self, size: Size) -> int:
        """A size in plain numbers: of this batch, and where other symbols are of usual sizes."""
        if isinstance(size, int):
            return size
        if size not in self._numbers:
            self._numbers[size] = evaluate(size, self._values)
        return self._numbers[size]

    @cached_property
    def _values(self) -> dict[str, int]:
        """Numbers for the symbols."""
        names = {name for given in self._graph.inputs for size in given.value.shape for name in symbols(size)}
        found = accepted_sizes(self._graph, USUAL) or {}
        batch = {name: size for name, size in self.symbols.items() if isinstance(size, int)}
        return {name: USUAL + place for place, name in enumerate(sorted(names))} | found | batch
