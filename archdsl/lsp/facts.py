"""What the compiler found out about each place of a text: the shapes there, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from archdsl.dims import Size, show
from archdsl.evaluate.values import shape_text
from archdsl.graph import (
    BranchTaken,
    Event,
    Graph,
    LoopEvent,
    Merged,
    Named,
    Node,
    OpRun,
    OutputEvent,
    ScopeRun,
    TensorDeclared,
    Value,
    values_in,
)
from archdsl.measure import Fields, by_module
from archdsl.measure.batch import Batch
from archdsl.measure.field import AxisField, Field
from archdsl.measure.modules import Costs
from archdsl.measure.params import numel
from archdsl.syntax import tree

MOST = 64
"""Runs of one place that are told apart."""


@dataclass(frozen=True)
class Run:
    """One run of a layer: what it is, under which dotted name, what it gives, and what it costs for one example."""

    what: str
    path: str | None
    takes: str
    gives: str
    params: str
    macs: str
    field: str


Facts = dict[tuple[int, int], list[Run]]
"""Runs by the place of their text, in the order of running."""


def facts_of(graph: Graph, name: str, known: Facts) -> None:
    """Add what a graph says of the places of the source called ``name``."""
    _Reader(graph, name, known).read(graph.instance.events)


class _Reader:
    def __init__(self, graph: Graph, name: str, known: Facts) -> None:
        self._graph = graph
        self._name = name
        self._known = known
        self._costs = Costs(graph, Batch(graph, 1))
        self._totals = by_module(graph)
        self._fields = Fields(graph)
        self._inputs = {i.name: i.value for i in graph.inputs}

    def read(self, events: Iterable[Event]) -> None:
        stack = list(reversed(list(events)))
        while stack:
            event = stack.pop()
            match event:
                case OpRun():
                    self._node(event.site, event.node)
                case TensorDeclared():
                    self._node(event.site, event.node)
                case Merged(result=Value() as value):
                    what = f"{event.kind} of {len(event.branches)}"
                    run = Run(what, None, _texts(event.stream), _texts(value), "", "", self._seen(value))
                    self._add(event.site, run)
                case ScopeRun():
                    self._scope(event)
                case Named(site=tree.Input() | tree.Step() | tree.Let() as site, name=name, what=Value() as value):
                    place = _binder(site)
                    self._add(place, Run(name, None, "", shape_text(value.shape), "", "", self._seen(value)))
            stack.extend(reversed(list(_inner(event))))

    def _node(self, site: tree.Node, node: Node) -> None:
        macs = self._costs.of_node(node).macs
        params = sum((numel(w) for w in node.weights if not w.buffer), 0)
        takes = ", ".join(shape_text(v.shape) for v in node.inputs)
        gives = ", ".join(shape_text(v.shape) for v in node.outputs)
        what = node.op.caption(node.input_types)
        self._add(site, Run(what, node.path, takes, gives, _cost(params), _cost(macs), self._seen(node.output)))

    def _scope(self, event: ScopeRun) -> None:
        instance = event.instance
        totals = self._totals[instance.module.path]
        what = instance.scope.name or instance.scope.kind
        takes, gives = _texts(instance.stream), _texts(instance.result)
        values = list(values_in(instance.result))
        seen = self._seen(values[0]) if values else ""
        self._add(
            event.site, Run(what, instance.module.path, takes, gives, _cost(totals.params), _cost(totals.macs), seen)
        )

    def _add(self, site: tree.Node, run: Run) -> None:
        if site.span.source.name == self._name:
            runs = self._known.setdefault((site.span.start, site.span.end), [])
            if len(runs) < MOST:
                runs.append(run)

    def _seen(self, value: Value) -> str:
        """``7``, ``3–15 at stride 2``: what a position sees of the input's spatial axes."""
        found = []
        for name, field in self._fields.of(value).items():
            axes = dict.fromkeys(map(_axis, _spatial(field, len(self._inputs[name].shape))))
            if axes:
                found.append((f"{name}: " if len(self._inputs) > 1 else "") + " × ".join(axes))
        return ", ".join(found)


def _binder(site: tree.Input | tree.Step | tree.Let) -> tree.Node:
    """The name that a statement binds."""
    match site:
        case tree.Input():
            return site.name
        case tree.Step(target=target) if target is not None:
            return target
        case tree.Let():
            return site.pattern
    return site


def _inner(event: Event) -> Iterator[Event]:
    match event:
        case ScopeRun(instance=instance):
            yield from instance.events
        case BranchTaken(events=events) | Merged(events=events) | OutputEvent(events=events):
            yield from events
        case LoopEvent(turns=turns):
            for turn in turns:
                yield from turn.events
        case _:
            yield from getattr(event, "events", ())


def _spatial(field: Field, rank: int) -> Field:
    """Without the batch, and the channels of an image."""
    return field[2 if rank > 3 else 1 :]


def _axis(axis: AxisField) -> str:
    most = f"at most {axis.most}" if axis.is_bound else str(axis.most)
    extent = most if axis.least == axis.most else f"{axis.least}–{most}"
    strides = [str(s) for s in axis.strides]
    return extent + (f" at stride {' or '.join(strides)}" if strides and strides != ["1"] else "")


def _cost(size: Size) -> str:
    return figure(size) if size != 0 else ""


def figure(size: Size) -> str:
    """A count in digits with commas, or the expression of a symbolic one."""
    return f"{size:,}" if isinstance(size, int) else show(size)


def _texts(result: Any) -> str:
    return ", ".join(dict.fromkeys(shape_text(v.shape) for v in values_in(result)))
