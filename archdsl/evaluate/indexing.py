"""Parts of values and lists: sizes (``x.shape``), and what an index picks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, TypeGuard

from archdsl.diagnostics.elsewhere import stands_for
from archdsl.diagnostics.names import BadIndex, ItMoved, WrongKind
from archdsl.diagnostics.nearest import certain
from archdsl.diagnostics.shapes import DoesNotFit
from archdsl.dims import Dim
from archdsl.evaluate.called import apply_advice
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.interfaces import Evaluates
from archdsl.evaluate.network import Network
from archdsl.evaluate.place import Place
from archdsl.evaluate.session import Session
from archdsl.evaluate.tables import leaves, nested_shape
from archdsl.evaluate.tensors import Tensors
from archdsl.evaluate.values import (
    ERROR,
    SpecList,
    SpecValue,
    Stream,
    Value,
    describe,
    is_list,
    is_number,
    is_size,
    shape_text,
)
from archdsl.op import Reject
from archdsl.ops import OPS_BY_NAME
from archdsl.ops.shape import Gather, Select
from archdsl.record import record
from archdsl.syntax import tree


@record(slots=True)
class Slice:
    """``start:stop:step`` in a subscript."""

    start: Stream
    stop: Stream
    step: Stream

    @property
    def ends(self) -> tuple[Stream, Stream, Stream]:
        return self.start, self.stop, self.step

    @property
    def plain(self) -> slice[Any, Any, Any]:
        return slice(self.start, self.stop, self.step)


Subscript: TypeAlias = "SpecValue | Slice"


class Indexing:
    """Takes values and lists apart."""

    def __init__(self, session: Session, network: Network, expressions: Evaluates, tensors: Tensors) -> None:
        self._session = session
        self._network = network
        self._expressions = expressions
        self._tensors = tensors

    # ---- sizes ----

    def attribute(self, node: tree.Attribute, place: Place) -> SpecValue:
        value = self._expressions.evaluate(node.value, place)
        value = (
            self._tensors.as_tensor(value, node.value, place)
            if is_list(value) and nested_shape(value) is None
            else value
        )
        shape = value.shape if isinstance(value, Value) else nested_shape(value) if is_list(value) else None
        if shape is None:
            what = f"{describe(value)} has no attributes"
            raise Fault(WrongKind(span=node.span, what=what, advice="only a value has `.shape`"))
        if node.name.text != "shape":
            what = "the only attribute of a value is `.shape`"
            raise Fault(WrongKind(span=node.name.span, what=what, advice=_instead_of_method(node)))
        return [*shape]

    # ---- indices ----

    def index(self, node: tree.Index, place: Place) -> SpecValue:
        value = self._expressions.evaluate(node.value, place)
        subscripts = [self._subscript(s, place) for s in node.subscripts]
        if is_list(value) and (len(subscripts) > 1 or not _picks_from_list(subscripts[0])):
            value = self._tensors.as_tensor(value, node.value, place)
        if isinstance(value, Value):
            self._still_the_list(value, subscripts, node, place)
            return self._index_value(value, subscripts, node, place)
        if not is_list(value):
            advice = apply_advice(value, node.value)
            raise Fault(BadIndex(span=node.span, reason=f"{describe(value)} has no elements", advice=advice))
        if len(subscripts) != 1:
            raise Fault(BadIndex(span=node.span, reason="a list takes one index"))
        return self._index_list(value, subscripts[0], node)

    def _still_the_list(self, value: Value, subscripts: Sequence[Subscript], node: tree.Index, place: Place) -> None:
        """``xs[0] -> f -> it[1]`` takes the second example of a batch, where the second of the list was meant."""
        says_it = isinstance(node.value, tree.Name) and node.value.text == "it"
        if says_it and is_list(place.arrived) and len(subscripts) == 1 and is_size(subscripts[0]):
            raise Fault(ItMoved(span=node.span, here=shape_text(value.shape), index=node.subscripts[0].span.text))

    def _subscript(self, subscript: tree.Expr | tree.Slice, place: Place) -> Subscript:
        if not isinstance(subscript, tree.Slice):
            return self._expressions.evaluate(subscript, place)
        ends = (subscript.start, subscript.stop, subscript.step)
        return Slice(*(None if e is None else self._expressions.evaluate(e, place) for e in ends))

    @staticmethod
    def _index_list(items: SpecList, index: Subscript, node: tree.Node) -> SpecValue:
        try:
            if isinstance(index, Slice):
                return items[index.plain]
        except (TypeError, ValueError):
            raise Fault(BadIndex(span=node.span, reason=_NO_SLICE)) from None
        if not isinstance(index, int):
            reason = f"a list is indexed by a known integer, not by {describe(index)}"
            raise Fault(BadIndex(span=node.span, reason=reason))
        try:
            result = items[index]
        except IndexError:
            reason = f"index {index} is outside a list of {len(items)}"
            raise Fault(BadIndex(span=node.span, reason=reason)) from None
        if result is ERROR:
            raise UsesErrorValue
        return result

    def _index_value(self, value: Value, subscripts: Sequence[Subscript], node: tree.Index, place: Place) -> Value:
        """Sizes and slices first, in one step; then the entries that lists and values name, axis by axis from the last.

        So each subscript means the same wherever it stands, unlike in torch, where several lists are read in pairs.
        """
        self._check_subscripts(value, subscripts, node)
        plain = [s.plain if isinstance(s, Slice) else slice(None) if _is_many(s) else s for s in subscripts]
        if not all(s == slice(None) for s in plain):
            written = {name: (end, place.seen()) for name, end in _ends(node.subscripts)}
            value = self._network.run_op(Select.of(tuple(plain)), (value,), place, node, written)[0]
        dropped = 0
        picked: list[tuple[Value | SpecList, int, tree.Node]] = []
        for position, subscript in enumerate(subscripts):
            if _is_many(subscript):
                picked.append((subscript, position - dropped, node.subscripts[position]))
            dropped += is_number(subscript)
        for entries, axis, text in reversed(picked):
            value = self._take(value, entries, axis, text, node, place)
        return value

    @staticmethod
    def _check_subscripts(value: Value, subscripts: Sequence[Subscript], node: tree.Index) -> None:
        """Raises:
        Fault: a subscript is none, or there are more than axes.
        """
        for subscript, text in zip(subscripts, node.subscripts, strict=True):
            ends = subscript.ends if isinstance(subscript, Slice) else (subscript,)
            if not _is_many(subscript) and not all(end is None or is_size(end) for end in ends):
                advice = "use an integer, a slice, a list of integers, or an int64 value"
                is_slice = isinstance(subscript, Slice)
                reason = _NO_SLICE if is_slice else f"a value is not indexed by {describe(subscript)}"
                raise Fault(BadIndex(span=text.span, reason=reason, advice=advice))
        many = sum(map(_is_many, subscripts))
        if many and len(subscripts) > len(value.shape):
            reason = f"{len(subscripts)} subscripts for a value of {len(value.shape)} axes"
            raise Fault(BadIndex(span=node.span, reason=reason))

    def _take(
        self, value: Value, entries: Value | SpecList, axis: int, text: tree.Node, node: tree.Index, place: Place
    ) -> Value:
        """The entries of an axis that whole numbers name."""
        if not isinstance(entries, Value):
            self._check_entries(value, entries, axis, text)
            entries = self._tensors.constant(entries, text, place)
        return self._network.run_op(Gather(axis), (value, entries), place, node)[0]

    def _check_entries(self, value: Value, entries: SpecList, axis: int, text: tree.Node) -> None:
        """Raises:
        Fault: an entry is no whole number, or lies outside the axis.
        """
        found = list(leaves(entries))
        numbers = [n for n in found if isinstance(n, int) and not isinstance(n, bool)]
        if nested_shape(entries) is None or len(numbers) != len(found):
            other = next((n for n in found if isinstance(n, bool) or not isinstance(n, int)), entries)
            reason = f"a list that indexes an axis must contain integers, not {describe(other)}"
            raise Fault(BadIndex(span=text.span, reason=reason))
        self._session.spend(text, len(numbers))
        size, questions = value.shape[axis], self._session.questions(text)
        try:
            for entry in {min(numbers), max(numbers)}:
                least = -entry if entry < 0 else entry + 1
                questions.require(size, ">=", least, f"index {entry} is outside axis {axis} of size {size}")
        except Reject as reject:
            raise Fault(DoesNotFit(span=text.span, reason=reject.message)) from None


def _instead_of_method(node: tree.Attribute) -> str | None:
    """What is written here for a method of a value: ``x.relu()`` is ``(x -> relu)``."""
    name = node.name.text
    surely = certain(name, OPS_BY_NAME)
    if surely is not None and stands_for(name) is None:
        return f"apply the layer with an arrow: `({node.value.span.text} -> {surely})`"
    return stands_for(name)


def _picks_from_list(subscript: Subscript) -> bool:
    """Is it an index or a slice of a list, rather than of the value that the list stands for?"""
    if isinstance(subscript, Slice):
        return not any(isinstance(end, Dim) for end in subscript.ends)
    return isinstance(subscript, int) or not (_is_many(subscript) or is_size(subscript))


def _is_many(subscript: Subscript) -> TypeGuard[Value | SpecList]:
    """Does it name entries of an axis one by one?"""
    return isinstance(subscript, Value) or is_list(subscript)


_NO_SLICE = "the bounds and the step of a slice must be sizes"


def _ends(subscripts: tuple[tree.Expr | tree.Slice, ...]) -> Iterator[tuple[str, tree.Node]]:
    """What is written in subscripts, under the names that ``Select`` gives it."""
    for axis, subscript in enumerate(subscripts):
        if not isinstance(subscript, tree.Slice):
            yield f"{axis}", subscript
            continue
        for end, expression in (("start", subscript.start), ("stop", subscript.stop), ("step", subscript.step)):
            if expression is not None:
                yield f"{axis}.{end}", expression
