"""Specs as they grow: statements with bodies in them, and the places where more can stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import torch
from torch import Tensor

from archdsl.dims import Size, evaluate
from archdsl.graph import Value

from .graphs import DTYPES

DTYPE = {**DTYPES, "bool": torch.bool}
SAMPLE = {"N": 2, "C": 4, "H": 8, "W": 6, "T": 6, "L": 5, "S": 4}
"""Sizes that symbols have while arguments are drawn."""
MAX_NUMBERS = 20_000
"""Numbers of a value, at the sizes above: larger networks would only take longer."""


@dataclass(eq=False)
class Body:
    """Statements in braces. ``fixed`` of them come first and stay first."""

    statements: list[Statement] = field(default_factory=list)
    kind: Literal["steps", "seq", "branches"] = "steps"
    fixed: int = 0


@dataclass(eq=False)
class Statement:
    """Text with bodies in it. ``binds`` are the names of values that it leaves behind."""

    parts: tuple[str | Body, ...]
    binds: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    """Names of whole numbers that are known in its bodies only."""
    numbers: tuple[str, ...] = ()
    """Names of numbers that it leaves behind, or that are known in its bodies, where it is a definition."""
    layers: tuple[str, ...] = ()
    """Names of layers, likewise."""

    @property
    def bodies(self) -> Iterator[Body]:
        return (part for part in self.parts if isinstance(part, Body))


def plain(*lines: str) -> list[Statement]:
    return [Statement((line,)) for line in lines]


@dataclass(frozen=True)
class Scope:
    """What is known at a place."""

    in_model: bool
    kind: str
    values: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """Between two statements of a body; ``stream`` is what arrived there when it first ran."""

    body: Body
    at: int
    scope: Scope
    stream: Any
    values: dict[str, Value]
    """The named values of this scope."""

    @property
    def tensor(self) -> Tensor:
        return tensor(self.stream)


def tensor(value: Value) -> Tensor:
    """A tensor without contents of this type, at the sample sizes."""
    return torch.empty([number(size) for size in value.shape], dtype=DTYPE[value.dtype], device="meta")


def number(size: Size) -> int:
    return evaluate(size, SAMPLE)


class Text:
    """Writes a spec; ``probes`` puts ``it as q17`` at some of its places."""

    def __init__(self, probes: Random | None) -> None:
        self.probes = probes
        self.lines: list[str] = []
        self.places: list[tuple[Body, int, Scope]] = []

    def definition(self, made: Statement, in_model: bool) -> None:
        scope = Scope(in_model, "steps", numbers=made.numbers, layers=made.layers)
        self._statement(made, scope, "")

    def _statement(self, made: Statement, scope: Scope, indent: str) -> None:
        open_line = indent
        for part in made.parts:
            if isinstance(part, str):
                open_line += part
                continue
            self.lines.append(open_line + "{")
            self._body(part, scope, indent + "  ", made.loops)
            open_line = indent + "}"
        self.lines.append(open_line)

    def _body(self, body: Body, outer: Scope, indent: str, loops: tuple[str, ...]) -> None:
        values, numbers, layers = [*outer.values], [*outer.numbers, *loops], [*outer.layers]
        known = outer.loops + loops
        for at in range(len(body.statements) + 1):
            scope = Scope(outer.in_model, body.kind, tuple(values), tuple(numbers), tuple(layers), known)
            is_place = body.kind != "branches" and at >= body.fixed
            if is_place and self.probes is not None and (len(self.places) < 4 or self.probes.random() < 0.4):
                self.lines.append(f"{indent}it as q{len(self.places)}")
                self.places.append((body, at, scope))
            if at < len(body.statements):
                made = body.statements[at]
                self._statement(made, scope, indent)
                values += _bound(made)
                numbers += made.numbers
                layers += made.layers


def _bound(made: Statement) -> list[str]:
    """The names that a statement leaves behind, those of its bodies among them."""
    return [*made.binds, *(name for body in made.bodies for inner in body.statements for name in _bound(inner))]


def numbers_of(stream: Any) -> int:
    """How many numbers there are on a stream, at the sample sizes."""
    if isinstance(stream, list):
        return sum(map(numbers_of, stream))
    if not isinstance(stream, Value):
        return 0
    try:
        return tensor(stream).numel()
    except (KeyError, RuntimeError, ZeroDivisionError):
        return MAX_NUMBERS + 1
