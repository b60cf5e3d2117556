"""How the text is run: which arm of an ``if``, which turns of a ``for``, and what a scope that is entered becomes.

The builder asks a strategy for these three, and for nothing else. ``Concrete`` decides each condition, takes every turn
and expands every scope, which gives the graph of one network. Another strategy may keep a condition or a loop open, or
leave a block as a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from archdsl.elaborate.context import Here
from archdsl.evaluate.env import Env
from archdsl.evaluate.values import Given
from archdsl.graph import Chose, Event, Looped, Module, Scope, Turn
from archdsl.syntax import tree


@dataclass(frozen=True, slots=True)
class Runner:
    """How the statements under an ``if`` or a ``for`` are run."""

    run: Callable[[tree.Body, Here], None]
    as_branches: bool = False
    """Each step is a branch of the combinator around it, instead of moving the stream."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A scope about to run as a module of its own: a block, a seq, a labelled group.

    ``env`` is the environment that it runs in: for a block one of its own, inside its file's, that binds its
    parameters; for a seq or group the one in which it stands. ``given`` are the arguments that the call gives.
    """

    scope: Scope
    module: Module
    arguments: dict[str, Any]
    env: Env
    site: tree.Node
    given: Mapping[str, Given] = field(default_factory=dict)


class Strategy(Protocol):
    """Decides what of the text is run. Each method moves ``here.stream`` and records its event in ``here.events``."""

    def choose(self, node: tree.If, here: Here, runner: Runner) -> None:
        """An ``if`` with its ``else if``s: run the arm that is taken."""
        ...

    def iterate(self, node: tree.For, here: Here, runner: Runner) -> None:
        """A ``for``: run its turns."""
        ...

    def enter(self, entry: Entry, here: Here) -> None:
        """A scope that is a module: run it."""
        ...


class Builder(Protocol):
    """What a strategy may ask of the builder."""

    def evaluate(self, node: tree.Expr | tree.Labelled, here: Here) -> Any:
        """The value of an expression."""
        ...

    def truth_of(self, value: Any, node: tree.Node) -> bool:
        """A condition as a bool."""
        ...

    def items_of(self, value: Any, node: tree.Node) -> Any:
        """What a loop runs over."""
        ...

    def bind_patterns(
        self, patterns: tuple[tree.Pattern, ...], item: Any, env: Env, here: Here, site: tree.Node
    ) -> dict[str, Any]:
        """Bind one item to ``p`` or to ``p, q``; the names and values that were bound."""
        ...

    def expand(self, entry: Entry, here: Here) -> None:
        """Run the text of a scope where it stands, and record it as an instance."""
        ...


class Concrete:
    """Every condition is decided, every turn taken, every scope expanded."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def choose(self, node: tree.If, here: Here, runner: Runner) -> None:
        arm, body = self._taken(node, here)
        events: list[Event] = []
        here.events.append(Chose(node, arm, here.seen(), events))
        if body is not None:
            with recording(here, events):
                runner.run(body, here)

    def _taken(self, node: tree.If, here: Here) -> tuple[int | None, tree.Body | None]:
        """The arm that an if (with its else ifs) takes: its number in text order, and its body."""
        arm, current = 0, node
        while True:
            condition = self._builder.evaluate(current.condition, here)
            if self._builder.truth_of(condition, current.condition):
                return arm, current.then
            arm += 1
            if not isinstance(current.otherwise, tree.If):
                return (arm, current.otherwise) if current.otherwise is not None else (None, None)
            current = current.otherwise

    def iterate(self, node: tree.For, here: Here, runner: Runner) -> None:
        items = self._builder.items_of(self._builder.evaluate(node.iterable, here), node.iterable)
        looped = Looped(node, [], here.seen())
        here.events.append(looped)
        for item in items:
            with recording(here, []) as events:
                variables = self._builder.bind_patterns(node.patterns, item, here.env, here, node)
                looped.turns.append(Turn(variables, events))
                runner.run(node.body, here)

    def enter(self, entry: Entry, here: Here) -> None:
        self._builder.expand(entry, here)


@contextmanager
def recording(here: Here, events: list[Event]) -> Iterator[list[Event]]:
    """While the events of a turn or an arm are recorded."""
    outer, here.events = here.events, events
    try:
        yield events
    finally:
        here.events = outer
