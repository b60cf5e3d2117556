"""The operators of a network, scope by scope: what lowering makes of the calls, and the later passes change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from archdsl.importing.calls import ModuleFacts, Value

Operand: TypeAlias = "Value | int | float | bool | Power"


@dataclass(frozen=True)
class Power:
    """``base ** exponent``, kept as it is written: the scale of attention."""

    base: Any
    exponent: float


@dataclass(eq=False)
class Operator:
    """An operator on values. ``module`` owns its weights, ``member`` is the module that is nothing but this.

    ``operands`` are those of an infix operator (``+``), numbers among them, and of an index (``[]``).
    """

    name: str
    arguments: dict[str, Any]
    inputs: list[Value]
    outputs: list[Value]
    module: str | None = None
    member: str | None = None
    operands: list[Operand] = field(default_factory=list[Operand])

    def replace_values(self, new: Callable[[Value], Value]) -> None:
        """Reads other values."""
        self.inputs = [new(v) for v in self.inputs]
        self.operands = [new(o) if isinstance(o, Value) else o for o in self.operands]


@dataclass(eq=False)
class ScopeRun:
    """A run of a scope."""

    scope: Scope
    inputs: list[Value]
    outputs: list[Value]

    @property
    def module(self) -> str:
        return self.scope.path

    @property
    def member(self) -> str:
        return self.scope.path

    def replace_values(self, new: Callable[[Value], Value]) -> None:
        """Reads other values."""
        self.inputs = [new(v) for v in self.inputs]
        self.scope.replace_values(new)


Step: TypeAlias = Operator | ScopeRun


@dataclass(eq=False)
class Scope:
    """What a module does. ``is_group``: no module ran as such, but its children were called past it.

    ``lists`` are its children that hold modules which run in turns with others.
    """

    path: str
    facts: ModuleFacts | None
    inputs: list[Value]
    outputs: list[Value]
    steps: list[Step]
    is_group: bool = False
    lists: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.facts.class_name if self.facts is not None else ""

    @property
    def is_chain(self) -> bool:
        return self.facts is not None and self.facts.forward == "chain"

    @property
    def children(self) -> Mapping[str, ModuleFacts]:
        return self.facts.children if self.facts is not None else {}

    def replace_values(self, new: Callable[[Value], Value]) -> None:
        """Reads and gives other values."""
        self.inputs = [new(v) for v in self.inputs]
        self.outputs = [new(v) for v in self.outputs]
        for step in self.steps:
            step.replace_values(new)

    def walk(self) -> Iterator[Scope]:
        """This scope and those that run in it, outer ones first."""
        yield self
        for step in self.steps:
            if isinstance(step, ScopeRun):
                yield from step.scope.walk()

    def reads(self) -> set[Value]:
        """The values that its operators and those of scopes in it read."""
        found: set[Value] = set()
        for step in self.steps:
            found.update(step.inputs)
            if isinstance(step, ScopeRun):
                found |= step.scope.reads()
        return found


def uses_of(scope: Scope) -> dict[Value, int]:
    """How often each value is read by the steps of a scope, or given by it."""
    uses: dict[Value, int] = {}
    for value in [*(v for step in scope.steps for v in step.inputs), *scope.outputs]:
        uses[value] = uses.get(value, 0) + 1
    return uses


def makers(scope: Scope) -> dict[Value, Step]:
    """The step that makes each value."""
    return {value: step for step in scope.steps for value in step.outputs}
