"""Calls: of layers, which take more arguments, and of functions, measures and initial values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TypeAlias

from archdsl.diagnostics.elsewhere import stands_for
from archdsl.diagnostics.names import BadArithmetic, Misplaced, RepeatedArgument, WrongKind
from archdsl.diagnostics.shapes import SizeTooLarge
from archdsl.dims import TooLarge
from archdsl.evaluate.builtins import hidden
from archdsl.evaluate.called import not_called, owns_weights, streamed
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.interfaces import Evaluates
from archdsl.evaluate.lists import Lists
from archdsl.evaluate.network import Network
from archdsl.evaluate.numbers import MAGNITUDE, MAX_MAGNITUDE, Numbers
from archdsl.evaluate.parameters import Parameters
from archdsl.evaluate.place import Place
from archdsl.evaluate.pure import key_of_call
from archdsl.evaluate.session import Session
from archdsl.evaluate.tensors import Tensors
from archdsl.evaluate.values import (
    ERROR,
    Applicable,
    Builtin,
    Env,
    Function,
    Given,
    Layer,
    Measure,
    OpLayer,
    SpecValue,
    Value,
    describe,
    is_list,
    require_good,
)
from archdsl.init import Init
from archdsl.syntax import tree

Named: TypeAlias = Mapping[str, Given]


class Calls:
    """Evaluates calls."""

    def __init__(
        self, session: Session, network: Network, expressions: Evaluates, tensors: Tensors, lists: Lists,
        numbers: Numbers,
    ) -> None:  # fmt: skip
        self._session = session
        self._network = network
        self._numbers = numbers
        self._expressions = expressions
        self._tensors = tensors
        self._lists = lists
        self._numbers = numbers
        self.parameters: Parameters = Parameters(session, expressions)

    def call(self, node: tree.Call, place: Place) -> SpecValue:
        callee = self._expressions.evaluate(node.callee, place)
        positional, named = self.arguments(node, place)
        if isinstance(callee, Layer):
            return self._call_layer(callee, node, positional, named, place)
        require_good([*positional, *named.values()])
        match callee:
            case Builtin():
                return self._call_builtin(callee, node, positional, named, place)
            case Measure():
                return _call_measure(callee, node, positional, named)
            case Function():
                return self._call_function(callee, node, positional, named, place)
            case type():
                return _call_init(callee, node, positional, named)
            case _:
                what = f"{describe(callee)} takes no arguments"
                raise Fault(WrongKind(span=node.span, what=what, advice=hidden(node.callee, callee)))

    def arguments(self, node: tree.Call, place: Place) -> tuple[tuple[Given, ...], dict[str, Given]]:
        """The arguments of a call, evaluated from left to right; one at fault is reported, and hides none behind it."""
        positional: list[Given] = []
        named: dict[str, Given] = {}
        env = place.seen()
        for argument in node.arguments:
            if isinstance(argument.value, tree.Labelled):
                advice = "label the layer where it is applied; write arguments as `name=…`"
                raise Fault(Misplaced(span=argument.span, what="a label", advice=advice))
            given = Given(self._argument(argument.value, place), argument.value, env, argument.name)
            if argument.name is None:
                if named and given.value is not ERROR:
                    what = "a positional argument after a named one"
                    raise Fault(Misplaced(span=argument.span, what=what, advice="move it before the named ones"))
                positional.append(given)
            elif argument.name.text in named:
                name = argument.name
                raise Fault(RepeatedArgument(span=name.span, callee=node.callee.span.text, name=name.text))
            else:
                named[argument.name.text] = given
        return tuple(positional), named

    def _argument(self, value: tree.Expr, place: Place) -> SpecValue:
        try:
            return self._expressions.evaluate(value, place)
        except Fault as fault:
            self._session.report(fault.diagnostic)
        except UsesErrorValue:
            pass
        self._session.is_incomplete = True
        return ERROR

    # ---- layers ----

    def _call_layer(
        self, callee: Layer, node: tree.Call, positional: tuple[Given, ...], named: Named, place: Place
    ) -> SpecValue:
        """More arguments for a layer; one without parameters of its own that is called on values is applied to them."""
        values = streamed(callee, positional, named)
        if isinstance(callee, Applicable) and not values:
            return callee.given(positional, named)
        require_good([*positional, *named.values()])
        if not isinstance(callee, OpLayer) or owns_weights(callee.op):
            raise Fault(not_called(callee, node, values))
        others = tuple(g for g in positional if g not in values)
        return self._applied(callee.given(others, named), values, node, place)

    def _applied(self, layer: Layer, given: Sequence[Given], node: tree.Call, place: Place) -> SpecValue:
        values = [self._tensors.as_tensor(g.value, g.site, place) for g in given]
        inner = place.inside_value(values[0] if len(values) == 1 else values)
        self._network.apply(layer, inner, node)
        assert inner.stream is not None
        return inner.stream

    # ---- functions ----

    def _call_builtin(
        self, builtin: Builtin, node: tree.Call, positional: tuple[Given, ...], named: Named, place: Place
    ) -> SpecValue:
        values = [given.value for given in positional]
        if builtin.op is not None and (not values or any(map(self._tensors.stands_for_tensor, values))):
            layer = OpLayer(op=builtin.op, named=named)
            return self._applied(layer, positional, node, place) if positional else layer
        if named:
            name = next(iter(named))
            what = f"the function `{builtin.name}` takes no named arguments on numbers"
            raise Fault(WrongKind(span=named[name].site.span, what=what))
        return self._run_builtin(builtin, values, node, place)

    def _run_builtin(self, builtin: Builtin, values: list[SpecValue], node: tree.Call, place: Place) -> SpecValue:
        shown = ", ".join(describe(v) for v in values[:3]) or "nothing"
        self._session.spend(node, sum(len(v) for v in values if is_list(v)))
        try:
            result = self._numbers.call(builtin, values, lambda given: builtin.run(*given), node, place.env)
        except TooLarge:
            raise Fault(SizeTooLarge(span=node.span)) from None
        except (TypeError, ValueError, OverflowError, ArithmeticError) as error:
            detail = str(error) if isinstance(error, ValueError) and "lists" in str(error) else None
            detail = detail or _instead_of_function(builtin.name, values)
            reason = f"`{builtin.name}` has no value for {shown}"
            raise Fault(BadArithmetic(span=node.span, reason=reason, advice=detail)) from None
        if isinstance(result, float) and not abs(result) < MAX_MAGNITUDE:
            raise Fault(BadArithmetic(span=node.span, reason="this number is too large", advice=MAGNITUDE))
        return self._lists.bounded(result, node) if isinstance(result, list) else result

    def _call_function(
        self, function: Function, node: tree.Call, positional: tuple[Given, ...], named: Named, place: Place
    ) -> SpecValue:
        definition, file = function.definition, function.file
        name = definition.name.text
        with self._session.expanding(definition, file, name, node):
            layer = Applicable(positional, named)
            values, _ = self.parameters.bind(name, definition.params, layer, file, place, node, {})

            def run(given: Sequence[SpecValue]) -> SpecValue:
                names = dict(zip(values, given, strict=True))
                inside = place.inside_value(None, Env(file.env, names=names))
                key = key_of_call(definition, names)
                return self._session.once(key, node, lambda: self._expressions.evaluate(definition.value, inside))

            return self._numbers.call(function, [*values.values()], run, node, place.env)


def _call_measure(measure: Measure, node: tree.Call, positional: tuple[Given, ...], named: Named) -> SpecValue:
    if len(positional) != 1 or named:
        what = f"`{measure.name}` takes one model, block or group"
        raise Fault(WrongKind(span=node.span, what=what))
    return measure.run(positional[0].value, node)


def _call_init(init: type[Init], node: tree.Call, positional: tuple[Given, ...], named: Named) -> Init:
    try:
        value = init(*(g.value for g in positional), **{n: g.value for n, g in named.items()})
    except TypeError:
        takes = ", ".join(f.name for f in fields(init)) or "no arguments"
        what = f"invalid arguments of `{init.name}`"
        raise Fault(WrongKind(span=node.span, what=what, advice=f"it takes {takes}")) from None
    problem = value.problem()
    if problem:
        raise Fault(WrongKind(span=node.span, what=f"`{init.name}`: {problem}"))
    return value


def _instead_of_function(name: str, values: Sequence[SpecValue]) -> str | None:
    """What is written here for a function of numbers where it is called on values."""
    if not any(isinstance(v, Value) for v in values):
        return None
    if name in ("max", "min") and len(values) == 2:
        return f"of two values: `{name}imum(a, b)`"
    return stands_for(name)
