"""Loops of the spec as loops of the emitted source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from archdsl.emit.torch.calls import Calls
from archdsl.emit.torch.flow import Flow
from archdsl.emit.torch.names import identifier, is_identifier
from archdsl.emit.torch.rows import Conflict, Row, Step, Strand, rows_of
from archdsl.emit.torch.speech import View, plain_tuples
from archdsl.emit.torch.state import Level, Turned, terms_in
from archdsl.emit.torch.terms import NoValue, call, evaluate, exact, is_plain, literal
from archdsl.graph import LoopEvent
from archdsl.syntax import tree

COUNTERS = ("i", "j", "k", "index")
"""Names for a variable that only counts."""


class Loop:
    """A loop in all rows, from its turn ``first`` on: its variables, and the rows of its turns."""

    def __init__(self, step: Step[LoopEvent], first: int, counter: str, names: dict[str, str], file: Any) -> None:
        self.step = step
        self.first = first
        self.counter = counter
        """The variable of the emitted source that counts the turns."""
        self.names = names
        """Variables of the spec whose values are numbers, lists or the like, with their names in the source."""
        self._file = file
        self.rows = {row: list(self._turns(row, event)) for row, event in step}
        self.count = sum(map(len, self.rows.values()))

    def _turns(self, row: Row, event: LoopEvent) -> Iterator[Row]:
        for k, turn in enumerate(event.turns):
            if k >= self.first:
                values = {py: plain_tuples(self._file, turn.variables[name]) for name, py in self.names.items()}
                yield Row(row.instance, row, {self.counter: k, **values})

    def strands(self) -> list[Strand]:
        """What happened in each turn."""
        return [
            (turn_row, event.turns[self.first + k].events)
            for row, event in self.step
            for k, turn_row in enumerate(self.rows[row])
        ]

    def bindings(self) -> dict[str, Turned]:
        """What the spec's variables stand for inside."""
        return {name: Turned(py, self.count) for name, py in self.names.items()}


class Loops(Calls):
    """Says the heads of loops."""

    def loop(self, step: Step[LoopEvent], first: int = 0) -> Loop:
        site = step[0][1].site
        assert isinstance(site, tree.For)
        names: dict[str, str] = {}
        counter = None
        for name in max((e.turns for _, e in step), key=len)[0].variables:
            py = identifier(name, "value")
            if py in self.state.arguments or not self._is_plain_variable(step, name):
                continue
            names[name] = py
            if counter is None and all(_counts(event, name) for _, event in step):
                counter = py
        free = (c for c in COUNTERS if c not in self.state.arguments and c not in names.values())
        return Loop(step, first, counter or next(free, "turn"), names, self.file)

    def _is_plain_variable(self, step: Step[LoopEvent], name: str) -> bool:
        return all(
            name in turn.variables and is_plain(plain_tuples(self.file, turn.variables[name]))
            for _, event in step
            for turn in event.turns
        )

    def head(self, loop: Loop, body: Sequence[ast.AST], flow: Flow, level: Level) -> tuple[ast.expr, ast.expr]:
        """Target and iterable: ``i`` and ``range(5)``, or as the spec has them.

        Raises:
            Conflict: there is no such iterable in the source.
        """
        used = {t.name for node in body for t in terms_in(node) if isinstance(t, Turned)}
        if used <= {loop.counter}:
            start = [literal(loop.first)] if loop.first else []
            return ast.Name(loop.counter if used else "_"), call("range", *start, self._count(loop, flow, level))
        return self._as_written(loop, used, flow, level)

    def _count(self, loop: Loop, flow: Flow, level: Level) -> ast.expr:
        site = loop.step[0][1].site
        assert isinstance(site, tree.For)
        counts = [len(event.turns) for _, event in loop.step]
        stop = _stop(site.iterable)
        written = [(stop, event.env) for _, event in loop.step] if stop is not None else ()
        return self.fill(counts, rows_of(loop.step), flow, written=written, name="count", level=level)

    def _as_written(self, loop: Loop, used: set[str], flow: Flow, level: Level) -> tuple[ast.expr, ast.expr]:
        site = loop.step[0][1].site
        assert isinstance(site, tree.For)
        rows = tuple(rows_of(loop.step))
        try:
            iterable = self.say(site.iterable, View(rows, tuple(e.env for _, e in loop.step), level, flow))
            targets = [self._target(p, loop, used) for p in site.patterns]
            items = [evaluate(iterable, row) for row in rows]
        except NoValue:
            raise Conflict("nothing says what a loop runs over", rows, ["loop"]) from None
        if loop.first or not all(map(exact, items, (_items(e, self.file) for _, e in loop.step))):
            raise Conflict("a loop runs over something else", rows, ["loop"])
        return targets[0] if len(targets) == 1 else ast.Tuple(targets), iterable

    def _target(self, pattern: tree.Pattern, loop: Loop, used: set[str]) -> ast.expr:
        match pattern:
            case tree.Name(text=text):
                py = loop.names.get(text, "_")
                return ast.Name(py if py in used else "_")
            case tree.Unpack(items=items):
                return ast.Tuple([self._target(item, loop, used) for item in items])
        raise NoValue


def _items(event: LoopEvent, file: Any) -> tuple[Any, ...]:
    """What a loop ran over, put together again from its variables."""
    site = event.site
    assert isinstance(site, tree.For)

    def item(pattern: tree.Pattern, variables: dict[str, Any]) -> Any:
        if isinstance(pattern, tree.Unpack):
            return tuple(item(p, variables) for p in pattern.items)
        return plain_tuples(file, variables.get(getattr(pattern, "text", "")))

    turns = [[item(p, turn.variables) for p in site.patterns] for turn in event.turns]
    return tuple(t[0] if len(t) == 1 else tuple(t) for t in turns)


def _counts(event: LoopEvent, name: str) -> bool:
    """Does a variable count the turns from 0?"""
    return all(turn.variables.get(name) == k and is_identifier(name) for k, turn in enumerate(event.turns))


def _stop(iterable: tree.Expr) -> tree.Expr | None:
    """The end of a range from 0."""
    if isinstance(iterable, tree.Range) and isinstance(iterable.start, tree.Number) and iterable.start.value == 0:
        return iterable.stop
    return None
