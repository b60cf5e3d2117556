"""Receptive fields: which cells of the inputs a position of a value sees, and how far apart neighbours look.

A position on an axis is a number; `archdsl.op.Look` writes it in digits, each of which moves along one axis of the
operator's input. Composed from the network's input on, they move along that: a *way* (`archdsl.measure.trail`). Windows
add up, each stretched by what one step on its axis moves.

Over the paths of the graph the least and the greatest are kept, by the ways that the paths go: what is on one way has
one future. So the fold is linear, however many paths there are.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, Literal, NamedTuple, TypeAlias

from archdsl.dims import Size, dmax, dmin
from archdsl.graph import Graph, GraphInput, Node, Value
from archdsl.measure import sight
from archdsl.measure.ratio import Ratio
from archdsl.measure.sight import Line, State
from archdsl.measure.trail import Composer, Moves, Scale, Trail, Way, span, straight, strides
from archdsl.op import Look

MAX_WAYS = 64
"""Ways to one value that are told apart; of more it is said that they see from what the narrowest does up to all."""

Extent: TypeAlias = "Size | Literal['all']"
"""Cells of an axis that are seen; ``"all"`` where it is seen whole, whatever its size."""


class AxisField(NamedTuple):
    """What one position sees of an axis of an input, from the first to the last cell.

    ``least`` along the narrowest path, ``most`` along all of them. ``strides`` says how far apart neighbours see, in
    cells (a fraction after upsampling): one number as a rule, several where paths differ, none where all see the same.
    """

    least: Extent
    most: Extent
    strides: tuple[Ratio, ...]

    @property
    def is_bound(self) -> bool:
        """Whether ``most`` is a bound: no position sees more, and perhaps none sees so much."""
        return isinstance(self, AtMost)


class AtMost(AxisField):
    """An `AxisField` of which ``most`` is a bound."""


Field: TypeAlias = tuple[AxisField, ...]
"""For each axis of an input."""

_Ways: TypeAlias = dict[Way, tuple[tuple[Moves, ...], tuple[Moves, ...]]]
"""For each axis of the input, the least and the greatest moves of the paths that lead this way."""


def receptive_field(graph: Graph) -> list[Any]:
    """What one position of the output sees along its widest path: for each axis of the input, cells or ``"all"``.

    With several outputs or inputs, a list for each output of lists for each input (empty where it sees nothing of it).
    """
    fields = Fields(graph)
    rows = [
        [[axis.most for axis in fields.of(o.value).get(i.name, ())] for i in graph.inputs]
        for o in graph.outputs
        if not o.when_training
    ]
    if len(rows) == len(graph.inputs) == 1:
        return rows[0][0]
    return rows


class Fields:
    """The receptive fields of all values of a graph."""

    def __init__(self, graph: Graph) -> None:
        looks = [(node, node.op.looks(node.input_types, node.output_types)) for node in graph.nodes]
        composer = Composer(graph.needs.facts)
        self._ways = {i.name: _fold(i, looks, composer) for i in graph.inputs}
        self._lines = {
            i.name: [_lines(i.value, axis, looks) for axis in range(len(i.value.shape))] for i in graph.inputs
        }

    def of(self, value: Value) -> dict[str, Field]:
        """By the name of the input; those that the value does not depend on are absent."""
        return {
            name: tuple(map(_on_line, _field(ways[value]), (lines[value] for lines in self._lines[name])))
            for name, ways in self._ways.items()
            if value in ways
        }


def _fold(
    start: GraphInput, looks: list[tuple[Node, tuple[Look | None, ...]]], composer: Composer
) -> dict[Value, _Ways]:
    shape = start.value.shape
    still: tuple[Moves, ...] = ((0,),) * len(shape)
    found: dict[Value, _Ways] = {start.value: {straight(shape): (still, still)}}
    for node, seen in looks:
        ways: _Ways = {}
        for value, look in zip(node.inputs, seen, strict=True):
            if look is not None:
                for way, moves in found.get(value, {}).items():
                    _add_way(ways, way, moves, look, composer, shape)
        if len(ways) > MAX_WAYS:
            ways = _given_up(ways, len(node.output.shape), len(shape))
        if ways:
            found.update(dict.fromkeys(node.outputs, ways))
    return found


def _lines(start: Value, axis: int, looks: list[tuple[Node, tuple[Look | None, ...]]]) -> dict[Value, State]:
    """How each value sees one axis of an input."""
    found: dict[Value, State] = {start: sight.start(axis)}
    for node, seen in looks:
        pairs = zip(node.inputs, seen, strict=True)
        states = [sight.onward(found[v], look, v.type) for v, look in pairs if look is not None and v in found]
        if states:
            found.update(dict.fromkeys(node.outputs, sight.together(states)))
    return found


def _on_line(axis: AxisField, state: State) -> AxisField:
    """What is known to the cell in place of what is bounded."""
    if isinstance(state, Line):
        return AxisField(state.narrow.extent, state.wide.extent, (state.wide.stride,))
    is_bound = state.doubt == "all" or (state.doubt == "numbers" and axis.most != "all")
    return AtMost(*axis) if is_bound else axis


def _add_way(
    ways: _Ways,
    way: Way,
    moves: tuple[tuple[Moves, ...], tuple[Moves, ...]],
    look: Look,
    composer: Composer,
    shape: tuple[Size, ...],
) -> None:
    before, seen, key = composer.compose(way, look)
    least, most = (list(map(_on_scales, side, before.scales)) for side in moves)
    for add in seen:
        for side in (least, most):
            moved = _moved(side[add.axis], add.places)
            if add.is_mixed and moved and composer.covers(span(before.scales[add.axis], moved) + 1, shape[add.axis]):
                moved = None
            side[add.axis] = moved
    least, most = (tuple(map(_on_scales, side, key.scales)) for side in (least, most))
    whole = [axis for axis, moved in enumerate(least) if moved is None]
    if whole:
        key = key.without(whole)
    if key in ways:
        least = tuple(map(_least, least, ways[key][0]))
        most = tuple(map(_most, most, ways[key][1]))
    ways[key] = least, most


def _given_up(ways: _Ways, rank: int, axes: int) -> _Ways:
    """So many ways as one, on which the least grows no more and the greatest is all."""
    found = [_extent(ways, axis, 0) for axis in range(axes)]
    least: tuple[Moves, ...] = tuple(None if isinstance(extent, str) else (extent - 1,) for extent in found)
    return {Way((Trail(),) * rank, ((),) * axes): (least, (None,) * axes)}


def _field(ways: _Ways) -> Field:
    axes = range(len(next(iter(ways)).scales))
    return tuple(AxisField(_extent(ways, axis, 0), _extent(ways, axis, 1), _strides(ways, axis)) for axis in axes)


def _extent(ways: _Ways, axis: int, side: Literal[0, 1]) -> Extent:
    """The least (side 0) or the greatest extent of all ways."""
    found = [(way.scales[axis], moves[side][axis]) for way, moves in ways.items()]
    sizes = [span(scales, moves) + 1 for scales, moves in found if moves is not None]
    if not sizes or (side == 1 and len(sizes) < len(found)):
        return "all"
    return reduce(dmin if side == 0 else dmax, sizes)


def _strides(ways: _Ways, axis: int) -> tuple[Ratio, ...]:
    """The finest stride along an axis, of each way on which not all is seen from everywhere."""
    found: dict[Ratio, None] = {}
    for way, (least, _) in ways.items():
        on_this = list(strides(way, axis))
        if on_this and least[axis] is not None:
            found[reduce(Ratio.least, on_this)] = None
    return tuple(found)


# ---- moves: None is the whole axis, more than any number ---------------------------------------------------


def _moved(moves: Moves, more: Size | None) -> Moves:
    return None if moves is None or more is None else (*moves[:-1], moves[-1] + more)


def _on_scales(moves: Moves, scales: tuple[Scale, ...]) -> Moves:
    """With none yet on the scales that are new."""
    return None if moves is None else moves + (0,) * (len(scales) + 1 - len(moves))


def _least(left: Moves, right: Moves) -> Moves:
    if left is None or right is None:
        return right if left is None else left
    return tuple(map(dmin, left, right))


def _most(left: Moves, right: Moves) -> Moves:
    return None if left is None or right is None else tuple(map(dmax, left, right))
