"""Where modules are made in the constructor, and how ``forward`` calls them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from archdsl.emit.torch.flow import Flow
from archdsl.emit.torch.lookup import Lookup
from archdsl.emit.torch.names import is_identifier
from archdsl.emit.torch.rows import Conflict, Row
from archdsl.emit.torch.speech import View
from archdsl.emit.torch.state import Here, Level, Make, Making, Say
from archdsl.emit.torch.terms import NoValue, Term, call, copied, dotted, holds, literal, own
from archdsl.graph import Module
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.evaluate.values import Env

Maker = Callable[[Sequence[Row], Sequence[int]], Make]
"""Makes a module for rows, and what stands at their positions; its label is set by `Modules`."""


class Modules(Lookup):
    """Places modules."""

    def module(
        self,
        rows: Sequence[Row],
        modules: Sequence[Module],
        site: tree.Node,
        envs: Sequence[Env],
        here: Here,
        make: Maker,
    ) -> ast.expr:
        """The module in the rows as ``forward`` names it; it is made first, where it has not been yet.

        Raises:
            Conflict: it has no place that one text can name.
        """
        labels = [_within(module, row) for row, module in zip(rows, modules, strict=True)]
        if any(label is None for label in labels):
            raise Conflict("a module of another class is called", rows, [m.path for m in modules])
        if modules[0] not in self.state.made:
            firsts = _first_of_each(modules)
            self._make([rows[i] for i in firsts], [modules[i] for i in firsts], site, envs, here, make, firsts)
        return self._reference(rows, labels, site, envs, here.flow)  # type: ignore[arg-type]

    def _make(
        self,
        rows: Sequence[Row],
        modules: Sequence[Module],
        site: tree.Node,
        envs: Sequence[Env],
        here: Here,
        make: Maker,
        positions: Sequence[int],
    ) -> None:
        place = self.state.places.get(modules[0])
        if place is not None:  # declared outside of any loop around the call
            rows = [list(row.lineage())[-1] for row in rows]
        made = make(rows, positions)
        made.label = self.label(rows, [m.name for m in modules], site, [envs[i] for i in positions], "init", here.flow)
        if made.inits is not None:
            inits = made.inits(_Placed(_within(modules[0], rows[0]), made.label))
            if isinstance(made.value, ast.Call) and self.has_init_loop(made.value):
                self.late += self._late(inits, rows, here)
            else:
                made.after += map(Say, inits)
        target: list[Making] = here.init if place is None else place.made
        target.append(made)
        self.state.made.update(modules)

    @staticmethod
    def _late(inits: list[ast.stmt], rows: Sequence[Row], here: Here) -> list[ast.stmt]:
        """Exceptions to a loop's initial values, under the conditions of what they are for."""
        if inits and here.is_in_loop:
            raise Conflict("initial values of its own in a loop", rows)
        for condition in reversed(here.conditions if inits else ()):
            inits = [ast.If(copied(condition), inits, [])]
        return inits

    def label(
        self, rows: Sequence[Row], labels: Sequence[str], site: tree.Node, envs: Sequence[Env], level: Level, flow: Flow
    ) -> ast.expr:
        """A label as an expression: a string, or a computed one.

        Raises:
            Conflict: it differs between rows as no text says.
        """
        if all(label == labels[0] for label in labels):
            return literal(labels[0])
        node = self.file.label_of(site)
        if isinstance(node, tree.Computed) and len(envs) == len(rows):
            try:
                view = View(tuple(rows), tuple(envs), level, flow)
                parts = [self._label_part(part, view) for part in node.parts]
                candidate = parts[0].value if _is_whole(parts, labels) else ast.JoinedStr(parts)
                if holds(candidate, rows, labels):
                    return candidate
            except NoValue:
                pass
        raise Conflict("labels differ", rows, labels, "label")

    def _label_part(self, part: str | tree.Expr, view: View) -> ast.expr:
        if isinstance(part, str):
            return literal(part)
        said = self.say(part, view)
        return literal(str(said.value)) if isinstance(said, ast.Constant) else ast.FormattedValue(said, -1)

    def _is_numbered(self, label: str) -> bool:
        return self.scope.kind == "seq" and label.isdigit()

    def _reference(
        self, rows: Sequence[Row], labels: Sequence[str], site: tree.Node, envs: Sequence[Env], flow: Flow
    ) -> ast.expr:
        if all(label == labels[0] for label in labels):
            return NumberedMember(self, int(labels[0])) if self._is_numbered(labels[0]) else module_at(labels[0])
        return call(own("get_submodule"), self.label(rows, labels, site, envs, "forward", flow))


@dataclass(frozen=True)
class _Placed:
    """A module of the class, as its constructor reaches its weights."""

    path: str | None
    label: ast.expr

    def __call__(self, weight: str) -> ast.expr:
        if isinstance(self.label, ast.Constant) and self.path is not None:
            if is_identifier(self.path):
                return dotted(own(self.path), weight)
            return call(own("get_parameter"), literal(f"{self.path}.{weight}"))
        parts = self.label.values if isinstance(self.label, ast.JoinedStr) else [ast.FormattedValue(self.label, -1)]
        return call(own("get_parameter"), ast.JoinedStr([*parts, literal(f".{weight}")]))


def module_at(path: str) -> ast.expr:
    """A module below ``self`` by its dotted path."""
    parts = path.split(".")
    if not is_identifier(parts[0]):
        return call(own("get_submodule"), literal(path))
    node = own(parts[0])
    for part in parts[1:]:
        if part.isdigit():
            node = ast.Subscript(node, literal(int(part)))
        elif is_identifier(part):
            node = ast.Attribute(node, part)
        else:
            return call(own("get_submodule"), literal(path))
    return node


class NumberedMember(Term):
    """A member of a seq that is no plain chain: ``self[0]``, if the class is a list of modules."""

    def __init__(self, writer: Modules, number: int) -> None:
        super().__init__()
        self.writer = writer
        self.number = number

    def final(self) -> ast.expr:
        if self.writer.is_list:
            return ast.Subscript(ast.Name("self"), ast.Constant(self.number))
        return call(own("get_submodule"), literal(str(self.number)))

    def key(self) -> object:
        return self.number


def _is_whole(parts: Sequence[ast.expr], labels: Sequence[str]) -> TypeGuard[list[ast.FormattedValue]]:
    """Is a label nothing but one string of the spec?"""
    return len(parts) == 1 and isinstance(parts[0], ast.FormattedValue) and not any(t.isdigit() for t in labels)


def _within(module: Module, row: Row) -> str | None:
    """The path of a module below the class in a row; None if it stands elsewhere."""
    base = row.instance.module.path
    if not base:
        return module.path
    return module.path[len(base) + 1 :] if module.path.startswith(base + ".") else None


def _first_of_each(modules: Sequence[Module]) -> list[int]:
    """Positions at which a module stands for the first time."""
    seen: dict[Module, int] = {}
    for position, module in enumerate(modules):
        seen.setdefault(module, position)
    return list(seen.values())
