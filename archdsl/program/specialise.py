"""Which classes there are, and what is constant in each: decided by the instances of a checked graph.

The instances of a block are one class if they can be: numbers that differ are parameters. A ladder leads down from
there, and each step has its reason: instances that disagree in something that cannot stay open are several classes
(`Split`); where the block cannot be built on symbols, instances with other arguments or sizes are; and the last step,
which always succeeds, is a class with every number written out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from archdsl.dims import symbols
from archdsl.graph import Graph, Instance, Value, values_in
from archdsl.program.ir import Class, ClassTable, Parameter, Program
from archdsl.program.recorded import Recorder, Target, Use
from archdsl.program.symbolic import Source, Split, Symbolic, Unsuitable, build, made_inside, word
from archdsl.program.usage import Usage
from archdsl.program.witnesses import Witnesses


@dataclass(frozen=True)
class Reason:
    """Why instances of a block are not one class."""

    block: str
    instances: int
    text: str


@dataclass(frozen=True, eq=False)
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


def specialised(graph: Graph, target: Target) -> tuple[Program, list[Reason]]:
    """The program of a graph with as few classes as its instances allow, and why there are not fewer."""
    specialiser = _Specialiser(graph, target)
    top = Recorder(graph, target, specialiser.table, specialiser.use).cls(graph.root)
    return Program(graph.name, top), specialiser.reasons


class _Specialiser:
    """Finds the classes of one graph's instances."""

    def __init__(self, graph: Graph, target: Target) -> None:
        self.graph = graph
        self.target = target
        self.table = ClassTable()
        self.reasons: list[Reason] = []
        self._recorder = Recorder(graph, target, self.table)
        self._order = {node: k for k, node in enumerate(graph.nodes)}
        self._taken = {s for i in graph.inputs for size in i.value.shape for s in symbols(size)}
        self._shared: dict[Instance, Shared | None] = {}
        usage = self._recorder.usage
        self._by_path = {i.module.path: i for i in usage.instances if not usage.is_rerun(i.module)}
        self._groups: dict[Hashable, list[Instance]] = {}
        for instance in usage.instances:
            if self._can_share(instance, usage):
                self._groups.setdefault(_text_of(instance), []).append(instance)

    def _can_share(self, instance: Instance, usage: Usage) -> bool:
        """Is it a block that nothing but its stream connects with what is around it?"""
        if instance.scope.definition is None or instance.scope.kind == "model" or usage.is_rerun(instance.module):
            return False
        if self._recorder.passed(instance) or not self._recorder.is_live(instance):
            return False
        arriving, leaving = set(values_in(instance.stream)), set(made_inside(instance))
        reads, gives = self._recorder.entering(instance), self._recorder.leaving(instance)
        return arriving.issuperset(reads) and leaving.issuperset(gives) and instance.module.path in self._by_path

    def use(self, instance: Instance) -> Use | None:
        """The class of an instance, if it stands for several."""
        shared = self._find(instance)
        return shared.use(instance) if shared is not None else None

    def _find(self, instance: Instance) -> Shared | None:
        if instance not in self._shared:
            group = self._groups.get(_text_of(instance), [])
            if instance not in group:
                self._shared[instance] = None
            else:
                self._solve(group)
        return self._shared[instance]

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
        leaving = [frozenset(_positions(self._recorder.leaving(i), made_inside(i))) for i in instances]
        if len(set(leaving)) > 1:
            raise Split(leaving, "other results are read")
        if len({_exact(i) for i in instances}) == 1:
            return None
        symbolic = build(instances, self.graph, self._taken)
        target = self.target.on(symbolic.graph)
        witnesses = Witnesses(self.target, target, self._order)
        for lane, witness in zip(symbolic.opened.lanes, instances, strict=True):
            found = witnesses.difference(symbolic, lane, witness)
            if found is not None:
                raise Unsuitable(found)
        return self._read(symbolic, target, sorted(leaving[0]))

    def _read(self, symbolic: Symbolic, target: Target, leaving: Sequence[int]) -> Shared:
        """A block that was built on symbols as a class."""
        made = list(made_inside(symbolic.instance))
        outputs = [o for k, o in enumerate(symbolic.graph.outputs) if k in leaving]
        symbolic.graph.outputs[:] = outputs
        parameters = tuple(symbolic.opened.parameters)
        recorder = Recorder(symbolic.graph, target, self.table, lambda i: self._inner(symbolic, i), parameters)
        cls = recorder.cls(symbolic.instance.module)
        entering = _positions(recorder.entering(symbolic.instance), values_in(symbolic.instance.stream))
        giving = _positions(recorder.leaving(symbolic.instance), made)
        own = self.table.intern(replace(cls, is_local=False, path=symbolic.opened.instances[0].module.path))
        return Shared(own, tuple(symbolic.opened.parameters.items()), tuple(entering), tuple(giving))

    def _inner(self, symbolic: Symbolic, instance: Instance) -> Use | None:
        """The class of an instance in a block that was built on symbols: that of its witnesses."""
        if instance.scope.definition is None or instance is symbolic.instance:
            return None
        path = instance.module.path.removeprefix(symbolic.instance.module.path)
        witnesses = [self._by_path.get(lane.module.path + path) for lane in symbolic.opened.instances]
        found = [self._find(w) if w is not None else None for w in witnesses]
        if any(f is not found[0] for f in found):
            raise Split([id(f) for f in found], f"`{instance.scope.name}` in it has several classes")
        return found[0].use(instance) if found[0] is not None else None


def _text_of(instance: Instance) -> Hashable:
    """What is run: the text, and the defaults that hold around it."""
    defaults = tuple(
        (id(callee), tuple((n, word(g.value)) for n, g in named.items())) for callee, named in instance.defaults.items()
    )
    return instance.scope.text, instance.scope.definition, defaults


def _exact(instance: Instance) -> Hashable:
    """Arguments and types of what arrives."""
    types = tuple(v.type for v in values_in(instance.stream))
    return tuple(word(v) for v in instance.arguments.values()), types


def _positions(some: Iterable[Value], of: Iterable[Value]) -> list[int]:
    places = {v: k for k, v in enumerate(of)}
    return [places[v] for v in some]
