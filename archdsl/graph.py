"""The checked graph: what every measure, check and back end reads.

Three views of one network. The *flat graph*: operator nodes in the order in which they run, on values with known
shapes. The *module tree*: who owns which weights, under which dotted names, in state-dict order. And the *instances*:
for each run of a scope of the text (a block, a seq, a labelled group, the model) the events that happened in it, in
text order, each tied to its place in the syntax tree, so that instances of one text can be aligned.

All of it is written by the builder and frozen afterwards by convention.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from itertools import chain
from typing import Literal, TypeAlias

from archdsl.dims import Needs
from archdsl.evaluate.values import Env, Given, SpecValue, Stream, Value, Written
from archdsl.op import Facets, Op, Tensor, Torch, Weight
from archdsl.record import record
from archdsl.source import Span
from archdsl.syntax import tree


def value_on(stream: Stream) -> Value:
    """The value that a stream is.

    Raises:
        TypeError: it is a list, or nothing.
    """
    if not isinstance(stream, Value):
        raise TypeError(f"one value is on the stream, not {stream}")
    return stream


def values_in(stream: Stream) -> Iterator[Value]:
    """The values on a stream: the one that it is, or those in its lists."""
    if isinstance(stream, Value):
        yield stream
    elif isinstance(stream, list):
        for item in stream:
            yield from values_in(item)


@record(eq=False, slots=True)
class Node:
    """One run of an operator, which says by ``facets`` what it is on inputs of these types.

    ``module`` is where the operator stands in the module tree: None for one with neither label, number nor weights.
    Two runs of a shared layer have the same ``module``. ``site`` is the expression that says it, ``written`` the
    arguments as they were written, each with the environment in which it stood.
    """

    facets: Facets
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    module: Module | None
    site: tree.Node
    written: Written

    @property
    def span(self) -> Span:
        return self.site.span

    @property
    def output(self) -> Value:
        return self.outputs[0]

    @property
    def path(self) -> str | None:
        return self.module.path if self.module is not None else None

    @property
    def op(self) -> Op:
        return self.facets.op

    @property
    def input_types(self) -> tuple[Tensor, ...]:
        return self.facets.inputs

    @property
    def output_types(self) -> tuple[Tensor, ...]:
        return self.facets.outputs

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The tensors that the layer owns: parameters, then buffers."""
        return self.facets.weights

    @property
    def torch(self) -> Torch:
        """What the layer is in PyTorch."""
        return self.facets.torch


# ---- module tree -------------------------------------------------------------------------------------------


@record(frozen=False, eq=False, slots=True)
class Module:
    """A place in the module tree: a scope, a layer that owns weights, or one that has a label or a number.

    ``own`` holds its parameters and then its buffers by name, ``children`` its modules by name, each in order of first
    appearance in the text: that is the order of the state dict.
    """

    path: str
    span: Span | None
    what: Op | Scope | None = None
    own: dict[str, Weight] = field(default_factory=dict[str, Weight])
    children: dict[str, Module] = field(default_factory=dict[str, "Module"])
    formerly: str | None = None
    """The number in a seq that archdsl 0.1 gave it, where that is another one: there, values took numbers too."""

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    def join(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def walk(self) -> Iterator[Module]:
        """This module and all below it, in state-dict order."""
        stack: list[Module] = [self]
        while stack:
            module = stack.pop()
            yield module
            stack.extend(reversed(module.children.values()))

    def weights(self) -> Iterator[tuple[str, Weight]]:
        """Full dotted names and weights from here down, in state-dict order."""
        for module in self.walk():
            for name, weight in sorted(module.own.items(), key=_dotted_last):
                yield module.join(name), weight


def _dotted_last(item: tuple[str, Weight]) -> int:
    """torch lists a module's own parameters, then its own buffers, then what its children own."""
    name, weight = item
    return 2 if "." in name else 1 if weight.buffer else 0


# ---- instances ---------------------------------------------------------------------------------------------


@record(eq=False, slots=True)
class Scope:
    """A piece of text that makes a module: shared by identity between its instances.

    ``text`` is what is run: a body (block, model, group, combine) or a seq. ``name`` is the definition's, or None for
    a seq or group without one. ``params`` are the definition's.
    """

    kind: Literal["block", "model", "seq", "group"]
    text: tree.Body | tree.Seq | tree.Combine | tree.Residual
    definition: tree.Block | None

    @property
    def name(self) -> str | None:
        return self.definition.name.text if self.definition is not None else None

    @property
    def params(self) -> tuple[tree.Param, ...]:
        return self.definition.params if self.definition is not None else ()


@record(frozen=False, eq=False)
class Instance:
    """One run of a scope: what it was given, what happened in it, what came out.

    ``arguments`` are the values of the definition's parameters, ``written`` those that were given, as they were
    written, ``defaults`` what ``with`` set around it. ``stream`` is what arrived on the stream and ``result`` what left
    it: a value, a list, or None. ``repeats`` is the first run of the same module where this is a later one.
    """

    scope: Scope
    module: Module
    arguments: dict[str, SpecValue]
    stream: Stream
    env: Env
    events: list[Event] = field(default_factory=list["Event"])
    result: Stream = None
    repeats: Instance | None = None
    written: Written = field(default_factory=dict[str, tuple[tree.Node, Env]])
    defaults: Mapping[object, Mapping[str, Given]] = field(default_factory=dict[object, Mapping[str, Given]])

    @cached_property
    def nodes(self) -> list[Node]:
        """Its nodes that are not those of an instance in it, in the order in which they run."""
        return list(_own_nodes(self.events))

    @cached_property
    def inner(self) -> list[Instance]:
        """The instances that run in it, but not those in these."""
        return [e.instance for e in flattened(self.events) if isinstance(e, ScopeRun)]

    def walk(self) -> Iterator[Instance]:
        """This instance and all that ran in it, outer ones first, in text order."""
        stack: list[Instance] = [self]
        while stack:
            instance = stack.pop()
            yield instance
            stack.extend(reversed(instance.inner))


@record(eq=False, slots=True)
class OpRun:
    """An operator ran."""

    site: tree.Node
    node: Node
    env: Env


@record(eq=False, slots=True)
class ScopeRun:
    """A scope below ran."""

    site: tree.Node
    instance: Instance
    env: Env


@record(eq=False, slots=True)
class OpSkipped:
    """A layer stands here that is ``none`` in this run."""

    site: tree.Node
    env: Env


@record(eq=False, slots=True)
class BranchTaken:
    """An ``if`` (or a ternary between layers or values) took an arm: 0, 1, … in text order; None: no arm."""

    site: tree.Node
    arm: int | None
    env: Env
    events: list[Event]


@record(eq=False, slots=True)
class LoopEvent:
    """A ``for`` (or a comprehension over values) took its turns."""

    site: tree.Node
    turns: list[Turn]
    env: Env


@record(eq=False, slots=True)
class Turn:
    """One turn of a loop: the values of its variables, and what happened."""

    variables: dict[str, SpecValue]
    events: list[Event]


@record(eq=False, slots=True)
class Merged:
    """A combinator ran: what happened in its body, branches among it, and the merged value.

    Its merging nodes are not events.
    """

    site: tree.Node
    kind: tree.CombineKind
    stream: Stream
    events: list[Event]
    nodes: tuple[Node, ...]
    result: Stream

    @property
    def branches(self) -> list[Branch]:
        """The branches, those under ``for`` and ``if`` too, in text order."""
        return list(_branches(self.events))


@record(eq=False, slots=True)
class Branch:
    """``site`` is the branch's statement (or body); None: the shortcut left out."""

    site: tree.Node | None
    events: list[Event]
    result: Stream


@record(eq=False, slots=True)
class Named:
    """The author gave a name: ``as p``, ``let v = …``, ``input x``. ``stream`` is what is on the stream then."""

    site: tree.Node
    name: str
    what: SpecValue
    env: Env


@record(eq=False, slots=True)
class Declared:
    """``let label: layer``: a module has its place here."""

    site: tree.Declare
    module: Module


@record(eq=False, slots=True)
class TensorDeclared:
    """``param`` or ``buffer``: its node has no inputs.

    The value of a buffer, ``held``, is computed once, when the module is made, by ``contents``: operators that read
    nothing but each other, in the order in which they run. A parameter has neither.
    """

    site: tree.TensorParam | tree.TensorBuffer
    name: str
    node: Node
    contents: tuple[Node, ...]
    held: Value | None
    env: Env


@record(eq=False, slots=True)
class OutputEvent:
    """``output``: the events of its own chain, and the value."""

    site: tree.Output
    output: GraphOutput
    events: list[Event]


Event: TypeAlias = (
    OpRun
    | ScopeRun
    | OpSkipped
    | BranchTaken
    | LoopEvent
    | Merged
    | Branch
    | Named
    | Declared
    | TensorDeclared
    | OutputEvent
)


def inside(event: Event) -> Iterable[Event]:
    """The events that an event holds."""
    match event:
        case BranchTaken(events=events) | OutputEvent(events=events) | Branch(events=events) | Merged(events=events):
            return events
        case LoopEvent(turns=turns):
            return chain.from_iterable(turn.events for turn in turns)
        case _:
            return ()


def flattened(events: Iterable[Event]) -> Iterator[Event]:
    """Events with those inside them, each before what it holds; instances are not entered."""
    for event in events:
        yield event
        yield from flattened(inside(event))


def _own_nodes(events: Iterable[Event]) -> Iterator[Node]:
    for event in events:
        yield from _own_nodes(inside(event))
        match event:
            case OpRun(node=node) | TensorDeclared(node=node):
                yield node
            case Merged(nodes=nodes):
                yield from nodes
            case _:
                pass


def _branches(events: list[Event]) -> Iterator[Branch]:
    for event in events:
        match event:
            case Branch():
                yield event
            case BranchTaken(events=inner):
                yield from _branches(inner)
            case LoopEvent(turns=turns):
                for turn in turns:
                    yield from _branches(turn.events)
            case _:
                pass


# ---- the graph ---------------------------------------------------------------------------------------------


@record(eq=False, slots=True)
class GraphInput:
    name: str
    value: Value


@record(eq=False, slots=True)
class GraphOutput:
    name: str
    value: Value
    when_training: bool


@record(frozen=False, eq=False)
class Graph:
    """A network. ``name`` is the model's; ``nodes`` run in this order; ``root`` is the whole of the module tree."""

    name: str
    inputs: list[GraphInput]
    outputs: list[GraphOutput]
    nodes: list[Node]
    root: Module
    instance: Instance
    needs: Needs

    @cached_property
    def weights(self) -> dict[str, Weight]:
        """All tensors of the state dict by full name, in its order; a shared one once."""
        return dict(self.root.weights())

    @cached_property
    def producer(self) -> dict[Value, Node]:
        """The node that makes a value; inputs have none."""
        return {value: node for node in self.nodes for value in node.outputs}

    @cached_property
    def given(self) -> frozenset[Value]:
        """The values that are outputs."""
        return frozenset(output.value for output in self.outputs)

    def live(self, training: bool) -> frozenset[Node]:
        """Nodes that some output needs: at inference what feeds only training outputs is not run."""
        wanted = {o.value for o in self.outputs if training or not o.when_training}
        needed: set[Node] = set()
        for node in reversed(self.nodes):
            if not wanted.isdisjoint(node.outputs):
                needed.add(node)
                wanted.update(node.inputs)
        return frozenset(needed)
