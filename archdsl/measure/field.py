"""Receptive fields: which cells of the inputs a position of a value sees, and how far apart neighbours look.

A position on an axis is a number; `archdsl.op.Look` writes it in digits, each of which moves along one axis of the
operator's input. Composed from the network's input on, they move along that: a *trail*. Windows add up to an extent,
each stretched by what one step on its axis moves.

Over the paths of the graph the least and the greatest extents are kept, by the trails to which the paths lead: paths
with the same trails have the same future. So the fold is exact and linear, however many paths there are.
"""

from __future__ import annotations

from functools import reduce
from typing import Literal, NamedTuple, TypeAlias

from archdsl.dims import Size
from archdsl.graph import Graph, GraphInput, Node, Value
from archdsl.measure.ratio import ZERO, Ratio
from archdsl.measure.trail import Composer, Span, Trail, Trails, straight
from archdsl.op import Look

MAX_WAYS = 64
"""Different trails to one value that are told apart; of more it is said that they see between one cell and all."""

Extent: TypeAlias = "Size | Literal['all']"
"""Cells of an axis that are seen; ``"all"`` where it is seen whole, whatever its size."""


class AxisField(NamedTuple):
    """What one position sees of an axis of an input.

    ``least`` and ``most`` are over the paths. ``strides`` says how far apart the looks of neighbours are, in cells (a
    fraction after upsampling): one number as a rule, several where paths differ, none where all see the same.
    """

    least: Extent
    most: Extent
    strides: tuple[Ratio, ...]


Field: TypeAlias = tuple[AxisField, ...]
"""For each axis of an input."""

_Spans: TypeAlias = tuple[Span, ...]
_Ways: TypeAlias = dict[Trails, tuple[_Spans, _Spans]]
"""By the trails of a value: the least and the greatest spans of the paths that lead to them."""


def receptive_field(graph: Graph) -> list:
    """What one position of the output sees along its widest path: for each axis of the input, cells or ``"all"``.

    With several outputs or inputs, a list for each output of lists for each input (empty where it sees nothing of it).
    """
    fields = Fields(graph)
    rows = [
        [[axis.most for axis in fields.of(o.value).get(i.name, ())] for i in graph.inputs]
        for o in graph.outputs
        if not o.when_training
    ]
    return rows[0][0] if len(rows) == len(graph.inputs) == 1 else rows


class Fields:
    """The receptive fields of all values of a graph."""

    def __init__(self, graph: Graph) -> None:
        looks = [(node, node.op.looks(node.input_types, node.output_types)) for node in graph.nodes]
        composer = Composer(graph.needs.facts)
        self._ways = {i.name: _fold(i, looks, composer) for i in graph.inputs}

    def of(self, value: Value) -> dict[str, Field]:
        """By the name of the input; those that the value does not depend on are absent."""
        return {name: _field(ways[value]) for name, ways in self._ways.items() if value in ways}


def _fold(start: GraphInput, looks: list[tuple[Node, tuple[Look, ...]]], composer: Composer) -> dict[Value, _Ways]:
    shape = start.value.shape
    origin = (ZERO,) * len(shape)
    found: dict[Value, _Ways] = {start.value: {straight(shape): (origin, origin)}}
    for node, seen in looks:
        ways: _Ways = {}
        for value, look in zip(node.inputs, seen, strict=True):
            for trails, spans in found.get(value, {}).items():
                _add_way(ways, trails, spans, look, composer)
        if len(ways) > MAX_WAYS:
            ways = {(Trail(),) * len(node.output.shape): (origin, (None,) * len(shape))}
        if ways:
            found.update(dict.fromkeys(node.outputs, ways))
    return found


def _add_way(ways: _Ways, trails: Trails, spans: tuple[_Spans, _Spans], look: Look, composer: Composer) -> None:
    least, most = list(spans[0]), list(spans[1])
    for axis, more in composer.seen(trails, look.windows):
        least[axis] = _sum(least[axis], more)
        most[axis] = _sum(most[axis], more)
    key = composer.onward(trails, look)
    if key in ways:
        least = map(_least, least, ways[key][0])
        most = map(_most, most, ways[key][1])
    ways[key] = tuple(least), tuple(most)


def _field(ways: _Ways) -> Field:
    least, most = (list(zip(*spans, strict=True)) for spans in zip(*ways.values(), strict=True))
    return tuple(
        AxisField(_extent(reduce(_least, least[axis])), _extent(reduce(_most, most[axis])), _strides(ways, axis))
        for axis in range(len(most))
    )


def _strides(ways: _Ways, axis: int) -> tuple[Ratio, ...]:
    """The finest stride along an axis, of each way on which not all is seen from everywhere."""
    found: dict[Ratio, None] = {}
    for trails, (least, _) in ways.items():
        strides = [d.stride for trail in trails for d in trail.digits if d.axis == axis]
        if strides and least[axis] is not None:
            finest = strides[0]
            for stride in strides[1:]:
                finest = finest.least(stride)
            found[finest] = None
    return tuple(found)


# ---- spans: None is the whole axis, more than any number ---------------------------------------------------


def _sum(left: Span, right: Span) -> Span:
    return None if left is None or right is None else left.plus(right)


def _least(left: Span, right: Span) -> Span:
    if left is None or right is None:
        return right if left is None else left
    return left.least(right)


def _most(left: Span, right: Span) -> Span:
    return None if left is None or right is None else left.most(right)


def _extent(span: Span) -> Extent:
    return "all" if span is None else span.ceil() + 1
