"""Sizes for a batch of a certain size: what costs are stated for."""

from __future__ import annotations

from archdsl.dims import Dim, Size, substitute, symbol, symbols
from archdsl.graph import Graph, Node, Value
from archdsl.op import Tensor


def batch_symbols(graph: Graph) -> frozenset[str]:
    """Names of the batch: the first axis of the inputs, where it is a symbol that stands on no other of their axes."""
    shapes = [i.value.shape for i in graph.inputs]
    first = {name for shape in shapes if shape for name in _own_symbol(shape[0])}
    others = {name for shape in shapes for size in shape[1:] for name in symbols(size)}
    return frozenset(first - others)


def _own_symbol(size: Size) -> frozenset[str]:
    names = symbols(size)
    return names if len(names) == 1 and size == symbol(*names) else frozenset()


class Batch:
    """A graph's sizes where its batch is ``size``; None leaves it symbolic. ``symbols`` are those that it replaces."""

    def __init__(self, graph: Graph, size: Size | None = 1) -> None:
        self.symbols: dict[str, Size] = {} if size is None else dict.fromkeys(batch_symbols(graph), size)
        self._sizes: dict[Dim, Size] = {}
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
