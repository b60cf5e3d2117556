"""Expressions: of numbers, lists, layers and values alike."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any

from archdsl.diagnostics.base import Edit
from archdsl.diagnostics.elsewhere import stands_for
from archdsl.diagnostics.names import (
    BadArithmetic,
    EmptyStream,
    Misplaced,
    WrongKind,
)
from archdsl.diagnostics.shapes import SizeDivided, SizeTooLarge, Undecided
from archdsl.dims import Dim, Operator, TooLarge, truth
from archdsl.elaborate.called import apply_advice, not_called, owns_weights, streamed
from archdsl.elaborate.comprehensions import Comprehensions
from archdsl.elaborate.context import Fault, Here, Poison, require_good
from archdsl.elaborate.parts import Sides
from archdsl.evaluate.builtins import LISTS, MAX_LIST, NUMERIC
from archdsl.evaluate.env import MISSING, Env, FileScope
from archdsl.evaluate.names import SUGGESTIONS, unknown_name
from archdsl.evaluate.pure import key_of_call
from archdsl.evaluate.sizes import Questions
from archdsl.evaluate.values import (
    BAD,
    NONE,
    Applicable,
    BodyLayer,
    Builtin,
    ChainLayer,
    Function,
    Given,
    LabelledLayer,
    Layer,
    LazyLet,
    Measure,
    OpLayer,
    SymbolicRange,
    describe,
    is_list,
    is_number,
    is_size,
)
from archdsl.graph import Chose, Value
from archdsl.init import INITS, Init
from archdsl.op import Reject
from archdsl.ops import OPS_BY_NAME
from archdsl.ops.elementwise import Arithmetic, Negative
from archdsl.source import Span
from archdsl.syntax import tree

MAX_MAGNITUDE = 10**60
"""No number of a network is larger; without a limit, powers could exhaust the machine."""
_MAGNITUDE = "numbers have at most 60 digits"


class Expressions(Comprehensions):
    """Evaluates expressions; asks the other parts to run what has to run."""

    @abstractmethod
    def expanding(
        self, definition: tree.Block | tree.Fn, file: FileScope, name: str, site: tree.Node
    ) -> AbstractContextManager[None]:
        """While a definition is expanded."""

    def evaluate(self, node: tree.Expr | tree.Labelled, here: Here) -> Any:
        self.spend(node)
        return _EVALUATE[type(node)](self, node, here)

    # ---- atoms ----

    def _name(self, node: tree.Name, here: Here) -> Any:
        if node.text == "it":
            return self.stream_of(node, here)
        return self.resolve(node.text, node, here.env)

    def stream_of(self, node: tree.Node, here: Here) -> Any:
        if here.stream is BAD:
            raise Poison
        if here.stream is None:
            raise Fault(EmptyStream(span=node.span))
        return here.stream

    def resolve(self, name: str, node: tree.Node, env: Env) -> Any:
        """What a name means: local names, then the file's, then built-ins."""
        value = env.lookup(name)
        if value is MISSING:
            value = BUILTINS.get(name, MISSING)
        if value is MISSING and any(family.fullmatch(name) for family in self.lost_families):
            raise Poison
        if value is MISSING:
            few = len(self.diagnostics) < SUGGESTIONS
            known = env.visible() | BUILTINS.keys() | WORDS if few else ()
            raise Fault(unknown_name(node, name, known, self.active[-1] if self.active else self.top))
        if value is BAD:
            raise Poison
        if isinstance(value, LazyLet):
            return self._top_level(value)
        return value

    def _top_level(self, lazy: LazyLet) -> Any:
        if lazy.value is MISSING:
            lazy.value = BAD
            here = self.outside(Env(lazy.file.env))
            value = self.evaluate(lazy.definition.value, here)
            lazy.value = self.bind_pattern(lazy.definition.pattern, value, here.env, here)[lazy.name]
        if lazy.value is BAD:
            raise Poison
        return lazy.value

    def outside(self, env: Env) -> Here:
        """A place in a file, in no block: for top-level values and for defaults."""
        return Here(env, None, [], None, None)  # type: ignore[arg-type]

    def _computed(self, node: tree.Computed, here: Here) -> Any:
        return self.resolve(self.computed_text(node, here), node, here.env)

    def computed_text(self, node: tree.Label, here: Here) -> str:
        """The text of a name or label, its expressions evaluated."""
        if isinstance(node, tree.Name):
            return node.text
        return "".join(part if isinstance(part, str) else self._part(part, here) for part in node.parts)

    def _part(self, part: tree.Expr, here: Here) -> str:
        value = self.evaluate(part, here)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise Fault(
                WrongKind(
                    span=part.span,
                    what="a computed name needs a whole number or a string between its braces",
                    found=f"this is {describe(value)}",
                )
            )
        return str(value)

    def _constant(self, node: tree.Number | tree.String, here: Here) -> Any:
        return node.value

    def _none(self, node: tree.NoneLayer, here: Here) -> Any:
        return NONE

    # ---- arithmetic ----

    def _arithmetic(self, node: tree.Arithmetic, here: Here) -> Any:
        left, said = self.evaluate(node.first, here), node.first
        for op, term in node.rest:
            left = self.operate(op, left, self.evaluate(term, here), node, here, (said, term))
            said = node
        return left

    def _power(self, node: tree.Power, here: Here) -> Any:
        base, exponent = self.evaluate(node.base, here), self.evaluate(node.exponent, here)
        return self.operate("**", base, exponent, node, here, (node.base, node.exponent))

    def _negative(self, node: tree.Negative, here: Here) -> Any:
        value = self.as_tensor(self.evaluate(node.operand, here), node.operand, here)
        if isinstance(value, Value):
            return self.run_op(Negative(), (value,), here, node)[0]
        if not is_number(value):
            raise self.wrong_operand("-", value, node, node.operand)
        return -value

    def operate(self, op: str, left: Any, right: Any, node: tree.Node, here: Here, said: Sides) -> Any:
        """``left op right`` on numbers, sizes, lists (``+``) and values."""
        if is_number(left) and is_number(right):  # first, since tables are made of nothing else
            return self._numbers(op, left, right, node, said)
        if op == "+" and is_list(left) and is_list(right):
            return self.bounded([*left, *right], node)
        self.one_meaning(op, left, right, node, said)
        if self.stands_for_value(left) or self.stands_for_value(right):
            return self.combine_values(op, left, right, node, here, said)
        wrong = 1 if is_number(left) else 0
        raise self.wrong_operand(op, (left, right)[wrong], node, said[wrong])

    def _numbers(self, op: str, left: Any, right: Any, node: tree.Node, said: Sides) -> Any:
        if isinstance(left, Dim) or isinstance(right, Dim):
            self._check_sizes(op, right, node, said)
        elif op == "**":
            self._power_limit(left, right, node)
        try:
            result = _NUMBERS[op](left, right)
        except ZeroDivisionError:
            raise Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` divides by zero")) from None
        except TooLarge:
            raise Fault(SizeTooLarge(span=node.span)) from None
        except (OverflowError, ValueError, TypeError):
            raise Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` has no value")) from None
        if isinstance(result, complex):
            raise Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` is not a real number"))
        if not isinstance(result, Dim) and not abs(result) < MAX_MAGNITUDE:
            raise Fault(BadArithmetic(span=node.span, reason="this number is too large", advice=_MAGNITUDE))
        return result

    def _check_sizes(self, op: str, right: Any, node: tree.Node, said: Sides) -> None:
        """Raises:
        Fault: symbolic sizes are divided, or by what can be 0.
        """
        if op == "/":
            raise Fault(SizeDivided(span=node.span, edits=_rounding_down(said[1])))
        if op in ("//", "%") and isinstance(right, Dim):
            self.positive(right, node)

    def positive(self, divisor: Dim, node: tree.Node) -> None:
        """A symbolic divisor is at least 1 for every input that the model accepts."""
        try:
            Questions(self.needs, node, self.frames).require(divisor, ">=", 1, "")
        except Reject:
            raise Fault(BadArithmetic(span=node.span, reason=f"the divisor {divisor} can be less than 1")) from None

    def _power_limit(self, base: Any, exponent: Any, node: tree.Node) -> None:
        if isinstance(base, int) and abs(base) > 1 and exponent > 200:
            raise Fault(BadArithmetic(span=node.span, reason="this number is too large", advice=_MAGNITUDE))

    def wrong_operand(self, op: str, value: Any, node: tree.Node, side: tree.Node) -> Fault:
        what = f"`{op}` is for numbers and values"
        found = f"one side is {describe(value)}"
        advice = apply_advice(value, side)
        return Fault(WrongKind(span=node.span, what=what, found=found, advice=advice))

    def combine_values(self, op: str, left: Any, right: Any, node: tree.Node, here: Here, said: Sides) -> Value:
        """Arithmetic with a value on at least one side: an operator of the graph."""
        sides = [self._side(op, side, text, here) for side, text in zip((left, right), said, strict=True)]
        values = tuple(side for side in sides if isinstance(side, Value))
        arithmetic = Arithmetic.of(op, *sides)
        env = here.seen()
        written = {"left": (said[0], env), "right": (said[1], env)}
        return self.run_op(arithmetic, values, here, node, written=written)[0]

    def _side(self, op: str, side: Any, node: tree.Node, here: Here) -> Any:
        side = self.as_tensor(side, node, here)
        if isinstance(side, Value) or is_number(side):
            return side
        raise self.wrong_operand(op, side, node, node)

    # ---- logic ----

    def _logic(self, node: tree.Logic, here: Here) -> Any:
        result: Any = node.op == "and"
        for term in node.terms:
            result = self.truth_of(self.evaluate(term, here), term)
            if result is (node.op == "or"):
                break
        return result

    def _not(self, node: tree.Not, here: Here) -> Any:
        return not self.truth_of(self.evaluate(node.operand, here), node.operand)

    def truth_of(self, value: Any, node: tree.Node) -> bool:
        """A condition as a bool."""
        if isinstance(value, bool | int | float):
            return bool(value)
        if isinstance(value, Dim):
            return self.decide(value, "!=", 0, node)
        what = "a condition is true, false or a number"
        raise Fault(WrongKind(span=node.span, what=what, found=f"this is {describe(value)}"))

    def _compare(self, node: tree.Compare, here: Here) -> Any:
        left, right = self.evaluate(node.left, here), self.evaluate(node.right, here)
        return self.compare(left, node.op, right, node, here)

    def compare(self, left: Any, op: Operator, right: Any, node: tree.Compare, here: Here) -> Any:
        if isinstance(left, int | float) and isinstance(right, int | float):
            return _ORDER[op](left, right)
        if op in ("==", "!=") and (left is NONE or right is NONE):
            return (left is right) is (op == "==")
        said = (node.left, node.right)
        self.one_meaning(op, left, right, node, said)
        if self.is_compared_by_number(op, left, right):
            return self.combine_values(op, left, right, node, here, said)
        if isinstance(left, Dim) or isinstance(right, Dim):
            if is_size(left) and is_size(right):
                return self.decide(left, op, right, node)
            what = f"`{op}` between {describe(left)} and {describe(right)}"
            raise Fault(WrongKind(span=node.span, what=what))
        if op in ("==", "!="):
            return self.same(left, right, node) is (op == "==")
        if isinstance(left, str) and isinstance(right, str):
            return _ORDER[op](left, right)
        what = f"`{op}` between {describe(left)} and {describe(right)}"
        raise Fault(WrongKind(span=node.span, what=what, found="only numbers have an order"))

    def decide(self, left: Any, op: Operator, right: Any, node: tree.Node) -> bool:
        """A comparison of sizes that must hold, or fail, for every input that the model accepts."""
        answer = truth(left, op, right, self.needs.facts)
        if answer is None:
            raise Fault(Undecided(span=node.span, condition=node.span.text, detail=f"{left} {op} {right}"))
        return answer

    def same(self, left: Any, right: Any, node: tree.Node) -> bool:
        """Equality of numbers, strings, lists and layers (a layer equals one of the same kind and arguments)."""
        if is_list(left) and is_list(right):
            pairs = zip(left, right, strict=False)
            return len(left) == len(right) and all(self.same(a, b, node) for a, b in pairs)
        if isinstance(left, Applicable) and isinstance(right, Applicable):
            return same_layer(left, right, lambda a, b: self.same(a, b, node))
        if isinstance(left, Builtin) or isinstance(right, Builtin):
            return getattr(left, "op", left) is getattr(right, "op", right)
        if isinstance(left, Layer) or isinstance(right, Layer):
            return left is right
        if (isinstance(left, Dim) or isinstance(right, Dim)) and is_number(left) and is_number(right):
            if any(isinstance(side, float) and not side.is_integer() for side in (left, right)):
                return False
            first, second = (side if isinstance(side, Dim) else int(side) for side in (left, right))
            return self.decide(first, "==", second, node)
        return type(left) is type(right) and left == right if isinstance(left, str) else bool(left == right)

    def _ternary(self, node: tree.Ternary, here: Here) -> Any:
        holds = self.truth_of(self.evaluate(node.condition, here), node.condition)
        events: list = []
        value = self.evaluate(node.then if holds else node.otherwise, here.aside(here.stream, events))
        if events or isinstance(value, Value | Layer):
            here.events.append(Chose(node, 0 if holds else 1, here.seen(), events))
        return value

    # ---- lists ----

    def _range(self, node: tree.Range, here: Here) -> Any:
        start, stop = self.evaluate(node.start, here), self.evaluate(node.stop, here)
        for end in (start, stop):
            if not is_size(end):
                what = "a range runs between whole numbers"
                raise Fault(WrongKind(span=node.span, what=what, found=f"one end is {describe(end)}"))
        if isinstance(start, Dim) or isinstance(stop, Dim):
            return SymbolicRange(start, stop)
        if stop - start > MAX_LIST:
            raise self.too_long(f"{stop - start:,}", node)
        return range(start, stop)

    def _list(self, node: tree.ListOf, here: Here) -> Any:
        return self.bounded([self.evaluate(item, here) for item in node.items], node)

    # ---- calls ----

    def _call(self, node: tree.Call, here: Here) -> Any:
        callee = self.evaluate(node.callee, here)
        positional, named = self.arguments(node, here)
        if isinstance(callee, Layer):
            return self._call_layer(callee, node, positional, named, here)
        require_good([*positional, *named.values()])
        match callee:
            case Builtin():
                return self._call_builtin(callee, node, positional, named, here)
            case Measure():
                return self._call_measure(callee, node, positional, named)
            case Function():
                return self._call_function(callee, node, positional, named, here)
            case type():
                return self._call_init(callee, node, positional, named)
        what = f"{describe(callee)} takes no arguments"
        raise Fault(WrongKind(span=node.span, what=what, advice=hidden(node.callee, callee)))

    def _call_layer(
        self, callee: Layer, node: tree.Call, positional: tuple[Given, ...], named: dict[str, Given], here: Here
    ) -> Any:
        """More arguments for a layer; one without parameters of its own that is called on values is applied to them."""
        values = streamed(callee, positional)
        if isinstance(callee, Applicable) and not values:
            return callee.given(positional, named)
        require_good([*positional, *named.values()])
        if not isinstance(callee, OpLayer) or owns_weights(callee.op):
            raise Fault(not_called(callee, node, values))
        others = tuple(g for g in positional if g not in values)
        return self._applied(callee.given(others, named), values, node, here)

    def _applied(self, layer: Layer, given: Sequence[Given], node: tree.Call, here: Here) -> Any:
        values = [self.as_tensor(g.value, g.site, here) for g in given]
        inner = here.aside(values[0] if len(values) == 1 else values)
        inner.in_expression = True
        self.apply(layer, inner, node)
        return inner.stream

    def arguments(self, node: tree.Call, here: Here) -> tuple[tuple[Given, ...], dict[str, Given]]:
        """The arguments of a call, evaluated from left to right; one at fault is reported, and hides none behind it."""
        positional: list[Given] = []
        named: dict[str, Given] = {}
        env = here.seen()
        for argument in node.arguments:
            if isinstance(argument.value, tree.Labelled):
                advice = "label the layer where it runs; arguments are given as `name=…`"
                raise Fault(Misplaced(span=argument.span, what="a label", advice=advice))
            given = Given(self._argument(argument, here), argument.value, env, argument.name)
            if argument.name is None:
                if named and given.value is not BAD:
                    what = "an argument by position"
                    raise Fault(Misplaced(span=argument.span, what=what, advice="it must stand before the named ones"))
                positional.append(given)
            elif argument.name.text in named:
                raise self.repeated(node, argument.name)
            else:
                named[argument.name.text] = given
        return tuple(positional), named

    def _argument(self, argument: tree.Argument, here: Here) -> Any:
        try:
            return self.evaluate(argument.value, here)
        except Fault as fault:
            self.report(fault.diagnostic)
        except Poison:
            pass
        self.spoilt = True
        return BAD

    def repeated(self, node: tree.Call, name: tree.Name) -> Fault:
        from archdsl.diagnostics.names import RepeatedArgument

        return Fault(RepeatedArgument(span=name.span, callee=node.callee.span.text, name=name.text))

    def _call_builtin(
        self,
        builtin: Builtin,
        node: tree.Call,
        positional: tuple[Given, ...],
        named: dict[str, Given],
        here: Here,
    ) -> Any:
        values = [given.value for given in positional]
        if builtin.op is not None and (not values or any(map(self.stands_for_value, values))):
            layer = OpLayer(op=builtin.op, named=named)
            return self._applied(layer, positional, node, here) if positional else layer
        if named:
            name = next(iter(named))
            what = f"the function `{builtin.name}` takes no named arguments on numbers"
            raise Fault(WrongKind(span=named[name].site.span, what=what))
        return self._run_builtin(builtin, values, node)

    def _call_measure(
        self, measure: Measure, node: tree.Call, positional: tuple[Given, ...], named: dict[str, Given]
    ) -> Any:
        if len(positional) != 1 or named:
            what = f"`{measure.name}` measures one model, block or group"
            raise Fault(WrongKind(span=node.span, what=what))
        return measure.run(positional[0].value, node)

    def _run_builtin(self, builtin: Builtin, values: list[Any], node: tree.Call) -> Any:
        shown = ", ".join(describe(v) for v in values[:3]) or "nothing"
        self.spend(node, sum(len(v) for v in values if is_list(v)))
        try:
            result = builtin.run(*values)
        except TooLarge:
            raise Fault(SizeTooLarge(span=node.span)) from None
        except (TypeError, ValueError, OverflowError, ArithmeticError) as error:
            detail = str(error) if isinstance(error, ValueError) and "lists" in str(error) else None
            detail = detail or _instead_of_function(builtin.name, values)
            reason = f"`{builtin.name}` has no value for {shown}"
            raise Fault(BadArithmetic(span=node.span, reason=reason, advice=detail)) from None
        if isinstance(result, float) and not abs(result) < MAX_MAGNITUDE:
            raise Fault(BadArithmetic(span=node.span, reason="this number is too large", advice=_MAGNITUDE))
        return self.bounded(result, node) if isinstance(result, list) else result

    def _call_function(
        self,
        function: Function,
        node: tree.Call,
        positional: tuple[Given, ...],
        named: dict[str, Given],
        here: Here,
    ) -> Any:
        definition, file = function.definition, function.file
        layer = Applicable(positional, named)
        name = definition.name.text
        with self.expanding(definition, file, name, node):
            values, _ = self.bind_parameters(name, definition.params, layer, file, here, node, {})
            inside = here.aside(None, env=Env(file.env, names=values))
            inside.in_expression = True
            key = key_of_call(definition, values)
            return self.once(key, node, lambda: self.evaluate(definition.value, inside))

    def _call_init(
        self, init: type[Init], node: tree.Call, positional: tuple[Given, ...], named: dict[str, Given]
    ) -> Any:
        try:
            value = init(*(g.value for g in positional), **{n: g.value for n, g in named.items()})
        except TypeError:
            takes = ", ".join(f.name for f in fields(init)) or "no arguments"
            what = f"these are not the arguments of `{init.name}`"
            raise Fault(WrongKind(span=node.span, what=what, advice=f"it takes {takes}")) from None
        problem = value.problem()
        if problem:
            raise Fault(WrongKind(span=node.span, what=f"`{init.name}`: {problem}"))
        return value

    # ---- layers kept for later ----

    def _chain(self, node: tree.Chain, here: Here) -> Any:
        head = self.evaluate(node.items[0], here)
        if isinstance(head, Layer) or isinstance(as_layer(head), Layer):
            return ChainLayer(as_layer(head), node.items[0], node.items[1:], here.seen())
        inner = here.aside(head)
        inner.said, inner.in_expression = (head, node.items[0]), True
        for item in node.items[1:]:
            self.run_item(item, inner, head=False)
        return inner.stream

    def _labelled(self, node: tree.Labelled, here: Here) -> Any:
        layer = as_layer(self.evaluate(node.item, here))
        if not isinstance(layer, Layer):
            what = "a label names a layer"
            raise Fault(WrongKind(span=node.span, what=what, found=f"this is {describe(layer)}"))
        return LabelledLayer(self.computed_text(node.label, here), node.label, layer, node)

    def _body(self, node: tree.Body | tree.Seq | tree.Combine | tree.Residual, here: Here) -> Any:
        return BodyLayer(node, here.seen())


def hidden(node: tree.Node, value: Any) -> str | None:
    """The way out where a name of the spec's own hides an operator or function of the language."""
    if not isinstance(node, tree.Name) or BUILTINS.get(node.text, value) is value:
        return None
    return f"`{node.text}` of this spec hides the operator `{node.text}`: give it another name"


def _instead_of_function(name: str, values: list[Any]) -> str | None:
    """What is written here for a function of numbers where it is called on values."""
    if not any(isinstance(v, Value) for v in values):
        return None
    if name in ("max", "min") and len(values) == 2:
        return f"of two values: `{name}imum(a, b)`"
    return stands_for(name)


def as_layer(value: Any) -> Any:
    """A function that is also an operator (``exp``) is that operator where a layer stands."""
    if isinstance(value, Builtin) and value.op is not None:
        return OpLayer(op=value.op)
    return value


def _rounding_down(divisor: tree.Node) -> tuple[Edit, ...]:
    """The edit of ``/`` before a divisor to ``//``; none where something stands between them."""
    source = divisor.span.source
    end = len(source.text[: divisor.span.start].rstrip(" \t("))
    return (Edit(Span(source, end - 1, end), "//"),) if source.text[:end].endswith("/") else ()


def same_layer(left: Applicable, right: Applicable, same: Callable[[Any, Any], bool]) -> bool:
    """Of one operator or block, with the same arguments."""
    if type(left) is not type(right):
        return False
    kind = "op" if isinstance(left, OpLayer) else "definition"
    if getattr(left, kind) is not getattr(right, kind) or len(left.positional) != len(right.positional):
        return False
    if left.named.keys() != right.named.keys():
        return False
    pairs = [
        *zip(left.positional, right.positional, strict=True),
        *((g, right.named[n]) for n, g in left.named.items()),
    ]
    return all(same(a.value, b.value) for a, b in pairs)


def _builtin(name: str, run: Callable[..., Any]) -> Builtin:
    return Builtin(name, run, OPS_BY_NAME.get(name))


BUILTINS: dict[str, Any] = {
    **{name: OpLayer(op=op) for name, op in OPS_BY_NAME.items() if not op.is_internal},
    **{name: _builtin(name, run) for name, run in {**NUMERIC, **LISTS}.items()},
    **INITS,
}
"""What every file sees without defining it: operators, functions, initial values."""

WORDS = frozenset({"true", "false", "none", "it", "add", "mul", "concat", "stack", "residual"})
"""Words of the language that stand where a name could."""

_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}

_EVALUATE: dict[type, Callable[[Any, Any, Here], Any]] = {
    tree.Name: Expressions._name,
    tree.Computed: Expressions._computed,
    tree.Number: Expressions._constant,
    tree.String: Expressions._constant,
    tree.NoneLayer: Expressions._none,
    tree.Arithmetic: Expressions._arithmetic,
    tree.Power: Expressions._power,
    tree.Negative: Expressions._negative,
    tree.Logic: Expressions._logic,
    tree.Not: Expressions._not,
    tree.Compare: Expressions._compare,
    tree.Ternary: Expressions._ternary,
    tree.Range: Expressions._range,
    tree.ListOf: Expressions._list,
    tree.Comprehension: Expressions.comprehension,
    tree.Call: Expressions._call,
    tree.Attribute: Expressions._attribute,
    tree.Index: Expressions._index,
    tree.Chain: Expressions._chain,
    tree.Labelled: Expressions._labelled,
    tree.Body: Expressions._body,
    tree.Seq: Expressions._body,
    tree.Combine: Expressions._body,
    tree.Residual: Expressions._body,
}
