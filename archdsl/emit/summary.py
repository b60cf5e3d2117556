"""A summary of a network as data: the module tree in rows, neighbours that look the same folded, and its totals.

Rows follow the text: inputs, modules, and operators without a place of their own, in the order in which they run.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any, Literal, TypeAlias

from archdsl.dims import Size, evaluate, show, symbols
from archdsl.graph import (
    Event,
    Graph,
    GraphInput,
    Instance,
    Merged,
    Module,
    Node,
    OpRun,
    ScopeRun,
    TensorDeclared,
    inside,
    values_in,
)
from archdsl.grouping import Looks
from archdsl.measure.batch import Batch
from archdsl.measure.depth import depth
from archdsl.measure.field import AxisField, Field, Fields
from archdsl.measure.memory import TrainingMemory, training_memory
from archdsl.measure.modules import Costs, Totals
from archdsl.measure.params import bytes_by_dtype, count
from archdsl.op import DType, Tensor
from archdsl.record import record
from archdsl.syntax import tree

SortKey: TypeAlias = Literal["params", "macs", "memory"]


@record
class Row:
    """One line: an input, a module, an operator; or ``times`` neighbours that look the same.

    ``name`` is a label or a number, ``path`` the dotted name; an operator without a place has neither. ``costs`` are of
    one of the neighbours. ``fields`` are after the last of them, by the input's name. The weights of a module that
    ``is_shared`` were counted at its first run.
    """

    name: str
    what: str
    path: str | None
    shapes: tuple[tuple[Size, ...], ...]
    costs: Totals
    fields: dict[str, Field]
    in_training_only: bool = False
    is_shared: bool = False
    times: int = 1
    last_name: str | None = None
    children: tuple[Row, ...] = ()


@record
class Summary:
    """What a network is and what it costs, with its symbols at the sizes of ``batch``.

    ``totals.memory`` is all that backward keeps.
    """

    name: str
    batch: dict[str, Size]
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    rows: tuple[Row, ...]
    totals: Totals
    depth: int
    bytes_by_dtype: dict[DType, Size]
    training: TrainingMemory
    optimizer: str
    preconditions: tuple[str, ...]


def summarise(graph: Graph, batch: Size | None = 1, optimizer: str = "adamw") -> Summary:
    """The summary of a graph; ``optimizer`` is one of `archdsl.measure.OPTIMIZERS`."""
    sizes = Batch(graph, batch)
    rows = _Rows(graph, sizes).all()
    totals = _sum(rows)
    return Summary(
        name=graph.name,
        batch=sizes.symbols,
        inputs={i.name: i.value.type for i in graph.inputs},
        outputs={o.name: o.value.type for o in graph.outputs if not o.when_training},
        rows=rows,
        totals=totals,
        depth=depth(graph),
        bytes_by_dtype=bytes_by_dtype(graph),
        training=training_memory(graph, optimizer, totals.memory),
        optimizer=optimizer,
        preconditions=tuple(p.text for p in graph.needs.preconditions()),
    )


# ---- rows --------------------------------------------------------------------------------------------------


class _Rows:
    """Makes the rows of a graph."""

    def __init__(self, graph: Graph, sizes: Batch) -> None:
        self._graph = graph
        self._costs = Costs(graph, sizes)
        self._fields = Fields(graph)
        self._looks = Looks(graph)
        self._live = graph.live(training=False)
        self._counted: set[str] = set()
        """Names of the weights that a row has counted."""

    def all(self) -> tuple[Row, ...]:
        return (*map(self._input, self._graph.inputs), *self._of(self._graph.instance))

    def _input(self, given: GraphInput) -> Row:
        memory = Totals(memory=self._costs.activations.tensors.get(given.value, 0))
        return Row(given.name, "input", None, (given.value.shape,), memory, self._fields.of(given.value))

    def _of(self, instance: Instance) -> tuple[Row, ...]:
        return tuple(_folded(self._events(instance.events), self._looks))

    def _events(self, events: Iterable[Event]) -> Iterator[tuple[Row, Module | None]]:
        """Rows, with the modules that they stand for."""
        for event in events:
            yield from self._events(inside(event))
            match event:
                case OpRun(node=node):
                    yield self._node(node), node.module
                case Merged(nodes=nodes):
                    yield from ((self._node(node), node.module) for node in nodes)
                case TensorDeclared(node=node, name=name):
                    what = "buffer" if isinstance(event.site, tree.TensorBuffer) else "param"
                    yield replace(self._node(node), name=name, what=what, path=_join(node, name)), None
                case ScopeRun(instance=instance):
                    yield self._scope(instance), instance.module

    def _node(self, node: Node) -> Row:
        weights, is_shared = self._weights(node)
        module = node.module
        return Row(
            name=module.name if module is not None else "",
            what=node.op.caption(node.input_types),
            path=module.path if module is not None else None,
            shapes=tuple(value.shape for value in node.outputs),
            costs=weights + self._costs.of_node(node),
            fields=self._fields.of(node.output),
            in_training_only=node not in self._live,
            is_shared=is_shared,
        )

    def _weights(self, node: Node) -> tuple[Totals, bool]:
        """What is stored for a node, and whether that was counted before."""
        weights = {_join(node, weight.name): weight for weight in node.weights}
        new = [weight for name, weight in weights.items() if name not in self._counted]
        self._counted.update(weights)
        return Totals(params=count(new, trainable=True), buffers=count(new, trainable=False)), len(new) < len(weights)

    def _scope(self, instance: Instance) -> Row:
        children = self._of(instance)
        results = list(values_in(instance.result))
        return Row(
            name=instance.module.name,
            what=instance.scope.name or instance.scope.kind,
            path=instance.module.path,
            shapes=tuple(value.shape for value in results),
            costs=_sum(children),
            fields=self._fields.of(results[0]) if results else {},
            in_training_only=bool(children) and all(child.in_training_only for child in children),
            is_shared=instance.repeats is not None,
            children=children,
        )


def _folded(rows: Iterable[tuple[Row, Module | None]], looks: Looks) -> Iterator[Row]:
    """Neighbours that look the same and cost the same as one row."""
    run: Row | None = None
    look: Hashable = None
    for row, module in rows:
        found = (looks.of(module), row.costs, row.is_shared, row.in_training_only) if module is not None else None
        if run is not None and found is not None and found == look:
            run = replace(_seeing(run, row), times=run.times + 1, last_name=row.name)
            continue
        if run is not None:
            yield run
        run, look = row, found
    if run is not None:
        yield run


def _seeing(row: Row, last: Row) -> Row:
    """The row with the fields of the last of its run, in it as well."""
    children = tuple(map(_seeing, row.children, last.children))
    return replace(row, fields=last.fields, children=children)


def _sum(rows: Iterable[Row]) -> Totals:
    return reduce(add, (row.costs.times(row.times) for row in rows), Totals())


def _join(node: Node, name: str) -> str:
    return node.module.join(name) if node.module is not None else name


# ---- choosing what is shown --------------------------------------------------------------------------------


def to_depth(rows: Iterable[Row], depth: int) -> tuple[Row, ...]:
    """The rows down to a depth: 1 is the outermost."""
    return tuple(replace(row, children=to_depth(row.children, depth - 1) if depth > 1 else ()) for row in rows)


def sort(rows: Iterable[Row], key: SortKey) -> tuple[Row, ...]:
    """The dearest first, at every level; neighbours that are one row count together."""
    dearest = sorted(rows, key=lambda row: _rank(getattr(row.costs, key), row.times), reverse=True)
    return tuple(replace(row, children=sort(row.children, key)) for row in dearest)


def _rank(size: Size, times: int) -> int:
    """For symbolic sizes: where all symbols are large."""
    return times * (size if isinstance(size, int) else evaluate(size, dict.fromkeys(symbols(size), 1_000)))


# ---- JSON --------------------------------------------------------------------------------------------------


def to_json(summary: Summary, rows: Iterable[Row]) -> dict[str, Any]:
    """The summary as plain data, with those of its rows that are asked for. Symbolic sizes are text."""
    return {
        "model": summary.name,
        "batch": _plain_sizes(summary.batch),
        "inputs": {name: tensor_to_json(t) for name, t in summary.inputs.items()},
        "outputs": {name: tensor_to_json(t) for name, t in summary.outputs.items()},
        "preconditions": list(summary.preconditions),
        "totals": totals_to_json(summary),
        "rows": [_row(row) for row in rows],
    }


def totals_to_json(summary: Summary) -> dict[str, Any]:
    """The totals as plain data. Memory is in bytes."""
    memory = summary.training
    return {
        **_costs(summary.totals),
        "depth": summary.depth,
        "weight_bytes": _plain_sizes(dict(summary.bytes_by_dtype)),
        "training": {
            "optimizer": summary.optimizer,
            "weight_bytes": plain(memory.weights),
            "gradient_bytes": plain(memory.gradients),
            "optimizer_bytes": plain(memory.optimizer),
            "activation_bytes": plain(memory.activations),
            "total_bytes": plain(memory.total),
        },
    }


def plain(size: Size) -> int | str:
    return size if isinstance(size, int) else show(size)


def _plain_sizes(sizes: dict[Any, Size]) -> dict[str, int | str]:
    return {name: plain(size) for name, size in sizes.items()}


def tensor_to_json(tensor: Tensor) -> dict[str, Any]:
    return {"shape": list(map(plain, tensor.shape)), "dtype": tensor.dtype}


def _costs(costs: Totals) -> dict[str, int | str]:
    return {
        "params": plain(costs.params),
        "buffers": plain(costs.buffers),
        "macs": plain(costs.macs),
        "flops": plain(costs.flops),
        "activation_bytes": plain(costs.memory),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "last_name": row.last_name,
        "times": row.times,
        "what": row.what,
        "path": row.path,
        "shapes": [list(map(plain, shape)) for shape in row.shapes],
        **_costs(row.costs),
        "receptive_field": {name: list(map(_axis, field)) for name, field in row.fields.items()},
        "training_only": row.in_training_only,
        "shared": row.is_shared,
        "children": [_row(child) for child in row.children],
    }


def _axis(axis: AxisField) -> dict[str, Any]:
    extents = (extent if extent == "all" else plain(extent) for extent in (axis.least, axis.most))
    strides = [plain(stride.num) if stride.den == 1 else str(stride) for stride in axis.strides]
    facts = dict(zip(("least", "most", "strides"), (*extents, strides), strict=True))
    return facts | ({"is_bound": True} if axis.is_bound else {})
