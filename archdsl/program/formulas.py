"""Tables of numbers as the text computes them, beside their numbers: ``distances(p)`` for p = 7.

A formula is an expression of the language and what its names stand for where it is written. A target may write it
instead of the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from archdsl.dims import Dim
from archdsl.evaluate.tables import OpenTable
from archdsl.evaluate.values import MISSING, Builtin, Env, Function, is_list
from archdsl.graph import Event, Named, Node, OpRun, TensorDeclared
from archdsl.ops.tensor import Constant
from archdsl.program.numbers import Number, OpenNumbers
from archdsl.record import record
from archdsl.syntax import tree

MAX_LITERAL = 16
"""Tables with more numbers have a formula, where the text has one."""

Meaning: TypeAlias = "Number | str | tuple[Meaning, ...] | Function | Formula"
"""What a name in a formula stands for."""


@record
class Formula:
    """An expression, what the names in it stand for that it does not bind itself, and the name that it has, if any."""

    node: tree.Node
    names: tuple[tuple[str, Meaning], ...]
    name: str = ""


class Formulas:
    """Finds the formulas of the tables in one instance."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._envs: dict[Node, Env] = {}
        self._named: list[Named] = []
        for event in events:
            match event:
                case OpRun(node=node, env=env):
                    self._envs[node] = env
                case TensorDeclared(contents=contents, env=env):
                    self._envs.update(dict.fromkeys(contents, env))
                case Named():
                    self._named.append(event)
                case _:
                    pass

    @property
    def open(self) -> list[Formula | None]:
        """The formulas of tables whose numbers are open."""
        tables = (n for n in self._envs if isinstance(n.op, Constant) and isinstance(n.op.data, OpenNumbers))
        return list(map(self.of, tables))

    def of(self, node: Node) -> Formula | None:
        """The formula of a long table of numbers; None for another operator, or if there is none."""
        env = self._envs.get(node)
        if env is None or not isinstance(node.op, Constant) or not _is_long(node.op.data):
            return None
        return self.formula(node.site, env)

    def formula(self, node: tree.Node, env: Env) -> Formula | None:
        """An expression as a formula; None if a name in it has a meaning that a formula cannot have."""
        names: dict[str, Meaning] = {}
        for text in free_names(node):
            value = env.lookup(text)
            meaning = self._meaning(text, value)
            if meaning is not None:
                names[text] = meaning
            elif value is not MISSING and not isinstance(value, Builtin):
                return None
        if isinstance(node, tree.Name):
            found = names.get(node.text)
            return found if isinstance(found, Formula) else None
        return Formula(node, tuple(names.items()))

    def _meaning(self, text: str, value: object) -> Meaning | None:
        match value:
            case int() | float() | str() | Dim() | Function():
                return value
            case list() | range():
                if _is_long(value):
                    return self._of_let(text, value)
                items = [self._meaning(text, item) for item in value]
                plain = tuple(i for i in items if i is not None)
                return plain if len(plain) == len(items) else None
        return None

    def _of_let(self, text: str, value: object) -> Formula | None:
        """The formula of a ``let`` of the same scope."""
        for event in self._named:
            if event.name == text and event.what is value and isinstance(event.site, tree.Let):
                found = self.formula(event.site.value, event.env)
                return replace(found, name=text) if found is not None else None
        return None


def free_names(node: tree.Node) -> Iterator[str]:
    """The names that an expression reads and does not bind, each once."""
    bound = {
        pattern.text
        for part in tree.walk(node)
        if isinstance(part, tree.Clause)
        for pattern in part.patterns
        if isinstance(pattern, tree.Name)
    }
    read = (part.text for part in tree.walk(node) if isinstance(part, tree.Name))
    yield from (text for text in dict.fromkeys(read) if text not in bound)


def _is_long(table: object) -> bool:
    return isinstance(table, OpenTable | OpenNumbers) or _count(table) > MAX_LITERAL


def _count(value: object) -> int:
    return sum(map(_count, value)) if isinstance(value, tuple) or is_list(value) else 1
