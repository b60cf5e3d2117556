"""Symbolic sizes in ``forward``: which a body needs, and how they are read off its inputs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass

from archdsl.dims import Dim, evaluate, show, substitute, symbol, symbols
from archdsl.emit.torch.operators import BINARY, COMPARISONS
from archdsl.emit.torch.terms import literal, name
from archdsl.op import Tensor, TorchExpr
from archdsl.program.conditions import Combined, Compared, Condition, Flag
from archdsl.program.ir import Label
from archdsl.program.numbers import Number, OpenFloat, names_in


def symbols_of(expression: TorchExpr | None) -> tuple[str, ...]:
    """The names of the open numbers in an expression."""
    found: dict[str, None] = {}
    waiting: list[object] = [expression]
    while waiting:
        match waiting.pop():
            case OpenFloat() | Dim() as number:
                found.update(dict.fromkeys(sorted(names_in(number))))
            case tuple() as items:
                waiting += items
            case part if part is not None and is_dataclass(part):
                waiting += [getattr(part, f.name) for f in fields(part)]
    return tuple(found)


class Turn(str):
    """The name of a loop's variable, which counts from 0 where that of the program counts from 1."""


def sized(size: Number, names: Mapping[str, str]) -> ast.expr:
    """A number as arithmetic on variables, each perhaps dotted, or a `Turn`."""
    if isinstance(size, OpenFloat):
        said = size.expression
        if isinstance(said, str):
            return name(names.get(said, said))
        return ast.BinOp(sized(said.left, names), BINARY[said.op].syntax(), sized(said.right, names))
    if isinstance(size, Dim):
        size = substitute(size, {s: symbol(s) + 1 for s in symbols(size) if isinstance(names.get(s), Turn)})
    if not isinstance(size, Dim):
        return literal(size)
    text = re.sub(r"[^\W\d]\w*", lambda found: names.get(found[0], found[0]), show(size))
    return _Shifted().visit(ast.parse(text, mode="eval").body)


class _Shifted(ast.NodeTransformer):
    """``(kernel - 1) // 2`` for ``(kernel + 1) // 2 - 1``."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.BinOp(
                left=ast.BinOp(
                    left=ast.BinOp(left=rest, op=ast.Add(), right=ast.Constant(value=int(added))),
                    op=ast.FloorDiv(),
                    right=ast.Constant(value=int(divisor)) as right,
                ),
                op=ast.Sub(),
                right=ast.Constant(value=int(whole)),
            ) if added < whole * divisor:
                less = ast.BinOp(rest, ast.Sub(), literal(whole * divisor - added))
                return ast.BinOp(less, ast.FloorDiv(), right)
        return node


def labelled(label: Label, names: Mapping[str, str]) -> ast.expr:
    """A label as a string: ``f"layer{i + 1}"``."""
    if isinstance(label, str):
        return literal(label)
    number = ast.FormattedValue(sized(label.number, names), -1)
    texts = [ast.Constant(text) if text else None for text in (label.before, label.after)]
    return ast.JoinedStr([part for part in (texts[0], number, texts[1]) if part is not None])


def condition_test(condition: Condition, names: Mapping[str, str]) -> ast.expr:
    """A condition as Python."""
    match condition:
        case Compared(left=left, op=op, right=right):
            return ast.Compare(sized(left, names), [COMPARISONS[op].syntax()], [sized(right, names)])
        case Flag(name=label, is_on=is_on, is_presence=True):
            test = ast.IsNot() if is_on else ast.Is()
            return ast.Compare(name(names.get(label, label)), [test], [literal(None)])
        case Flag(name=label, is_on=is_on):
            value = name(names.get(label, label))
            return value if is_on else ast.UnaryOp(ast.Not(), value)
        case Combined(op=op, left=left, right=right):
            terms = [condition_test(c, names) for c in (left, right)]
            return ast.BoolOp(ast.And() if op == "and" else ast.Or(), terms)


def read_off(wanted: str, inputs: Sequence[Tensor], names: Sequence[str]) -> ast.expr | None:
    """A symbol as a size of an input, or computed from one: ``x.shape[1] // 2`` for ``2 * T``; None if none has it."""
    axes = [
        (size, ast.Subscript(ast.Attribute(ast.Name(label), "shape"), literal(axis)))
        for tensor, label in zip(inputs, names, strict=True)
        for axis, size in enumerate(tensor.shape)
        if isinstance(size, Dim) and symbols(size) == {wanted}
    ]
    for size, found in sorted(axes, key=lambda a: show(a[0]) != wanted):
        rest = evaluate(size, {wanted: 0})
        factor = evaluate(size, {wanted: 1}) - rest
        if factor and size == factor * symbol(wanted) + rest:
            part = ast.BinOp(found, ast.Sub(), literal(rest)) if rest else found
            return part if factor == 1 else ast.BinOp(part, ast.FloorDiv(), literal(factor))
    return None


def is_read(wanted: str, inputs: Iterable[Tensor]) -> bool:
    """Has some input the symbol as a size?"""
    tensors = list(inputs)
    return read_off(wanted, tensors, ["x"] * len(tensors)) is not None
