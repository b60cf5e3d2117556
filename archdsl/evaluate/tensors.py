"""Lists of numbers where a tensor is wanted: when a list can stand for one, and the constant that it then is."""

from __future__ import annotations

from archdsl.diagnostics.names import BadArithmetic, WrongKind
from archdsl.dims import Dim
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.network import Network
from archdsl.evaluate.place import Place
from archdsl.evaluate.session import Session
from archdsl.evaluate.tables import OpenTable, Table, as_tuples, dtype_of, leaves, nested_shape
from archdsl.evaluate.values import Sides, SpecList, SpecValue, Stream, Value, describe, is_list, is_number
from archdsl.op import Facets, Tensor
from archdsl.ops.merge import Stack
from archdsl.ops.tensor import Constant
from archdsl.syntax import tree


class Tensors:
    """Makes tensors of lists."""

    def __init__(self, session: Session, network: Network) -> None:
        self._session = session
        self._network = network
        self._counted: set[Value] = set()
        """What comprehensions over symbolic ranges gave: at a known size these are lists."""
        self._constants: dict[int, tuple[SpecValue, Facets]] = {}
        """Lists that were used as tensors, by identity, with the operators that give their numbers."""

    def count(self, value: Value) -> None:
        """Remember that a comprehension over a symbolic range gave this value."""
        self._counted.add(value)

    def as_tensor(self, value: SpecValue, site: tree.Node, place: Place) -> SpecValue:
        """A list of numbers where a tensor is wanted is a constant; all else is itself."""
        return self.constant(value, site, place) if is_list(value) and self.is_tensor(value) else value

    def is_tensor(self, value: Stream) -> bool:
        """Is it a list that can stand for one tensor: of numbers, or of what will be numbers at a known size?"""
        return is_list(value) and (nested_shape(value) is not None or self.is_counted(value))

    def is_counted(self, value: SpecValue) -> bool:
        """Is it a comprehension over a symbolic range, or a list that holds nothing but such and numbers?"""
        if isinstance(value, Value):
            return value in self._counted
        if not isinstance(value, list) or not any(isinstance(item, Value | list) for item in value):
            return False
        return any(map(self.is_counted, value)) and all(
            self.is_counted(item) or (is_number(item) and not isinstance(item, Dim)) or nested_shape(item) is not None
            for item in value
        )

    def stands_for_tensor(self, side: SpecValue) -> bool:
        """Is an operand of arithmetic a tensor, or a list that is one there?"""
        return isinstance(side, Value) or self.is_tensor(side)

    def is_compared_by_number(self, op: str, left: SpecValue, right: SpecValue) -> bool:
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

    def require_one_meaning(self, op: str, left: SpecValue, right: SpecValue, node: tree.Node, sides: Sides) -> None:
        """Refuse what would mean one thing on values and another on the lists that they are at a known size.

        Raises:
            Fault: ``+``, ``==`` or ``!=`` between a comprehension over a symbolic range and another or a list.
        """
        both = (left, right)
        if op not in ("+", "==", "!=") or not any(isinstance(side, Value) and side in self._counted for side in both):
            return
        if not all(side in self._counted if isinstance(side, Value) else is_list(side) for side in both):
            return
        first, second = (side.span.text for side in sides)
        found, advice = "for a known size this compares two lists", f"`{first} - {second} {op} 0`"
        if op == "+":
            found, advice = "for a known size this joins two lists", f"`add {{ {first}; {second} }}`"
        what = f"`{op}` between comprehensions over a symbolic range"
        advice = f"for each pair of numbers, write {advice}"
        raise Fault(WrongKind(span=node.span, what=what, found=found, advice=advice))

    def constant(self, items: SpecValue, site: tree.Node, place: Place) -> Value:
        """A nested list of numbers as a tensor."""
        self._session.spend(site)
        if isinstance(items, list) and self.is_counted(items):
            parts = tuple(self._part(item, site, place) for item in items)
            return self._network.run_op(Stack(0), parts, place, site)[0]
        known = self._constants.get(id(items))
        if known is None:
            known = self._constants[id(items)] = (items, self._numbers_of(items, site))
        return self._network.hold(known[1], place, site)

    def _part(self, item: SpecValue, site: tree.Node, place: Place) -> Value:
        if isinstance(item, Value):
            return item
        part: SpecList = item if is_list(item) else [item]
        return self.constant(part, site, place)

    def _numbers_of(self, items: SpecValue, site: tree.Node) -> Facets:
        """The operator that gives the numbers of a list."""
        shape = nested_shape(items)
        if shape is None:
            found = f"this is {describe(items)}"
            raise Fault(WrongKind(span=site.span, what="a value is needed here", found=found))
        numbers = [number for number in leaves(items) if isinstance(number, int | float)]
        self._session.spend(site, len(numbers))
        dtype = dtype_of(numbers)
        if dtype is None:
            raise Fault(BadArithmetic(span=site.span, reason="a number of this value is too large for a tensor"))
        data, sizes = (items.data, items.shape) if isinstance(items, OpenTable) else (as_tuples(items), shape)
        op = Constant(data=data, shape=sizes, dtype=dtype)
        return Facets(op, (), (Tensor(sizes, dtype),), ())
