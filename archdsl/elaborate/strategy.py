"""How the text is run: which arm of an ``if``, which turns of a ``for``, and what a scope that is entered becomes.

The builder asks a strategy for these three, and for nothing else. ``Concrete`` decides each condition, takes every turn
and expands every scope, which gives the graph of one network. Another strategy may keep a condition or a loop open, or
leave a block as a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Protocol

from archdsl.elaborate.place import NetworkPlace, recording
from archdsl.evaluate.place import Place
from archdsl.evaluate.values import Env, Given, SpecList, SpecValue
from archdsl.graph import BranchTaken, Event, LoopEvent, Module, Scope, Turn
from archdsl.record import record
from archdsl.syntax import tree


@record(slots=True)
class Runner:
    """How the statements under an ``if`` or a ``for`` are run."""

    run: Callable[[tree.Body, NetworkPlace], None]
    as_branches: bool = False
    """Each step is a branch of the combinator around it, instead of moving the stream."""


@record(slots=True)
class Entry:
    """A scope about to run as a module of its own: a block, a seq, a labelled group.

    ``env`` is the environment that it runs in: for a block one of its own, inside its file's, that binds its
    parameters; for a seq or group the one in which it stands. ``given`` are the arguments that the call gives.
    """

    scope: Scope
    module: Module
    arguments: Mapping[str, SpecValue]
    env: Env
    site: tree.Node
    given: Mapping[str, Given] = field(default_factory=dict[str, Given])


class Strategy(Protocol):
    """Decides what of the text is run. Each method moves ``here.stream`` and records its event in ``here.events``."""

    def choose(self, node: tree.If, here: NetworkPlace, runner: Runner) -> None:
        """An ``if`` with its ``else if``s: run the arm that is taken."""
        ...

    def iterate(self, node: tree.For, here: NetworkPlace, runner: Runner) -> None:
        """A ``for``: run its turns."""
        ...

    def enter(self, entry: Entry, here: NetworkPlace) -> None:
        """A scope that is a module: run it."""
        ...


class Builder(Protocol):
    """What a strategy may ask of the elaborator."""

    def holds(self, node: tree.Expr, place: Place) -> bool:
        """Whether a condition is true."""
        ...

    def items_of(self, node: tree.Expr, place: Place) -> SpecList:
        """The list that a loop runs over."""
        ...

    def bind_patterns(
        self, patterns: tuple[tree.Pattern, ...], item: SpecValue, env: Env, place: Place, site: tree.Node
    ) -> dict[str, SpecValue]:
        """Bind one item to ``p`` or to ``p, q``; the names and values that were bound."""
        ...

    def expand(self, entry: Entry, here: NetworkPlace) -> None:
        """Run the text of a scope where it stands, and record it as an instance."""
        ...


class Concrete:
    """Every condition is decided, every turn taken, every scope expanded."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def choose(self, node: tree.If, here: NetworkPlace, runner: Runner) -> None:
        arm, body = self._taken(node, here)
        events: list[Event] = []
        here.events.append(BranchTaken(node, arm, here.seen(), events))
        if body is not None:
            with recording(here, events):
                runner.run(body, here)

    def _taken(self, node: tree.If, here: NetworkPlace) -> tuple[int | None, tree.Body | None]:
        """The arm that an if (with its else ifs) takes: its number in text order, and its body."""
        arm, current = 0, node
        while True:
            if self._builder.holds(current.condition, here):
                return arm, current.then
            arm += 1
            if not isinstance(current.otherwise, tree.If):
                return (arm, current.otherwise) if current.otherwise is not None else (None, None)
            current = current.otherwise

    def iterate(self, node: tree.For, here: NetworkPlace, runner: Runner) -> None:
        items = self._builder.items_of(node.iterable, here)
        looped = LoopEvent(node, [], here.seen())
        here.events.append(looped)
        for item in items:
            with recording(here, []) as events:
                variables = self._builder.bind_patterns(node.patterns, item, here.env, here, node)
                looped.turns.append(Turn(variables, events))
                runner.run(node.body, here)

    def enter(self, entry: Entry, here: NetworkPlace) -> None:
        self._builder.expand(entry, here)
