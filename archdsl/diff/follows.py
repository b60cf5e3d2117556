"""Whether a value follows from the shapes that arrive: ``conv(C // 4, 1)`` changes with what is before it.

Such an argument, or such a branch of an ``if``, changes without an edit there. The names in an expression are followed
to what binds them: arguments of blocks to where they are given, ``let``s to their expressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from archdsl.evaluate.values import Env, SpecValue, Value
from archdsl.graph import Instance
from archdsl.syntax import tree

DEEPEST = 50
"""Blocks and lets through which a name is followed."""


Owners: TypeAlias = Mapping[object, Instance]


class Expression(NamedTuple):
    """An expression with the names at its place in the text. ``owners`` gives the instance that owns an environment."""

    node: tree.Node
    env: Env
    owners: Owners


class Sources(NamedTuple):
    """What an expression reads: ``shapes`` of tensors and their sizes; ``others`` are numbers and texts."""

    shapes: list[object]
    others: list[object]


def follows(before: Iterable[Expression], after: Iterable[Expression]) -> bool:
    """Whether expressions differ only in shapes that they read."""
    old, new = sources(before), sources(after)
    return old.others == new.others and old.shapes != new.shapes


def sources(expressions: Iterable[Expression]) -> Sources:
    """All that some expressions read."""
    found = Sources([], [])
    for expression in expressions:
        _read(expression, found, 0)
    return found


def _read(expression: Expression, found: Sources, depth: int) -> None:
    found.others.append(expression.node.span.text)
    if depth < DEEPEST:
        left_out = {n.name for n in tree.walk(expression.node) if isinstance(n, tree.Argument | tree.Attribute)}
        for name in tree.walk(expression.node):
            if isinstance(name, tree.Name) and name not in left_out:
                _read_name(name.text, expression, found, depth + 1)


def _read_name(name: str, expression: Expression, found: Sources, depth: int) -> None:
    if name == "it":
        found.shapes.append(_plain(expression.env.stream))
        return
    here: Env | None = expression.env
    while here is not None and name not in here.names:
        here = here.parent
    if here is None:
        return
    value, owner = here.names[name], expression.owners.get(here.owner)
    if isinstance(value, Value):
        found.shapes.append(value.shape)
    elif owner is not None:
        _read_owned(name, value, Expression(expression.node, here, expression.owners), owner, found, depth)
    elif here.owner is None:  # a name of the file
        found.others.append(_plain(value))


def _read_owned(name: str, value: object, at: Expression, owner: Instance, found: Sources, depth: int) -> None:
    if name in owner.written:
        _read(Expression(*owner.written[name], at.owners), found, depth)
    elif lets := _lets(owner, name):
        for let in lets:
            _read(Expression(let.value, at.env, at.owners), found, depth)
    elif name[:1].isupper() and all(param.name.text != name for param in owner.scope.params):
        found.shapes.append(_plain(value))  # a size that a shape of the text binds
    else:
        found.others.append(_plain(value))


def _lets(owner: Instance, name: str) -> list[tree.Let]:
    return [
        node
        for node in tree.walk(owner.scope.text)
        if isinstance(node, tree.Let)
        and any(isinstance(bound, tree.Name) and bound.text == name for bound in tree.walk(node.pattern))
    ]


def _plain(value: object) -> object:
    """A value in a form that is equal in both networks if the values are."""
    match value:
        case Value():
            return value.shape
        case list():
            items: list[SpecValue] = value
            return [_plain(item) for item in items]
        case bool() | int() | float() | str() | range():
            return value
        case _:
            return str(value)
