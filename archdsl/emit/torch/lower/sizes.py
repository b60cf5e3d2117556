"""Symbolic sizes in ``forward``: which a body needs, and how they are read off its inputs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass

from archdsl.dims import Dim, evaluate, show, symbol, symbols
from archdsl.emit.torch.terms import literal
from archdsl.op import Tensor, TorchExpr


def symbols_of(expression: TorchExpr | None) -> tuple[str, ...]:
    """The symbols of the sizes in an expression."""
    found: dict[str, None] = {}
    waiting: list[object] = [expression]
    while waiting:
        match waiting.pop():
            case Dim() as size:
                found.update(dict.fromkeys(sorted(symbols(size))))
            case tuple() as items:
                waiting += items
            case part if part is not None and is_dataclass(part):
                waiting += [getattr(part, f.name) for f in fields(part)]
    return tuple(found)


def sized(size: Dim, names: Mapping[str, str]) -> ast.expr:
    """A symbolic size as arithmetic on variables."""
    text = re.sub(r"[^\W\d]\w*", lambda found: names.get(found[0], found[0]), show(size))
    return ast.parse(text, mode="eval").body


def read(wanted: str, inputs: Sequence[Tensor], names: Sequence[str]) -> ast.expr | None:
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
    return read(wanted, tensors, ["x"] * len(tensors)) is not None
