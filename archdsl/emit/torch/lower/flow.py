"""Which variables statements of a method read and assign, and which are still wanted where."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence


def names_in(node: ast.AST) -> Iterator[str]:
    """The names in a node, in the order in which Python evaluates them."""
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from names_in(child)


def names_read(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement reads, with those inside it."""
    match statement:
        case ast.Assign(value=value):
            yield from names_in(value)
        case ast.If(test=test, body=body, orelse=orelse):
            yield from names_in(test)
            yield from (n for s in (*body, *orelse) for n in names_read(s))
        case ast.For(iter=iterable, body=body):
            yield from names_in(iterable)
            yield from (n for s in body for n in names_read(s))
        case _:
            yield from names_in(statement)


def assigned(statement: ast.stmt) -> Iterator[str]:
    """The variables that a statement assigns, with those inside it."""
    match statement:
        case ast.Assign(targets=targets):
            yield from (n for target in targets for n in names_in(target))
        case ast.If(body=body, orelse=orelse):
            yield from (n for s in (*body, *orelse) for n in assigned(s))
        case ast.For(target=target, body=body):
            yield from names_in(target)
            yield from (n for s in body for n in assigned(s))


class Renamed(ast.NodeTransformer):
    """Puts expressions in the places of variables."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._values.get(node.id, node)


class Liveness:
    """Which variables are wanted behind each statement of a method."""

    def __init__(self, body: Sequence[ast.stmt]) -> None:
        self.after: dict[ast.stmt, set[str]] = {}
        self.before: set[str] = self._block(body, set())

    def _block(self, body: Sequence[ast.stmt], wanted: set[str]) -> set[str]:
        for statement in reversed(body):
            self.after[statement] = set(wanted)
            wanted = self._statement(statement, wanted)
        return wanted

    def _statement(self, statement: ast.stmt, wanted: set[str]) -> set[str]:
        match statement:
            case ast.Assign():
                return (wanted - set(assigned(statement))) | set(names_read(statement))
            case ast.If(test=test, body=body, orelse=orelse):
                return self._block(body, wanted) | self._block(orelse, wanted) | set(names_in(test))
            case ast.For(target=target, iter=iterable, body=body):
                turn = set(names_in(target))
                again = self._block(body, wanted) - turn  # what a turn reads, the next turn may read too
                return (self._block(body, wanted | again) - turn) | wanted | set(names_in(iterable))
        return wanted | set(names_in(statement))

    def interference(self) -> dict[str, set[str]]:
        """For each variable, those that hold another value while it is wanted."""
        found: dict[str, set[str]] = {}
        for statement, after in self.after.items():
            targets = _own_targets(statement)
            for variable in targets:
                self._apart(found, variable, (after | set(targets)) - {variable})
            if isinstance(statement, ast.For):
                inside = {n for s in statement.body for n in (*names_read(s), *assigned(s))} | after
                for variable in targets:
                    self._apart(found, variable, inside - {variable})
        return found

    @staticmethod
    def _apart(found: dict[str, set[str]], variable: str, others: Iterable[str]) -> None:
        for other in others:
            found.setdefault(variable, set()).add(other)
            found.setdefault(other, set()).add(variable)


def _own_targets(statement: ast.stmt) -> list[str]:
    """The variables that a statement itself assigns."""
    match statement:
        case ast.Assign():
            return list(assigned(statement))
        case ast.For(target=target):
            return list(names_in(target))
    return []
