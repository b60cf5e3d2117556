"""A block built once for several of its instances: numbers that differ between them are symbols.

The builder of graphs runs the block's text on symbols. The instances of the checked graph are its witnesses: a
condition on an open number is decided if it has one answer in all of them, and a range has a length if they agree on
it. Where they do not agree, `Split` says into which groups they fall; each group is then built by itself. Nothing is
assumed of the network but what the checked graph showed: layers accept their inputs, as they did in every instance.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from archdsl.dims import Dim, Holds, Needs, Operator, Outcome, Size, symbol, symbols, truth
from archdsl.elaborate.elaborator import Elaborator
from archdsl.elaborate.model import LearnedAssertions
from archdsl.elaborate.place import NetworkPlace
from archdsl.elaborate.shapes import InputShapes
from archdsl.elaborate.strategy import Entry
from archdsl.evaluate.faults import Abort, Fault, UsesErrorValue
from archdsl.evaluate.memory import Memory
from archdsl.evaluate.numbers import Run, SizeNumbers
from archdsl.evaluate.quotient import Exact, Quotient
from archdsl.evaluate.session import Session
from archdsl.evaluate.tables import OpenTable, as_tuples, nested_shape
from archdsl.evaluate.values import Builtin, Env, Function, Sides, SpecValue, Value
from archdsl.graph import Graph, GraphInput, GraphOutput, Instance, Module, values_in
from archdsl.op import Facets
from archdsl.program.conditions import Compared, Condition
from archdsl.program.layers import OpenLayer
from archdsl.program.numbers import Argument, Lane, OpenFloat, OpenNumbers, Operation, at, is_exactly, names_in
from archdsl.program.opened import Opened, Split, Unsuitable
from archdsl.syntax import tree

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")


# ---- running -----------------------------------------------------------------------------------------------


class Witnessed(Needs):
    """Requirements of layers: they were checked in every instance."""

    def require(self, a: Size, operator: Operator, b: Size, origin: object = None) -> Outcome:
        return Holds()

    def require_multiple(self, a: Size, m: Size, origin: object = None) -> Outcome:
        return Holds()


class WitnessedSession(Session):
    """Tables that symbols leave undecided are evaluated once for each instance."""

    numbers: WitnessedNumbers | None = None

    def once(self, key: Hashable | None, node: tree.Node, evaluate: Callable[[], SpecValue]) -> SpecValue:
        try:
            return super().once(key, node, evaluate)
        except Split:
            table = self.numbers.table_of(evaluate) if self.numbers is not None else None
            if table is None:
                raise
            return table


class _NeedsNumber(Exception):
    """A function is written for numbers, and was run on symbols."""


class WitnessedNumbers:
    """Arithmetic on open numbers: what symbols leave undecided, the instances decide."""

    def __init__(self, session: Session, opened: Opened) -> None:
        self._session = session
        self._sizes = SizeNumbers(session, self.decide)
        self._facts = session.needs.facts
        self._opened = opened
        self._lanes: Sequence[Lane] = [opened.lanes[k] for k in opened.among]
        self._is_inside = False
        """The text of a function is being run."""

    def operate(self, op: str, left: Exact, right: Exact, node: tree.Node, sides: Sides) -> Exact:
        is_float = op in ("/", "**") or isinstance(left, float) or isinstance(right, float)
        is_fraction = is_float and any(isinstance(s, Dim) and self._is_known(s) for s in (left, right))
        if not is_fraction and not any(isinstance(s, OpenFloat) for s in (left, right)):
            return self._sizes.operate(op, left, right, node, sides)
        values = [self._sizes.operate(op, at(left, k), at(right, k), node, sides) for k in self._lanes]
        others = self._elsewhere(
            lambda k: self._sizes.operate(op, at(left, k), at(right, k), node, sides), (left, right)
        )
        if len({*values, *others.values()}) == 1:
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

    def call(
        self, function: Function | Builtin, values: Sequence[SpecValue], run: Run, node: tree.Node, env: Env
    ) -> SpecValue:
        """The result on symbols; where the function needs numbers, a local of the class, or what all agree on."""
        names = names_in(tuple(values))
        if not names or not names <= self._opened.names:
            return run(values)
        failed: Exception = Unsuitable(f"`{node.span.text}` needs numbers")
        was_inside, self._is_inside = self._is_inside, True
        try:
            if not isinstance(function, Builtin) or not any(isinstance(v, OpenFloat) for v in values):
                return run(values)
        except Split as split:
            failed = split
        except (_NeedsNumber, TypeError, ValueError):
            pass
        finally:
            self._is_inside = was_inside
        results = [run([at(value, lane) for value in values]) for lane in self._lanes]
        agree = all(is_exactly(r, results[0]) for r in results)
        if not isinstance(results[0], int | float):
            table = results[0] if agree else self._table(results)
            if table is None:
                raise failed
            return table
        root = self._root(values[0], results) if isinstance(function, Builtin) and function.name == "sqrt" else None
        if root is not None:
            return root
        elsewhere = self._elsewhere(lambda lane: run([at(value, lane) for value in values]), values)
        if agree and all(is_exactly(r, results[0]) for r in elsewhere.values()):
            return results[0]
        if self._is_inside:
            raise _NeedsNumber if isinstance(failed, Unsuitable) else failed
        return self._opened.local(node, env, elsewhere | dict(zip(self._opened.among, results, strict=True)))

    def _root(self, value: SpecValue, results: Sequence[SpecValue]) -> OpenFloat | None:
        """A square root as a power, if this gives the same numbers."""
        if not isinstance(value, OpenFloat | Dim) or not isinstance(results[0], float):
            return None
        root = OpenFloat(results[0], Operation("**", value, 0.5))
        return root if [at(root, lane) for lane in self._lanes] == results else None

    def _elsewhere(self, result: Callable[[Lane], R], values: Sequence[SpecValue]) -> dict[int, R]:
        """The results in the instances that take another way through the text, where there are any."""
        found: dict[int, R] = {}
        known = len(self._session.diagnostics), self._session.is_incomplete
        for k, lane in enumerate(self._opened.lanes):
            if k in self._opened.among or not names_in(tuple(values)) <= lane.keys():
                continue
            try:
                found[k] = result(lane)
            except (Fault, UsesErrorValue, TypeError, ValueError, ArithmeticError):
                continue
        del self._session.diagnostics[known[0] :]
        self._session.is_incomplete = known[1]
        return found

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

    def table_of(self, evaluate: Callable[[], SpecValue]) -> OpenTable | None:
        """A table of the text as it is in each instance; that of a function is `call`'s, which has its arguments."""
        if self._is_inside:
            return None
        lanes, found = self._lanes, []
        try:
            for lane in lanes:
                self._lanes = [lane]
                found.append(at(as_tuples(evaluate()), lane))
        finally:
            self._lanes = lanes
        return self._table(found)

    def _table(self, found: Sequence[SpecValue]) -> OpenTable | None:
        """What is a table in each instance; None if it is none, or the instances' have not the same axes."""
        tables = [_lists(table) for table in found]
        shapes = [nested_shape(table) for table in tables]
        sizes = [self._size(axes) for axes in zip(*(s for s in shapes if s is not None), strict=False)]
        if any(s is None or len(s) != len(sizes) for s in shapes) or not sizes:
            return None
        shape = tuple(s for s in sizes if s is not None)
        lanes = zip(self._lanes, found, strict=True)
        data = OpenNumbers(tuple((frozenset(k.items()), as_tuples(table)) for k, table in lanes))
        return OpenTable(tables[0], data, shape) if len(shape) == len(sizes) else None

    def _size(self, sizes: Sequence[int]) -> Size | None:
        """A size that is this in the instances, one after the other."""
        if len(set(sizes)) == 1:
            return sizes[0]
        named = (n for n in self._lanes[0] if [lane[n] for lane in self._lanes] == list(sizes))
        return next(map(symbol, named), None)

    def _is_known(self, size: Dim) -> bool:
        return symbols(size) <= self._opened.names


def _lists(table: Any) -> Any:
    return list(map(_lists, table)) if isinstance(table, tuple | list) else table


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
    def lanes(self) -> list[dict[str, Argument]]:
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
    memory: Memory[SpecValue] | None = None,
) -> Symbolic:
    """A block built once for some of its instances; or a model for some networks of it, whose inputs have ``shapes``.

    What differs between the instances is open; conditions are decided by those whose numbers are in ``among``, by
    default by all. ``taken`` are names that no symbol may have, and ``graph`` is a network of the instances.
    Equal operators of blocks that are built with the same ``facets`` share theirs, and what functions give on plain
    numbers is evaluated once for blocks that are built with the same ``memory``.

    Raises:
        Split: they are not instances of one class.
        Unsuitable: the block cannot be built on symbols.
    """
    among = range(len(instances)) if among is None else among
    opened = Opened(instances, among, set(taken))
    session = WitnessedSession(Witnessed(graph.needs.facts), memory)
    session.top = instances[0].scope.definition
    session.numbers = numbers = WitnessedNumbers(session, opened)
    elaborator = Elaborator(session, LearnedAssertions(session), numbers=numbers, shapes=shapes, facets=facets)
    run = _run_model if instances[0].scope.kind == "model" else _run_block
    try:
        made, built = run(elaborator, opened, session)
    except _UNSUITABLE as error:
        raise Unsuitable(f"{type(error).__name__}: {error}") from None
    if session.diagnostics or session.is_incomplete:
        raise Unsuitable("; ".join(d.message for d in session.diagnostics) or "a fault")
    for node in built.nodes:
        if isinstance(node.op, OpenLayer) and node.module is None:
            name = node.op.argument
            raise Split([opened.lanes[k][name] for k in among], f"`{name}` differs, and is no module")
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
