"""Neighbors that are made alike, as one comprehension: ``*(Block(64 + 32 * i) for i in range(6))``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

from archdsl.emit.torch.lower.classir import ClassIR
from archdsl.emit.torch.terms import call, literal, name

MIN_TURNS = 3
"""Fewer are written one by one, so that no comprehension has no turn."""
VARIABLE = "i"
CONTAINERS = ("nn.Sequential", "nn.ModuleList")


def rerolled(cls: ClassIR) -> ClassIR:
    """Members of a container that are equal, or whose whole numbers grow evenly, are made in a comprehension."""
    if VARIABLE in {p.name for p in cls.parameters}:
        return cls
    made = tuple(_Containers().visit(deepcopy(s)) for s in cls.made)
    positional = [_Containers().visit(deepcopy(p)) for p in cls.positional]
    return replace(cls, made=made, positional=tuple(_rerolled(positional)))


class _Containers(ast.NodeTransformer):
    """Rerolls what containers are given, from the inside out."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if ast.unparse(node.func) in CONTAINERS:
            match node.args:
                case [ast.List(elts=items)]:
                    node.args = [ast.List(list(_rerolled(items)))]
                case items:
                    node.args = list(_rerolled(items))
        return node


def _rerolled(items: Sequence[ast.expr]) -> Iterator[ast.expr]:
    start = 0
    while start < len(items):
        steps, length = _run(items[start:])
        if length < MIN_TURNS:
            yield items[start]
            start += 1
            continue
        turn = _Turn(steps).visit(deepcopy(items[start]))
        variable = ast.Name(VARIABLE if any(steps) else "_")
        clause = ast.comprehension(variable, call(name("range"), literal(length)), [], 0)
        yield ast.Starred(ast.GeneratorExp(turn, [clause]))
        start += length


def _run(items: Sequence[ast.expr]) -> tuple[list[int], int]:
    """By what the whole numbers of a call grow from one item to the next, and how many items go on like that."""
    first = items[0]
    if not isinstance(first, ast.Call) or len(items) < MIN_TURNS or _shape(first) != _shape(items[1]):
        return [], 1
    begun = _integers(first)
    steps = [b - a for a, b in zip(begun, _integers(items[1]), strict=True)]
    length = 0
    for turn, item in enumerate(items):
        wanted = [a + turn * step for a, step in zip(begun, steps, strict=True)]
        if _shape(item) != _shape(first) or _integers(item) != wanted:
            break
        length += 1
    return steps, length


def _integers(node: ast.AST) -> list[int]:
    """The whole numbers in an expression, in the order of its text."""
    if isinstance(node, ast.Constant):
        return [node.value] if type(node.value) is int else []
    return [value for child in ast.iter_child_nodes(node) for value in _integers(child)]


def _shape(node: ast.expr) -> str:
    """An expression without its whole numbers."""
    return ast.dump(_Turn(None).visit(deepcopy(node)))


class _Turn(ast.NodeTransformer):
    """Puts what a turn has in the place of whole numbers; a blank for each if ``steps`` is None."""

    def __init__(self, steps: Sequence[int] | None) -> None:
        self._steps = iter(steps) if steps is not None else None

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if type(node.value) is not int:
            return node
        if self._steps is None:
            return ast.Name("?")
        step = next(self._steps)
        if step == 0:
            return node
        grown: ast.expr = ast.Name(VARIABLE)
        if abs(step) != 1:
            grown = ast.BinOp(literal(abs(step)), ast.Mult(), grown)
        return grown if node.value == 0 and step > 0 else ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), grown)
