"""The program of a checked graph: one body for each run of a scope, with every number written out.

Nothing is guessed: members follow the module tree, and bodies follow the operators one by one. Operators that no output
needs are left out; those that only training needs run under `Choose`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby
from typing import NamedTuple, Protocol, TypeAlias

from archdsl.graph import (
    Event,
    Graph,
    GraphOutput,
    Instance,
    Merged,
    Module,
    Named,
    Node,
    OpRun,
    ScopeRun,
    TensorDeclared,
    Value,
    inside,
    values_in,
)
from archdsl.graph import flattened as flattened_events
from archdsl.op import Facets
from archdsl.ops.tensor import OwnTensor as OwnOp
from archdsl.program.formulas import Formula, Formulas
from archdsl.program.hints import NO_HINT, Hint, Hints
from archdsl.program.ir import (
    Body,
    Call,
    Cast,
    Choose,
    Class,
    ClassTable,
    Group,
    Layer,
    Member,
    ModuleRef,
    Output,
    Own,
    OwnTensor,
    Parameter,
    Part,
    Passed,
    Place,
    Program,
    Run,
    Step,
    Training,
    Var,
)
from archdsl.program.numbers import Argument
from archdsl.program.usage import Usage

Happening: TypeAlias = "Node | Instance"
"""An operator or a scope that runs in an instance."""


class Target(Protocol):
    """Questions about a graph that its target answers."""

    def on(self, graph: Graph) -> Target:
        """The same target for another graph."""
        ...

    def is_layer(self, facets: Facets) -> bool:
        """Is the operator a module of its own in the target?"""
        ...

    def form(self, facets: Facets) -> object:
        """What the operator is in the target: a record of its numbers, for which `archdsl.program.numbers.at` works."""
        ...

    def is_said(self, formula: Formula) -> bool:
        """Can the target compute a number, or those of a table, so?"""
        ...

    def casts(self, node: Node) -> tuple[Cast, ...]:
        """How an operator's inputs are converted; empty if none is."""
        ...

    def reference(self, output: GraphOutput) -> Value | None:
        """The value to whose type an output is converted; None if it is not."""
        ...


class Use(NamedTuple):
    """A use of a class that stands for several instances.

    ``arguments`` are values for its parameters, ``inputs`` and ``outputs`` the instance's values that its body reads
    and gives.
    """

    cls: Class
    arguments: tuple[tuple[str, Argument], ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]


def recorded(graph: Graph, target: Target) -> Program:
    """The program that does what the graph does, with every number written out."""
    return Program(graph.name, Recorder(graph, target, ClassTable()).cls(graph.root))


def never(instance: Instance) -> Use | None:
    """No instance is of a class that stands for several."""
    return None


class Recorder:
    """Reads one graph: each module becomes a class, each run of it a body.

    ``use`` gives the class of an instance that has one already. ``parameters`` are the names of the numbers that are
    open in the graph.
    """

    def __init__(
        self,
        graph: Graph,
        target: Target,
        table: ClassTable,
        use: Callable[[Instance], Use | None] = never,
        parameters: tuple[Parameter, ...] = (),
    ) -> None:
        self.graph = graph
        self.target = target
        self.use = use
        self.usage: Usage = Usage(graph)
        self.live: frozenset[Node] = graph.live(True)
        self.always: frozenset[Node] = graph.live(False)
        self.table = table
        self._parameters = parameters
        self._classes: dict[Module, Class] = {}
        self._bodies: dict[Module, list[Body]] = {}
        self._numbers: dict[Instance, int] = {}
        self._passed: dict[Instance, tuple[Module, ...]] = {}
        self._runs: dict[Module, list[Instance]] = {}
        self._owned: dict[tuple[Module, str], TensorDeclared] = {}
        self.named: dict[Value, str] = {}
        """The names that the author gave values."""
        for instance in self.usage.instances:
            self._runs.setdefault(instance.module, []).append(instance)
            for event in flattened_events(instance.events):
                if isinstance(event, TensorDeclared):
                    self._owned.setdefault((instance.module, event.name), event)
                elif isinstance(event, Named) and isinstance(event.what, Value):
                    self.named.setdefault(event.what, event.name)
        nodes = chain(graph.nodes, *(event.contents for event in self._owned.values()))
        layers = ((n.module, n) for n in nodes if not isinstance(n.op, OwnOp))
        self._layers = {module: table.facets(n) for module, n in layers if module is not None}

    # ---- classes ----

    def cls(self, module: Module) -> Class:
        """The class of a scope's module."""
        if module not in self._classes:
            runs = self._runs[module]
            for instance in runs:
                if self.is_live(instance):
                    self.body_number(instance)
            members = (*self._own_tensors(module), *self._members(module))
            bodies = tuple(self._bodies.get(module, ()))
            cls = Class(runs[0].scope, module.path, members, bodies, self._parameters, is_local=bool(self._parameters))
            self._classes[module] = self.table.intern(cls)
        return self._classes[module]

    def body_number(self, instance: Instance) -> int:
        """Which body of its class an instance runs."""
        if instance not in self._numbers:
            body = _Reader(self, instance).body()
            bodies = self._bodies.setdefault(instance.module, [])
            if body not in bodies:
                bodies.append(body)
            self._numbers[instance] = bodies.index(body)
        return self._numbers[instance]

    def _members(self, module: Module) -> Iterator[Member]:
        for child in module.children.values():
            if child in self._layers:
                yield Layer(child.name, self._layers[child])
            elif child in self._runs:
                use = self.use(self._runs[child][0])
                yield Part(child.name, self.cls(child)) if use is None else Part(child.name, use.cls, use.arguments)
            elif child.children:
                yield Group(child.name, tuple(self._members(child)))

    def _own_tensors(self, module: Module) -> Iterator[OwnTensor]:
        for label, weight in module.own.items():
            event = self._owned[module, label]
            steps = _Contents(event.contents, self.target, self.formulas(module))
            held = steps.vars[event.held] if event.held is not None else None
            yield OwnTensor(label, weight, steps.runs, held)

    def formulas(self, module: Module) -> Formulas:
        """How the text computes the tables of a scope."""
        return Formulas(event for instance in self._runs[module] for event in flattened_events(instance.events))

    # ---- what runs ----

    def is_live(self, instance: Instance) -> bool:
        """Does some output depend on it?"""
        return any(n in self.live for i in instance.walk() for n in i.nodes) or instance is self.graph.instance

    def is_available(self, value: Value) -> bool:
        producer = self.usage.producer.get(value)
        return producer is None or producer in self.live

    def is_always(self, happening: Happening) -> bool:
        """Does it run at inference too?"""
        if isinstance(happening, Node):
            return happening in self.always
        return any(n in self.always for i in happening.walk() for n in i.nodes)

    def happenings(self, instance: Instance) -> list[Happening]:
        found = _happenings(instance.events)
        return [h for h in found if (h in self.live if isinstance(h, Node) else self.is_live(h))]

    def entering(self, instance: Instance) -> list[Value]:
        """Values from outside that an instance reads, those on its stream first."""
        return _first(values_in(instance.stream), self.usage.imported.get(instance, ()), self.is_available)

    def leaving(self, instance: Instance) -> list[Value]:
        """Values of an instance that are read outside of it, those of its result first."""
        return _first(values_in(instance.result), self.usage.exported.get(instance, ()), self.is_available)

    def passed(self, instance: Instance) -> tuple[Module, ...]:
        """The modules that an instance runs and that are not below its own."""
        if instance not in self._passed:
            found: dict[Module, None] = {}
            for happening in self.happenings(instance):
                if isinstance(happening, Instance):
                    found.update(dict.fromkeys([*self.passed(happening), happening.module]))
                elif happening.module is not None and self.target.is_layer(happening.facets):
                    found[happening.module] = None
            self._passed[instance] = tuple(m for m in found if not _is_below(m, instance.module))
        return self._passed[instance]


def _first(some: Iterable[Value], values: Iterable[Value], wanted: Callable[[Value], bool]) -> list[Value]:
    """The values that are wanted, with some of them first."""
    found = dict.fromkeys(v for v in values if wanted(v))
    return list(dict.fromkeys([*(v for v in some if v in found), *found]))


def _happenings(events: Iterable[Event]) -> Iterator[Happening]:
    """The operators and scopes of an instance, in the order in which they run."""
    for event in events:
        yield from _happenings(inside(event))
        match event:
            case OpRun(node=node) | TensorDeclared(node=node):
                yield node
            case Merged(nodes=nodes):
                yield from nodes
            case ScopeRun(instance=instance):
                yield instance


def _is_below(module: Module, scope: Module) -> bool:
    return not scope.path or module.path.startswith(f"{scope.path}.")


class _Reader:
    """Reads one instance as a body."""

    def __init__(self, recorder: Recorder, instance: Instance) -> None:
        self._recorder = recorder
        self._instance = instance
        self._is_top = instance is recorder.graph.instance
        self._passed = recorder.passed(instance)
        self._formulas = recorder.formulas(instance.module)
        self._vars: dict[Value, Var] = {}
        self._hints = Hints(instance).of

    def body(self) -> Body:
        recorder, graph = self._recorder, self._recorder.graph
        given = [i.value for i in graph.inputs] if self._is_top else recorder.entering(self._instance)
        self._name_given(given)
        inputs = self._assign(given)
        steps = [*self._steps(), *(map(self._output, graph.outputs) if self._is_top else ())]
        results = () if self._is_top else tuple(self._vars[v] for v in recorder.leaving(self._instance))
        names = tuple(i.name for i in graph.inputs) if self._is_top else ()
        return Body(inputs, tuple(steps), results, len(self._passed), names)

    def _name_given(self, given: Iterable[Value]) -> None:
        """Names for values from outside: a block calls what arrives on its stream as it likes."""
        if self._recorder.usage.is_rerun(self._instance.module):
            return
        own = set(values_in(self._instance.stream)) if self._instance.scope.definition is not None else set()
        for value in given:
            if value in self._recorder.named and value not in own:
                self._hints.setdefault(value, Hint((self._recorder.named[value],)))

    def _name_results(self, values: Sequence[Value]) -> None:
        """Names for what a scope gives, if it is several values: those that they have in it."""
        for value in values if len(values) > 1 else ():
            if value in self._recorder.named:
                hint = self._hints.get(value, NO_HINT)
                self._hints[value] = replace(hint, names=(*hint.names, self._recorder.named[value]))

    def _assign(self, values: Iterable[Value]) -> tuple[Var, ...]:
        made = []
        for value in values:
            self._vars[value] = Var(len(self._vars), value.type, self._hints.get(value, NO_HINT))
            made.append(self._vars[value])
        return tuple(made)

    def _steps(self) -> Iterator[Step]:
        recorder = self._recorder
        runs_always = recorder.is_always(self._instance) or self._is_top
        for is_always, group in groupby(recorder.happenings(self._instance), recorder.is_always):
            steps = tuple(map(self._step, group))
            yield from steps if is_always or not runs_always else (Choose(Training(), steps),)

    def _step(self, happening: Happening) -> Step:
        if isinstance(happening, Instance):
            return self._call(happening)
        if isinstance(happening.op, OwnOp):
            return Own(happening.op.label, *self._assign(happening.outputs))
        recorder = self._recorder
        inputs = tuple(self._vars[v] for v in happening.inputs)
        module = happening.module
        is_here = module is not None and (module in self._passed or _is_below(module, self._instance.module))
        reached = self._reach(module) if module is not None and is_here else None
        casts = recorder.target.casts(happening)
        outputs, formula = self._assign(happening.outputs), self._formulas.of(happening)
        return Run(recorder.table.facets(happening), inputs, outputs, reached, casts, formula)

    def _call(self, instance: Instance) -> Call:
        recorder = self._recorder
        use = recorder.use(instance)
        if use is not None:
            inputs = tuple(self._vars[v] for v in use.inputs)
            self._name_results(use.outputs)
            return Call(self._reach(instance.module), use.cls, 0, inputs, self._assign(use.outputs))
        number, cls = recorder.body_number(instance), recorder.cls(instance.module)
        inputs = tuple(self._vars[v] for v in recorder.entering(instance))
        modules = tuple(map(self._reach, recorder.passed(instance)))
        self._name_results(recorder.leaving(instance))
        outputs = self._assign(recorder.leaving(instance))
        return Call(self._reach(instance.module), cls, number, inputs, outputs, modules)

    def _reach(self, module: Module) -> ModuleRef:
        if module in self._passed:
            return Passed(self._passed.index(module))
        base = self._instance.module.path
        return Place(tuple((module.path[len(base) + 1 :] if base else module.path).split(".")))

    def _output(self, output: GraphOutput) -> Output:
        reference = self._recorder.target.reference(output)
        cast = self._vars[reference] if reference is not None else None
        return Output(output.name, self._vars[output.value], output.when_training, cast)


class _Contents:
    """The operators that compute the contents of a buffer. They are cast as in a body, which may run them too."""

    def __init__(self, nodes: Iterable[Node], target: Target, formulas: Formulas) -> None:
        self.vars: dict[Value, Var] = {}
        runs = []
        for node in nodes:
            inputs = tuple(self.vars[v] for v in node.inputs)
            outputs = []
            for value in node.outputs:
                self.vars[value] = Var(len(self.vars), value.type)
                outputs.append(self.vars[value])
            casts, formula = target.casts(node), formulas.of(node)
            runs.append(Run(node.facets, inputs, tuple(outputs), casts=casts, formula=formula))
        self.runs = tuple(runs)
