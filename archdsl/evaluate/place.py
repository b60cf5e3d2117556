"""Where an expression stands: in the text, and perhaps in a network.

The evaluator knows a ``Place`` only. A ``TextPlace`` is all of it where there is no network: for the value of a ``let``
of a file, of a setting, of an argument that a back end reads again. The elaborator has a place of its own, which stands
in a module tree and records what happens there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from archdsl.evaluate.values import Env, SpecValue, Stream
from archdsl.record import record
from archdsl.syntax import tree


class Place(Protocol):
    """Where an expression stands."""

    env: Env
    stream: Stream
    """What ``it`` is."""

    @property
    def arrived(self) -> Stream:
        """What was on the stream before the chain that is being run."""
        ...

    def aside(self, stream: Stream, env: Env | None = None) -> Self:
        """The same place with a stream of its own: a branch, a chain in a ``let``."""
        ...

    def inside_value(self, stream: Stream, env: Env | None = None) -> Self:
        """Likewise, within an expression that gives a value."""
        ...

    def apart(self, env: Env | None = None) -> Self:
        """The same place; what happens there is recorded by itself: an arm, a turn."""
        ...

    def put(self, value: SpecValue, site: tree.ChainExpr) -> None:
        """Replace the stream by a value that was written at ``site``."""
        ...

    def seen(self) -> Env:
        """The environment as it is now, to be kept by an event or a closure."""
        ...

    def record_choice(self, node: tree.Ternary, arm: int, inner: Self, value: SpecValue) -> None:
        """A ternary took an arm; ``inner`` is the place in which it ran."""
        ...

    def record_turns(self, node: tree.Comprehension, turns: Sequence[tuple[dict[str, SpecValue], Self]]) -> None:
        """A comprehension took its turns; each ran in a place of its own."""
        ...


@record(frozen=False, slots=True)
class TextPlace:
    """A place in the text that is in no network."""

    env: Env
    stream: Stream = None

    @property
    def arrived(self) -> Stream:
        return None

    def aside(self, stream: Stream, env: Env | None = None) -> TextPlace:
        return TextPlace(env or self.env, stream)

    def inside_value(self, stream: Stream, env: Env | None = None) -> TextPlace:
        return TextPlace(env or self.env, stream)

    def apart(self, env: Env | None = None) -> TextPlace:
        return TextPlace(env or self.env, self.stream)

    def put(self, value: SpecValue, site: tree.ChainExpr) -> None:
        self.stream = value

    def seen(self) -> Env:
        return self.env.freeze(self.stream)

    def record_choice(self, node: tree.Ternary, arm: int, inner: TextPlace, value: SpecValue) -> None:
        pass

    def record_turns(self, node: tree.Comprehension, turns: Sequence[tuple[dict[str, SpecValue], TextPlace]]) -> None:
        pass
