"""A class of the emitted file before it is text: what the back end's passes read and change."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archdsl.emit.torch.terms import call, literal, name
from archdsl.program.hints import Hint


class Argument(NamedTuple):
    """An argument of a constructor: its name, its type, and its default if it has one."""

    name: str
    kind: str
    default: ast.expr | None = None


@dataclass(frozen=True)
class ClassIR:
    """A class.

    ``parameters`` are its constructor's; ``positional`` are what its base's constructor is given, ``made`` the
    statements behind that.
    ``buffers`` are annotated as tensors. ``doc`` is its docstring.
    """

    base: str
    buffers: tuple[str, ...]
    positional: tuple[ast.expr, ...]
    made: tuple[ast.stmt, ...]
    methods: tuple[ast.FunctionDef, ...]
    doc: str | None = None
    parameters: tuple[Argument, ...] = ()
    before: tuple[ast.stmt, ...] = ()
    """Statements before its base's constructor is called."""
    hints: Mapping[str, Mapping[str, Hint]] = field(default_factory=dict)
    """By method and variable, how the text speaks of its value. Variables without a hint keep their names."""

    def key(self) -> str:
        """Equal for classes with the same text but for their names."""
        return "".join(map(ast.dump, [name(self.base), *self._body()]))

    def definition(self, label: str) -> ast.ClassDef:
        """The class under this name."""
        doc: list[ast.stmt] = [ast.Expr(literal(self.doc))] if self.doc else []
        body = [*doc, *self._body()] or [ast.Expr(literal("Never runs."))]
        return ast.ClassDef(label, [name(self.base)], [], body, [])

    def _body(self) -> list[ast.stmt]:
        annotations = [ast.AnnAssign(ast.Name(n), name("Tensor"), None, 1) for n in self.buffers]
        return [*annotations, *self._constructor(), *self.methods]

    def _constructor(self) -> list[ast.stmt]:
        """The constructor; none where nothing is made."""
        if not self.made and not self.positional:
            return []
        start = ast.Expr(call(ast.Attribute(call("super"), "__init__"), *self.positional))
        args = [ast.arg("self"), *(ast.arg(p.name, name(p.kind)) for p in self.parameters)]
        defaults = [p.default for p in self.parameters if p.default is not None]
        given = ast.arguments([], args, None, [], [], None, defaults)
        return [ast.FunctionDef("__init__", given, [*self.before, start, *self.made], [], literal(None))]


def with_body(method: ast.FunctionDef, body: Sequence[ast.stmt]) -> ast.FunctionDef:
    """A method with another body."""
    return ast.FunctionDef(method.name, method.args, list(body), [], method.returns)
