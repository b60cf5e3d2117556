"""Constant tensors of a class."""

from __future__ import annotations

import ast
from collections.abc import Callable

from archdsl.dims import Dim
from archdsl.emit.torch.lower.formulas import Functions, NoFormula, said
from archdsl.emit.torch.names import Names
from archdsl.emit.torch.terms import call, literal, own
from archdsl.ops.tensor import Constant
from archdsl.program.ir import Run
from archdsl.program.numbers import OpenFloat


class Tables:
    """The constant tensors of a class, as buffers that are not saved."""

    def __init__(self, names: Names, tensor: Callable[[Run], ast.expr]) -> None:
        self._names = names
        self._tensor = tensor
        self._tables: list[tuple[Run, str]] = []

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for _, label in self._tables)

    def table(self, run: Run) -> ast.expr:
        """The buffer that holds a constant."""
        for known, label in self._tables:
            if repr(known.facets.op) == repr(run.facets.op):  # 1 is not 1.0
                return own(label)
        self._tables.append((run, self._names.take("constant")))
        return own(self._tables[-1][1])

    def statements(self) -> list[ast.stmt]:
        return [
            ast.Expr(call(own("register_buffer"), literal(label), self._tensor(run), persistent=literal(False)))
            for run, label in self._tables
        ]


def tensor_of(run: Run, functions: Functions, number: Callable[[Dim | OpenFloat], ast.expr]) -> ast.expr:
    """``torch.tensor(…)`` of a constant: by the formula of its numbers where it has one in Python."""
    op = run.facets.op
    assert isinstance(op, Constant)
    try:
        data = said(run.formula, functions, number) if run.formula is not None else literal(op.data)
    except NoFormula:
        data = literal(op.data)
    return call("torch.tensor", data)
