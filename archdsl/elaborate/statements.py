"""Statements: they move the stream, bind names, declare modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from archdsl.diagnostics.base import Label
from archdsl.diagnostics.names import DefinedTwice, Misplaced, WrongKind
from archdsl.elaborate.catching import Faults
from archdsl.elaborate.declarations import Declarations
from archdsl.elaborate.differences import Differences
from archdsl.elaborate.layers import Layers
from archdsl.elaborate.merging import Merging
from archdsl.elaborate.modules import Modules
from archdsl.elaborate.place import NetworkPlace
from archdsl.elaborate.recorder import Recorder
from archdsl.elaborate.shapes import Shapes
from archdsl.elaborate.strategy import Runner, Strategy
from archdsl.evaluate.builtins import BUILTINS, as_layer
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.names import broken_families
from archdsl.evaluate.parameters import no_argument
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import (
    ERROR,
    Applicable,
    BlockLayer,
    Given,
    OpLayer,
    SpecValue,
    Stream,
    Value,
    describe,
    is_list,
    require_good,
)
from archdsl.graph import Branch, GraphInput, GraphOutput, Instance, Named, OutputEvent
from archdsl.op import Op, parameters
from archdsl.ops import OPS_BY_NAME
from archdsl.syntax import tree


class Assertions(Protocol):
    """What ``assert`` does."""

    def check(self, node: tree.Assert, here: NetworkPlace, evaluator: Evaluator) -> None:
        """In a model or block, learn or check; in a claim, prove.

        Raises:
            Fault: the assertion fails.
        """
        ...


class Statements:
    """Runs bodies."""

    def __init__(
        self, session: Session, recorder: Recorder, evaluator: Evaluator, modules: Modules, layers: Layers,
        shapes: Shapes, strategy: Strategy, assertions: Assertions,
    ) -> None:  # fmt: skip
        self._session = session
        self._recorder = recorder
        self._evaluator = evaluator
        self._layers = layers
        self._shapes = shapes
        self._strategy = strategy
        self._assertions = assertions
        self._faults = Faults(session, evaluator)
        self._merging = Merging(recorder, evaluator, layers, Differences(recorder), self)
        self._ends: dict[tuple[Instance, type, str], tree.Input | tree.Output] = {}
        """Where each input and output of a run of a scope was stated first."""
        declarations = Declarations(recorder, evaluator, modules, shapes, self._faults)
        self._rules: dict[type, Callable[[Any, NetworkPlace], None]] = {
            tree.Step: self._step,
            tree.Let: self._let,
            tree.Input: self._input,
            tree.Output: self._output,
            tree.Declare: declarations.declare,
            tree.TensorParam: declarations.param,
            tree.TensorBuffer: declarations.buffer,
            tree.For: self._for,
            tree.If: self._if,
            tree.Defaults: self._with,
            tree.Assert: self._assert,
            tree.Broken: self._broken,
        }

    def run_scope(self, text: tree.Body | tree.Seq | tree.Combine | tree.Residual, here: NetworkPlace) -> None:
        """What a scope (or a transparent group) does with the stream."""
        match text:
            case tree.Body():
                self.run_body(text, here)
            case tree.Seq(body=body):
                self.run_body(body, here)
            case tree.Combine():
                self._merging.combine(text, here)
            case tree.Residual():
                self._merging.residual(text, here)

    def run_body(self, body: tree.Body, here: NetworkPlace) -> None:
        before = here.defaults
        for statement in body.statements:
            self._session.spend(statement)
            self._rules[type(statement)](statement, here)
        here.defaults = before

    # ---- steps and names ----

    def _step(self, node: tree.Step, here: NetworkPlace) -> None:
        with self._faults.catching(here, (node.target,), node.shape):
            self._layers.run_chain(node.chain, here)
            if node.shape is not None and here.stream is not None:
                here.stream = self._evaluator.tensors.as_tensor(here.stream, node.chain, here)
            if node.target is not None and here.stream is not None:
                self._bind(node.target, here.stream, node, here)
            if node.shape is not None:
                self._shapes.check_shape(node.shape, here.stream, here, _subject(node.target))

    def _bind(self, pattern: tree.Pattern, value: SpecValue, site: tree.Node, here: NetworkPlace) -> None:
        for name, bound in self._evaluator.patterns.bind(pattern, value, here.env, here).items():
            here.events.append(Named(site, name, bound, here.seen()))

    def _let(self, node: tree.Let, here: NetworkPlace) -> None:
        inner = here.aside(here.stream)
        with self._faults.catching(inner, (node.pattern,)):
            self._bind(node.pattern, as_layer(self._evaluator.evaluate(node.value, inner)), node, here)

    def _input(self, node: tree.Input, here: NetworkPlace) -> None:
        with self._faults.catching(here, (node.name,), node.shape):
            name = self._evaluator.computed_text(node.name, here)
            self._only_one(name, node, here)
            if here.instance is self._recorder.top:
                value = self._shapes.make_input(name, node, here)
                self._recorder.inputs.append(GraphInput(name, value))
                self._recorder.stated[value] = node
            else:
                arriving = self._arriving_input(node, here)
                value = self._shapes.check_shape(node.shape, arriving, here, f"the input `{name}`")
            here.env.bind(name, value)
            here.stream = value
            here.events.append(Named(node, name, value, here.seen()))

    def _only_one(self, name: str, node: tree.Input | tree.Output, here: NetworkPlace) -> None:
        """Raises:
        Fault: another input (or output) of this run of the scope has the name.
        """
        key = (here.instance, type(node), name)
        if key in self._ends:
            labels = (Label(self._ends[key].name.span, "first defined here"),)
            raise Fault(DefinedTwice(span=node.name.span, name=name, labels=labels))
        self._ends[key] = node

    def _arriving_input(self, node: tree.Input, here: NetworkPlace) -> Stream:
        """What arrives for an input statement of a block: what is on the stream, or its part of the list there."""
        arrived = here.instance.stream
        if arrived is ERROR:
            raise UsesErrorValue
        names = self._input_names(here)
        if len(names) > 1:
            position = names.index(node)
            if not is_list(arrived) or len(arrived) != len(names):
                what = f"this {here.instance.scope.kind} takes {len(names)} inputs"
                raise Fault(WrongKind(span=node.span, what=what, found=f"its input is {describe(arrived)}"))
            return arrived[position]
        return arrived

    @staticmethod
    def _input_names(here: NetworkPlace) -> list[tree.Input]:
        text = here.instance.scope.text
        return [s for s in text.statements if isinstance(s, tree.Input)] if isinstance(text, tree.Body) else []

    def _output(self, node: tree.Output, here: NetworkPlace) -> None:
        inner = here.apart()
        with self._faults.catching(inner):
            if node.value is not None:
                self._layers.run_chain(node.value, inner)
            given = self._evaluator.stream_of(node, inner)
            value = self._evaluator.tensors.as_tensor(given, node.value or node, inner)
            name = self._evaluator.computed_text(node.name, here)
            if not isinstance(value, Value):
                what = f"the output `{name}` must be one value"
                raise Fault(WrongKind(span=node.span, what=what, found=f"this is {describe(value)}"))
            if node.shape is not None:
                self._shapes.check_shape(node.shape, value, here, f"the output `{name}`")
            output = GraphOutput(name, value, node.when_training)
            if here.instance is self._recorder.top:
                self._only_one(name, node, here)
                self._recorder.outputs.append(output)
            here.events.append(OutputEvent(node, output, inner.events))

    # ---- control ----

    def _for(self, node: tree.For, here: NetworkPlace) -> None:
        with self._faults.catching(here):
            self._strategy.iterate(node, here, Runner(self.run_body))

    def _if(self, node: tree.If, here: NetworkPlace) -> None:
        with self._faults.catching(here):
            self._strategy.choose(node, here, Runner(self.run_body))

    def _with(self, node: tree.Defaults, here: NetworkPlace) -> None:
        try:
            for call in node.calls:
                self._default(call, here)
        except (Fault, UsesErrorValue) as error:
            if isinstance(error, Fault):
                self._session.report(error.diagnostic)
            self._session.is_incomplete = True
            self._lose_defaults(node, here)

    def _default(self, call: tree.Call, here: NetworkPlace) -> None:
        callee = as_layer(self._evaluator.evaluate(call.callee, here))
        if not isinstance(callee, Applicable):
            what = "`with` takes operators and blocks"
            raise Fault(WrongKind(span=call.span, what=what, found=f"this is {describe(callee)}"))
        positional, named = self._evaluator.calls.arguments(call, here)
        if positional:
            what = "a default without a name"
            raise Fault(Misplaced(span=positional[0].site.span, what=what, advice="write `with conv(bias=false)`"))
        key, name_of, known = _defaulted(callee)
        orders = callee.op.orders() if isinstance(callee, OpLayer) else ()
        for name, given in named.items():
            if name not in known:
                raise Fault(no_argument(name_of, name, known, given, orders=orders))
        require_good(named.values())
        here.defaults = {**here.defaults, key: {**here.defaults.get(key, {}), **named}}

    def _broken(self, node: tree.Broken, here: NetworkPlace) -> None:
        """What could not be read has been reported: what it touches is left out in silence."""
        self._faults.make_unknown(here, tuple(name for name in node.names if name.text not in BUILTINS))
        self._session.lost_families += broken_families(node)
        if node.span.text.startswith("with"):
            self._lose_defaults(node, here)

    @staticmethod
    def _lose_defaults(node: tree.Node, here: NetworkPlace) -> None:
        """The defaults that a statement at fault would set are unknown."""
        text = node.span.text
        unknown = {op: _unknown_arguments(op, node, here) for name, op in OPS_BY_NAME.items() if name in text}
        here.defaults = {**here.defaults, **unknown}

    def _assert(self, node: tree.Assert, here: NetworkPlace) -> None:
        inner = here.aside(here.stream)
        with self._faults.catching(inner):
            self._assertions.check(node, inner, self._evaluator)

    def run_branches(self, body: tree.Body, here: NetworkPlace) -> None:
        """Each step of a combinator's body is a branch; ``for`` and ``if`` contribute theirs."""
        before = here.defaults
        for statement in body.statements:
            self._session.spend(statement)
            match statement:
                case tree.Step():
                    inner = here.apart()
                    self._step(statement, inner)
                    here.events.append(Branch(statement, inner.events, inner.stream))
                case tree.For():
                    self._strategy.iterate(statement, here, Runner(self.run_branches, as_branches=True))
                case tree.If():
                    self._strategy.choose(statement, here, Runner(self.run_branches, as_branches=True))
                case tree.Broken():
                    self._broken(statement, here.aside(here.stream))
                    here.events.append(Branch(statement, [], ERROR))
                case _:
                    self._rules[type(statement)](statement, here)
        here.defaults = before


def _unknown_arguments(op: type[Op], node: tree.Node, here: NetworkPlace) -> dict[str, Given]:
    """Defaults that could not be read: each argument may have one."""
    return {p.name: Given(ERROR, node, here.env) for p in parameters(op)}


def _subject(target: tree.Pattern | None) -> str:
    return f"`{target.span.text}`" if target is not None else "this value"


def _defaulted(callee: Applicable) -> tuple[object, str, list[str]]:
    """What a default is kept under, whose it is, and the arguments that it may name."""
    if isinstance(callee, OpLayer):
        return callee.op, callee.name, [p.name for p in parameters(callee.op)]
    assert isinstance(callee, BlockLayer)
    return callee.definition, callee.name, [p.name.text for p in callee.definition.params]
