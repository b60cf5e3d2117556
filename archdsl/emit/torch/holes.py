"""Holes of the text: values of the graph, said in terms of what the class knows.

For each value there are candidates, the nicest first; the first that equals the graph's value in every row is taken.
The last resort is a new argument of the constructor, which its callers then fill by the same rules.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from archdsl.emit.torch.flow import Flow, SizeOf, Slot
from archdsl.emit.torch.names import identifier, snake
from archdsl.emit.torch.rows import Conflict, Row
from archdsl.emit.torch.speech import Speech, View
from archdsl.emit.torch.state import Given, Level, Local, Parameter, Turned, Used
from archdsl.emit.torch.terms import NoValue, all_same, exact, has_symbols, holds, is_plain, is_ugly, literal
from archdsl.graph import Instance
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.evaluate.values import Env


UNKNOWN = "value"
"""The name of a hole that comes from nowhere in particular: it is worth no argument of a constructor."""


class Holes(Speech):
    """Fills holes."""

    def fill(
        self,
        values: Sequence[Any],
        rows: Sequence[Row],
        flow: Flow,
        *,
        written: Sequence[tuple[tree.Node, Env]] = (),
        hints: Sequence[ast.expr] = (),
        name: str = "value",
        level: Level = "init",
    ) -> ast.expr:
        values = [tuple(v) if isinstance(v, range) else v for v in values]
        is_same = all_same(values) and is_plain(values[0])
        view = self._view(written, rows, level, flow)
        if is_same and not (view is not None and (self._text_varies(written, view) or is_ugly(values[0]))):
            return self._constant(values, rows, hints)
        for candidate in self._candidates(values, rows, view, written, hints, level):
            if holds(candidate, rows, values):
                return candidate
        if is_same:
            return literal(values[0])
        return self.at_level(self._new_argument(values, rows, name), level)

    def _view(
        self, written: Sequence[tuple[tree.Node, Env]], rows: Sequence[Row], level: Level, flow: Flow
    ) -> View | None:
        """The rows with what is written there; None where that is not the same text in all."""
        if not written or any(node is not written[0][0] for node, _ in written):
            return None
        return View(tuple(rows), tuple(env for _, env in written), level, flow)

    def _text_varies(self, written: Sequence[tuple[tree.Node, Env]], view: View) -> bool:
        return self.varies(written[0][0], view)

    def _constant(self, values: Sequence[Any], rows: Sequence[Row], hints: Sequence[ast.expr]) -> ast.expr:
        """A literal; but what is the same only because it stands under a condition is said by what it depends on."""
        if {r.instance for r in rows} != set(self.instances):
            for hint in hints:
                if not isinstance(hint, ast.Constant) and holds(hint, rows, values):
                    return hint
        return literal(values[0])

    def _candidates(
        self,
        values: Sequence[Any],
        rows: Sequence[Row],
        view: View | None,
        written: Sequence[tuple[tree.Node, Env]],
        hints: Sequence[ast.expr],
        level: Level,
    ) -> Iterator[ast.expr]:
        if view is not None:
            with suppress(NoValue, Conflict):
                yield self.say(written[0][0], view)
        if all_same(values) and is_plain(values[0]):
            return
        yield from hints
        yield from self._affine(values, rows, level)
        if self.may_set_first_apart and level == "init":
            yield from self._first_apart(values, rows, hints)
        if not any(isinstance(v, bool | str) for v in values):
            for parameter in list(self.state.parameters.values()):
                yield self.at_level(parameter, level)

    def _first_apart(self, values: Sequence[Any], rows: Sequence[Row], hints: Sequence[ast.expr]) -> Iterator[ast.expr]:
        """``a if i == 0 else b``, where only the first turn of a loop differs."""
        variable = next((n for row in rows[:1] for n in row.turn), None)
        if variable is None or rows[0].outer is None:
            return
        sides = []
        for wanted in (True, False):
            pairs = [(v, r) for v, r in zip(values, rows, strict=True) if (r.turn[variable] == 0) is wanted]
            said = self._simple([v for v, _ in pairs], [r for _, r in pairs], hints) if pairs else None
            if said is None:
                return
            sides.append(said)
        yield ast.IfExp(ast.Compare(Turned(variable), [ast.Eq()], [literal(0)]), *sides)

    def _simple(self, values: Sequence[Any], rows: Sequence[Row], hints: Sequence[ast.expr]) -> ast.expr | None:
        """A literal, an argument or a hint that has these values."""
        if all_same(values) and is_plain(values[0]):
            return literal(values[0])
        for param in self.scope.params:
            with suppress(NoValue):
                self.parameter(param.name.text)
        known = [Given(p) for p in self.state.parameters.values()]
        sizes = self._sizes_like(rows, values)
        return next((c for c in (*hints, *known, *sizes) if holds(c, rows, values)), None)

    def _axes_like(self, slot: Slot, values: Sequence[Any], rows: Sequence[Row]) -> list[int]:
        """Axes of an input whose sizes are these values."""
        found = [slot.at(row) for row in rows]
        if self.is_top or any(v is None for v in found):
            return []
        shapes = [v.shape for v in found if v is not None]
        return [a for a in range(len(shapes[0])) if all(exact(s[a], v) for s, v in zip(shapes, values, strict=True))]

    # ---- a + b * i ----

    def _affine(self, values: Sequence[Any], rows: Sequence[Row], level: Level) -> Iterator[ast.expr]:
        """``a + b * i`` with the variable of the innermost loop."""
        variable = next((n for row in rows[:1] for n in row.turn), None)
        if variable is None or any(type(v) is not int for v in values):
            return
        points: dict[Row, list[tuple[int, int]]] = {}
        for value, row in zip(values, rows, strict=True):
            points.setdefault(_around(row), []).append((row.turn[variable], value))
        slopes = {_slope(p) for p in points.values() if len(p) > 1}
        if len(slopes) != 1 or (slope := next(iter(slopes))) is None:
            return
        starts = {row: p[0][1] - slope * p[0][0] for row, p in points.items()}
        for start in self._starts(starts, level):
            step = Turned(variable) if slope == 1 else ast.BinOp(literal(abs(slope)), ast.Mult(), Turned(variable))
            if isinstance(start, ast.Constant) and start.value == 0 and slope > 0:
                yield step
            else:
                yield ast.BinOp(start, ast.Add() if slope > 0 else ast.Sub(), step)

    def _starts(self, starts: dict[Row, int], level: Level) -> Iterator[ast.expr]:
        values = list(starts.values())
        if all_same(values):
            yield literal(values[0])
            return
        for parameter in list(self.state.parameters.values()):
            candidate = self.at_level(parameter, level)
            if holds(candidate, list(starts), values):
                yield candidate
        if level == "init" and not self.is_top:
            yield from self._starting_sizes(starts)

    def _starting_sizes(self, starts: dict[Row, int]) -> Iterator[ast.expr]:
        """Sizes of what arrives that a loop starts from."""
        yield from self._sizes_like(list(starts), list(starts.values()))

    # ---- new arguments ----

    def _new_argument(self, values: Sequence[Any], rows: Sequence[Row], name: str) -> Parameter:
        by_instance: dict[Instance, Any] = {}
        for row, value in zip(rows, values, strict=True):
            if not is_plain(value) or _is_table(value) or not exact(by_instance.setdefault(row.instance, value), value):
                raise Conflict(f"{name} differs within one instance", rows, list(map(_hashable, values)), name)
        if self.is_top or len(self.instances) == 1 or set(by_instance) != set(self.instances) or name == UNKNOWN:
            raise Conflict(f"nothing says {name}", rows, list(map(_hashable, values)), name)
        free = self.state.arguments.take(snake(identifier(name, "value")), f"{identifier(name, 'value')}_value")
        parameter = Parameter(free, by_instance)
        self.state.parameters[("new", free)] = parameter
        return parameter

    # ---- sizes ----

    def size_of(self, slot: Slot, axis: int, level: Level, asker: str = "") -> ast.expr:
        if level == "forward":
            return SizeOf(slot, axis)
        sizes = [v.shape[axis] for v in slot.values.values()]
        if any(has_symbols(s) for s in sizes):
            raise NoValue
        if slot in self.state.imports:
            return Given(self._size_argument(slot, axis, asker))
        return self._made_size(slot, axis, list(slot.values), sizes)

    def _made_size(self, slot: Slot, axis: int, rows: Sequence[Row], sizes: Sequence[Any]) -> ast.expr:
        """The size of what the class computes: an argument of what made it, or a size of what that was made from."""
        for candidate in slot.sizes:
            if holds(candidate, rows, sizes):
                return candidate
        for source in slot.sources if slot.merged != axis else ():
            candidate = self._same_size(source, axis)
            if candidate is not None and holds(candidate, rows, sizes):
                return candidate
        if slot.met is not None:
            then, orelse = (self._size_or_literal(source, axis) for source in slot.sources)
            return ast.IfExp(slot.met.condition, then, orelse)
        for local in self.state.bindings.values():
            if isinstance(local, Local) and local.expression is not None and holds(Used(local), rows, sizes):
                return Used(local)
        if slot.merged == axis and slot.sources:
            first, *rest = (self._size_or_literal(source, axis) for source in slot.sources)
            for term in rest:
                first = ast.BinOp(first, ast.Add(), term)
            return first
        raise NoValue

    def _same_size(self, source: Slot, axis: int) -> ast.expr | None:
        """The size of the same axis of another slot, if it can be said."""
        if any(axis >= len(v.shape) for v in source.values.values()):
            return None
        try:
            return self._size_or_literal(source, axis)
        except NoValue:
            return None

    def _size_or_literal(self, slot: Slot, axis: int) -> ast.expr:
        sizes = [v.shape[axis] for v in slot.values.values()]
        if len(slot.values) >= len(self.instances) and all_same(sizes) and is_plain(sizes[0]):
            return literal(sizes[0])
        return self.size_of(slot, axis, "init")

    def _size_argument(self, slot: Slot, axis: int, asker: str) -> Parameter:
        key = ("size", slot, axis)
        if key not in self.state.parameters:
            if self.is_top:
                raise NoValue
            values = {row.instance: v.shape[axis] for row, v in slot.values.items()}
            name = self.state.arguments.take(*_size_names(slot, axis, asker))
            self.state.parameters[key] = Parameter(name, values)
        return self.state.parameters[key]

    def size_hints(self, slot: Slot, axis: int, level: Level, asker: str = "") -> Iterator[ast.expr]:
        """Candidates for a hole that holds the size of an axis of an input."""
        with suppress(NoValue, Conflict):
            yield self.size_of(slot, axis, level, asker)
        if level == "init":
            sizes = [v.shape[axis] for v in slot.values.values()]
            if all(type(size) is int for size in sizes):
                yield from self._sizes_like(list(slot.values), sizes)
                yield from self._multiples(list(slot.values), sizes)

    def _sizes_like(self, rows: Sequence[Row], sizes: Sequence[Any]) -> Iterator[ast.expr]:
        """Sizes of what arrives, where they are always these."""
        if self.is_top or all_same(sizes):
            return
        for slot in self.state.imports:
            for axis in self._axes_like(slot, sizes, rows):
                yield Given(self._size_argument(slot, axis, ""))

    def _multiples(self, rows: Sequence[Row], sizes: Sequence[Any]) -> Iterator[ast.expr]:
        """Whole multiples and parts of arguments: ``4 * dim``, ``width // 2``."""
        for parameter in list(self.state.parameters.values()):
            values = [parameter.values.get(row.instance) for row in rows]
            if any(type(v) is not int or v <= 1 for v in values):
                continue
            pairs = list(zip(sizes, values, strict=True))
            for factor in {size // value for size, value in pairs if size > value}:  # type: ignore[operator]
                yield ast.BinOp(literal(factor), ast.Mult(), Given(parameter))
            for factor in {value // size for size, value in pairs if size < value}:  # type: ignore[operator]
                yield ast.BinOp(Given(parameter), ast.FloorDiv(), literal(factor))


def _is_table(value: Any) -> bool:
    return is_ugly(value) and not isinstance(value, float)


def _around(row: Row) -> Row:
    return row.outer if row.outer is not None else row


def _slope(points: Sequence[tuple[int, int]]) -> int | None:
    (x0, y0), (x1, y1), *_ = points
    slope, rest = divmod(y1 - y0, x1 - x0)
    return slope if rest == 0 and slope and all(y - y0 == slope * (x - x0) for x, y in points) else None


CALLED = {"d": "dim", "h": "height", "w": "width", "l": "length", "t": "length"}
"""Sizes that have a usual name, by the letter that stands for them."""


def _size_names(slot: Slot, axis: int, asker: str) -> tuple[str, ...]:
    """What the size of an axis is called: ``in_channels``, ``dim`` of the last one, ``in_features`` of a matrix."""
    last = len(next(iter(slot.values.values())).shape) - 1
    said = slot.axes.get(axis, "c")
    if said != "c":
        return CALLED.get(said, said), f"{said}_size"
    if axis == last and ("Linear" in asker or last != 3):
        return "in_features" if last == 1 else "dim", "dim_value"
    if axis == 1 or "Conv" in asker:
        return "in_channels", "channels"
    return "dim" if axis == last else "length", "size"


def _hashable(value: Any) -> Hashable:
    if isinstance(value, list | tuple | range):
        return tuple(map(_hashable, value))
    return (type(value), value)
