"""Which classes there are, and what is constant in each: decided by the instances of a checked graph.

The instances of a block are one class if they can be: numbers that differ are parameters. A ladder leads down from
there, and each step has its reason: instances that disagree in something that cannot stay open are several classes
(`Split`); where the block cannot be built on symbols, instances with other arguments or sizes are; and the last step,
which always succeeds, is a class with every number written out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from archdsl.dims import symbols
from archdsl.elaborate.shapes import InputShapes
from archdsl.evaluate.memory import Memory
from archdsl.evaluate.values import SpecValue
from archdsl.graph import Graph, Instance, Value, flattened, values_in
from archdsl.op import Facets
from archdsl.program.conditions import Combined, Condition, Flag, decided, names_of, opposite
from archdsl.program.formulas import Formulas
from archdsl.program.ir import Class, ClassTable, Parameter, Program, Setting
from archdsl.program.numbers import Lane, names_in
from archdsl.program.opened import Opened, Source, Split, Unsuitable, word
from archdsl.program.recorded import Recorder, Target, Use
from archdsl.program.symbolic import Symbolic, build, made_inside
from archdsl.program.unify import Apart, Side, Unifier
from archdsl.program.witnesses import Operators, Witnesses, nodes_in
from archdsl.record import exactly


@dataclass(frozen=True)
class Reason:
    """Why instances of a block are not one class."""

    block: str
    instances: int
    text: str


@dataclass(frozen=True)
class Shared:
    """A class of several instances, and where its parameters come from.

    ``inputs`` and ``outputs`` are the values of the stream that its body reads and those of the result that it gives,
    by number.
    """

    cls: Class
    sources: tuple[tuple[Parameter, Source], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def use(self, instance: Instance) -> Use:
        """The class as an instance uses it."""
        arriving, leaving = list(values_in(instance.stream)), list(made_inside(instance))
        arguments = tuple((p.name, source.of(instance)) for p, source in self.sources)
        return Use(
            self.cls, arguments, tuple(arriving[k] for k in self.inputs), tuple(leaving[k] for k in self.outputs)
        )


@dataclass(frozen=True)
class Leaf:
    """One way through the text of a block: its class, and the open numbers of the instances that take it."""

    shared: Shared
    lanes: Sequence[Lane]


@dataclass(frozen=True)
class Fork:
    """Instances answer a condition differently. ``split`` is what they are divided by if they cannot be one class."""

    split: Split
    condition: Condition
    then: Path
    otherwise: Path


Path: TypeAlias = Leaf | Fork


def _leaves(path: Path) -> Iterator[Leaf]:
    if isinstance(path, Leaf):
        yield path
    else:
        yield from _leaves(path.then)
        yield from _leaves(path.otherwise)


def _flags_last(path: Path) -> Path:
    """The same ways, divided by conditions of the text first: what a flag brings is then one step in each of them."""
    forks = list(_forks(path))
    leaves = list(_leaves(path))
    return _divided(leaves, sorted(forks, key=lambda fork: isinstance(fork.condition, Flag))) or path


def _forks(path: Path) -> Iterator[Fork]:
    if isinstance(path, Fork):
        yield path
        yield from _forks(path.then)
        yield from _forks(path.otherwise)


def _divided(leaves: Sequence[Leaf], forks: Sequence[Fork]) -> Path | None:
    """The leaves as a tree in the order of the forks; None if one does not divide them clearly."""
    if len(leaves) == 1:
        return leaves[0]
    for number, fork in enumerate(forks):
        answers = [decided(fork.condition, leaf.lanes) for leaf in leaves]
        if None in answers:
            return None
        if len(set(answers)) == 2:
            arms = ([leaf for leaf, a in zip(leaves, answers, strict=True) if a is wanted] for wanted in (True, False))
            then, otherwise = (_divided(arm, forks[number + 1 :]) for arm in arms)
            return replace(fork, then=then, otherwise=otherwise) if then and otherwise else None
    return None


def _condition(path: Path, then: Shared, otherwise: Shared) -> Condition | None:
    """When a tree with two different ends leads to the first: ``a or b`` if either does; None if it is neither."""
    if isinstance(path, Leaf):
        return None
    a, b = path.then, path.otherwise
    match a, b:
        case Leaf(), Leaf() if a.shared == then and b.shared == otherwise:
            return path.condition
        case Leaf(), Leaf() if a.shared == otherwise and b.shared == then:
            return opposite(path.condition)
        case Leaf(), Fork():
            inner = _condition(b, then, otherwise)
            first, op = (path.condition, "or") if a.shared == then else (opposite(path.condition), "and")
        case Fork(), Leaf():
            inner = _condition(a, then, otherwise)
            first, op = (path.condition, "and") if b.shared == otherwise else (opposite(path.condition), "or")
        case _:
            return None
    return Combined(op, first, inner) if inner is not None else None


def _for_all(split: Split, among: Sequence[int], count: int) -> Split:
    """A division of some instances as one of all: the others go with the first."""
    keys = dict(zip(among, split.keys, strict=True))
    return Split([keys.get(k, split.keys[0]) for k in range(count)], str(split), split.condition, split.names)


def specialised(
    graph: Graph, target: Target, others: Sequence[Graph] = (), are_sizes_fixed: bool = False
) -> tuple[Program, list[Reason]]:
    """The program of a graph with as few classes as its instances allow, and why there are not fewer.

    ``others`` are the same model with other values of its parameters: where they differ, its class has parameters too;
    if ``are_sizes_fixed``, but for rates that sizes are computed from, such as ``scale`` in ``int(32 * scale)``.

    Raises:
        Split, Unsuitable: the networks are not one class.
    """
    specialiser = _Specialiser([graph, *others], target, are_sizes_fixed)
    program = specialiser.of_many() if others else specialiser.of_one()
    return program, specialiser.reasons


def family(graphs: Sequence[Graph], target: Target) -> list[Program]:
    """A program for each of some networks of one file: with as few classes as they allow, those of networks too."""
    return _Specialiser(graphs, target).of_each()


@dataclass(frozen=True)
class _Network:
    """A graph, and what is asked about its instances."""

    graph: Graph
    target: Target
    recorder: Recorder
    by_path: Mapping[str, Instance]


class _Specialiser:
    """Finds the classes of the instances of some networks of one model."""

    def __init__(self, graphs: Sequence[Graph], target: Target, are_sizes_fixed: bool = False) -> None:
        self.target = target
        self.table = ClassTable()
        self.reasons: list[Reason] = []
        self._networks: dict[Instance, _Network] = {}
        self._graphs = graphs
        self._operators = Operators(target.form)
        known = dict.fromkeys(node.facets for graph in graphs for node in graph.nodes)
        self._facets: dict[object, Facets] = {(exactly(f.op), f.inputs): f for f in known}
        self._memory: Memory[SpecValue] = Memory()
        self._are_sizes_fixed = are_sizes_fixed
        self._order = {node: k for graph in graphs for k, node in enumerate(graph.nodes)}
        inputs = [i for graph in graphs for i in graph.inputs]
        self._taken = {s for i in inputs for size in i.value.shape for s in symbols(size)}
        self._shared: dict[Instance, Shared | None] = {}
        self._callees: dict[object, set[object]] = {}
        """What runs in the instances of a text."""
        self._alike: dict[Hashable, Instance] = {}
        self._first: dict[Instance, Instance] = {}
        """The first run in which the same happens."""
        self._groups: dict[Hashable, list[Instance]] = {}
        for graph in graphs:
            self._enter(graph, target if graph is graphs[0] else target.on(graph))
        for instance in filter(self._can_share, self._networks):
            self._group(instance)

    def _enter(self, graph: Graph, target: Target) -> None:
        recorder = Recorder(graph, target, self.table)
        usage = recorder.usage
        by_path = {i.module.path: i for i in usage.instances if not usage.is_rerun(i.module)}
        network = _Network(graph, target, recorder, by_path)
        for instance in usage.instances:
            self._networks[instance] = network
            self._callees.setdefault(instance.scope.text, set()).update(_callees(instance))

    def _group(self, instance: Instance) -> None:
        text = self._text_of(instance)
        first = self._alike.setdefault((text, self._sameness(instance)), instance)
        self._first[instance] = first
        if first is instance:
            self._groups.setdefault(text, []).append(instance)

    def _text_of(self, instance: Instance) -> Hashable:
        """What is run: the text, and the defaults around it of what runs in it."""
        callees = self._callees[instance.scope.text]
        defaults = tuple(
            (id(callee), tuple((n, word(g.value)) for n, g in named.items()))
            for callee, named in instance.defaults.items()
            if callee in callees
        )
        return instance.scope.text, instance.scope.definition, defaults

    def _sameness(self, instance: Instance) -> Hashable:
        """A key that is equal for runs of one text in which the same happens."""
        network = self._networks[instance]
        casts = (network.target.casts(node) for node in nodes_in(instance))
        return *_exact(instance), self._leaving(instance), tuple((k, c) for k, c in enumerate(casts) if c)

    def _leaving(self, instance: Instance) -> tuple[int, ...]:
        """The values of its result that are read outside of it, by number: of a network all that it gives."""
        if instance.scope.kind == "model":
            return tuple(range(len(self._networks[instance].graph.outputs)))
        return tuple(sorted(_positions(self._networks[instance].recorder.leaving(instance), made_inside(instance))))

    def of_one(self) -> Program:
        """The program of the only network."""
        return self._recorded(self._graphs[0])

    def of_many(self) -> Program:
        """The program of all networks, with the parameters of the first as defaults."""
        shared = self._build([graph.instance for graph in self._graphs])
        return self._program(self._graphs[0], shared)

    def of_each(self) -> list[Program]:
        """A program for each network."""
        texts: dict[Hashable, list[Instance]] = {}
        for graph in self._graphs:
            texts.setdefault(self._text_of(graph.instance), []).append(graph.instance)
        for tops in texts.values():
            self._solve(tops)
        return [self._program(graph, self._shared[graph.instance]) for graph in self._graphs]

    def _program(self, graph: Graph, shared: Shared | None) -> Program:
        """A network as one of a class of several; of its own if there is none."""
        if shared is None:
            return self._recorded(graph)
        sources = [(p, source, source.argument) for p, source in shared.sources]
        settings = [Setting(p, label, source.of(graph.instance)) for p, source, label in sources if label is not None]
        return Program(graph.name, shared.cls, tuple(settings))

    def _recorded(self, graph: Graph) -> Program:
        target = self._networks[graph.instance].target
        return Program(graph.name, Recorder(graph, target, self.table, self.use).cls(graph.root))

    def _can_share(self, instance: Instance) -> bool:
        """Is it a block that nothing but its stream connects with what is around it?"""
        network = self._networks[instance]
        recorder, path = network.recorder, instance.module.path
        if instance.scope.definition is None or instance.scope.kind == "model" or path not in network.by_path:
            return False
        if recorder.passed(instance) or not recorder.is_live(instance):
            return False
        arriving, leaving = set(values_in(instance.stream)), set(made_inside(instance))
        reads, gives = recorder.entering(instance), recorder.leaving(instance)
        return arriving.issuperset(reads) and leaving.issuperset(gives)

    def use(self, instance: Instance) -> Use | None:
        """The class of an instance, if it stands for several."""
        shared = self._find(instance)
        return shared.use(instance) if shared is not None else None

    def _find(self, instance: Instance) -> Shared | None:
        first = self._first.get(instance)
        if first is None:
            return None
        if first not in self._shared:
            self._solve(self._groups[self._text_of(first)])
        return self._shared[first]

    def _solve(self, instances: Sequence[Instance]) -> None:
        """Find the classes of some instances of one block."""
        keys: Sequence[Hashable]
        try:
            shared = self._build(instances)
            self._shared.update(dict.fromkeys(instances, shared))
            return
        except Split as split:
            keys, text = split.keys, str(split)
        except Unsuitable as unsuitable:
            keys, text = [_exact(i) for i in instances], str(unsuitable)
        self.reasons.append(Reason(instances[0].scope.name or "", len(instances), text))
        groups: dict[Hashable, list[Instance]] = {}
        for key, instance in zip(keys, instances, strict=True):
            groups.setdefault(key, []).append(instance)
        if len(groups) == 1:
            self._shared.update(dict.fromkeys(instances, None))
            return
        for group in groups.values():
            self._solve(group)

    def _build(self, instances: Sequence[Instance]) -> Shared | None:
        leaving = [self._leaving(i) for i in instances]
        if len(set(leaving)) > 1:
            raise Split(leaving, "other results are read")
        if len({_exact(i) for i in instances}) == 1:
            return None
        return self._unified(_flags_last(self._paths(instances, range(len(instances)), leaving[0]))).shared

    def _paths(self, instances: Sequence[Instance], among: Sequence[int], leaving: Sequence[int]) -> Path:
        """The ways through the text of a block that some of its instances take.

        Raises:
            Split: they differ in something else than a condition on numbers that are known when the class is made.
        """
        try:
            return self._path(instances, among, leaving)
        except Split as split:
            raised = _for_all(split, among, len(instances))
        if raised.condition is None or {*raised.keys} != {True, False}:
            raise raised
        arms = [[k for k in among if raised.keys[k] is answer] for answer in (True, False)]
        try:
            then, otherwise = (self._paths(instances, arm, leaving) for arm in arms)
        except Unsuitable:
            raise raised from None
        shared = next(_leaves(then)).shared
        known = {name for p, _ in shared.sources for name in p.names} | {x.name for x in shared.cls.locals}
        if not names_of(raised.condition) <= known:
            raise raised
        return Fork(raised, raised.condition, then, otherwise)

    def _path(self, instances: Sequence[Instance], among: Sequence[int], leaving: Sequence[int]) -> Leaf:
        """The block built on symbols for instances that take one way through its text."""
        symbolic = build(instances, self._graphs[0], self._taken, among, self._shapes(), self._facets, self._memory)
        for inner in symbolic.instance.walk():
            if not all(f is not None and self.target.is_said(f) for f in Formulas(flattened(inner.events)).open):
                raise Unsuitable("a table has no formula")
        if self._are_sizes_fixed and (names := _rates_of_sizes(symbolic.opened)):
            raise Split(among, f"sizes are computed from {', '.join(sorted(names))}", names=names)
        target = self.target.on(symbolic.graph)
        for lane, witness in zip(symbolic.lanes, symbolic.witnesses, strict=True):
            network = self._networks[witness]
            witnesses = Witnesses(network.graph, network.target, target, self._order, self._operators)
            found = witnesses.difference(symbolic, lane, witness)
            if found is not None:
                raise Unsuitable(found)
        if not all(target.is_said(local.formula) for local in symbolic.opened.locals):
            raise Unsuitable("a number is computed by what the target has not")
        return Leaf(self._read(symbolic, target, leaving), symbolic.lanes)

    def _shapes(self) -> InputShapes:
        """The shapes of those inputs that have one in all networks, whatever the text states."""
        given = [{i.name: i.value.shape for i in graph.inputs} for graph in self._graphs]
        return {name: shape for name, shape in given[0].items() if all(g.get(name) == shape for g in given)}

    def _unified(self, path: Path) -> Leaf:
        """All ways as one class.

        Raises:
            Split: their classes have too little in common.
        """
        if isinstance(path, Leaf):
            return path
        leaves = list(_leaves(path))
        ends = list(dict.fromkeys(leaf.shared for leaf in leaves))
        if len(ends) == 1:
            return Leaf(ends[0], [lane for leaf in leaves for lane in leaf.lanes])
        whole = _condition(path, *ends) if len(ends) == 2 else None
        if whole is not None:
            sides = [Leaf(e, [lane for leaf in leaves if leaf.shared == e for lane in leaf.lanes]) for e in ends]
            return self._choice(path, whole, *sides)
        return self._choice(path, path.condition, self._unified(path.then), self._unified(path.otherwise))

    def _choice(self, path: Fork, condition: Condition, then: Leaf, otherwise: Leaf) -> Leaf:
        """A class of two, which are taken where the condition holds and where it does not."""
        a, b = then.shared, otherwise.shared
        try:
            if (a.inputs, a.outputs) != (b.inputs, b.outputs):
                raise Apart("other inputs or results")
            sides = Side(a.cls, then.lanes), Side(b.cls, otherwise.lanes)
            made = self._one(condition, *sides)
        except Apart:
            raise path.split from None
        return Leaf(replace(a, cls=self.table.intern(made)), [*then.lanes, *otherwise.lanes])

    def _one(self, condition: Condition, then: Side, otherwise: Side) -> Class:
        """A class of two. Either may hold choices that the other does not."""
        try:
            return Unifier(condition, then, otherwise, self.target.form, self.table.intern).cls()
        except Apart:
            swapped = opposite(condition), otherwise, then
            return Unifier(*swapped, self.target.form, self.table.intern).cls()

    def _read(self, symbolic: Symbolic, target: Target, leaving: Sequence[int]) -> Shared:
        """A block that was built on symbols as a class."""
        made = list(made_inside(symbolic.instance))
        outputs = [o for k, o in enumerate(symbolic.graph.outputs) if k in leaving]
        symbolic.graph.outputs[:] = outputs
        opened = symbolic.opened
        parameters, locals_ = tuple(opened.parameters), tuple(opened.locals)
        within = (*parameters, *(local.parameter for local in locals_))
        recorder = Recorder(symbolic.graph, target, self.table, lambda i: self._inner(symbolic, i), within)
        cls = recorder.cls(symbolic.instance.module)
        entering = _positions(recorder.entering(symbolic.instance), values_in(symbolic.instance.stream))
        giving = _positions(recorder.leaving(symbolic.instance), made)
        path = opened.instances[0].module.path
        own = replace(cls, is_local=False, path=path, parameters=parameters, locals=locals_)
        return Shared(self.table.intern(own), tuple(opened.parameters.items()), tuple(entering), tuple(giving))

    def _inner(self, symbolic: Symbolic, instance: Instance) -> Use | None:
        """The class of an instance in a block that was built on symbols: that of its witnesses."""
        if instance.scope.definition is None or instance is symbolic.instance:
            return None
        path = instance.module.path.removeprefix(symbolic.instance.module.path)
        witnesses = [self._networks[w].by_path.get(w.module.path + path) for w in symbolic.witnesses]
        found = [self._find(w) if w is not None else None for w in witnesses]
        if any(f is not found[0] for f in found):
            raise Split([id(f) for f in found], f"`{instance.scope.name}` in it has several classes")
        return found[0].use(instance) if found[0] is not None else None


def _rates_of_sizes(opened: Opened) -> frozenset[str]:
    """The rates among the parameters of a model that its whole numbers are computed from; empty for a block."""
    if opened.instances[0].scope.kind != "model":
        return frozenset()
    formulas = [local.formula for local in opened.locals if local.kind == "int"]
    names = names_in(tuple(meaning for formula in formulas for _, meaning in formula.names))
    return names & {p.name for p in opened.parameters if p.kind == "float"}


def _callees(instance: Instance) -> Iterable[object]:
    """What runs in it: classes of operators, and definitions of blocks."""
    return {type(node.op) for node in nodes_in(instance)} | {inner.scope.definition for inner in instance.walk()}


def _exact(instance: Instance) -> tuple[Hashable, Hashable]:
    """Arguments and types of what arrives."""
    types = tuple(v.type for v in values_in(instance.stream))
    return tuple(word(v) for v in instance.arguments.values()), types


def _positions(some: Iterable[Value], of: Iterable[Value]) -> list[int]:
    places = {v: k for k, v in enumerate(of)}
    return [places[v] for v in some]
