"""Torch expressions of operators (`archdsl.op.Torch`) as Python syntax trees: the one place where they are folded."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from archdsl.dims import Dim
from archdsl.emit.torch.operators import BINARY, COMPARISONS, UNARY
from archdsl.emit.torch.terms import call, exact, literal, name, own
from archdsl.op import (
    REQUIRED,
    Arg,
    Attribute,
    BinaryOp,
    Call,
    Conditional,
    Hole,
    Input,
    Item,
    ListExpr,
    Method,
    Own,
    SelfModule,
    SliceExpr,
    TorchExpr,
    Training,
    UnaryOp,
)
from archdsl.program.numbers import OpenFloat

Expression: TypeAlias = TorchExpr | Hole | SliceExpr | SelfModule


class Unsupported(Exception):
    """The expression cannot be written where it is wanted."""


def _no_tensor(label: str) -> ast.expr:
    raise Unsupported(f"the tensor {label} of the class")


def _not_open(number: Dim | OpenFloat) -> ast.expr:
    raise Unsupported(f"the number {number}")


def _ignore(callee: str) -> None:
    pass


@dataclass(frozen=True)
class Scope:
    """The names that an expression is written in.

    ``inputs`` are the operator's, ``this`` its module, ``tensor`` gives a tensor of the class itself by its label,
    ``open`` a symbolic size or an open float; ``use`` is called with each function that is called.
    """

    inputs: Sequence[ast.expr] = ()
    this: ast.expr | None = None
    tensor: Callable[[str], ast.expr] = _no_tensor
    open: Callable[[Dim | OpenFloat], ast.expr] = _not_open
    use: Callable[[str], None] = _ignore


def translate(expression: Expression, scope: Scope) -> ast.expr:
    """An expression in the names of a scope.

    Raises:
        Unsupported: it needs something that the scope does not have.
    """
    match expression:
        case Hole(value=value):
            return number(value, scope)
        case Input(index=index):
            if index >= len(scope.inputs):
                raise Unsupported(f"input {index}")
            return scope.inputs[index]
        case Training():
            return own("training")
        case Conditional(condition=condition, value=value, otherwise=otherwise):
            test, then, other = (translate(part, scope) for part in (condition, value, otherwise))
            return ast.IfExp(test, then, other)
        case SelfModule():
            if scope.this is None:
                raise Unsupported("the module itself")
            return scope.this
        case Own(name=label):
            return scope.tensor(label)
        case UnaryOp(op=op, value=value):
            return ast.UnaryOp(UNARY[op].syntax(), translate(value, scope))
        case BinaryOp(op=op, left=left, right=right):
            a, b = translate(left, scope), translate(right, scope)
            return (
                ast.Compare(a, [COMPARISONS[op].syntax()], [b])
                if op in COMPARISONS
                else ast.BinOp(a, BINARY[op].syntax(), b)
            )
        case Attribute(value=value, name=attribute):
            return ast.Attribute(translate(value, scope), attribute)
        case Call() | Method():
            return applied(expression, scope)
        case Item(value=value, subscripts=subscripts):
            parts = [translate(s, scope) for s in subscripts]
            return ast.Subscript(translate(value, scope), parts[0] if len(parts) == 1 else ast.Tuple(parts))
        case SliceExpr(start=start, stop=stop, step=step):
            return ast.Slice(*(None if end is None else translate(end, scope) for end in (start, stop, step)))
        case ListExpr(items=items, is_tuple=is_tuple):
            return (ast.Tuple if is_tuple else ast.List)([translate(i, scope) for i in items])


def applied(expression: Call | Method, scope: Scope) -> ast.Call:
    """A call of a function, module or method."""
    match expression:
        case Method(receiver=receiver, name=method, args=args):
            return with_arguments(ast.Attribute(translate(receiver, scope), method), args, scope)
        case Call(callee=SelfModule() as this, args=args):
            return with_arguments(translate(this, scope), args, scope)
        case Call(callee=str() as callee, args=args):
            scope.use(callee)
            return with_arguments(name(callee), args, scope)
    raise TypeError(expression)


def with_arguments(function: ast.expr, args: Sequence[Arg], scope: Scope) -> ast.Call:
    """A call with arguments; those at torch's default are left out."""
    result = call(function)
    for arg in args:
        if is_default(arg):
            continue
        value = translate(arg.value, scope)
        if arg.keyword is None:
            result.args.append(value)
        else:
            result.keywords.append(ast.keyword(arg.keyword, value))
    return result


def is_default(arg: Arg) -> bool:
    """Is an argument torch's own default, of the same type?"""
    if arg.default is REQUIRED or not isinstance(arg.value, Hole):
        return False
    return exact(arg.value.value, arg.default)


def number(value: Any, scope: Scope) -> ast.expr:
    """A constant, a size, or a tuple of these."""
    if isinstance(value, Dim | OpenFloat):
        return scope.open(value)
    if isinstance(value, tuple):
        return ast.Tuple([number(v, scope) for v in value])
    return literal(value)
