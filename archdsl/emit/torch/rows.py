"""Rows: the runs of one text that are looked at side by side.

A class is written from the text of its block while the events of all its instances are walked abreast, each event
with its counterparts of the other rows. A row is one instance, or one turn of a loop in it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from archdsl.graph import Event, Instance, OpSkipped


class Conflict(Exception):
    """The rows differ in a way that one text cannot say. ``parts`` tells which instances go together.

    ``hint`` names what differs, for the names of the classes into which the instances fall apart.
    """

    def __init__(self, reason: str, rows: Sequence[Row] = (), parts: Sequence[Hashable] = (), hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.parts: dict[Instance, Hashable] = {}
        for row, part in zip(rows, parts, strict=False):
            before = self.parts.get(row.instance, ())
            self.parts[row.instance] = (*before, part) if isinstance(before, tuple) else (before, part)


@dataclass(eq=False, slots=True)
class Row:
    """One instance of the class, or one turn of a loop of the emitted source in it (``outer`` is the row around)."""

    instance: Instance
    outer: Row | None = None
    turn: Mapping[str, Any] = field(default_factory=dict)

    def lineage(self) -> Iterator[Row]:
        """The row and those around it."""
        row: Row | None = self
        while row is not None:
            yield row
            row = row.outer


Strand = tuple[Row, Sequence[Event]]
"""What happened in a row, at one place of the text."""

E = TypeVar("E", bound=Event)
Step = list[tuple[Row, E]]
"""An event with its counterparts of all rows."""


def abreast(strands: Sequence[Strand]) -> Iterator[Step[Event]]:
    """The events of all rows, one after the other. A layer that is `none` in some rows stands beside what ran there.

    Raises:
        Conflict: not the same things happened.
    """
    rows = [row for row, _ in strands]
    shapes = [tuple(e.site for e in events) for _, events in strands]
    if any(shape != shapes[0] for shape in shapes):
        raise Conflict("not the same happened", rows, shapes)
    for position in range(len(shapes[0])):
        step = [(row, events[position]) for row, events in strands]
        kinds = [type(e) for _, e in step if not isinstance(e, OpSkipped)]
        if any(kind is not kinds[0] for kind in kinds):
            raise Conflict("different things happened", rows, [type(e) for _, e in step])
        yield step


def rows_of(step: Sequence[tuple[Row, Any]]) -> list[Row]:
    return [row for row, _ in step]
