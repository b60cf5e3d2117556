"""A block built once for several of its instances: numbers that differ between them are symbols.

The builder of graphs runs the block's text on symbols. The instances of the checked graph are its witnesses: a
condition on an open number is decided if it has one answer in all of them, and a range has a length if they agree on
it. Where they do not agree, `Split` says into which groups they fall; each group is then built by itself. Nothing is
assumed of the network but what the checked graph showed: layers accept their inputs, as they did in every instance.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from archdsl.dims import Dim, Holds, Needs, Operator, Outcome, Size, symbol, symbols, truth
from archdsl.elaborate.elaborator import Elaborator
from archdsl.elaborate.model import LearnedAssertions
from archdsl.elaborate.place import NetworkPlace
from archdsl.elaborate.shapes import InputShapes
from archdsl.elaborate.strategy import Entry
from archdsl.evaluate.faults import Abort, Fault, UsesErrorValue
from archdsl.evaluate.numbers import SizeNumbers
from archdsl.evaluate.quotient import Exact, Quotient
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import BlockLayer, Builtin, Env, NoLayer, OpLayer, Sides, Value, is_list
from archdsl.graph import Graph, GraphInput, GraphOutput, Instance, Module, values_in
from archdsl.init import Init
from archdsl.op import Facets
from archdsl.program.conditions import Compared, Condition, names_of
from archdsl.program.ir import Parameter
from archdsl.program.numbers import Lane, Number, OpenFloat, Operation, at, names_in
from archdsl.record import exactly
from archdsl.syntax import tree

T = TypeVar("T", bound=Hashable)


class Split(Exception):
    """Instances differ in something that one run of the text cannot leave open.

    ``keys`` has one value for each instance; ``condition`` is what they answer with them, if it is a comparison.
    ``names`` are the open numbers that it depends on, where these are known.
    """

    def __init__(
        self,
        keys: Sequence[Hashable],
        reason: str,
        condition: Condition | None = None,
        names: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(reason)
        self.keys = tuple(keys)
        self.condition = condition
        self.names = names_of(condition) if condition is not None else names


class Unsuitable(Exception):
    """The block cannot be built on symbols; the message says why."""


@dataclass(frozen=True)
class Source:
    """Where a use of a class finds the value of a parameter: an argument, or (axis) a size of a value on the stream."""

    argument: str | None = None
    value: int = 0
    axis: int = 0

    def of(self, instance: Instance) -> Any:
        """Its value in an instance."""
        if self.argument is not None:
            return instance.arguments[self.argument]
        return list(values_in(instance.stream))[self.value].shape[self.axis]


@dataclass
class Opened:
    """Arguments and stream of a block, with a symbol for each number that differs between its instances."""

    instances: Sequence[Instance]
    taken: set[str]
    parameters: dict[Parameter, Source] = field(default_factory=dict)
    lanes: list[dict[str, Number]] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)
    stream: Any = None

    def __post_init__(self) -> None:
        self.lanes = [{} for _ in self.instances]
        self._known: dict[tuple[Number, ...], Dim] = {}
        self._values = 0
        for name in self.instances[0].arguments:
            self.arguments[name] = self._argument(name, [i.arguments[name] for i in self.instances])
        if self.instances[0].scope.kind != "model":
            self.stream = self._opened_stream([i.stream for i in self.instances], [0])

    def _argument(self, name: str, values: list[Any]) -> Any:
        kinds = {type(v) for v in values}
        if kinds == {int} and len(set(values)) > 1 and min(values) >= 1:
            return self._open(name, values, Source(name))
        if kinds == {float} and len(set(values)) > 1:
            name = self._name(name)
            self.parameters[Parameter(name, "float")] = Source(name)
            self._record(name, values)
            return OpenFloat(values[0], name)
        words = [word(v) for v in values]
        if len(set(words)) > 1:
            raise Split(words, f"`{name}` differs", names=frozenset([name]))
        if any(values_of(v) for v in values):
            raise Unsuitable(f"`{name}` is a value")
        return values[0]

    def _open(self, wish: str, values: Sequence[Number], source: Source | None) -> Dim:
        name = self._name(wish)
        made = symbol(name)
        if source is not None:
            self.parameters[Parameter(name, "int")] = source
        self._record(name, values)
        self._known.setdefault(tuple(values), made)
        return made

    def _name(self, wish: str) -> str:
        while wish in self.taken:
            wish += "_"
        self.taken.add(wish)
        return wish

    def _record(self, name: str, values: Sequence[Number]) -> None:
        for lane, value in zip(self.lanes, values, strict=True):
            lane[name] = value

    def _opened_stream(self, streams: list[Any], count: list[int]) -> Any:
        """The streams of all instances as one; ``count`` counts the values in it."""
        words = [_structure(s) for s in streams]
        if len(set(words)) > 1:
            raise Split(words, "other values arrive")
        first = streams[0]
        if is_list(first):
            return [self._opened_stream([s[k] for s in streams], count) for k in range(len(first))]
        if not isinstance(first, Value):
            raise Unsuitable("no value arrives")
        number = count[0]
        count[0] += 1
        shape = tuple(
            self._size([s.shape[a] for s in streams], number, a, len(first.shape)) for a in range(len(first.shape))
        )
        self._values += 1
        return Value(-self._values, shape, first.dtype)

    def _size(self, sizes: list[Size], number: int, axis: int, rank: int) -> Size:
        if all(s == sizes[0] for s in sizes):
            return sizes[0]
        key = tuple(sizes)
        if key in self._known:
            return self._known[key]
        is_known = all(isinstance(s, int) and s >= 1 for s in sizes)
        is_channels = axis == (1 if rank > 3 else rank - 1)
        wish = ("in_channels" if rank > 3 else "dim") if is_channels else f"size{axis}"
        return self._open(f"{wish}{number or ''}", sizes, Source(None, number, axis) if is_known else None)


def _structure(stream: Any) -> Hashable:
    if is_list(stream):
        return tuple(map(_structure, stream))
    return (len(stream.shape), stream.dtype) if isinstance(stream, Value) else word(stream)


def values_of(value: Any) -> list[Value]:
    """The values in an argument."""
    return list(values_in(list(value) if is_list(value) else value))


def word(value: Any) -> Hashable:
    """A key that is equal for arguments that mean the same."""
    if value is None or isinstance(value, bool | int | float | str | Dim):
        return type(value), value
    if is_list(value):
        return tuple(map(word, value))
    if isinstance(value, Init):
        return exactly(value)
    if isinstance(value, OpLayer | BlockLayer):
        what = value.op if isinstance(value, OpLayer) else value.definition
        named = tuple((n, word(g.value)) for n, g in value.named.items())
        return id(what), tuple(word(g.value) for g in value.positional), named
    return "none" if isinstance(value, NoLayer) else value.name if isinstance(value, Builtin) else id(value)


# ---- running -----------------------------------------------------------------------------------------------


class Witnessed(Needs):
    """Requirements of layers: they were checked in every instance."""

    def require(self, a: Size, operator: Operator, b: Size, origin: object = None) -> Outcome:
        return Holds()

    def require_multiple(self, a: Size, m: Size, origin: object = None) -> Outcome:
        return Holds()


class WitnessedNumbers:
    """Arithmetic on open numbers: what symbols leave undecided, the instances decide."""

    def __init__(self, session: Session, lanes: Sequence[Lane]) -> None:
        self._sizes = SizeNumbers(session, self.decide)
        self._facts = session.needs.facts
        self._lanes = lanes
        self._open = {name for lane in lanes for name in lane}

    def operate(self, op: str, left: Exact, right: Exact, node: tree.Node, sides: Sides) -> Exact:
        is_fraction = op in ("/", "**") and any(isinstance(s, Dim) and self._is_known(s) for s in (left, right))
        if not is_fraction and not any(isinstance(s, OpenFloat) for s in (left, right)):
            return self._sizes.operate(op, left, right, node, sides)
        values = [self._sizes.operate(op, at(left, k), at(right, k), node, sides) for k in self._lanes]
        if len(set(values)) == 1:
            return values[0]
        floats = [v for v in values if isinstance(v, float)]
        if len(floats) < len(values) or isinstance(left, Quotient) or isinstance(right, Quotient):
            names = names_in(left) | names_in(right)
            raise Split(values, f"`{node.span.text}` is a whole number", names=names)
        return OpenFloat(floats[0], Operation(op, left, right))

    def compare(self, left: Exact, op: Operator, right: Exact, node: tree.Node) -> bool:
        if not isinstance(left, OpenFloat) and not isinstance(right, OpenFloat):
            return self._sizes.compare(left, op, right, node)
        condition = None if isinstance(left, Quotient) or isinstance(right, Quotient) else Compared(left, op, right)
        return self.agreed(
            lambda k: self._sizes.compare(at(left, k), op, at(right, k), node), node.span.text, condition
        )

    def decide(self, left: Size, op: Operator, right: Size, node: tree.Node) -> bool:
        answer = self.agreed(
            lambda lane: truth(at(left, lane), op, at(right, lane), self._facts),
            node.span.text,
            Compared(left, op, right),
        )
        if answer is None:
            raise Unsuitable(f"`{node.span.text}` is not decided")
        return answer

    def known(self, size: Size, node: tree.Node) -> Size:
        if isinstance(size, int) or not self._is_known(size):
            return size
        return self.agreed(lambda lane: at(size, lane), f"`{node.span.text}` is another number", names=names_in(size))

    def agreed(
        self,
        question: Callable[[Lane], T],
        reason: str,
        condition: Condition | None = None,
        names: frozenset[str] = frozenset(),
    ) -> T:
        """The answer that all instances give.

        Raises:
            Split: they give several.
        """
        answers = [question(lane) for lane in self._lanes]
        if any(a != answers[0] for a in answers):
            raise Split(answers, reason, condition, names)
        return answers[0]

    def _is_known(self, size: Dim) -> bool:
        return symbols(size) <= self._open


@dataclass(frozen=True, eq=False)
class Symbolic:
    """A block that was built once: the graph that holds nothing but it, and the instance in it.

    ``among`` are the numbers of the instances that it was built for; what differs between the others is open too.
    """

    graph: Graph
    instance: Instance
    opened: Opened
    among: Sequence[int]

    @property
    def lanes(self) -> list[dict[str, Number]]:
        return [self.opened.lanes[k] for k in self.among]

    @property
    def witnesses(self) -> list[Instance]:
        return [self.opened.instances[k] for k in self.among]


def build(
    instances: Sequence[Instance],
    graph: Graph,
    taken: set[str],
    among: Sequence[int] | None = None,
    shapes: InputShapes | None = None,
    facets: dict[object, Facets] | None = None,
) -> Symbolic:
    """A block built once for some of its instances; or a model for some networks of it, whose inputs have ``shapes``.

    What differs between the instances is open; conditions are decided by those whose numbers are in ``among``, by
    default by all. ``taken`` are names that no symbol may have, and ``graph`` is a network of the instances.
    Equal operators of blocks that are built with the same ``facets`` share theirs.

    Raises:
        Split: they are not instances of one class.
        Unsuitable: the block cannot be built on symbols.
    """
    opened = Opened(instances, set(taken))
    session = Session(Witnessed(graph.needs.facts))
    session.top = instances[0].scope.definition
    among = range(len(instances)) if among is None else among
    numbers = WitnessedNumbers(session, [opened.lanes[k] for k in among])
    elaborator = Elaborator(session, LearnedAssertions(session), numbers=numbers, shapes=shapes, facets=facets)
    run = _run_model if instances[0].scope.kind == "model" else _run_block
    try:
        made, built = run(elaborator, opened, session)
    except _UNSUITABLE as error:
        raise Unsuitable(f"{type(error).__name__}: {error}") from None
    if session.diagnostics or session.is_incomplete:
        raise Unsuitable("; ".join(d.message for d in session.diagnostics) or "a fault")
    return Symbolic(built, made, opened, among)


def _run_block(elaborator: Elaborator, opened: Opened, session: Session) -> tuple[Instance, Graph]:
    """The instance of a block, and a graph that holds nothing but it."""
    first = opened.instances[0]
    root = Module("", None)
    outer = Instance(first.scope, root, {}, None, first.env)
    module = root.children["block"] = Module("block", None)
    env = Env(first.env.parent, owner=object(), names=opened.arguments)
    here = NetworkPlace(env, opened.stream, outer.events, outer, root, None, first.defaults)
    elaborator.expand(Entry(first.scope, module, opened.arguments, env, first.scope.text), here)
    made = outer.inner[0]
    inputs = [GraphInput("x", v) for v in values_in(opened.stream)]
    outputs = [GraphOutput("y", v, False) for v in made_inside(made)]
    return made, Graph("", inputs, outputs, elaborator.recorder.nodes, root, outer, session.needs)


def _run_model(elaborator: Elaborator, opened: Opened, session: Session) -> tuple[Instance, Graph]:
    """The run of a model, and its graph."""
    first, recorder = opened.instances[0], elaborator.recorder
    text = first.scope.text
    assert isinstance(text, tree.Body)
    env = Env(first.env.parent, owner=object(), names=opened.arguments)
    here = elaborator.start(text, env, first.scope.definition, opened.arguments)
    recorder.top = here.instance
    elaborator.statements.run_body(text, here)
    here.instance.result = here.stream
    graph = Graph("", recorder.inputs, recorder.outputs, recorder.nodes, here.module, here.instance, session.needs)
    return here.instance, graph


_UNSUITABLE = (
    Fault, UsesErrorValue, Abort, RecursionError, TypeError, ArithmeticError, AttributeError, LookupError,
)  # fmt: skip
"""Operators and functions are written for numbers: whatever one raises on a symbol, it needs a number there."""


def made_inside(instance: Instance) -> Iterator[Value]:
    """The values of an instance's result that are not what arrived."""
    arrived = set(values_in(instance.stream))
    yield from dict.fromkeys(v for v in values_in(instance.result) if v not in arrived)
