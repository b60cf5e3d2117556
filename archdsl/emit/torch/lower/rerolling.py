"""Neighbors that are made alike, as one comprehension: ``*(Block(64 + 32 * i) for i in range(6))``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

from archdsl.dims import Size
from archdsl.emit.torch.lower.classir import ClassIR
from archdsl.emit.torch.terms import call, literal, name
from archdsl.program.rerolling import Item, Stretch, stretches

VARIABLE = "i"
LAYER = "layer"
FEWEST_TURNS_OF_SEVERAL = 4
"""Three turns of several layers read better one under the other."""
CONTAINERS = ("nn.Sequential", "nn.ModuleList")


def rerolled(cls: ClassIR) -> ClassIR:
    """Members of a container that are equal, or whose whole numbers grow evenly, are made in a comprehension."""
    if {VARIABLE, LAYER} & {p.name for p in cls.parameters}:
        return cls
    made = tuple(_Containers().visit(deepcopy(s)) for s in cls.made)
    positional = [_Containers().visit(deepcopy(p)) for p in cls.positional]
    match positional:
        case [ast.List(elts=items)]:
            return replace(cls, made=made, positional=(ast.List(list(_rerolled(items))),))
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
    for stretch in stretches([_item(item) for item in items]):
        if stretch.period > 1 and stretch.turns < FEWEST_TURNS_OF_SEVERAL:
            continue
        yield from items[start : stretch.start]
        yield _loop(items, stretch)
        start = stretch.stop
    yield from items[start:]


def _item(node: ast.expr) -> Item:
    """An expression; what is no call is like no other."""
    return Item(_shape(node), tuple(_integers(node))) if isinstance(node, ast.Call) else Item(id(node), ())


def _loop(items: Sequence[ast.expr], stretch: Stretch) -> ast.expr:
    """``*(Block(8) for _ in range(6))``; for several layers a turn, ``*(layer for _ in range(6) for layer in (…))``."""
    first = items[stretch.start : stretch.start + stretch.period]
    turn = [_Turn(growth).visit(deepcopy(item)) for item, growth in zip(first, stretch.growth, strict=True)]
    variable = ast.Name(VARIABLE if any(map(any, stretch.growth)) else "_")
    clauses = [ast.comprehension(variable, call(name("range"), literal(stretch.turns)), [], 0)]
    if len(turn) > 1:
        clauses.append(ast.comprehension(ast.Name(LAYER), ast.Tuple(turn), [], 0))
        return ast.Starred(ast.GeneratorExp(ast.Name(LAYER), clauses))
    return ast.Starred(ast.GeneratorExp(turn[0], clauses))


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

    def __init__(self, steps: Sequence[Size] | None) -> None:
        self._steps = iter(steps) if steps is not None else None

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if type(node.value) is not int:
            return node
        if self._steps is None:
            return ast.Name("?")
        step = next(self._steps)
        assert isinstance(step, int)  # as the numbers of the text are
        if step == 0:
            return node
        grown: ast.expr = ast.Name(VARIABLE)
        if abs(step) != 1:
            grown = ast.BinOp(literal(abs(step)), ast.Mult(), grown)
        return grown if node.value == 0 and step > 0 else ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), grown)
