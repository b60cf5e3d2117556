"""Where a statement or a layer stands in the network that is being built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace

from archdsl.evaluate.network import outside
from archdsl.evaluate.place import Place
from archdsl.evaluate.values import Env, Given, Layer, SpecValue, Stream, Value
from archdsl.graph import BranchTaken, Event, Instance, LoopEvent, Module, Turn
from archdsl.record import record
from archdsl.syntax import tree

Defaults = Mapping[object, Mapping[str, Given]]
"""What ``with`` set: for an operator's class or a block's definition, values of arguments."""


@record(frozen=False, slots=True)
class Counter:
    """Members of a seq so far; ``formerly`` with the values that archdsl 0.1 numbered too."""

    count: int = 0
    formerly: int = 0


@record(frozen=False, slots=True)
class NetworkPlace:
    """A place in the text and in the module tree; what happens there is added to ``events``."""

    env: Env
    stream: Stream
    events: list[Event]
    instance: Instance
    module: Module
    counter: Counter | None = None
    """Numbers the members of a seq; None elsewhere."""
    defaults: Defaults = field(default_factory=dict[object, Mapping[str, Given]])
    again: bool = False
    """In a later run of a shared module: its parts exist already."""
    arrived: Stream = None
    """What was on the stream before the chain that is being run."""
    written: tuple[SpecValue, tree.ChainExpr] | None = None
    """A value that was put on the stream, and the expression that gave it."""
    in_expression: bool = False
    """Within an expression that gives a value: a layer without a name of its own takes no number there."""

    def aside(self, stream: Stream, env: Env | None = None) -> NetworkPlace:
        return NetworkPlace(
            env or self.env,
            stream,
            self.events,
            self.instance,
            self.module,
            self.counter,
            self.defaults,
            self.again,
            in_expression=self.in_expression,
        )

    def inside_value(self, stream: Stream, env: Env | None = None) -> NetworkPlace:
        inner = self.aside(stream, env)
        inner.in_expression = True
        return inner

    def apart(self, env: Env | None = None) -> NetworkPlace:
        inner = self.aside(self.stream, env)
        inner.events = []
        return inner

    def of_shared_module(self, *, again: bool, defaults: Defaults) -> NetworkPlace:
        """The same place for the run of a module that has its place elsewhere: it takes no number here."""
        return replace(self, again=self.again or again, counter=None, defaults=defaults)

    def put(self, value: SpecValue, site: tree.ChainExpr) -> None:
        self.stream, self.written = value, (value, site)

    def seen(self) -> Env:
        return self.env.freeze(self.stream)

    def record_choice(self, node: tree.Ternary, arm: int, inner: NetworkPlace, value: SpecValue) -> None:
        if inner.events or isinstance(value, Value | Layer):
            self.events.append(BranchTaken(node, arm, self.seen(), inner.events))

    def record_turns(
        self, node: tree.Comprehension, turns: Sequence[tuple[dict[str, SpecValue], NetworkPlace]]
    ) -> None:
        if any(place.events for _, place in turns):
            taken = [Turn(variables, place.events) for variables, place in turns]
            self.events.append(LoopEvent(node, taken, self.seen()))


@contextmanager
def recording(place: NetworkPlace, events: list[Event]) -> Iterator[list[Event]]:
    """While the events of a turn or an arm are recorded."""
    outer, place.events = place.events, events
    try:
        yield events
    finally:
        place.events = outer


def in_network(place: Place, site: tree.Node) -> NetworkPlace:
    """A place at which something can run.

    Raises:
        Fault: the expression stands in no model or block.
    """
    if not isinstance(place, NetworkPlace):
        raise outside(site)
    return place


@record(slots=True)
class Naming:
    """How a layer about to run gets its place in the module tree: by a label, or by a declaration (``module``)."""

    label: str | None = None
    site: tree.Node | None = None
    module: Module | None = None
    is_value: bool = False
    """An operation that is written as a value (``a + b``, ``x[0]``): it has no place."""


UNNAMED = Naming()
VALUE = Naming(is_value=True)
