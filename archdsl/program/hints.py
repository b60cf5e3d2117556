"""How the text speaks of what an instance computes: the names of values, and the statements that compute them.

A target writes its variables and lines after them; nothing depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from archdsl.graph import (
    Branch,
    Event,
    Instance,
    LoopEvent,
    Merged,
    Named,
    Node,
    OpRun,
    OutputEvent,
    ScopeRun,
    TensorDeclared,
    Value,
    inside,
    values_in,
)
from archdsl.record import record
from archdsl.syntax import tree

Statement: TypeAlias = tuple[int, ...]
"""A statement of the text by its place, and the turns of the loops in which it runs."""


@record
class Hint:
    """How the text speaks of a value.

    ``names`` are names for it, the best one first; ``is_named``: the author gave it one. ``line`` is that of the
    statement. A value ``is_merged`` by a combinator, ``is_light`` if a normalization or activation gives it, and
    ``is_random`` if random numbers are drawn for it.
    """

    names: tuple[str, ...] = ()
    is_named: bool = False
    statement: Statement | None = None
    line: int = 0
    is_merged: bool = False
    is_light: bool = False
    is_random: bool = False


NO_HINT = Hint()
BRANCH_NAMES = {"mul": ("scale",), "concat": ("branch",), "stack": ("branch",), "add": ("branch",)}


@dataclass(frozen=True)
class _Here:
    """Where an event happens: in which turns of loops, and in which combinator, with the names of its branches."""

    turns: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    combinator: tree.Node | None = None


@dataclass
class Hints:
    """The hints for the values of one instance, by value."""

    instance: Instance
    of: dict[Value, Hint] = field(default_factory=dict)
    _steps: dict[tree.Node, tree.Node] = field(default_factory=dict)
    _labels: dict[Value, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        root = self.instance.scope.definition or self.instance.scope.text
        _map_steps(root, None, self._steps)
        self._walk(self.instance.events, _Here())

    def _walk(self, events: Iterable[Event], here: _Here) -> None:
        for event in events:
            self._event(event, here)

    def _event(self, event: Event, here: _Here) -> None:
        match event:
            case OpRun(node=node, site=site):
                self._ran(node, site, here)
            case TensorDeclared(node=node, site=site, name=name):
                self._made([node.output], site, here, Hint(names=(name,)))
            case ScopeRun(instance=instance, site=site):
                given = [v for v in values_in(instance.result) if v not in set(values_in(instance.stream))]
                is_random = any(n.op.is_random for i in instance.walk() for n in i.nodes)
                self._made(given, site, here, Hint(is_random=is_random))
                self._label(given, instance.module.name, here)
            case LoopEvent(turns=turns):
                for number, turn in enumerate(turns):
                    self._walk(turn.events, replace(here, turns=(*here.turns, number)))
            case Merged(site=site, nodes=nodes, kind=kind):
                names = () if isinstance(site, tree.Residual) else BRANCH_NAMES[kind]
                self._walk(event.events, replace(here, names=names, combinator=site))
                for node in nodes:
                    self._made(node.outputs, site, here, Hint(is_merged=True))
            case Branch(site=site):
                names = here.names
                if isinstance(here.combinator, tree.Residual) and site is not None:
                    names = ("shortcut",) if site is here.combinator.shortcut else ()
                self._walk(event.events, replace(here, names=names))
            case Named(name=name, what=Value() as value):
                self._named(value, name, event.site)
            case OutputEvent(output=output):
                self._walk(event.events, here)
                known = self.of.get(output.value, NO_HINT)
                self.of[output.value] = replace(known, names=(*known.names, output.name))
            case _:
                self._walk(inside(event), here)

    def _ran(self, node: Node, site: tree.Node, here: _Here) -> None:
        is_light = node.op.palette in ("norm", "act")
        self._made(node.outputs, site, here, Hint(is_light=is_light, is_random=node.op.is_random))
        if node.module is not None:
            self._label(node.outputs, node.module.name, here)
        elif len(node.inputs) == 1 and node.inputs[0] in self._labels:
            self._label(node.outputs, self._labels[node.inputs[0]], here)

    def _made(self, values: Sequence[Value], site: tree.Node, here: _Here, hint: Hint) -> None:
        step = self._steps.get(site)
        if step is not None:
            line, _ = step.span.source.position(step.span.start)
            hint = replace(hint, statement=(step.span.start, *here.turns), line=line)
        for value in values:
            self.of[value] = replace(hint, names=(*hint.names, *here.names))

    def _label(self, values: Sequence[Value], label: str, here: _Here) -> None:
        """In a combinator, a branch may be called as the module that gives it."""
        if "branch" in here.names and len(values) == 1 and label.isidentifier():
            value = values[0]
            self._labels[value] = re.sub(r"_\d+$", "", label)
            self.of[value] = replace(self.of[value], names=(self._labels[value], *self.of[value].names))

    def _named(self, value: Value, name: str, site: tree.Node) -> None:
        known = self.of.get(value, NO_HINT)
        is_given = value not in self.of or isinstance(site, tree.Input)
        if not known.is_named:
            self.of[value] = replace(known, names=(name, *known.names), is_named=not is_given)


def _map_steps(node: tree.Node, step: tree.Node | None, steps: dict[tree.Node, tree.Node]) -> None:
    """For every expression, the statement that it belongs to."""
    if isinstance(node, tree.Step | tree.Output | tree.Let | tree.Declare):
        step = node
    if step is not None:
        steps.setdefault(node, step)
    for child in tree.children(node):
        _map_steps(child, step, steps)
