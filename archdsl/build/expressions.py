"""Expressions: of numbers, lists, layers and values alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any

from archdsl.build.builtins import LISTS, MAX_LIST, NUMERIC
from archdsl.build.called import apply_advice, not_called, owns_weights, streamed
from archdsl.build.context import Context, Fault, Here, Poison, require_good
from archdsl.build.env import MISSING, Env, FileScope
from archdsl.build.names import SUGGESTIONS, unknown_name
from archdsl.build.sizes import Questions
from archdsl.build.values import (
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
    shape_text,
)
from archdsl.diagnostics.base import Edit
from archdsl.diagnostics.elsewhere import stands_for
from archdsl.diagnostics.names import (
    BadArithmetic,
    BadIndex,
    CannotUnpack,
    EmptyStream,
    ItMoved,
    Misplaced,
    WrongKind,
)
from archdsl.diagnostics.nearest import certain
from archdsl.diagnostics.shapes import SizeDivided, SizeTooLarge, Undecided
from archdsl.dims import Dim, TooLarge, truth
from archdsl.graph import Chose, Looped, Turn, Value
from archdsl.init import INITS, Init
from archdsl.op import Reject
from archdsl.ops import OPS_BY_NAME
from archdsl.ops.einops import Rearrange
from archdsl.ops.elementwise import Arithmetic, Negative
from archdsl.ops.ranges import Arange
from archdsl.ops.shape import Gather, Select, Unbind
from archdsl.source import Span
from archdsl.syntax import tree

MAX_MAGNITUDE = 10**60
"""No number of a network is larger; without a limit, powers could exhaust the machine."""
_MAGNITUDE = "numbers have at most 60 digits"


Sides = tuple[tree.Node, tree.Node]
"""What is written on the two sides of an operator."""


class Expressions(Context):
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
        value = self.evaluate(node.operand, here)
        if isinstance(value, Value):
            return self.run_op(Negative(), (value,), here, node)[0]
        if not is_number(value):
            raise self.wrong_operand("-", value, node, node.operand)
        return -value

    def operate(self, op: str, left: Any, right: Any, node: tree.Node, here: Here, said: Sides) -> Any:
        """``left op right`` on numbers, sizes, lists (``+``) and values."""
        if isinstance(left, Value) or isinstance(right, Value):
            return self.combine_values(op, left, right, node, here, said)
        if op == "+" and is_list(left) and is_list(right):
            return self._bounded([*left, *right], node)
        for side, text in zip((left, right), said, strict=True):
            if not is_number(side):
                raise self.wrong_operand(op, side, node, text)
        return self._numbers(op, left, right, node, said)

    def _numbers(self, op: str, left: Any, right: Any, node: tree.Node, said: Sides) -> Any:
        if op == "/" and (isinstance(left, Dim) or isinstance(right, Dim)):
            raise Fault(SizeDivided(span=node.span, edits=_rounding_down(said[1])))
        if op in ("//", "%") and isinstance(right, Dim):
            self._positive(right, node)
        if op == "**" and not (isinstance(left, Dim) or isinstance(right, Dim)):
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

    def _positive(self, divisor: Dim, node: tree.Node) -> None:
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
        advice = _ENTRIES if is_list(value) else apply_advice(value, side)
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
        if is_list(side):
            return self.constant(side, node, here)
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

    def compare(self, left: Any, op: str, right: Any, node: tree.Compare, here: Here) -> Any:
        if op in ("==", "!=") and (left is NONE or right is NONE):
            return (left is right) is (op == "==")
        if isinstance(left, Value) or isinstance(right, Value):
            return self.combine_values(op, left, right, node, here, (node.left, node.right))
        if isinstance(left, Dim) or isinstance(right, Dim):
            if is_size(left) and is_size(right):
                return self.decide(left, op, right, node)
            what = f"`{op}` between {describe(left)} and {describe(right)}"
            raise Fault(WrongKind(span=node.span, what=what))
        if op in ("==", "!="):
            return self.same(left, right) is (op == "==")
        if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
            return _ORDER[op](left, right)
        what = f"`{op}` between {describe(left)} and {describe(right)}"
        raise Fault(WrongKind(span=node.span, what=what, found="only numbers have an order"))

    def decide(self, left: Any, op: str, right: Any, node: tree.Node) -> bool:
        """A comparison of sizes that must hold, or fail, for every input that the model accepts."""
        answer = truth(left, op, right, self.needs.facts)  # type: ignore[arg-type]
        if answer is None:
            raise Fault(Undecided(span=node.span, condition=node.span.text, detail=f"{left} {op} {right}"))
        return answer

    def same(self, left: Any, right: Any) -> bool:
        """Equality of numbers, strings, lists and layers (a layer equals one of the same kind and arguments)."""
        if is_list(left) and is_list(right):
            return len(left) == len(right) and all(self.same(a, b) for a, b in zip(left, right, strict=True))
        if isinstance(left, Applicable) and isinstance(right, Applicable):
            return same_layer(left, right, self.same)
        if isinstance(left, Builtin) or isinstance(right, Builtin):
            return getattr(left, "op", left) is getattr(right, "op", right)
        if isinstance(left, Layer) or isinstance(right, Layer):
            return left is right
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
            raise self._too_long(f"{stop - start:,}", node)
        return range(start, stop)

    def _list(self, node: tree.ListOf, here: Here) -> Any:
        return self._bounded([self.evaluate(item, here) for item in node.items], node)

    def _bounded(self, items: list[Any], node: tree.Node) -> list[Any]:
        """A list, if its lists within lists do not add up to too much: each may stand in it many times."""
        entries = _entries(items)
        if entries > MAX_LIST:
            raise self._too_long(f"more than {MAX_LIST:,}", node)
        self.spend(node, entries - len(items))
        return items

    def _too_long(self, count: str, node: tree.Node) -> Fault:
        reason, advice = f"this list would have {count} elements", f"lists have at most {MAX_LIST:,}"
        return Fault(BadArithmetic(span=node.span, reason=reason, advice=advice))

    def _comprehension(self, node: tree.Comprehension, here: Here) -> Any:
        env = Env(here.seen())
        first = self.evaluate(node.clauses[0].iterable, here.aside(here.stream, [], env))
        if isinstance(first, SymbolicRange):
            return self._count(node, first, env, here)
        result: list[Any] = []
        turns: list[Turn] = []
        self._clauses(node, 0, {}, env, here, result, turns)
        if any(turn.events for turn in turns):
            here.events.append(Looped(node, turns, here.seen()))
        return self._bounded(result, node)

    def _count(self, node: tree.Comprehension, counted: SymbolicRange, env: Env, here: Here) -> Value:
        """A comprehension over a symbolic range: its variable is all its numbers at once, along the first axis.

        In a comprehension inside it, that variable gets an axis more, so that the two broadcast against each other.
        """
        clause = node.clauses[0]
        pattern, *others = clause.patterns
        if len(node.clauses) > 1 or clause.condition is not None or others:
            what = "a comprehension over a symbolic range has one variable and no condition"
            raise Fault(
                WrongKind(span=clause.span, what=what, advice="nest one in the other: `[[… for x in …] for y in …]`")
            )
        anchor = self._anchor(clause, here)
        for name, outer in self._counting:
            axes = " ".join("abcdefghijklmnop"[: len(outer.shape)])
            (wider,) = self.run_op(Rearrange(f"{axes} -> {axes} 1"), (outer,), here, node)
            env.bind(name, wider)
        (numbers,) = self.run_op(Arange(counted.start, counted.stop), (anchor,), here, clause)
        bound = self.bind_pattern(pattern, numbers, env, here)
        before = self._counting
        self._counting = [(name, env.lookup(name)) for name, _ in before] + [(name, numbers) for name in bound]
        try:
            result = self.evaluate(node.element, here.aside(here.stream, env=env))
        finally:
            self._counting = before
        rank = len(self._counting) + 1
        if not isinstance(result, Value) or len(result.shape) < rank or result.shape[rank - 1] != numbers.shape[0]:
            what = "the element of a comprehension over a symbolic range depends on its variable"
            raise Fault(WrongKind(span=node.element.span, what=what, found=f"this is {describe(result)}"))
        return result

    def _anchor(self, node: tree.Node, here: Here) -> Value:
        """A value of the network, whose device says where numbers are made."""
        if isinstance(here.stream, Value):
            return here.stream
        if self.inputs:
            return self.inputs[0].value
        what = "a range with a symbolic end is counted when the network runs"
        raise Fault(WrongKind(span=node.span, what=what, advice="it belongs in a model or block"))

    def _clauses(
        self, node: tree.Comprehension, depth: int, bound: dict[str, Any], env: Env, here: Here, result: list,
        turns: list[Turn],
    ) -> None:  # fmt: skip
        """The clauses from ``depth`` on, the variables of the outer ones bound in ``env``."""
        if depth == len(node.clauses):
            events: list = []
            result.append(self.evaluate(node.element, here.aside(here.stream, events, env)))
            if len(result) > MAX_LIST:
                self._bounded(result, node)
            turns.append(Turn(bound, events))
            return
        clause = node.clauses[depth]
        inner_here = here.aside(here.stream, [], env)
        for item in self.items_of(self.evaluate(clause.iterable, inner_here), clause.iterable):
            inner = Env(env)
            variables = {**bound, **self.bind_patterns(clause.patterns, item, inner, here, clause)}
            inside = here.aside(here.stream, [], inner)
            if clause.condition is None or self.truth_of(self.evaluate(clause.condition, inside), clause.condition):
                self._clauses(node, depth + 1, variables, inner, here, result, turns)

    def items_of(self, value: Any, node: tree.Node) -> Any:
        """What a loop runs over; its turns are counted at once, so that an absurd number of them is never begun."""
        if not is_list(value):
            what = "a loop runs over a list"
            advice = f"count with a range: `0..{node.span.text}`" if is_size(value) else None
            raise Fault(WrongKind(span=node.span, what=what, found=f"this is {describe(value)}", advice=advice))
        self.spend(node, max(0, value.stop - value.start) if isinstance(value, range) else len(value))
        return value

    # ---- patterns ----

    def bind_patterns(
        self, patterns: tuple[tree.Pattern, ...], item: Any, env: Env, here: Here, site: tree.Node
    ) -> dict[str, Any]:
        """Bind one item to ``p`` or to ``p, q``; the names and values that were bound."""
        if len(patterns) == 1:
            return self.bind_pattern(patterns[0], item, env, here)
        return self._unpack(patterns, item, env, here, site)

    def bind_pattern(self, pattern: tree.Pattern, value: Any, env: Env, here: Here) -> dict[str, Any]:
        """Bind a value to a pattern; the names and values that were bound."""
        if isinstance(pattern, tree.Unpack):
            return self._unpack(pattern.items, value, env, here, pattern)
        name = self.computed_text(pattern, here)
        env.bind(name, value)
        return {name: value}

    def _unpack(
        self, patterns: tuple[tree.Pattern, ...], value: Any, env: Env, here: Here, site: tree.Node
    ) -> dict[str, Any]:
        if isinstance(value, Value):
            value = list(self.run_op(Unbind(len(patterns)), (value,), here, site))
        if not is_list(value) or len(value) != len(patterns):
            names = f"{len(patterns)} names"
            raise Fault(CannotUnpack(span=site.span, found=describe(value), names=names))
        bound: dict[str, Any] = {}
        for pattern, item in zip(patterns, value, strict=True):
            bound.update(self.bind_pattern(pattern, item, env, here))
        return bound

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
        return self._applied(callee.given(others, named), [g.value for g in values], node, here)

    def _applied(self, layer: Layer, values: list[Any], node: tree.Call, here: Here) -> Any:
        inner = here.aside(values[0] if len(values) == 1 else values)
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
                if named:
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
        if builtin.op is not None and (not values or any(isinstance(v, Value) or is_list(v) for v in values)):
            layer = OpLayer(op=builtin.op, named=named)
            return self._applied(layer, values, node, here) if values else layer
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
        return self._bounded(result, node) if isinstance(result, list) else result

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
            key = _memo_key(definition, values)
            if key is not None and key in self._memo:
                return self._memo[key]
            result = self.evaluate(definition.value, here.aside(None, env=Env(file.env, names=values)))
        if key is not None:
            self._memo[key] = result
        return result

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

    # ---- parts of values ----

    def _attribute(self, node: tree.Attribute, here: Here) -> Any:
        value = self.evaluate(node.value, here)
        if not isinstance(value, Value):
            what = f"{describe(value)} has no parts"
            raise Fault(WrongKind(span=node.span, what=what, advice="a value has `.shape`"))
        if node.name.text != "shape":
            what = "a value has `.shape` and nothing else"
            raise Fault(WrongKind(span=node.name.span, what=what, advice=_instead_of_method(node)))
        return list(value.shape)

    def _index(self, node: tree.Index, here: Here) -> Any:
        value = self.evaluate(node.value, here)
        subscripts = [self._subscript(s, here) for s in node.subscripts]
        if isinstance(value, Value):
            self._still_the_list(value, subscripts, node, here)
            return self._index_value(value, subscripts, node, here)
        if not is_list(value):
            advice = apply_advice(value, node.value)
            raise Fault(BadIndex(span=node.span, reason=f"{describe(value)} has no elements", advice=advice))
        if len(subscripts) != 1:
            raise Fault(BadIndex(span=node.span, reason="a list takes one index"))
        return self._index_list(value, subscripts[0], node)

    def _still_the_list(self, value: Value, subscripts: list[Any], node: tree.Index, here: Here) -> None:
        """``xs[0] -> f -> it[1]`` takes the second example of a batch, where the second of the list was meant."""
        says_it = isinstance(node.value, tree.Name) and node.value.text == "it"
        if says_it and is_list(here.arrived) and len(subscripts) == 1 and is_size(subscripts[0]):
            raise Fault(ItMoved(span=node.span, here=shape_text(value.shape), index=node.subscripts[0].span.text))

    def _subscript(self, subscript: tree.Expr | tree.Slice, here: Here) -> Any:
        if not isinstance(subscript, tree.Slice):
            return self.evaluate(subscript, here)
        ends = (subscript.start, subscript.stop, subscript.step)
        return slice(*(None if e is None else self.evaluate(e, here) for e in ends))

    def _index_list(self, items: Any, index: Any, node: tree.Node) -> Any:
        try:
            result = items[index]
        except IndexError:
            reason = f"index {index} is outside a list of {len(items)}"
            raise Fault(BadIndex(span=node.span, reason=reason)) from None
        except (TypeError, ValueError):
            reason = f"a list is indexed by a known whole number, not by {describe(index)}"
            raise Fault(BadIndex(span=node.span, reason=reason)) from None
        if result is BAD:
            raise Poison
        return result

    def _index_value(self, value: Value, subscripts: list[Any], node: tree.Index, here: Here) -> Value:
        picking = [axis for axis, s in enumerate(subscripts) if isinstance(s, Value) or is_list(s)]
        if len(picking) > 1:
            reason, advice = "only one axis can be indexed by a list or a value", "index twice: `x[:, [0, 2]][[1, 3]]`"
            raise Fault(BadIndex(span=node.span, reason=reason, advice=advice))
        for subscript in (s for axis, s in enumerate(subscripts) if axis not in picking):
            ends = (subscript.start, subscript.stop, subscript.step) if isinstance(subscript, slice) else (subscript,)
            if not all(end is None or is_size(end) for end in ends):
                reason = f"a value is indexed by sizes, slices, one list or one int64 value, not by {_other(ends)}"
                raise Fault(BadIndex(span=node.span, reason=reason))
        taken = [slice(None) if axis in picking else s for axis, s in enumerate(subscripts)]
        if not picking or taken != [slice(None)] * len(taken):
            written = {place: (end, here.seen()) for place, end in _ends(node.subscripts)}
            value = self.run_op(Select.of(tuple(taken)), (value,), here, node, written=written)[0]
        for axis in picking:
            kept = sum(isinstance(s, slice) for s in taken[:axis])
            value = self._pick(value, kept, subscripts[axis], node, node.subscripts[axis], here)
        return value

    def _pick(self, value: Value, axis: int, index: Any, node: tree.Index, site: tree.Node, here: Here) -> Value:
        """Entries along an axis, by a list of whole numbers or an int64 value: gathered in front, then put in place."""
        if axis >= len(value.shape):
            raise Fault(
                BadIndex(span=site.span, reason=f"there is no axis {axis} in a value of {len(value.shape)} axes")
            )
        if is_list(index):
            self._within(index, value.shape[axis], site)
            index = self.constant(list(index), site, here)
        names = list("abcdefghijklmnop"[: len(value.shape)])
        front = [names[axis], *names[:axis], *names[axis + 1 :]]
        if axis:
            (value,) = self.run_op(Rearrange(f"{' '.join(names)} -> {' '.join(front)}"), (value,), here, node)
        (value,) = self.run_op(Gather(), (value, index), here, node)
        if axis:
            found = [f"z{i}" for i in range(len(index.shape))]
            back = [*names[:axis], *found, *names[axis + 1 :]]
            pattern = f"{' '.join([*found, *front[1:]])} -> {' '.join(back)}"
            (value,) = self.run_op(Rearrange(pattern), (value,), here, node)
        return value

    def _within(self, index: Any, size: Any, site: tree.Node) -> None:
        """Whole numbers that all lie on an axis of a size."""
        numbers = [n for item in index for n in (item if is_list(item) else [item])]
        if not numbers or not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
            reason = "a value is indexed by a list of whole numbers"
            raise Fault(BadIndex(span=site.span, reason=reason))
        least = max(max(numbers) + 1, -min(numbers))
        try:
            Questions(self.needs, site, self.frames).require(size, ">=", least, "")
        except Reject:
            reason = f"index {next(n for n in numbers if n in (least - 1, -least))} is outside an axis of {size}"
            raise Fault(BadIndex(span=site.span, reason=reason)) from None

    # ---- layers kept for later ----

    def _chain(self, node: tree.Chain, here: Here) -> Any:
        head = self.evaluate(node.items[0], here)
        if isinstance(head, Layer) or isinstance(as_layer(head), Layer):
            return ChainLayer(as_layer(head), node.items[0], node.items[1:], here.seen())
        inner = here.aside(head)
        inner.said = (head, node.items[0])
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


_ENTRIES = "compute with the entries of a list: `[2 * v for v in [1, 2, 3]]`; beside a value, a list is a constant"
"""The way out where a list stands beside a number."""


def hidden(node: tree.Node, value: Any) -> str | None:
    """The way out where a name of the spec's own hides an operator or function of the language."""
    if not isinstance(node, tree.Name) or BUILTINS.get(node.text, value) is value:
        return None
    return f"`{node.text}` of this spec hides the operator `{node.text}`: give it another name"


def _instead_of_method(node: tree.Attribute) -> str | None:
    """What is written here for a method of a value: ``x.relu()`` is ``(x -> relu)``."""
    name = node.name.text
    surely = certain(name, OPS_BY_NAME)
    if surely is not None and stands_for(name) is None:
        return f"apply the layer with an arrow: `({node.value.span.text} -> {surely})`"
    return stands_for(name)


def _instead_of_function(name: str, values: list[Any]) -> str | None:
    """What is written here for a function of numbers where it is called on values."""
    if not any(isinstance(v, Value) for v in values):
        return None
    if name in ("max", "min") and len(values) == 2:
        return f"of two values: `{name}imum(a, b)`"
    return stands_for(name)


def _other(ends: tuple[Any, ...]) -> str:
    """The first of the ends of a subscript that is no size, in words."""
    return describe(next(end for end in ends if end is not None and not is_size(end)))


def _ends(subscripts: tuple[tree.Expr | tree.Slice, ...]) -> Iterator[tuple[str, tree.Node]]:
    """What is written in subscripts, under the names that ``Select`` gives it."""
    for axis, subscript in enumerate(subscripts):
        if not isinstance(subscript, tree.Slice):
            yield f"{axis}", subscript
            continue
        for end in ("start", "stop", "step"):
            said = getattr(subscript, end)
            if said is not None:
                yield f"{axis}.{end}", said


def _entries(items: Any) -> int:
    """Entries of a list and of the lists in it, however often each stands there; counted no further than needed."""
    count = 0
    open_lists = [iter(items)]
    while open_lists and count <= MAX_LIST:
        for item in open_lists[-1]:
            count += 1
            if isinstance(item, range):
                count += len(item)
            elif isinstance(item, list):
                open_lists.append(iter(item))
                break
            if count > MAX_LIST:
                break
        else:
            open_lists.pop()
    return count


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


def _memo_key(definition: tree.Fn, values: dict[str, Any]) -> object | None:
    """A key for what a fn gives on these arguments; None where they are not plain numbers."""
    if all(isinstance(v, int | float | str) for v in values.values()):
        return definition, tuple((type(v), v) for v in values.values())
    return None


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
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
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
    tree.Comprehension: Expressions._comprehension,
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
