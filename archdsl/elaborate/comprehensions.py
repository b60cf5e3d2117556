"""Comprehensions: lists over what is known, values over ranges with symbolic ends; and the names that they bind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable
from typing import Any

from archdsl.diagnostics.names import BadArithmetic, CannotUnpack, WrongKind
from archdsl.diagnostics.shapes import DoesNotFit
from archdsl.dims import Dim, Size
from archdsl.elaborate.context import Fault, Here
from archdsl.elaborate.parts import Parts
from archdsl.evaluate.builtins import MAX_LIST
from archdsl.evaluate.env import MISSING, Env
from archdsl.evaluate.pure import key_of_comprehension
from archdsl.evaluate.sizes import Questions
from archdsl.evaluate.tables import Table, nested_shape
from archdsl.evaluate.values import SymbolicRange, describe, is_list, is_number, is_size
from archdsl.graph import Looped, Turn, Value
from archdsl.op import Reject
from archdsl.ops import OPS_BY_NAME
from archdsl.ops.einops import Rearrange
from archdsl.ops.merge import Stack
from archdsl.ops.ranges import Arange
from archdsl.ops.shape import Unbind
from archdsl.syntax import tree

Numbered = SymbolicRange | list[Any] | range
"""What a variable of a comprehension that is one value takes: all numbers of it."""


class Comprehensions(Parts):
    """Evaluates comprehensions."""

    @abstractmethod
    def computed_text(self, node: tree.Label, here: Here) -> str:
        """The text of a name or label, its expressions evaluated."""

    @abstractmethod
    def truth_of(self, value: Any, node: tree.Node) -> bool:
        """A condition as a bool."""

    def comprehension(self, node: tree.Comprehension, here: Here) -> Any:
        seen = here.seen()
        key = None if self._in_comprehension else key_of_comprehension(node, seen)
        return self.once(key, node, lambda: self._listed(node, seen, here))

    def once(self, key: Hashable | None, node: tree.Node, evaluate: Callable[[], Any]) -> Any:
        """What an evaluation gives; of what depends on plain numbers only, what it gave before, paid for once."""
        if key is None:
            return evaluate()
        known = self.memory.find(key)
        if known is None:
            before = self._steps
            result = evaluate()
            self.memory.keep(key, result, self._steps - before)
            self.charged.add(key)
            return result
        if key not in self.charged:
            self.charged.add(key)
            self.spend(node, known.steps)
        return known.result

    def _listed(self, node: tree.Comprehension, seen: Env, here: Here) -> Any:
        env = Env(seen)
        first = self.evaluate(node.clauses[0].iterable, here.aside(here.stream, [], env))
        if isinstance(first, SymbolicRange) or (self._counting and _is_smooth(node, env) and _is_row(first)):
            return self._count(node, first, env, here)
        result: list[Any] = []
        turns: list[Turn] = []
        outer, self._in_comprehension = self._in_comprehension, True
        try:
            self._clauses(node, 0, {}, env, here, result, turns)
        finally:
            self._in_comprehension = outer
        if any(turn.events for turn in turns):
            here.events.append(Looped(node, turns, here.seen()))
        return self.bounded(Table(result) if _is_simple(node) and isinstance(first, range) else result, node)

    def _count(self, node: tree.Comprehension, numbered: Numbered, env: Env, here: Here) -> Value:
        """A comprehension as one value: its variable is all the numbers that it takes, along an axis of its own.

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
            if name in read:
                outer = env.lookup(name)
                axes = _letters(len(outer.shape))
                env.bind(name, self.run_op(Rearrange(f"{axes} -> {axes} 1"), (outer,), here, node)[0])
        pattern = clause.patterns[0]
        if isinstance(pattern, tree.Name) and pattern.text not in read:
            size = self._count_of(numbered, clause)
        else:
            numbers = self._numbers_of_range(numbered, clause, here)
            self.bind_pattern(pattern, numbers, env, here)
            size = numbers.shape[0]
        before = self._counting
        self._counting = [*before, (pattern.span.text, size)]
        try:
            element = self.evaluate(node.element, here.aside(here.stream, env=env))
            result = self._spread(element, tuple(size for _, size in self._counting), node.element, here)
        finally:
            self._counting = before
        self.counted.add(result)
        return result

    def _count_of(self, numbered: Numbered, clause: tree.Clause) -> Size:
        """How many numbers a variable takes that nothing reads."""
        if not isinstance(numbered, SymbolicRange):
            return len(numbered)
        size = numbered.stop - numbered.start
        try:
            Questions(self.needs, clause, self.frames).require(size, ">=", 1, f"{describe(numbered)} holds no number")
        except Reject as reject:
            raise Fault(DoesNotFit(span=clause.iterable.span, reason=reject.message)) from None
        return size

    def _numbers_of_range(self, numbered: Numbered, clause: tree.Clause, here: Here) -> Value:
        """The numbers that a variable takes."""
        if not isinstance(numbered, SymbolicRange):
            return self.constant(numbered, clause.iterable, here)
        anchor = self._anchor(clause, here)
        return self.run_op(Arange(numbered.start, numbered.stop), (anchor,), here, clause)[0]

    def _spread(self, element: Any, sizes: tuple[Size, ...], site: tree.Node, here: Here) -> Value:
        """The element of a comprehension with an axis for every variable around it, whether it reads it or not."""
        if is_list(element):
            parts = [self._spread(item, sizes, site, here) for item in element]
            if not parts:
                raise Fault(WrongKind(span=site.span, what="a value is needed here", found="this is a list of 0"))
            return self.run_op(Stack(len(sizes)), tuple(parts), here, site)[0]
        if is_number(element) and not isinstance(element, Dim):
            element = self.constant([element], site, here)
        if not isinstance(element, Value) or not _is_aligned(element.shape, sizes):
            what = "the element of a comprehension over a symbolic range depends on its variable"
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
        return self.run_op(repeat, (element,), here, site)[0]

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
                self.bounded(result, node)
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

    # ---- limits ----

    def bounded(self, items: list[Any], node: tree.Node) -> list[Any]:
        """A list, if its lists within lists do not add up to too much: each may stand in it many times."""
        entries = _entries(items)
        if entries > MAX_LIST:
            raise self.too_long(f"more than {MAX_LIST:,}", node)
        self.spend(node, entries - len(items))
        return items

    def too_long(self, count: str, node: tree.Node) -> Fault:
        reason, advice = f"this list would have {count} elements", f"lists have at most {MAX_LIST:,}"
        return Fault(BadArithmetic(span=node.span, reason=reason, advice=advice))


def _is_simple(node: tree.Comprehension) -> bool:
    """One variable that takes each element of one list: all that a comprehension over a symbolic range may be."""
    clause = node.clauses[0]
    return len(node.clauses) == 1 and clause.condition is None and len(clause.patterns) == 1


def _is_row(items: Any) -> bool:
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
