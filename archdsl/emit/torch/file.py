"""One emitted file: which instances are of one class, and all that the classes' writers must know of the graph."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archdsl.emit.torch.classes import ClassWriter
from archdsl.emit.torch.functions import Functions
from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.inits import InitPlan, weights_of
from archdsl.emit.torch.lower.wrappers import Wrappers
from archdsl.emit.torch.names import RESERVED, Names, class_name, class_name_at, identifier, is_identifier, network_name
from archdsl.emit.torch.precision import Conversions, Precision
from archdsl.emit.torch.rows import Conflict
from archdsl.emit.torch.terms import NoValue, Symbol
from archdsl.emit.torch.text import doc_of, file_text
from archdsl.emit.torch.writer import ClassDef
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Abort, Fault, UsesErrorValue
from archdsl.evaluate.place import TextPlace
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import BlockLayer, Builtin, Env, NoLayer, OpLayer, is_list
from archdsl.graph import (
    BranchTaken,
    Declared,
    Event,
    Graph,
    GraphOutput,
    Instance,
    LoopEvent,
    Module,
    Named,
    Node,
    OpRun,
    OpSkipped,
    Scope,
    ScopeRun,
    Turn,
    Value,
    value_on,
    values_in,
)
from archdsl.grouping import Sameness
from archdsl.op import REQUIRED, Torch
from archdsl.program.usage import Usage
from archdsl.syntax import tree


class CannotWrite(Exception):
    """A network has no form that this back end can write."""


class Group:
    """Instances of one class, one of each kind."""

    def __init__(self) -> None:
        self.instances: list[Instance] = []
        self.suffix = ""
        self.done: ClassDef | None = None


class File:
    """Writes the classes of a network."""

    def __init__(self, graphs: Sequence[Graph]) -> None:
        self.graphs = list(graphs)
        self.names = Names({*RESERVED, *HELPERS, *keyword.kwlist})
        self.functions = Functions(self)
        self.wrappers = Wrappers(self.names)
        self.helpers: dict[str, None] = {}
        self.classes: list[ClassDef] = []
        self._usages = [Usage(g) for g in self.graphs]
        self._usage = {i: u for u in self._usages for i in u.instances}
        self._precisions = [Precision(g) for g in self.graphs]
        self._sameness = Sameness(self.conversions)
        self._by_text: dict[tree.Node, list[Instance]] = {}
        for instance in self.all_instances():
            self._by_text.setdefault(instance.scope.text, []).append(instance)
        self._chains: dict[tree.Node, bool] = {}
        self._read_outside: dict[Instance, list[Value]] = {}
        self._first: dict[int, Instance] = {}
        self._alike: dict[int, list[Instance]] = {}
        self._groups: dict[Instance, Group] = {}
        self._values: dict[tuple[tree.Node, Env], Any] = {}
        self._free: dict[tuple[str, Scope], tree.Name] = {}
        self._evaluator = Evaluator(Session(self.graphs[0].needs))
        self._labels: dict[tree.Node, tree.Label] = {}
        self._steps: dict[tree.Node, tree.Node] = {}
        self.class_name = ""
        """The network's class, once it is written."""
        self.arguments: dict[str, str] = {}
        """The names of its arguments, by the model's parameters that they are."""
        self._group_all()
        self._map_text()
        self._bare = {type(n.op): Symbol(c) for u in self._usages for n in u.graph.nodes if (c := self._bare_class(n))}
        """torch's classes of those operators that need no arguments."""
        self.inits = InitPlan(self)

    # ---- groups ----

    def _group_all(self) -> None:
        by_text: dict[object, dict[object, Group]] = {}
        for usage in self._usages:
            for instance in usage.instances:
                number = self._sameness.number(instance)
                self._alike.setdefault(number, []).append(instance)
                if number in self._first:
                    continue
                self._first[number] = instance
                groups = by_text.setdefault((instance.scope.text, instance.scope.definition), {})
                group = groups.setdefault(_blocks_in(instance), Group())
                group.instances.append(instance)
                self._groups[instance] = group
        for groups in by_text.values():
            words = _telling_words([g.instances for g in groups.values()])
            for group, word in zip(groups.values(), words, strict=True):
                group.suffix = word

    def alike(self, instance: Instance) -> Instance:
        """The first instance in which the same happened."""
        return self._first[self._sameness.number(instance)]

    def class_of(self, instance: Instance) -> ClassDef:
        first = self.alike(instance)
        while (group := self._groups[first]).done is None:
            try:
                group.done = ClassWriter(self, group.instances).write()
                self.classes.append(group.done)
            except Conflict as conflict:
                self._divide(group, conflict)
        return group.done

    def _divide(self, group: Group, conflict: Conflict) -> None:
        """Instances that one text cannot say become several classes."""
        parts: dict[object, list[Instance]] = {}
        for instance in group.instances:
            parts.setdefault(conflict.parts.get(instance), []).append(instance)
        if len(parts) < 2:
            raise CannotWrite(f"{group.instances[0].scope.text.span}: {conflict.reason}") from conflict
        words = _telling_words(list(parts.values()))
        for part, word in zip(parts.values(), words, strict=True):
            piece = Group()
            piece.instances = part
            piece.suffix = group.suffix + word
            for instance in part:
                self._groups[instance] = piece

    def name_class(self, writer: ClassWriter) -> str:
        instance = writer.instances[0]
        wish = identifier(instance.scope.name or class_name_at(instance.module.path), "Part")
        if writer.is_top:
            wish = next(
                (w for w in (self.graphs[0].name, wish) if w[:1].isupper() and is_identifier(w)), network_name(wish)
            )
        wish += self._groups[instance].suffix
        parent = instance.module.path.rpartition(".")[0].rpartition(".")[2]
        return self.names.take(wish, class_name(parent) + wish if parent else wish + "Part")

    # ---- values ----

    def value(self, node: tree.Node, env: Env) -> Any:
        """The value of an expression of the spec where it stands.

        Raises:
            NoValue: it cannot be had without running operators.
        """
        key = (node, env)
        if key not in self._values:
            try:
                self._values[key] = self._evaluator.evaluate(node, TextPlace(env, env.stream))  # type: ignore[arg-type]
            except (Fault, UsesErrorValue, Abort, KeyError):  # KeyError: a statement, which has no value
                self._values[key] = NoValue
        if self._values[key] is NoValue:
            raise NoValue
        return self._values[key]

    def plain_layer(self, value: Any) -> Any:
        """A layer that takes no arguments as torch's class for it, ``none`` as None; anything else as it is."""
        if isinstance(value, NoLayer):
            return None
        if isinstance(value, Builtin) and value.op is not None:
            value = OpLayer(op=value.op)
        if not isinstance(value, OpLayer) or value.positional or value.named:
            return value
        return self._bare.get(value.op, value)

    def uses(self, callee: str) -> None:
        """Note that a helper is called."""
        if callee in HELPERS:
            for needed in HELPERS[callee].needs:
                self.uses(needed)
            self.helpers[callee] = None

    def _bare_class(self, node: Node) -> str | None:
        said = node.torch
        if said.module is None or said.run is not None or said.function is None or weights_of(node):
            return None
        args = said.module.args
        return str(said.module.callee) if all(a.default is not REQUIRED for a in args) else None

    # ---- precision ----

    def conversions(self, node: Node) -> Conversions:
        """How the inputs of an operator are converted to another type of floats."""
        return next((c for p in self._precisions if (c := p.conversions(node))), ())

    def said(self, node: Node) -> Torch:
        """What an operator is in torch, with its inputs converted."""
        return next((p.torch(node) for p in self._precisions if p.conversions(node)), node.torch)

    def reference(self, output: GraphOutput) -> list[Value] | None:
        """For an output of the network that must be converted, the value of each graph whose type it takes."""
        if not any(p.is_made(output) for p in self._precisions):
            return None
        return [p.reference for p in self._precisions if p.reference is not None]

    # ---- where values come from ----

    def all_instances(self) -> Iterator[Instance]:
        """The instances of all graphs, outer ones first."""
        for usage in self._usages:
            yield from usage.instances

    def layers_of(self, instances: Sequence[Instance], callee: str) -> list[Node]:
        return [n for i in instances for k, kind in self.inits.kinds_in(i).items() if k == callee for n in kind.all]

    def graph_of(self, instance: Instance) -> Graph:
        return self._usage[instance].graph

    def is_inside(self, value: Value, instance: Instance) -> bool:
        return self._usage[instance].is_inside(value, instance)

    def site_of(self, value: Value) -> object:
        return next((u.producer[value].site for u in self._usages if value in u.producer), None)

    def is_random(self, instance: Instance) -> bool:
        return self._usage[instance].is_random(instance)

    def escapes(self, instance: Instance, turns: Sequence[Turn]) -> bool:
        return self._usage[instance].escapes(turns)

    def is_rerun(self, module: Module | None) -> bool:
        return any(u.is_rerun(module) for u in self._usages)

    def leaving(self, instance: Instance) -> list[Value]:
        """The values that an instance gives to what is around it: its result, and what else is read outside."""
        first = self.alike(instance)
        exported = [self._sameness.counterpart(v, first, instance) for v in self._exported(first)]
        return list(dict.fromkeys([*values_in(instance.result), *exported]))

    def _exported(self, first: Instance) -> list[Value]:
        """What is read outside of an instance, or outside of one in which the same happened."""
        if first not in self._read_outside:
            found = {
                self._sameness.counterpart(value, other, first): None
                for other in self._alike[self._sameness.number(first)]
                for value in self._usage[other].exported.get(other, ())
            }
            self._read_outside[first] = list(found)
        return self._read_outside[first]

    def arrives_alone(self, value: Value, instance: Instance) -> bool:
        """Does an instance read no other value from outside?"""
        return self._usage[instance].imported.get(instance, {}).keys() <= {value}

    def counterpart(self, given: Mapping[Instance, Value], instance: Instance) -> Value:
        """The value of an instance that stands where ``given`` has one of each kind of instance."""
        first = self.alike(instance)
        return self._sameness.counterpart(given[first], first, instance)

    # ---- chains ----

    def is_chain(self, scope: Scope) -> bool:
        """Is the text, in all its instances, layers in a row?"""
        if scope.text not in self._chains:
            self._chains[scope.text] = all(_Chain(i, self).holds for i in self._by_text[scope.text])
        return self._chains[scope.text]

    def is_inline(self, scope: Scope) -> bool:
        return scope.kind == "seq" and scope.definition is None and self.is_chain(scope)

    # ---- the text ----

    def _map_text(self) -> None:
        """For every expression, the label it has and the statement it belongs to."""
        seen: set[tree.Node] = set()
        for usage in self._usages:
            for instance in usage.instances:
                root = instance.scope.definition or instance.scope.text
                if root not in seen:
                    seen.add(root)
                    self._map(root, None)

    def _map(self, node: tree.Node, step: tree.Node | None) -> None:
        if isinstance(node, tree.Labelled):
            self._labels[node.item] = node.label
        if isinstance(node, tree.Declare):
            self._labels[node] = node.label
        if isinstance(node, tree.Step | tree.Output | tree.Let | tree.Declare):
            step = node
        if step is not None:
            self._steps.setdefault(node, step)
        for child in tree.children(node):
            self._map(child, step)

    def label_of(self, site: tree.Node) -> tree.Label | None:
        return self._labels.get(site)

    def step_of(self, site: tree.Node) -> tree.Node | None:
        return self._steps.get(site)

    def free_name(self, text: str, scope: Scope) -> tree.Name:
        """A name from around a scope, as an expression where the scope stands."""
        if (text, scope) not in self._free:
            self._free[text, scope] = tree.Name(scope.text.span, text)
        return self._free[text, scope]

    # ---- the file ----

    def text(self) -> str:
        """The source."""
        top = self.class_of(self.graphs[0].instance)
        self.class_name = top.name
        self.arguments = {p.written: p.name for p in top.parameters if p.written is not None}
        classes = [*self.wrappers.definitions, *(c.node for c in self.classes)]
        definitions: list[ast.stmt] = [*self.functions.definitions(), *classes]
        return file_text(doc_of(self.graphs[0]), definitions, self.helpers)


def _blocks_in(instance: Instance) -> tuple[object, ...]:
    """The blocks that an instance was given as arguments: with others, it is of another class."""
    return tuple(v.definition for v in instance.arguments.values() if isinstance(v, BlockLayer))


def _telling_words(parts: Sequence[Sequence[Instance]]) -> list[str]:
    """For each of some kinds of instances, a word for what tells it from the others; the first needs none."""
    for param in parts[0][0].scope.params:
        given = [{_word(i.arguments.get(param.name.text), param.name.text) for i in part} for part in parts]
        words = [next(iter(g)) for g in given]
        if all(len(g) == 1 for g in given) and len(set(words)) == len(words):
            return ["" if word == words[0] and "" not in words else word for word in words]
    return [""] * len(parts)


def _word(value: Any, param: str) -> str:
    """A value as part of a class's name: ``Grid`` where the argument ``is_grid`` is true."""
    match value:
        case True:
            return class_name(param.removeprefix("is_").removeprefix("has_"))
        case False | NoLayer():
            return ""
        case OpLayer() | BlockLayer():
            return class_name(value.name)
        case str():
            return class_name(value)
    return f"{class_name(param)}{value}" if isinstance(value, int) else ""


class _Chain:
    """Is an instance of a seq nothing but members, each on what the one before gives?"""

    def __init__(self, instance: Instance, file: File) -> None:
        self._instance = instance
        self._file = file
        self._stream = instance.stream
        self._seen: set[Module] = set()
        result = instance.result
        self.holds = (
            isinstance(self._stream, Value)
            and self._follow(instance.events)
            and self._stream is result
            and file.leaving(instance) == [result]
        )

    def _follow(self, events: Sequence[Event]) -> bool:
        return all(map(self._step, events))

    def _step(self, event: Event) -> bool:
        match event:
            case OpRun(node=node):
                return self._layer(node)
            case ScopeRun(instance=instance):
                return self._scope(instance)
            case BranchTaken(events=events):
                return self._follow(events)
            case LoopEvent(turns=turns):
                return all(self._follow(turn.events) for turn in turns)
            case OpSkipped():
                return True
            case Named(what=what):
                return not is_list(what)
            case Declared():
                return False
        return False

    def _layer(self, node: Node) -> bool:
        if node.module is None or not self._file.wrappers.can_wrap(node.facets) or not self._is_member(node.module):
            return False
        if self._file.conversions(node):
            return False
        if node.inputs != (self._stream,) or len(node.outputs) != 1:
            return False
        self._stream = node.output
        return True

    def _scope(self, instance: Instance) -> bool:
        if instance.stream is not self._stream or not self._is_member(instance.module):
            return False
        if not self._file.arrives_alone(value_on(instance.stream), instance):
            return False
        if not isinstance(instance.result, Value) or self._file.leaving(instance) != [instance.result]:
            return False
        self._stream = instance.result
        return True

    def _is_member(self, module: Module) -> bool:
        """Is it a module of this seq, for the first time?"""
        is_new = module not in self._seen
        self._seen.add(module)
        return is_new and self._instance.module.children.get(module.name) is module
