"""Idioms: passes that make a class read as a person writes it. Each takes a class and gives one that does the same.

They work on `ClassIR` alone, know nothing of the network, and may be applied or left out one by one. Whether the result
still is the network, the proof says.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

from archdsl.emit.torch.lower.classir import ClassIR
from archdsl.emit.torch.lower.rerolling import rerolled
from archdsl.emit.torch.render import flat

MAX_WIDTH = 72
MAX_CALLS = 3
"""What is nested stays within a line and within three calls inside each other."""

Idiom = Callable[[ClassIR], ClassIR]


def idiomatic(cls: ClassIR) -> ClassIR:
    """The class after all idioms."""
    for idiom in IDIOMS:
        cls = idiom(cls)
    return cls


def nested(cls: ClassIR) -> ClassIR:
    """A value that only the next statement reads, first of all that it reads, is computed there."""
    return replace(cls, methods=tuple(map(_nested, cls.methods)))


def renumbered(cls: ClassIR) -> ClassIR:
    """Variables are numbered without gaps."""
    return replace(cls, methods=tuple(map(_renumbered, cls.methods)))


IDIOMS: tuple[Idiom, ...] = (rerolled, nested, renumbered)
"""In the order in which they are applied."""

# ---- nesting -----------------------------------------------------------------------------------------------


def _nested(method: ast.FunctionDef) -> ast.FunctionDef:
    counts = Counter(n.id for n in _names(method))
    variables = {a.arg for a in method.args.args if a.arg != "self"} | {n for s in method.body for n in _assigned(s)}
    return _with_body(method, _nested_body(method.body, counts, variables))


def _nested_body(statements: Sequence[ast.stmt], counts: Counter[str], variables: Container[str]) -> list[ast.stmt]:
    body: list[ast.stmt] = []
    for statement in statements:
        if isinstance(statement, ast.If):
            arms = (_nested_body(arm, counts, variables) for arm in (statement.body, statement.orelse))
            statement = ast.If(statement.test, *arms)
        elif isinstance(statement, ast.For):
            statement = ast.For(statement.target, statement.iter, _nested_body(statement.body, counts, variables), [])
        before = body[-1] if body else None
        value = _single(before) if before is not None else None
        if value is not None and counts[value[0]] == 2 and _reads_first(statement, variables) == value[0]:
            merged = _Put(*value).visit(deepcopy(statement))
            if _is_short(merged):
                body[-1] = merged
                continue
        body.append(statement)
    return body


def _single(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """The variable and the value of an assignment to one variable."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
    return None


def _assigned(statement: ast.stmt) -> Iterator[str]:
    """The variables that a statement assigns."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign):
            yield from (n.id for target in node.targets for n in _names(target))


def _reads_first(statement: ast.stmt, variables: Container[str]) -> str | None:
    """The first variable that a statement reads, if it does so whatever happens."""
    value = getattr(statement, "value", None)
    if not isinstance(statement, ast.Assign | ast.Return) or value is None or isinstance(value, ast.IfExp):
        return None
    return next((n.id for n in _names(value) if n.id in variables), None)


def _names(node: ast.AST) -> Iterator[ast.Name]:
    """The names in a node, in the order in which Python evaluates them."""
    if isinstance(node, ast.Name):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _names(child)


class _Put(ast.NodeTransformer):
    """Puts an expression in the place of a variable that is read."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self._name = name
        self._value = value

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        node.value = self.visit(node.value)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._value if node.id == self._name else node


def _is_short(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return value is not None and len(flat(value)) <= MAX_WIDTH and _calls(value) <= MAX_CALLS


def _calls(node: ast.AST) -> int:
    """How many calls stand inside each other."""
    inner = max(map(_calls, ast.iter_child_nodes(node)), default=0)
    return inner + isinstance(node, ast.Call)


# ---- numbering ---------------------------------------------------------------------------------------------


def _renumbered(method: ast.FunctionDef) -> ast.FunctionDef:
    args = {a.arg for a in method.args.args}
    numbers: dict[str, str] = {}
    for name in _names(method):
        if name.id[:1] == "v" and name.id[1:].isdigit() and name.id not in args:
            numbers.setdefault(name.id, f"v{len(numbers) + 1}")
    if args & set(numbers.values()):
        return method
    body = [_Rename(numbers).visit(deepcopy(s)) for s in method.body]
    return _with_body(method, body)


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names.get(node.id, node.id))


def _with_body(method: ast.FunctionDef, body: Sequence[ast.stmt]) -> ast.FunctionDef:
    return ast.FunctionDef(method.name, method.args, list(body), [], method.returns)
