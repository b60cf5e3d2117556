"""The network as a tree of parts: what can be folded, and what is known of each part.

The tree follows the instances' events. A *group* is one run of a scope, or one turn of a loop that does more than a
single step; a *merge* is a run of a combinator; a *leaf* is one operator. Every node of the graph is in exactly one
leaf or merge, so that whatever is drawn, its edges are the graph's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from archdsl.dims import Size
from archdsl.emit.diagram.sizes import size_text
from archdsl.graph import (
    Branch,
    BranchTaken,
    Declared,
    Event,
    Graph,
    Instance,
    LoopEvent,
    Merged,
    Named,
    Node,
    OpRun,
    OpSkipped,
    OutputEvent,
    ScopeRun,
    TensorDeclared,
    Value,
)
from archdsl.measure.params import numel
from archdsl.ops.dropout import Inert
from archdsl.ops.einsum import Einsum
from archdsl.ops.elementwise import Arithmetic
from archdsl.ops.merge import Add
from archdsl.ops.padding import Pad, Roll
from archdsl.ops.ranges import Arange
from archdsl.ops.resample import Resize
from archdsl.ops.shape import Bounds, Select
from archdsl.ops.softmax import Softmax
from archdsl.ops.tensor import OwnTensor
from archdsl.syntax import tree


@dataclass(frozen=True, eq=False)
class Leaf:
    """One run of an operator."""

    node: Node


@dataclass(frozen=True, eq=False)
class Group:
    """One run of a scope (``instance``), or one turn of a loop (``site`` is the loop)."""

    parts: tuple[Part, ...]
    site: tree.Node
    instance: Instance | None = None

    @property
    def path(self) -> str | None:
        return self.instance.module.path if self.instance is not None else None

    @property
    def block(self) -> str | None:
        """The name of the block that it is a run of; seqs, labelled groups and turns have none."""
        return self.instance.scope.name if self.instance is not None else None

    @property
    def text(self) -> tree.Node:
        """What it is a run of: equal for groups that run the same text."""
        return self.instance.scope.text if self.instance is not None else self.site

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(nodes_of(self.parts))


@dataclass(frozen=True, eq=False)
class Merge:
    """A run of a combinator with its branches."""

    merged: Merged
    branches: tuple[tuple[Part, ...], ...]

    @property
    def is_residual(self) -> bool:
        return isinstance(self.merged.site, tree.Residual)


Part: TypeAlias = Leaf | Group | Merge


def nodes_of(parts: Iterable[Part]) -> Iterator[Node]:
    """The nodes of the graph below some parts, in the order in which they run."""
    for part in parts:
        match part:
            case Leaf(node=node):
                yield node
            case Group():
                yield from part.nodes
            case Merge():
                for branch in part.branches:
                    yield from nodes_of(branch)
                yield from part.merged.nodes


def groups_of(parts: Iterable[Part]) -> Iterator[Group]:
    """All groups below some parts, each before what it holds."""
    for part in parts:
        if isinstance(part, Group):
            yield part
            yield from groups_of(part.parts)
        elif isinstance(part, Merge):
            for branch in part.branches:
                yield from groups_of(branch)


def parts_of(events: Iterable[Event]) -> tuple[Part, ...]:
    """The parts of a scope, from its events."""
    return tuple(_parts(events))


def _parts(events: Iterable[Event]) -> Iterator[Part]:
    for event in events:
        match event:
            case OpRun(node=node) | TensorDeclared(node=node):
                yield Leaf(node)
            case ScopeRun(site=site, instance=instance):
                yield Group(parts_of(instance.events), site, instance)
            case BranchTaken(events=inner) | OutputEvent(events=inner):
                yield from _parts(inner)
            case LoopEvent(site=site, turns=turns):
                for turn in turns:
                    yield from _turn(parts_of(turn.events), site)
            case Merged():
                yield from _parts(_beside_branches(event.events))
                yield Merge(event, tuple(parts_of(branch.events) for branch in event.branches))
            case Branch() | Named() | Declared() | OpSkipped():
                pass


def _beside_branches(events: Iterable[Event]) -> Iterator[Event]:
    """What happened in the body of a combinator but in none of its branches: values that ``let`` named."""
    for event in events:
        match event:
            case Branch():
                pass
            case BranchTaken(events=inner):
                yield from _beside_branches(inner)
            case LoopEvent(turns=turns):
                for turn in turns:
                    yield from _beside_branches(turn.events)
            case _:
                yield event


def _turn(parts: tuple[Part, ...], site: tree.Node) -> Iterator[Part]:
    """A turn is a group of its own where it does more than one step."""
    if len(parts) == 1 and not isinstance(parts[0], Merge):
        yield parts[0]
    elif parts:
        yield Group(parts, site)


NEAR = 500
"""Values that a backward search looks at without a second thought."""

# ---- what is known of nodes --------------------------------------------------------------------------------


@dataclass(eq=False)
class Network:
    """A graph with its outline, and what the drawing asks of its nodes."""

    graph: Graph
    parts: tuple[Part, ...] = field(init=False)
    single: dict[Group, bool] = field(init=False, default_factory=dict)
    """Which groups open into a single card, as far as that was asked."""
    _far: dict[Value, frozenset[Value]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        parts = parts_of(self.graph.instance.events)
        listed = set(nodes_of(parts))
        self.parts = (*parts, *(Leaf(node) for node in self.graph.nodes if node not in listed))

    @cached_property
    def runs_of(self) -> dict[tree.Node, list[Group]]:
        """All groups by the text that they run."""
        found: dict[tree.Node, list[Group]] = defaultdict(list)
        for group in groups_of(self.parts):
            found[group.text].append(group)
        return found

    @cached_property
    def consumers(self) -> dict[Value, list[Node]]:
        """The nodes that read a value, each as often as it reads it."""
        found: dict[Value, list[Node]] = defaultdict(list)
        for node in self.graph.nodes:
            for value in reads(node):
                found[value].append(node)
        return found

    @cached_property
    def results(self) -> frozenset[Value]:
        return frozenset(output.value for output in self.graph.outputs)

    @cached_property
    def attentions(self) -> frozenset[Node]:
        """The nodes that attend: the operator itself, or a softmax whose weights an ``einsum`` sums with."""
        found = {node for node in self.graph.nodes if node.op.palette == "attention"}
        for node in self.graph.nodes:
            if isinstance(node.op, Softmax):
                readers = [r for n in self.consumers[node.output] for r in (n, *self._past_dropout(n))]
                found |= {node} if any(isinstance(reader.op, Einsum) for reader in readers) else set()
        return frozenset(found)

    def _past_dropout(self, node: Node) -> list[Node]:
        return self.consumers[node.output] if isinstance(node.op, Inert) else []

    def is_only_for(self, value: Value, node: Node) -> bool:
        """Does nobody but ``node`` read the value?"""
        return self.consumers[value] == [node] and value not in self.results

    @cached_property
    def params(self) -> dict[Node, Size]:
        """Parameters that each node owns, shared ones at the first node that runs with them."""
        seen: set[str] = set()
        found: dict[Node, Size] = {}
        for node in self.graph.nodes:
            new: Size = 0
            for weight in node.weights:
                name = node.module.join(weight.name) if node.module is not None else weight.name
                if name not in seen and not weight.buffer:
                    new = new + numel(weight)
                seen.add(name)
            found[node] = new
        return found

    @cached_property
    def constants(self) -> frozenset[Node]:
        """Nodes that neither an input nor a parameter reaches: numbers of the text, buffers, what is made of them."""
        found: set[Node] = set()
        for node in self.graph.nodes:
            owned = node.weights
            if any(not weight.buffer for weight in owned):
                continue
            makers = [self.graph.producer.get(value) for value in reads(node)]
            if all(maker is not None and maker in found for maker in makers):
                found.add(node)
        return frozenset(found)

    @cached_property
    def unread(self) -> frozenset[Node]:
        """Nodes without parameters whose results no output derives from: tables that were made and left."""
        wanted: set[Value] = set(self.results)
        found: set[Node] = set()
        for node in reversed(self.graph.nodes):
            if wanted.isdisjoint(node.outputs) and not any(not weight.buffer for weight in node.weights):
                found.add(node)
            else:
                wanted.update(reads(node))
        return frozenset(found)

    @cached_property
    def stored(self) -> frozenset[Node]:
        """Nodes that no input reaches, but a parameter of the model's own does."""
        found: set[Node] = set()
        for node in self.graph.nodes:
            makers = [self.graph.producer.get(value) for value in self.sources(node)]
            is_tensor = isinstance(node.op, OwnTensor) and node not in self.constants
            if is_tensor or (makers and all(maker is not None and maker in found for maker in makers)):
                found.add(node)
        return frozenset(found)

    def sources(self, node: Node) -> list[Value]:
        """The values that a node reads and that are drawn: constants are not."""
        return [v for v in reads(node) if self.graph.producer.get(v) not in self.constants]

    # ---- residuals ----

    @cached_property
    def residuals(self) -> frozenset[Node]:
        """The additions that end a shortcut: of ``residual { … }``, and of a value to what was made of it."""
        found = set(_residual_merges(self.parts))
        for node in self.graph.nodes:
            if is_sum(node) and node not in found and self._has_bypass(node):
                found.add(node)
        return frozenset(found)

    def _has_bypass(self, node: Node) -> bool:
        """Does one operand derive from another one?"""
        operands = self.sources(node)
        return any(self._derives(to, of) for of in operands for to in operands if to is not of)

    def _derives(self, to: Value, of: Value) -> bool:
        """Is ``to`` made of ``of``? Values are numbered in order of making: a near one is searched for backwards."""
        if to.id <= of.id:
            return False
        if to.id - of.id > NEAR:
            return to in self._made_of(of)
        seen: set[Value] = set()
        stack = [to]
        while stack:
            value = stack.pop()
            if value is of:
                return True
            if value.id <= of.id or value in seen:
                continue
            seen.add(value)
            maker = self.graph.producer.get(value)
            stack.extend(reads(maker) if maker is not None else ())
        return False

    def _made_of(self, value: Value) -> frozenset[Value]:
        """All values that derive from one; kept, since what is read far away is often read many times."""
        if value not in self._far:
            found = {value}
            for node in self.graph.nodes:
                if not found.isdisjoint(reads(node)):
                    found.update(node.outputs)
            self._far[value] = frozenset(found)
        return self._far[value]

    # ---- names ----

    @cached_property
    def names(self) -> dict[Value, str]:
        """The author's names of values; the first where there are several."""
        found = {i.value: i.name for i in self.graph.inputs}
        for instance in self._instances():
            for event in instance.events:
                if isinstance(event, Named) and isinstance(event.what, Value):
                    found.setdefault(event.what, event.name)
        return found

    def constant_name(self, value: Value) -> str:
        """The author's name of a constant tensor, or its shape."""
        shape = "×".join(map(size_text, value.shape)) or "1"
        found: Value | None = value
        while found is not None:
            maker = self.graph.producer.get(found)
            if found in self.names:
                return self.names[found]
            if maker is not None and isinstance(maker.op, OwnTensor):
                return maker.op.label
            found = maker.inputs[0] if maker is not None and len(maker.inputs) == 1 else None
        return f"constant {shape}"

    def _instances(self) -> Iterator[Instance]:
        yield self.graph.instance
        for group in groups_of(self.parts):
            if group.instance is not None:
                yield group.instance


def _residual_merges(parts: Iterable[Part]) -> Iterator[Node]:
    for part in parts:
        match part:
            case Group():
                yield from _residual_merges(part.parts)
            case Merge():
                if part.is_residual and part.merged.nodes:
                    yield part.merged.nodes[-1]
                for branch in part.branches:
                    yield from _residual_merges(branch)
            case Leaf():
                pass


def reads(node: Node) -> tuple[Value, ...]:
    """The values whose contents a node reads: of what it resizes like or counts along, only the size matters."""
    match node.op:
        case Resize():
            return node.inputs[:1]
        case Arange():
            return ()
    return node.inputs


def is_sum(node: Node) -> bool:
    """An addition of values, by a combinator or by ``+``."""
    return isinstance(node.op, Add) or (isinstance(node.op, Arithmetic) and node.op.op == "+")


def does_nothing(node: Node) -> bool:
    """The identity, dropouts that drop nothing, and what pads, rolls or cuts off by nothing."""
    match node.op:
        case Inert() as op:
            return not getattr(op, "p", 0.0)
        case Pad(before=before, after=after):
            return before == 0 and after == 0
        case Roll(by=by):
            return by == 0
        case Select(subscripts=subscripts):
            is_whole = all(isinstance(s, Bounds) and s.start in (None, 0) and s.step in (None, 1) for s in subscripts)
            return is_whole and node.inputs[0].shape == node.output.shape
    return False
