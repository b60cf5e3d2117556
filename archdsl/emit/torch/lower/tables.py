"""Constant tensors of a class."""

from __future__ import annotations

import ast
from collections.abc import Callable

from archdsl.dims import Dim
from archdsl.emit.torch.lower.bodies import NotLowered
from archdsl.emit.torch.lower.formulas import Functions, said
from archdsl.emit.torch.names import Names, identifier
from archdsl.emit.torch.terms import call, literal, own
from archdsl.ops.tensor import Constant
from archdsl.program.ir import Run
from archdsl.program.numbers import OpenFloat, OpenNumbers


class Tables:
    """The constant tensors of a class, as buffers that are not saved."""

    def __init__(self, names: Names, tensor: Callable[[Run], ast.expr]) -> None:
        self._names = names
        self._tensor = tensor
        self._tables: list[tuple[Run, str, ast.expr]] = []

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for _, label, _ in self._tables)

    def table(self, run: Run) -> ast.expr:
        """The buffer that holds a constant."""
        for known, label, _ in self._tables:
            if repr(known.facets.op) == repr(run.facets.op):  # 1 is not 1.0
                return own(label)
        wish = identifier(run.formula.name, "constant") if run.formula is not None else "constant"
        label = self._names.take(wish, f"{wish}_value")
        self._tables.append((run, label, self._tensor(run)))
        return own(label)

    def statements(self) -> list[ast.stmt]:
        return [
            ast.Expr(call(own("register_buffer"), literal(label), tensor, persistent=literal(False)))
            for _, label, tensor in self._tables
        ]


def tensor_of(run: Run, functions: Functions, number: Callable[[Dim | OpenFloat], ast.expr]) -> ast.expr:
    """``torch.tensor(…)`` of a constant: by the formula of its numbers where it has one in Python."""
    op = run.facets.op
    assert isinstance(op, Constant)
    data = said(run.formula, functions, number) if run.formula is not None else None
    if data is None and isinstance(op.data, OpenNumbers):
        raise NotLowered("nothing says in Python what the numbers of a table are")
    return call("torch.tensor", data or literal(op.data))
