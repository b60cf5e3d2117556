"""Expressions: of numbers, lists, layers and tensors alike.

The evaluator is made of parts (calls, comprehensions, indexing, tensors made of lists), each of which is handed what it
needs. It computes with numbers itself and asks a ``Network`` where something has to run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

from archdsl.diagnostics.names import DiscardsStream, EmptyStream, WrongKind
from archdsl.dims import Dim, Needs, Operator, Size
from archdsl.evaluate.builtins import BUILTINS, MAX_LIST, WORDS, as_layer, hidden
from archdsl.evaluate.called import apply_advice
from archdsl.evaluate.calls import Calls
from archdsl.evaluate.comprehensions import Comprehensions
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.indexing import Indexing
from archdsl.evaluate.lists import Lists, too_long
from archdsl.evaluate.names import SUGGESTIONS, unknown_name
from archdsl.evaluate.network import Network, NoNetwork
from archdsl.evaluate.numbers import ORDER, Numbers, SizeNumbers
from archdsl.evaluate.patterns import Patterns
from archdsl.evaluate.place import Place, TextPlace
from archdsl.evaluate.quotient import Exact, Quotient
from archdsl.evaluate.session import Session
from archdsl.evaluate.tensors import Tensors
from archdsl.evaluate.values import (
    ERROR,
    MISSING,
    NONE,
    Applicable,
    BlockLayer,
    BodyLayer,
    Builtin,
    ChainLayer,
    Env,
    LabelledLayer,
    Layer,
    LazyLet,
    NoLayer,
    Number,
    OpLayer,
    Sides,
    SpecValue,
    SymbolicRange,
    Value,
    describe,
    is_list,
    is_number,
    is_size,
)
from archdsl.ops.elementwise import Negative
from archdsl.ops.logic import Logic, Not
from archdsl.syntax import tree


class Evaluator:
    """Evaluates expressions."""

    def __init__(self, session: Session, network: Network | None = None, numbers: Numbers | None = None) -> None:
        self._session = session
        self._network = network if network is not None else NoNetwork()
        self._numbers = numbers if numbers is not None else SizeNumbers(session)
        self.tensors: Tensors = Tensors(session, self._network)
        self.patterns: Patterns = Patterns(self, self._network)
        self.lists: Lists = Lists(session)
        self.calls: Calls = Calls(session, self._network, self, self.tensors, self.lists, self._numbers)
        self._indexing = Indexing(session, self._network, self, self.tensors)
        self._comprehensions = Comprehensions(session, self._network, self, self.tensors, self.patterns, self.lists)
        self._rules: dict[type, Callable[[Any, Place], SpecValue]] = {
            tree.Name: self._name,
            tree.Computed: self._computed,
            tree.Number: _constant,
            tree.String: _constant,
            tree.NoneLayer: _none,
            tree.Arithmetic: self._arithmetic,
            tree.Power: self._power,
            tree.Negative: self._negative,
            tree.Logic: self._logic,
            tree.Not: self._not,
            tree.Compare: self._compare,
            tree.Ternary: self._ternary,
            tree.Range: self._range,
            tree.ListOf: self._list,
            tree.Comprehension: self._comprehensions.evaluate,
            tree.Call: self.calls.call,
            tree.Attribute: self._indexing.attribute,
            tree.Index: self._indexing.index,
            tree.Chain: self._chain,
            tree.Labelled: self._labelled,
            tree.Body: _body,
            tree.Seq: _body,
            tree.Combine: _body,
            tree.Residual: _body,
        }

    def evaluate(self, node: tree.ChainExpr, place: Place) -> SpecValue:
        """The value of an expression.

        Raises:
            Fault: it has none.
            UsesErrorValue: it depends on what a fault made unknown.
        """
        self._session.spend(node)
        return self._rules[type(node)](node, place)

    # ---- names ----

    def _name(self, node: tree.Name, place: Place) -> SpecValue:
        if node.text == "it":
            return self.stream_of(node, place)
        return self.resolve(node.text, node, place.env)

    def stream_of(self, node: tree.Node, place: Place) -> SpecValue:
        """What is on the stream.

        Raises:
            Fault: nothing is.
        """
        if place.stream is ERROR:
            raise UsesErrorValue
        if place.stream is None:
            raise Fault(EmptyStream(span=node.span))
        return place.stream

    def resolve(self, name: str, node: tree.Node, env: Env) -> SpecValue:
        """What a name means: local names, then the file's, then built-ins."""
        value = env.lookup(name)
        if value is MISSING:
            value = BUILTINS.get(name, MISSING)
        if value is MISSING:
            session = self._session
            if any(family.fullmatch(name) for family in session.lost_families):
                raise UsesErrorValue
            few = len(session.diagnostics) < SUGGESTIONS
            known = env.visible() | BUILTINS.keys() | WORDS if few else ()
            raise Fault(unknown_name(node, name, known, session.active[-1] if session.active else session.top))
        if value is ERROR:
            raise UsesErrorValue
        return self._of_file(value) if isinstance(value, LazyLet) else value

    def _of_file(self, lazy: LazyLet) -> SpecValue:
        """The value of a ``let`` of a file, evaluated when it is first asked for."""
        if lazy.value is MISSING:
            lazy.value = ERROR
            place = TextPlace(Env(lazy.file.env))
            value = self.evaluate(lazy.definition.value, place)
            lazy.value = self.patterns.bind(lazy.definition.pattern, value, place.env, place)[lazy.name]
        if lazy.value is ERROR:
            raise UsesErrorValue
        return lazy.value

    def _computed(self, node: tree.Computed, place: Place) -> SpecValue:
        return self.resolve(self.computed_text(node, place), node, place.env)

    def computed_text(self, node: tree.Label, place: Place) -> str:
        """The text of a name or label, its expressions evaluated."""
        if isinstance(node, tree.Name):
            return node.text
        return "".join(part if isinstance(part, str) else self._part(part, place) for part in node.parts)

    def _part(self, part: tree.Expr, place: Place) -> str:
        value = self.evaluate(part, place)
        if isinstance(value, Dim):
            value = self._numbers.known(value, part)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise Fault(
                WrongKind(
                    span=part.span,
                    what="a computed name needs an integer or a string between its braces",
                    found=f"this is {describe(value)}",
                )
            )
        return str(value)

    # ---- arithmetic ----

    def _arithmetic(self, node: tree.Arithmetic, place: Place) -> SpecValue:
        left, side = self.evaluate(node.first, place), node.first
        for op, term in node.rest:
            left = self.operate(op, left, self.evaluate(term, place), node, place, (side, term))
            side = node
        return left

    def _power(self, node: tree.Power, place: Place) -> SpecValue:
        base, exponent = self.evaluate(node.base, place), self.evaluate(node.exponent, place)
        return self.operate("**", base, exponent, node, place, (node.base, node.exponent))

    def _negative(self, node: tree.Negative, place: Place) -> SpecValue:
        value = self.tensors.as_tensor(self.evaluate(node.operand, place), node.operand, place)
        if isinstance(value, Value):
            return self._network.run_op(Negative(), (value,), place, node)[0]
        if not is_number(value):
            raise _wrong_operand("-", value, node, node.operand)
        return -value

    def operate(
        self, op: str, left: SpecValue, right: SpecValue, node: tree.Node, place: Place, sides: Sides
    ) -> SpecValue:
        """``left op right`` on numbers, sizes, lists (``+``) and tensors."""
        if is_number(left) and is_number(right):  # first, since tables are made of nothing else
            return self._numbers.operate(op, left, right, node, sides)
        if op == "+" and is_list(left) and is_list(right):
            return self.lists.bounded([*left, *right], node)
        if _is_exact(left) and _is_exact(right):
            return self._numbers.operate(op, left, right, node, sides)
        self.tensors.require_one_meaning(op, left, right, node, sides)
        if self.tensors.stands_for_tensor(left) or self.tensors.stands_for_tensor(right):
            return self._combine(op, left, right, node, place, sides)
        wrong = 1 if is_number(left) else 0
        raise _wrong_operand(op, (left, right)[wrong], node, sides[wrong])

    def _combine(
        self, op: str, left: SpecValue, right: SpecValue, node: tree.Node, place: Place, sides: Sides
    ) -> Value:
        """Arithmetic with a tensor on at least one side."""
        first, second = (self._operand(op, side, text, place) for side, text in zip((left, right), sides, strict=True))
        return self._network.combine(op, first, second, place, node, sides)

    def _operand(self, op: str, side: SpecValue, node: tree.Node, place: Place) -> Value | Number:
        side = self.tensors.as_tensor(side, node, place)
        if isinstance(side, Value) or is_number(side):
            return side
        raise _wrong_operand(op, side, node, node)

    # ---- logic ----

    def _logic(self, node: tree.Logic, place: Place) -> bool | Value:
        """``and`` or ``or``: of conditions, the first that decides it; of bool values, element by element."""
        decided = node.op == "or"
        result: Value | None = None
        for term in node.terms:
            value = self.evaluate(term, place)
            if self.tensors.stands_for_tensor(value):
                tensor = self._tensor(value, term, place)
                both = None if result is None else (result, tensor)
                result = tensor if both is None else self._network.run_op(Logic(node.op), both, place, node)[0]
            elif result is not None:
                what = f"`{node.op}` between a value and {describe(value)}"
                raise Fault(WrongKind(span=node.span, what=what, found="both must be bool values"))
            elif self._is_true(value, term) is decided:
                return decided
        return result if result is not None else not decided

    def _tensor(self, value: SpecValue, node: tree.Node, place: Place) -> Value:
        tensor = self.tensors.as_tensor(value, node, place)
        assert isinstance(tensor, Value)
        return tensor

    def _not(self, node: tree.Not, place: Place) -> bool | Value:
        value = self.evaluate(node.operand, place)
        if self.tensors.stands_for_tensor(value):
            return self._network.run_op(Not(), (self._tensor(value, node.operand, place),), place, node)[0]
        return not self._is_true(value, node.operand)

    def holds(self, node: tree.Expr, place: Place) -> bool:
        """Whether a condition is true."""
        return self._is_true(self.evaluate(node, place), node)

    def _is_true(self, value: SpecValue, node: tree.Expr) -> bool:
        if isinstance(value, bool | int | float):
            return bool(value)
        if isinstance(value, Dim):
            return self._numbers.decide(value, "!=", 0, node)
        what = "a condition must be true, false or a number"
        raise Fault(WrongKind(span=node.span, what=what, found=f"this is {describe(value)}"))

    def _compare(self, node: tree.Compare, place: Place) -> SpecValue:
        left, right = self.evaluate(node.left, place), self.evaluate(node.right, place)
        return self.compare(left, node.op, right, node, place)

    def compare(
        self, left: SpecValue, op: Operator, right: SpecValue, node: tree.Compare, place: Place
    ) -> bool | Value:
        """Whether ``left op right`` holds; for tensors, a tensor."""
        if _is_exact(left) and _is_exact(right):
            return self._numbers.compare(left, op, right, node)
        if op in ("==", "!=") and (isinstance(left, NoLayer) or isinstance(right, NoLayer)):
            return (left is right) is (op == "==")
        sides = (node.left, node.right)
        self.tensors.require_one_meaning(op, left, right, node, sides)
        if self.tensors.is_compared_by_number(op, left, right):
            return self._combine(op, left, right, node, place, sides)
        what = f"`{op}` between {describe(left)} and {describe(right)}"
        if isinstance(left, Dim) or isinstance(right, Dim):
            raise Fault(WrongKind(span=node.span, what=what))
        if op in ("==", "!="):
            return self.same(left, right, node) is (op == "==")
        if isinstance(left, str) and isinstance(right, str):
            return ORDER[op](left, right)
        raise Fault(WrongKind(span=node.span, what=what, found="only numbers can be ordered"))

    def same(self, left: SpecValue, right: SpecValue, node: tree.Node) -> bool:
        """Equality of numbers, strings, lists and layers (a layer equals one of the same kind and arguments)."""
        if is_list(left) and is_list(right):
            pairs = zip(left, right, strict=False)
            return len(left) == len(right) and all(self.same(a, b, node) for a, b in pairs)
        if isinstance(left, Applicable) and isinstance(right, Applicable):
            return same_layer(left, right, lambda a, b: self.same(a, b, node))
        if isinstance(left, Builtin) or isinstance(right, Builtin):
            return _operator_of(left) is _operator_of(right)
        if isinstance(left, Layer) or isinstance(right, Layer):
            return left is right
        if (isinstance(left, Dim) or isinstance(right, Dim)) and is_number(left) and is_number(right):
            first, second = _as_size(left), _as_size(right)
            return first is not None and second is not None and self._numbers.decide(first, "==", second, node)
        return type(left) is type(right) and left == right if isinstance(left, str) else bool(left == right)

    def _ternary(self, node: tree.Ternary, place: Place) -> SpecValue:
        holds = self.holds(node.condition, place)
        inner = place.apart()
        value = self.evaluate(node.then if holds else node.otherwise, inner)
        place.record_choice(node, 0 if holds else 1, inner, value)
        return value

    # ---- lists ----

    def _range(self, node: tree.Range, place: Place) -> range | SymbolicRange:
        start, stop = self.evaluate(node.start, place), self.evaluate(node.stop, place)
        if not is_size(start) or not is_size(stop):
            wrong = stop if is_size(start) else start
            what = "the ends of a range must be integers"
            raise Fault(WrongKind(span=node.span, what=what, found=f"one end is {describe(wrong)}"))
        start, stop = self._numbers.known(start, node), self._numbers.known(stop, node)
        if isinstance(start, Dim) or isinstance(stop, Dim):
            return SymbolicRange(start, stop)
        if stop - start > MAX_LIST:
            raise too_long(f"{stop - start:,}", node)
        return range(start, stop)

    def _list(self, node: tree.ListOf, place: Place) -> list[SpecValue]:
        return self.lists.bounded([self.evaluate(item, place) for item in node.items], node)

    # ---- layers kept for later ----

    def _chain(self, node: tree.Chain, place: Place) -> SpecValue:
        head = self.evaluate(node.items[0], place)
        layer = as_layer(head)
        if isinstance(layer, Layer):
            return ChainLayer(layer, node.items[0], node.items[1:], place.seen())
        inner = place.inside_value(None)
        inner.put(head, node.items[0])
        for item in node.items[1:]:
            self._run_item(item, inner)
        assert inner.stream is not None
        return inner.stream

    def _run_item(self, item: tree.ChainItem, place: Place) -> None:
        """An item behind the head of a chain that is a value."""
        if isinstance(item, _ITEMS_OF_NETWORKS):
            self._network.run_item(item, place)
            return
        value = as_layer(self.evaluate(item, place))
        if isinstance(value, Layer):
            self._network.apply(value, place, item)
        else:
            self.replace_stream(value, item, place, is_head=False)

    def replace_stream(self, value: SpecValue, item: tree.ChainExpr, place: Place, *, is_head: bool) -> None:
        """Put the value of an item of a chain on the stream.

        Raises:
            Fault: it is no value, or drops what arrives.
        """
        if not isinstance(value, Value) and not is_list(value):
            what = f"{describe(value)} is neither a layer nor a value"
            raise Fault(WrongKind(span=item.span, what=what, advice=hidden(item, value)))
        if not is_head and not _mentions_it(item):
            raise Fault(DiscardsStream(span=item.span))
        place.put(value, item)

    def _labelled(self, node: tree.Labelled, place: Place) -> LabelledLayer:
        layer = as_layer(self.evaluate(node.item, place))
        if not isinstance(layer, Layer):
            what = "only a layer can have a label"
            raise Fault(WrongKind(span=node.span, what=what, found=f"this is {describe(layer)}"))
        return LabelledLayer(self.computed_text(node.label, place), node.label, layer, node)


_ITEMS_OF_NETWORKS = (tree.Labelled, tree.Chain, tree.Body, tree.Seq, tree.Combine, tree.Residual)
"""Items of a chain that are no plain expression."""


def evaluator_of_text() -> Evaluator:
    """An evaluator of expressions that stand in no network."""
    return Evaluator(Session(Needs()))


def _constant(node: tree.Number | tree.String, place: Place) -> SpecValue:
    return node.value


def _none(node: tree.NoneLayer, place: Place) -> NoLayer:
    return NONE


def _body(node: tree.Body | tree.Seq | tree.Combine | tree.Residual, place: Place) -> BodyLayer:
    return BodyLayer(node, place.seen())


def _is_exact(value: SpecValue) -> TypeGuard[Exact]:
    """Is it a number, a size or a quotient of sizes?"""
    return isinstance(value, int | float | Dim | Quotient)


def _as_size(value: float | Dim) -> Size | None:
    """A whole number as a size; None for another."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value


def _operator_of(value: SpecValue) -> object:
    """The operator that a layer or a function of the same name stands for; else the value itself."""
    return value.op if isinstance(value, OpLayer | Builtin) else value


def same_layer(left: Applicable, right: Applicable, same: Callable[[SpecValue, SpecValue], bool]) -> bool:
    """Of one operator or block, with the same arguments."""
    match left, right:
        case OpLayer(op=first), OpLayer(op=second):
            is_same = first is second
        case BlockLayer(definition=first), BlockLayer(definition=second):
            is_same = first is second
        case _:
            is_same = False
    if not is_same or len(left.positional) != len(right.positional) or left.named.keys() != right.named.keys():
        return False
    pairs = [
        *zip(left.positional, right.positional, strict=True),
        *((g, right.named[n]) for n, g in left.named.items()),
    ]
    return all(same(a.value, b.value) for a, b in pairs)


def _wrong_operand(op: str, value: SpecValue, node: tree.Node, side: tree.Node) -> Fault:
    what = f"`{op}` takes numbers and values"
    found = f"one side is {describe(value)}"
    return Fault(WrongKind(span=node.span, what=what, found=found, advice=apply_advice(value, side)))


def _mentions_it(node: tree.Node) -> bool:
    """Does an expression read the stream?"""
    return any(isinstance(n, tree.Name) and n.text == "it" for n in tree.walk(node))
