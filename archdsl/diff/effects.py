"""What the edits do to shapes, costs and receptive fields, with the layers that cause it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeAlias

from archdsl.diff.align import Pairs
from archdsl.diff.gather import Change
from archdsl.diff.parts import Group, Leaf, Reader, runs_of
from archdsl.diff.places import located
from archdsl.dims import Size
from archdsl.evaluate.values import shape_text
from archdsl.graph import Graph
from archdsl.measure import Fields, Totals, depth, training_memory
from archdsl.measure.batch import Batch
from archdsl.measure.field import Field
from archdsl.measure.modules import Costs
from archdsl.measure.params import numel
from archdsl.op import Tensor
from archdsl.record import record

OPTIMIZER = "adamw"
Spent: TypeAlias = Mapping[Leaf, Totals]
Runs: TypeAlias = Mapping[str, Collection[str]]


@record
class Cause:
    """What contributes to the difference of a cost: a change, or layers that follow one; ``delta`` is its share."""

    place: str
    delta: Size
    follows: bool


@record
class Cost:
    """A cost of both networks; its causes, the largest first."""

    name: str
    before: Size
    after: Size
    causes: tuple[Cause, ...] = ()


@record
class PlaceChange:
    """What a value is before and after at the layers where it changes first: a shape, or a receptive field."""

    place: str
    before: str
    after: str


@record
class Effects:
    """``shapes`` and ``fields`` state where they change first; ``reached`` counts all layers with another shape.

    ``output_fields`` are the receptive fields of the outputs, where they differ.
    """

    costs: tuple[Cost, ...]
    shapes: tuple[PlaceChange, ...]
    reached: int
    fields: tuple[PlaceChange, ...]
    output_fields: tuple[PlaceChange, ...]


def effects(
    readers: tuple[Reader, Reader], roots: tuple[Group, Group], pairs: Pairs, changes: Iterable[Change]
) -> Effects:
    """All effects."""
    before, after = (reader.graph for reader in readers)
    runs = runs_of(roots[1])
    shapes, reached = _shape_changes(readers, roots, pairs)
    outputs, fields = _field_changes(before, after, pairs, runs)
    return Effects(_costs(before, after, roots, pairs, tuple(changes)), shapes, reached, fields, outputs)


# ---- costs -------------------------------------------------------------------------------------------------

COSTS: tuple[tuple[str, Callable[[Totals], Size]], ...] = (
    ("parameters", lambda t: t.params),
    ("MACs", lambda t: t.macs),
    ("FLOPs", lambda t: t.flops),
    ("activation bytes", lambda t: t.memory),
)


def _costs(
    before: Graph, after: Graph, roots: tuple[Group, Group], pairs: Pairs, changes: tuple[Change, ...]
) -> tuple[Cost, ...]:
    spent = [_spent(graph, root) for graph, root in zip((before, after), roots, strict=True)]
    inputs = [_of_inputs(graph) for graph in (before, after)]
    sums = [sum(leaves.values(), start) for (leaves, start) in zip(spent, inputs, strict=True)]
    found = [
        Cost(name, of(sums[0]), of(sums[1]), _causes(of, (spent[0], spent[1]), pairs, changes, runs_of(roots[1])))
        for name, of in COSTS
    ]
    memory = [training_memory(g, OPTIMIZER, s.memory).total for g, s in zip((before, after), sums, strict=True)]
    return (*found, Cost("training bytes", memory[0], memory[1]), Cost("depth", depth(before), depth(after)))


def _of_inputs(graph: Graph) -> Totals:
    made = Costs(graph, Batch(graph, 1)).activations.tensors
    return Totals(memory=sum((made.get(i.value, 0) for i in graph.inputs), start=0))


def _spent(graph: Graph, root: Group) -> dict[Leaf, Totals]:
    """The costs of each layer, for one example; parameters at the first layer that owns them."""
    costs = Costs(graph, Batch(graph, 1))
    counted: set[str] = set()
    found: dict[Leaf, Totals] = {}
    for leaf in root.leaves:
        trained = [w for w in leaf.node.weights if not w.buffer and leaf.weights[w.name] not in counted]
        counted.update(leaf.weights.values())
        found[leaf] = Totals(params=sum(map(numel, trained))) + costs.of_node(leaf.node)
    return found


def _causes(
    of: Callable[[Totals], Size], spent: tuple[Spent, Spent], pairs: Pairs, changes: tuple[Change, ...], runs: Runs
) -> tuple[Cause, ...]:
    """The shares of changes, and of layers that follow, grouped by block and name."""
    before, after = spent
    owners = {
        leaf: change for change in changes for edit in change.edits for p in edit.old + edit.new for leaf in p.leaves
    }
    deltas: list[tuple[Leaf, Size]] = [(y, of(cost) - of(before[x])) for y, cost in after.items()
                                       if isinstance(x := pairs.back.get(y), Leaf)]  # fmt: skip
    deltas += [(y, of(cost)) for y, cost in after.items() if y not in pairs.back]
    deltas += [(x, -of(cost)) for x, cost in before.items() if x not in pairs.forth]
    shares: dict[Hashable, Size] = {}
    members: dict[Hashable, list[Leaf]] = {}
    for leaf, delta in deltas:
        if delta != 0:
            key = owners.get(leaf) or (_block(leaf), leaf.name)
            shares[key] = shares.get(key, 0) + delta
            members.setdefault(key, []).append(leaf)
    found = [
        Cause(key.place if isinstance(key, Change) else _place(members[key], runs), delta, not isinstance(key, Change))
        for key, delta in shares.items()
        if delta != 0
    ]
    return tuple(sorted(found, key=lambda cause: -abs(cause.delta) if isinstance(cause.delta, int) else 0))


def _block(leaf: Leaf) -> str | None:
    return leaf.parent.instance.scope.name if leaf.parent is not None else None


def _place(leaves: Sequence[Leaf], runs: Runs) -> str:
    """Where layers of one name and block are."""
    return located(leaves[0].name, [leaf.scope for leaf in leaves], _block(leaves[0]), runs)


# ---- shapes, receptive fields ------------------------------------------------------------------------------


def _shape_changes(
    readers: tuple[Reader, Reader], roots: tuple[Group, Group], pairs: Pairs
) -> tuple[tuple[PlaceChange, ...], int]:
    def types(tensors: Iterable[Tensor], reader: Reader) -> list[Tensor]:
        return [reader.type_of(tensor) for tensor in tensors]

    first, second = readers
    differing = [
        (x, y) for x, y in pairs.leaves() if types(x.node.output_types, first) != types(y.node.output_types, second)
    ]
    causes = [
        (x, y)
        for x, y in differing
        if types(x.node.input_types, first) == types(y.node.input_types, second)
        or len(x.node.inputs) != len(y.node.inputs)
    ]
    rows = [(y, _shapes(x), _shapes(y)) for x, y in causes]
    if differing:
        rows += [(y, _inputs(y), _shapes(y)) for y in roots[1].leaves if _reshapes(y) and y not in pairs.back]
    return _gathered(rows, runs_of(roots[1])), len(differing)


def _reshapes(leaf: Leaf) -> bool:
    """Whether the output of a layer has another shape than its only input."""
    return len(leaf.node.inputs) == 1 and leaf.node.input_types != leaf.node.output_types


def _shapes(leaf: Leaf) -> str:
    return ", ".join(shape_text(tensor.shape) for tensor in leaf.node.output_types)


def _inputs(leaf: Leaf) -> str:
    return ", ".join(shape_text(tensor.shape) for tensor in leaf.node.input_types)


def _gathered(rows: Iterable[tuple[Leaf, str, str]], runs: Runs) -> tuple[PlaceChange, ...]:
    found: dict[Hashable, list[Leaf]] = {}
    for leaf, before, after in rows:
        found.setdefault((_block(leaf), leaf.name, before, after), []).append(leaf)
    return tuple(
        PlaceChange(_place(leaves, runs), key[2], key[3]) for key, leaves in found.items() if isinstance(key, tuple)
    )


def _field_changes(
    before: Graph, after: Graph, pairs: Pairs, runs: Runs
) -> tuple[tuple[PlaceChange, ...], tuple[PlaceChange, ...]]:
    """Receptive fields of outputs that differ, and the layers where they differ first."""
    ours, theirs = Fields(before), Fields(after)
    results = {o.name: o.value for o in before.outputs}
    outputs = [
        PlaceChange(o.name, field_text(ours.of(results[o.name])), field_text(theirs.of(o.value)))
        for o in after.outputs
        if o.name in results
    ]
    rows = [
        (y, field_text(ours.of(x.node.output)), field_text(theirs.of(y.node.output)))
        for x, y in pairs.leaves()
        if [ours.of(v) for v in x.node.inputs] == [theirs.of(v) for v in y.node.inputs]
    ]
    differing = _gathered(((y, old, new) for y, old, new in rows if old != new), runs)
    return tuple(found for found in outputs if found.before != found.after), differing


def field_text(field: Mapping[str, Field]) -> str:
    """``35 × 35, stride 4``: positions of each axis of the inputs that are seen, batch and channels left out."""
    return "; ".join(_axes_text(axes[2:] or axes) for axes in field.values())


def _axes_text(axes: Field) -> str:
    seen = " × ".join(str(axis.most) for axis in axes)
    strides = {str(axis.strides[0]) for axis in axes if len(axis.strides) == 1}
    return f"{seen}, stride {strides.pop()}" if len(strides) == 1 else seen
