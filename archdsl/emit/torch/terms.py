"""Pieces of the Python that is being written, as Python's ``ast``."""

from __future__ import annotations

import ast
from typing import Any


def name(text: str) -> ast.expr:
    """A name, perhaps dotted: ``nn.Conv2d``."""
    first, *rest = text.split(".")
    node: ast.expr = ast.Name(first)
    for part in rest:
        node = ast.Attribute(node, part)
    return node


def call(function: ast.expr | str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    function = name(function) if isinstance(function, str) else function
    return ast.Call(function, list(args), [ast.keyword(k, v) for k, v in keywords.items()])


def own(attribute: str) -> ast.expr:
    """``self.attribute``."""
    return ast.Attribute(ast.Name("self"), attribute)


def dotted(node: ast.expr, path: str) -> ast.expr:
    """``node.path``, the path perhaps of several names."""
    for part in path.split("."):
        node = ast.Attribute(node, part)
    return node


class NoLiteral(ValueError):
    """Python has no literal for a value."""


def literal(value: Any) -> ast.expr:
    """A value as Python writes it.

    Raises:
        NoLiteral: it has no literal.
    """
    match value:
        case bool() | int() | float() | str() | None:
            return ast.Constant(value)
        case _ if value is ...:
            return ast.Constant(value)
        case tuple():
            return ast.Tuple([literal(v) for v in value])
        case list() | range():
            return ast.List([literal(v) for v in value])
    raise NoLiteral(f"{value!r} has no literal")


def assign(target: ast.expr, value: ast.expr) -> ast.Assign:
    return ast.Assign([target], value)


def negated(test: ast.expr) -> ast.expr:
    """The contrary of a condition, as a person writes it."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Compare(left=left, ops=[op], comparators=others) if type(op) in _CONTRARY:
            return ast.Compare(left, [_CONTRARY[type(op)]()], others)
    return ast.UnaryOp(ast.Not(), test)


_CONTRARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}


def exact(left: Any, right: Any) -> bool:
    """The same value of the same type; a list is as good as a tuple."""
    if isinstance(left, list | tuple | range) and isinstance(right, list | tuple | range):
        return len(left) == len(right) and all(map(exact, left, right))
    return type(left) is type(right) and left == right
