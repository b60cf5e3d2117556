"""Mutants: the source of a module with one small change."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
"""The first and the last of some lines."""


@dataclass(frozen=True)
class Mutant:
    """One change of a file: what stands between two places of its text is replaced."""

    path: Path
    start: int
    end: int
    text: str
    function: Range | None
    """The first and the last line of the function that it is in; None outside of functions."""
    lines: Range
    """The first and the last line that it changes."""

    def source(self, root: Path) -> str:
        """The text of the file with the change."""
        before = (root / self.path).read_text(encoding="utf-8")
        return before[: self.start] + self.text + before[self.end :]

    def diff(self, root: Path) -> str:
        """The lines that change."""
        before, after = (root / self.path).read_text(encoding="utf-8"), self.source(root)
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))

    def key(self, root: Path) -> str:
        """The change in one line, by which it is known in the list of equivalent mutants."""
        return f"{self.path}: " + " => ".join(line[1:].strip() for line in self.diff(root).splitlines())


_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "+",
    ast.FloorDiv: "*",
    ast.Div: "*",
    ast.Mod: "//",
    ast.Pow: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
}
_FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}


def mutants(root: Path, path: Path) -> Iterator[Mutant]:
    """All mutants of a file.

    Left out, for no test of behavior can tell them: annotations, docstrings and other strings, what stands in asserts,
    limits (capital names of a module) and the steps that are charged to a budget.
    """
    source = (root / path).read_text(encoding="utf-8")
    lines = [0]
    for line in source.encode().splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    encoded = source.encode()

    def place(line: int, column: int) -> int:
        return len(encoded[: lines[line - 1] + column].decode())

    for node, function in _nodes(ast.parse(source), None):
        for text in _changes(node, source):
            start, end = place(node.lineno, node.col_offset), place(node.end_lineno or 0, node.end_col_offset or 0)
            yield Mutant(path, start, end, text, function, (node.lineno, node.end_lineno or node.lineno))


def _nodes(node: ast.AST, function: Range | None) -> Iterator[tuple[ast.expr | ast.stmt, Range | None]]:
    """The nodes that may change, each with the lines of its function."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.lineno, node.end_lineno or node.lineno
    if isinstance(node, ast.expr | ast.stmt):
        yield node, function
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_out(child, function):
                yield from _nodes(child, function)


def _is_left_out(node: ast.AST, function: Range | None) -> bool:
    match node:
        case ast.Assert() | ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) if function is None:
            return name.isupper() or name == "__all__"
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="spend"))):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _changes(node: ast.expr | ast.stmt, source: str) -> Iterator[str]:
    """What may stand in place of a node."""

    def text(part: ast.expr) -> str:
        return f"({ast.get_source_segment(source, part)})"

    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            yield f"{text(left)} {_COMPARISONS[type(op)]} {text(right)}"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            yield f"({text(left)} {_ARITHMETIC[type(op)]} {text(right)})"
        case ast.BoolOp(op=op, values=values):
            yield "(" + (" or " if isinstance(op, ast.And) else " and ").join(map(text, values)) + ")"
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield text(operand)
        case ast.Constant(value=bool(value)):
            yield str(not value)
        case ast.Constant(value=int(value)):
            yield str(value + 1)
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
            yield _FUNCTIONS[name] + (ast.get_source_segment(source, node) or "")[len(name) :]
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield f"({text(orelse)} if {text(test)} else {text(body)})"
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield "return None"
        case ast.AugAssign() | ast.Raise() | ast.Expr(value=ast.Call()) | ast.Continue() | ast.Break():
            yield "pass"
