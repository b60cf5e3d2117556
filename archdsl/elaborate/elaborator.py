"""The elaborator: text that is run into a network, made of parts that each know a few others by protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archdsl.diagnostics.shapes import DoesNotFit
from archdsl.elaborate.differences import Differences
from archdsl.elaborate.layers import Layers
from archdsl.elaborate.modules import Modules
from archdsl.elaborate.operators import Operators
from archdsl.elaborate.place import VALUE, NetworkPlace, in_network
from archdsl.elaborate.recorder import Recorder
from archdsl.elaborate.shapes import InputShapes, Shapes
from archdsl.elaborate.statements import Assertions, Statements
from archdsl.elaborate.strategy import Builder, Concrete, Entry, Strategy
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.numbers import Numbers
from archdsl.evaluate.place import Place
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import Env, Layer, Number, Sides, SpecList, SpecValue, Value, Written
from archdsl.graph import Instance, Module
from archdsl.op import Facets, Op
from archdsl.ops.elementwise import Arithmetic
from archdsl.syntax import tree


class Elaborator:
    """Runs text into a network.

    Expressions run operators, operators take arguments that are expressions, and layers hold bodies: where one part
    needs another that is made after it, it is handed the elaborator, as what its protocol says.
    """

    def __init__(
        self, session: Session, assertions: Assertions, *, numbers: Numbers | None = None,
        strategy: Callable[[Builder], Strategy] = Concrete, facets: dict[object, Facets] | None = None,
        shapes: InputShapes | None = None, are_labels_optional: bool = False,
    ) -> None:  # fmt: skip
        """``shapes`` replace those that inputs state; ``facets``: see `FileScope.facets`."""
        self.recorder: Recorder = Recorder(session)
        self.evaluator: Evaluator = Evaluator(session, self, numbers)
        modules = Modules(are_labels_optional=are_labels_optional)
        self._operators = Operators(session, self.recorder, modules, facets)
        running = strategy(self)
        self.layers: Layers = Layers(session, self.recorder, self.evaluator, self._operators, modules, running, self)
        stated = Shapes(session, self.recorder, self.evaluator, shapes or {})
        self.statements: Statements = Statements(
            session, self.recorder, self.evaluator, modules, self.layers, stated, running, assertions
        )

    def start(
        self, text: tree.Body, env: Env, definition: tree.Block | None, arguments: Mapping[str, SpecValue]
    ) -> NetworkPlace:
        """The place at which the body of a model begins, or without a definition that of a claim."""
        scope = self.recorder.scope_of(text, "group" if definition is None else "model", definition)
        root = Module("", text.span if definition is None else definition.span, scope)
        instance = Instance(scope, root, dict(arguments), None, env)
        self.recorder.instances[root] = instance
        return NetworkPlace(env, None, instance.events, instance, root)

    # ---- what the evaluator asks of a network ----

    def run_op(
        self, op: Op, inputs: tuple[Value, ...], place: Place, site: tree.Node, written: Written | None = None
    ) -> tuple[Value, ...]:
        return self._operators.run(op, inputs, in_network(place, site), site, VALUE, written or {})

    def combine(
        self, op: str, left: Value | Number, right: Value | Number, place: Place, site: tree.Node, sides: Sides
    ) -> Value:
        values = [side for side in (left, right) if isinstance(side, Value)]
        env = place.seen()
        written = {"left": (sides[0], env), "right": (sides[1], env)}
        try:
            return self.run_op(Arithmetic.of(op, left, right), tuple(values), place, site, written)[0]
        except Fault as fault:
            if not isinstance(fault.diagnostic, DoesNotFit) or len(values) != 2:
                raise
            raise Fault(Differences(self.recorder).of_sides(op, values, site, sides)) from None

    def hold(self, facets: Facets, place: Place, site: tree.Node) -> Value:
        return self._operators.record(facets, (), in_network(place, site), site, VALUE, {})[0]

    def apply(self, layer: Layer, place: Place, site: tree.Node) -> None:
        self.layers.apply(layer, in_network(place, site), site)

    def run_item(self, item: tree.ChainItem, place: Place) -> None:
        self.layers.run_item(item, in_network(place, item), head=False)

    def first_input(self) -> Value | None:
        return self.recorder.inputs[0].value if self.recorder.inputs else None

    # ---- what a strategy and layers ask ----

    def holds(self, node: tree.Expr, place: Place) -> bool:
        return self.evaluator.holds(node, place)

    def items_of(self, node: tree.Expr, place: Place) -> SpecList:
        return self.evaluator.lists.items_of(self.evaluator.evaluate(node, place), node)

    def bind_patterns(
        self, patterns: tuple[tree.Pattern, ...], item: SpecValue, env: Env, place: Place, site: tree.Node
    ) -> dict[str, SpecValue]:
        return self.evaluator.patterns.bind_all(patterns, item, env, place, site)

    def expand(self, entry: Entry, here: NetworkPlace) -> None:
        self.layers.expand(entry, here)

    def run_scope(self, text: tree.Body | tree.Seq | tree.Combine | tree.Residual, here: NetworkPlace) -> None:
        self.statements.run_scope(text, here)
