"""Comprehensions: lists over what is known, tensors over ranges with symbolic ends."""

from __future__ import annotations

from typing import TypeAlias, TypeGuard

from archdsl.diagnostics.names import WrongKind
from archdsl.diagnostics.shapes import DoesNotFit
from archdsl.dims import Dim, Size
from archdsl.evaluate.builtins import MAX_LIST
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.interfaces import Evaluates
from archdsl.evaluate.lists import Lists
from archdsl.evaluate.network import Network
from archdsl.evaluate.patterns import Patterns
from archdsl.evaluate.place import Place
from archdsl.evaluate.pure import key_of_comprehension
from archdsl.evaluate.session import Session
from archdsl.evaluate.tables import Table, nested_shape
from archdsl.evaluate.tensors import Tensors
from archdsl.evaluate.values import (
    MISSING,
    Env,
    SpecList,
    SpecValue,
    SymbolicRange,
    Value,
    describe,
    is_list,
    is_number,
)
from archdsl.op import Reject
from archdsl.ops import OPS_BY_NAME
from archdsl.ops.einops import Rearrange
from archdsl.ops.merge import Stack
from archdsl.ops.ranges import Arange
from archdsl.syntax import tree

Numbered: TypeAlias = "SymbolicRange | SpecList"
"""What a variable of a comprehension that is one tensor takes: all numbers of it."""


class Comprehensions:
    """Evaluates comprehensions."""

    def __init__(
        self,
        session: Session,
        network: Network,
        expressions: Evaluates,
        tensors: Tensors,
        patterns: Patterns,
        lists: Lists,
    ) -> None:
        self._session = session
        self._network = network
        self._expressions = expressions
        self._tensors = tensors
        self._patterns = patterns
        self._lists = lists
        self._counting: list[tuple[str, Size]] = []
        """Variables of the open comprehensions that are tensors, outermost first, with how many numbers each takes."""
        self._is_inside = False
        """What stands inside one is not remembered by itself: it may be different in each turn."""

    def evaluate(self, node: tree.Comprehension, place: Place) -> SpecValue:
        seen = place.seen()
        key = None if self._is_inside else key_of_comprehension(node, seen)
        return self._session.once(key, node, lambda: self._listed(node, seen, place))

    def _listed(self, node: tree.Comprehension, seen: Env, place: Place) -> SpecValue:
        env = Env(seen)
        first = self._expressions.evaluate(node.clauses[0].iterable, place.apart(env))
        if isinstance(first, SymbolicRange) or (self._counting and _is_smooth(node, env) and _is_row(first)):
            return self._counted(node, first, env, place)
        result: list[SpecValue] = []
        turns: list[tuple[dict[str, SpecValue], Place]] = []
        outer, self._is_inside = self._is_inside, True
        try:
            self._clauses(node, 0, {}, env, place, result, turns)
        finally:
            self._is_inside = outer
        place.record_turns(node, turns)
        is_table = _is_simple(node) and isinstance(first, range)
        return self._lists.bounded(Table(result) if is_table else result, node)

    def _clauses(
        self, node: tree.Comprehension, depth: int, bound: dict[str, SpecValue], env: Env, place: Place,
        result: list[SpecValue], turns: list[tuple[dict[str, SpecValue], Place]],
    ) -> None:  # fmt: skip
        """The clauses from ``depth`` on, the variables of the outer ones bound in ``env``."""
        if depth == len(node.clauses):
            turn = place.apart(env)
            result.append(self._expressions.evaluate(node.element, turn))
            if len(result) > MAX_LIST:
                self._lists.bounded(result, node)
            turns.append((bound, turn))
            return
        clause = node.clauses[depth]
        items = self._expressions.evaluate(clause.iterable, place.apart(env))
        for item in self._lists.items_of(items, clause.iterable):
            inner = Env(env)
            variables = {**bound, **self._patterns.bind_all(clause.patterns, item, inner, place, clause)}
            if clause.condition is None or self._expressions.holds(clause.condition, place.apart(inner)):
                self._clauses(node, depth + 1, variables, inner, place, result, turns)

    # ---- over symbolic ranges ----

    def _counted(self, node: tree.Comprehension, numbered: Numbered, env: Env, place: Place) -> Value:
        """A comprehension as one tensor: its variable is all the numbers that it takes, along an axis of its own.

        The axes of the variables around it come before; these variables get an axis more, so that all broadcast.
        """
        clause = node.clauses[0]
        if not _is_simple(node):
            what = "a comprehension over a symbolic range has one variable and no condition"
            raise Fault(
                WrongKind(span=clause.span, what=what, advice="nest one in the other: `[[… for x in …] for y in …]`")
            )
        read = {part.text for part in tree.walk(node.element) if isinstance(part, tree.Name)}
        for name, _ in self._counting:
            outer = env.lookup(name) if name in read else None
            if isinstance(outer, Value):
                axes = _letters(len(outer.shape))
                env.bind(name, self._network.run_op(Rearrange(f"{axes} -> {axes} 1"), (outer,), place, node)[0])
        pattern = clause.patterns[0]
        if isinstance(pattern, tree.Name) and pattern.text not in read:
            size = self._count_of(numbered, clause)
        else:
            numbers = self._numbers_of_range(numbered, clause, place)
            self._patterns.bind(pattern, numbers, env, place)
            size = numbers.shape[0]
        before = self._counting
        self._counting = [*before, (pattern.span.text, size)]
        try:
            element = self._expressions.evaluate(node.element, place.aside(place.stream, env))
            result = self._spread(element, tuple(size for _, size in self._counting), node.element, place)
        finally:
            self._counting = before
        self._tensors.count(result)
        return result

    def _count_of(self, numbered: Numbered, clause: tree.Clause) -> Size:
        """How many numbers a variable takes that nothing reads."""
        if not isinstance(numbered, SymbolicRange):
            return len(numbered)
        size = numbered.stop - numbered.start
        try:
            self._session.questions(clause).require(size, ">=", 1, f"{describe(numbered)} is empty")
        except Reject as reject:
            raise Fault(DoesNotFit(span=clause.iterable.span, reason=reject.message)) from None
        return size

    def _numbers_of_range(self, numbered: Numbered, clause: tree.Clause, place: Place) -> Value:
        """The numbers that a variable takes."""
        if not isinstance(numbered, SymbolicRange):
            return self._tensors.constant(numbered, clause.iterable, place)
        anchor = self._anchor(clause, place)
        return self._network.run_op(Arange(numbered.start, numbered.stop), (anchor,), place, clause)[0]

    def _anchor(self, node: tree.Node, place: Place) -> Value:
        """A value of the network, whose device says where numbers are made."""
        anchor = place.stream if isinstance(place.stream, Value) else self._network.first_input()
        if anchor is None:
            what = "a range with a symbolic end is a tensor, which exists only when the network runs"
            raise Fault(WrongKind(span=node.span, what=what, advice="use it in a model or block"))
        return anchor

    def _spread(self, element: SpecValue, sizes: tuple[Size, ...], site: tree.Node, place: Place) -> Value:
        """The element of a comprehension with an axis for every variable around it, whether it reads it or not."""
        if is_list(element):
            parts = [self._spread(item, sizes, site, place) for item in element]
            if not parts:
                raise Fault(WrongKind(span=site.span, what="a value is needed here", found="this is a list of 0"))
            return self._network.run_op(Stack(len(sizes)), tuple(parts), place, site)[0]
        if is_number(element) and not isinstance(element, Dim):
            element = self._tensors.constant([element], site, place)
        if not isinstance(element, Value) or not _is_aligned(element.shape, sizes):
            what = "the element of a comprehension over a symbolic range must depend on its variable"
            raise Fault(WrongKind(span=site.span, what=what, found=f"this is {describe(element)}"))
        shape = element.shape[: len(sizes)]
        missing = len(sizes) - len(shape)
        stretched = [axis for axis, size in enumerate(sizes) if axis < missing or shape[axis - missing] != size]
        if not stretched:
            return element
        names = _letters(max(len(sizes), len(element.shape))).split()
        left = ["1" if axis in stretched else name for axis, name in enumerate(names)][missing:]
        axes = tuple((names[axis], sizes[axis]) for axis in stretched)
        repeat = Rearrange(f"{' '.join(left)} -> {' '.join(names)}", axes=axes)
        return self._network.run_op(repeat, (element,), place, site)[0]


def _is_simple(node: tree.Comprehension) -> bool:
    """One variable that takes each element of one list: all that a comprehension over a symbolic range may be."""
    clause = node.clauses[0]
    return len(node.clauses) == 1 and clause.condition is None and len(clause.patterns) == 1


def _is_row(items: SpecValue) -> TypeGuard[SpecList]:
    shape = nested_shape(items) if is_list(items) else None
    return shape is not None and len(shape) == 1


_SMOOTH = (
    tree.Arithmetic,
    tree.Power,
    tree.Negative,
    tree.Compare,
    tree.Number,
    tree.Name,
    tree.Call,
    tree.Argument,
    tree.Comprehension,
    tree.Clause,
    tree.Range,
)


def _is_smooth(node: tree.Comprehension, env: Env) -> bool:
    """Can its element be computed for all numbers of the variable at once? Conditions and indices cannot."""
    if not _is_simple(node) or not isinstance(node.clauses[0].patterns[0], tree.Name):
        return False
    parts = list(tree.walk(node.element))
    calls = [p.callee for p in parts if isinstance(p, tree.Call)]
    known = all(isinstance(c, tree.Name) and c.text in OPS_BY_NAME and env.lookup(c.text) is MISSING for c in calls)
    return known and all(isinstance(part, _SMOOTH) for part in parts)


def _is_aligned(shape: tuple[Size, ...], sizes: tuple[Size, ...]) -> bool:
    """Does a value have the axes of the variables, but for those that it does not read: of size 1, or missing?"""
    missing = max(0, len(sizes) - len(shape))
    return all(size in (1, wanted) for size, wanted in zip(shape, sizes[missing:], strict=False))


def _letters(count: int) -> str:
    return " ".join("abcdefghijklmnopqrstuvw"[:count])
