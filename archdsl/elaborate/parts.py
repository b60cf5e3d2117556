"""Lists of numbers where a value is wanted, and the parts of values and lists: sizes and indices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archdsl.diagnostics.elsewhere import stands_for
from archdsl.diagnostics.names import BadIndex, ItMoved, WrongKind
from archdsl.diagnostics.nearest import certain
from archdsl.diagnostics.shapes import DoesNotFit
from archdsl.dims import Dim
from archdsl.elaborate.called import apply_advice
from archdsl.elaborate.context import Context, Fault, Here, Poison
from archdsl.evaluate.sizes import Questions
from archdsl.evaluate.tables import Table, leaves, nested_shape
from archdsl.evaluate.values import BAD, describe, is_list, is_number, is_size, shape_text
from archdsl.graph import Value
from archdsl.op import Reject
from archdsl.ops import OPS_BY_NAME
from archdsl.ops.shape import Gather, Select
from archdsl.syntax import tree

Sides = tuple[tree.Node, tree.Node]
"""What is written on the two sides of an operator."""


class Parts(Context):
    """Values made of lists, and taken apart."""

    # ---- lists as values ----

    def as_tensor(self, value: Any, site: tree.Node, here: Here) -> Any:
        """A list of numbers where a value is wanted is a constant tensor; all else is itself."""
        return self.constant(value, site, here) if self.is_tensor(value) else value

    def is_tensor(self, value: Any) -> bool:
        """Is it a list that can stand for one value: of numbers, or of what will be numbers at a known size?"""
        return is_list(value) and (nested_shape(value) is not None or self.is_counted(value))

    def is_counted(self, value: Any) -> bool:
        """Is it a comprehension over a symbolic range, or a list that holds nothing but such and numbers?"""
        if isinstance(value, Value):
            return value in self.counted
        if not isinstance(value, list) or not any(isinstance(item, Value | list) for item in value):
            return False
        return any(map(self.is_counted, value)) and all(
            self.is_counted(item) or (is_number(item) and not isinstance(item, Dim)) or nested_shape(item) is not None
            for item in value
        )

    def stands_for_value(self, side: Any) -> bool:
        """Is an operand of arithmetic a value, or a list that is one there?"""
        return isinstance(side, Value) or self.is_tensor(side)

    def is_compared_by_number(self, op: str, left: Any, right: Any) -> bool:
        """Does a comparison hold or fail for each number of its sides, not for the sides as wholes?

        Lists are equal as wholes; but a table that is compared with one number is compared as the value that it is.
        """
        if isinstance(left, Value) or isinstance(right, Value):
            return True
        if not (self.is_tensor(left) or self.is_tensor(right)):
            return False
        if op not in ("==", "!="):
            return all(is_number(side) or self.is_tensor(side) for side in (left, right))
        return (isinstance(left, Table) and is_number(right)) or (isinstance(right, Table) and is_number(left))

    def one_meaning(self, op: str, left: Any, right: Any, node: tree.Node, said: Sides) -> None:
        """Refuse what would mean one thing on values and another on the lists that they are at a known size.

        Raises:
            Fault: ``+``, ``==`` or ``!=`` between a comprehension over a symbolic range and another or a list.
        """
        sides = (left, right)
        if op not in ("+", "==", "!=") or not any(isinstance(side, Value) and side in self.counted for side in sides):
            return
        if not all(side in self.counted if isinstance(side, Value) else is_list(side) for side in sides):
            return
        first, second = (side.span.text for side in said)
        found, advice = "at a known size this compares two lists as wholes", f"`{first} - {second} {op} 0`"
        if op == "+":
            found, advice = "at a known size this joins two lists", f"`add {{ {first}; {second} }}`"
        what = f"`{op}` between comprehensions over a symbolic range"
        raise Fault(WrongKind(span=node.span, what=what, found=found, advice=f"for each pair of numbers: {advice}"))

    # ---- sizes ----

    def _attribute(self, node: tree.Attribute, here: Here) -> Any:
        value = self.evaluate(node.value, here)
        value = self.as_tensor(value, node.value, here) if is_list(value) and nested_shape(value) is None else value
        shape = value.shape if isinstance(value, Value) else nested_shape(value) if is_list(value) else None
        if shape is None:
            what = f"{describe(value)} has no parts"
            raise Fault(WrongKind(span=node.span, what=what, advice="a value has `.shape`"))
        if node.name.text != "shape":
            what = "a value has `.shape` and nothing else"
            raise Fault(WrongKind(span=node.name.span, what=what, advice=_instead_of_method(node)))
        return list(shape)

    # ---- indices ----

    def _index(self, node: tree.Index, here: Here) -> Any:
        value = self.evaluate(node.value, here)
        subscripts = [self._subscript(s, here) for s in node.subscripts]
        if is_list(value) and (len(subscripts) > 1 or not _picks_from_list(subscripts[0])):
            value = self.as_tensor(value, node.value, here)
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
        """Sizes and slices first, in one step; then the entries that lists and values name, axis by axis from the last.

        So each subscript means the same wherever it stands, unlike in torch, where several lists are read in pairs.
        """
        self._check_subscripts(value, subscripts, node)
        plain = [slice(None) if _is_many(s) else s for s in subscripts]
        if not all(s == slice(None) for s in plain):
            written = {place: (end, here.seen()) for place, end in _ends(node.subscripts)}
            value = self.run_op(Select.of(tuple(plain)), (value,), here, node, written=written)[0]
        dropped = 0
        axes: list[tuple[int, int]] = []
        for place, subscript in enumerate(subscripts):
            if _is_many(subscript):
                axes.append((place, place - dropped))
            dropped += is_number(subscript)
        for place, axis in reversed(axes):
            value = self._take(value, subscripts[place], axis, node.subscripts[place], node, here)
        return value

    @staticmethod
    def _check_subscripts(value: Value, subscripts: list[Any], node: tree.Index) -> None:
        """Raises:
        Fault: a subscript is none, or there are more than axes.
        """
        for subscript, text in zip(subscripts, node.subscripts, strict=True):
            ends = (subscript.start, subscript.stop, subscript.step) if isinstance(subscript, slice) else (subscript,)
            if not _is_many(subscript) and not all(end is None or is_size(end) for end in ends):
                advice = "use a size, a slice, or whole numbers (a list of them, or an int64 value)"
                reason = f"a value is not indexed by {describe(subscript)}" if ends == (subscript,) else _NO_SLICE
                raise Fault(BadIndex(span=text.span, reason=reason, advice=advice))
        many = sum(map(_is_many, subscripts))
        if many and len(subscripts) > len(value.shape):
            reason = f"{len(subscripts)} subscripts for a value of {len(value.shape)} axes"
            raise Fault(BadIndex(span=node.span, reason=reason))

    def _take(self, value: Value, entries: Any, axis: int, text: tree.Node, node: tree.Index, here: Here) -> Value:
        """The entries of an axis that whole numbers name."""
        if is_list(entries):
            self._check_entries(value, entries, axis, text)
            entries = self.constant(entries, text, here)
        return self.run_op(Gather(axis), (value, entries), here, node)[0]

    def _check_entries(self, value: Value, entries: Any, axis: int, text: tree.Node) -> None:
        """Raises:
        Fault: an entry is no whole number, or lies outside the axis.
        """
        numbers = list(leaves(entries))
        if nested_shape(entries) is None or not all(is_size(n) for n in numbers):
            other = next((n for n in numbers if not (is_size(n) and isinstance(n, int))), entries)
            reason = f"a list that picks entries of an axis holds whole numbers, not {describe(other)}"
            raise Fault(BadIndex(span=text.span, reason=reason))
        self.spend(text, len(numbers))
        size, questions = value.shape[axis], Questions(self.needs, text, self.frames)
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


def _picks_from_list(subscript: Any) -> bool:
    """Is it an index or a slice of a list, rather than of the value that the list stands for?"""
    if isinstance(subscript, slice):
        return not any(is_size(e) and not isinstance(e, int) for e in (subscript.start, subscript.stop, subscript.step))
    return isinstance(subscript, int) or not (_is_many(subscript) or is_size(subscript))


def _is_many(subscript: Any) -> bool:
    """Does it name entries of an axis one by one?"""
    return isinstance(subscript, Value) or is_list(subscript)


_NO_SLICE = "the ends and the step of a slice are sizes"


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
