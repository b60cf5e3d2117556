"""Which parts of a network are alike: for source (one class), for summaries and diagrams (one row or card, ×n).

Two instances of a text are *the same* if the same happened in them: the same operators with the same arguments on
values that hang together in the same way. Two modules *look* the same if a reader of a summary could not tell their
rows apart: the same operators, weights and shapes below them, whatever their probabilities of dropping are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple

from archdsl.evaluate.values import Applicable, BlockLayer, BodyLayer, Function, OpLayer
from archdsl.graph import (
    Branch,
    BranchTaken,
    Declared,
    Event,
    Graph,
    Instance,
    LoopEvent,
    Merged,
    Module,
    Named,
    Node,
    OpRun,
    OutputEvent,
    ScopeRun,
    TensorDeclared,
    Value,
)
from archdsl.op import Op
from archdsl.record import record

# ---- the same ----------------------------------------------------------------------------------------------


class Sameness:
    """Numbers instances: two have one number if the same happened in them, but for names and places outside them."""

    def __init__(self, mark: Callable[[Node], Hashable] = lambda _: None) -> None:
        """``mark`` gives what else tells operators apart."""
        self._mark = mark
        self._numbers: dict[Hashable, int] = {}
        self._seen: dict[Instance, int] = {}
        self._local: dict[Instance, dict[Value, Hashable]] = {}
        self._by_name: dict[Instance, dict[Hashable, Value]] = {}
        self._kept: list[object] = []
        """Objects whose ids stand in keys: kept, so that no other object gets their id."""

    def number(self, instance: Instance) -> int:
        if instance not in self._seen:
            self._walk(instance)
        return self._seen[instance]

    def counterpart(self, value: Value, instance: Instance, other: Instance) -> Value:
        """The value that in another instance, where the same happened, stands where ``value`` does in this one."""
        if instance is other:
            return value
        if other not in self._by_name:
            self._by_name[other] = {name: v for v, name in self._local[other].items()}
        return self._by_name[other][self._local[instance][value]]

    def _walk(self, instance: Instance) -> dict[Value, Hashable]:
        """Numbers an instance and those in it; gives its values their names within it."""
        if instance in self._seen:
            return self._local[instance]
        local: dict[Value, Hashable] = {}
        key = (
            self._id(instance.scope.text),
            instance.repeats is not None,
            self.plain(instance.stream, local),
            tuple((n, self.plain(v, local)) for n, v in instance.arguments.items()),
            self._events(instance.events, instance, local),
            self.plain(instance.result, local),
        )
        self._seen[instance] = self._numbers.setdefault(key, len(self._numbers))
        self._local[instance] = local
        return local

    def _events(self, events: list[Event], around: Instance, local: dict[Value, Hashable]) -> Hashable:
        return tuple([self._event(e, around, local) for e in events])

    def _event(self, event: Event, around: Instance, local: dict[Value, Hashable]) -> Hashable:
        match event:
            case OpRun(site=site, node=node):
                return self._id(site), self._node(node, around, local)
            case ScopeRun(site=site, instance=instance):
                return self._entered(site, instance, around, local)
            case BranchTaken(site=site, arm=arm, events=events):
                return self._id(site), arm, self._events(events, around, local)
            case LoopEvent(site=site, turns=turns):
                return self._id(site), tuple(
                    (
                        tuple((n, self.plain(v, local)) for n, v in turn.variables.items()),
                        self._events(turn.events, around, local),
                    )
                    for turn in turns
                )
            case Branch(site=site, events=events, result=result):
                return self._id(site), self._events(events, around, local), self.plain(result, local)
            case Merged(site=site, events=events, nodes=nodes, result=result):
                held = self._events(events, around, local)
                merging = tuple(self._node(n, around, local) for n in nodes)
                return self._id(site), held, merging, self.plain(result, local)
            case Named(site=site, name=name, what=what):
                return self._id(site), name, self.plain(what, local)
            case Declared(site=site, module=module):
                return self._id(site), module.name
            case TensorDeclared(name=name, node=node, contents=contents):
                filling = tuple(self._node(n, around, local) for n in contents)
                return name, filling, self._node(node, around, local)
            case OutputEvent(site=site, output=output, events=events):
                held = self._events(events, around, local)
                return self._id(site), held, output.name, output.when_training, self.plain(output.value, local)
            case _:
                return self._id(event.site)

    def _node(self, node: Node, around: Instance, local: dict[Value, Hashable]) -> Hashable:
        place = None if node.module is None else node.module.path[len(around.module.path) :]
        inputs = tuple(self.plain(v, local) for v in node.inputs)
        for value in node.outputs:
            local[value] = len(local)
        return node.op, place, inputs, node.output_types, self._mark(node)

    def _entered(self, site: object, instance: Instance, around: Instance, local: dict[Value, Hashable]) -> Hashable:
        within = self._walk(instance)
        place = instance.module.path[len(around.module.path) :]
        arriving = tuple(self.plain(v, local) for v in within if isinstance(within[v], _Foreign))
        serial = len(local)
        for value, name in within.items():
            local.setdefault(value, (serial, name))
        return self._id(site), place, self._seen[instance], arriving

    def plain(self, value: Any, local: dict[Value, Hashable]) -> Hashable:
        """A value of the language as a key. Numbers of different types differ."""
        match value:
            case Value():
                return local.setdefault(value, _Foreign(len(local), value.type))
            case list() | tuple() | range():
                return tuple(self.plain(v, local) for v in value)
            case OpLayer(op=op):
                return op, self._given(value, local)
            case BlockLayer(definition=definition):
                return self._id(definition), self._given(value, local)
            case BodyLayer(node=node):
                return self._id(node)
            case Function(definition=definition):
                return self._id(definition)
            case bool() | int() | float() | str():
                return type(value), value
            case _:
                return self._id(value) if getattr(type(value), "__hash__", None) is None else value

    def _given(self, layer: Applicable, local: dict[Value, Hashable]) -> Hashable:
        named = tuple((n, self.plain(g.value, local)) for n, g in layer.named.items())
        return tuple(self.plain(g.value, local) for g in layer.positional), named

    def _id(self, thing: object) -> int:
        self._kept.append(thing)
        return id(thing)


class _Foreign(NamedTuple):
    """A value from outside an instance, by the order in which it is first read."""

    order: int
    type: object


# ---- looking the same --------------------------------------------------------------------------------------


@record
class Run:
    """Neighbours that look the same: from one module up to several."""

    modules: tuple[Module, ...]

    @property
    def first(self) -> Module:
        return self.modules[0]

    @property
    def last(self) -> Module:
        return self.modules[-1]

    @property
    def count(self) -> int:
        return len(self.modules)


class Looks:
    """What modules of a network look like."""

    def __init__(self, graph: Graph) -> None:
        self._nodes: dict[Module, list[Node]] = {}
        for instance in graph.instance.walk():
            for node in instance.nodes:
                self._nodes.setdefault(node.module or instance.module, []).append(node)
        self._numbers: dict[Hashable, int] = {}
        self._look: dict[Module, int] = {}

    def of(self, module: Module) -> int:
        """A number: equal for modules that look the same."""
        for inner in reversed(list(module.walk())):
            if inner not in self._look:
                self._look[inner] = self._numbers.setdefault(self._key(inner), len(self._numbers))
        return self._look[module]

    def _key(self, module: Module) -> Hashable:
        what = module.what if isinstance(module.what, Op) or module.what is None else module.what.text
        return (
            type(what) if isinstance(what, Op) else id(what),
            tuple((w.name, w.shape, w.buffer) for w in module.own.values()),
            tuple(_appearance(n) for n in self._nodes.get(module, ())),
            tuple((name, self._look[child]) for name, child in module.children.items()),
        )

    def runs(self, modules: Iterable[Module]) -> list[Run]:
        """Neighbours of the same look together."""
        runs: list[list[Module]] = []
        for module in modules:
            if runs and self.of(runs[-1][0]) == self.of(module):
                runs[-1].append(module)
            else:
                runs.append([module])
        return [Run(tuple(run)) for run in runs]


def _appearance(node: Node) -> Hashable:
    """An operator as a summary or a figure shows it."""
    op = type(node.op) if node.op.is_random else node.op
    return op, tuple(node.input_types), tuple(node.output_types)
