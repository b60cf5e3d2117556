"""Constant tensors of a class."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from archdsl.dims import Dim
from archdsl.emit.torch.lower.bodies import NotLowered
from archdsl.emit.torch.lower.formulas import Functions, said
from archdsl.emit.torch.names import Names, identifier
from archdsl.emit.torch.terms import call, literal, own
from archdsl.ops.tensor import Constant
from archdsl.program.conditions import Condition
from archdsl.program.ir import Run
from archdsl.program.numbers import OpenFloat, OpenNumbers


class Tables:
    """The constant tensors of a class, as buffers that are not saved. What only one arm of a choice reads is made under
    its condition."""

    def __init__(self, names: Names, tensor: Callable[[Run], ast.expr], test: Callable[[Condition], ast.expr]) -> None:
        self._names = names
        self._tensor = tensor
        self._test = test
        self._tables: list[_Table] = []

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(table.label for table in self._tables)

    def table(self, run: Run, under: Sequence[Condition]) -> ast.expr:
        """The buffer that holds a constant, which is read where these conditions hold."""
        for known in self._tables:
            if repr(known.run.facets.op) == repr(run.facets.op):  # 1 is not 1.0
                known.under = [c for c in known.under if c in under]
                return own(known.label)
        wish = identifier(run.formula.name, "constant") if run.formula is not None else "constant"
        label = self._names.take(wish, f"{wish}_value")
        self._tables.append(_Table(run, label, self._tensor(run), list(under)))
        return own(label)

    def statements(self) -> Iterator[ast.stmt]:
        for conditions, tables in groupby(self._tables, lambda table: table.under):
            made: list[ast.stmt] = [
                ast.Expr(call(own("register_buffer"), literal(t.label), t.tensor, persistent=literal(False)))
                for t in tables
            ]
            if conditions:
                tests = list(map(self._test, conditions))
                made = [ast.If(tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests), made, [])]
            yield from made


@dataclass
class _Table:
    run: Run
    label: str
    tensor: ast.expr
    under: list[Condition]


def tensor_of(run: Run, functions: Functions, number: Callable[[Dim | OpenFloat], ast.expr]) -> ast.expr:
    """``torch.tensor(…)`` of a constant: by the formula of its numbers where it has one in Python."""
    op = run.facets.op
    assert isinstance(op, Constant)
    data = said(run.formula, functions, number) if run.formula is not None else None
    if data is None and isinstance(op.data, OpenNumbers):
        raise NotLowered("nothing says in Python what the numbers of a table are")
    return call("torch.tensor", data or _numbers(op.data, number))


def _numbers(data: object, number: Callable[[Dim | OpenFloat], ast.expr]) -> ast.expr:
    """Nested tuples of numbers; those that are open are arguments."""
    match data:
        case tuple():
            return ast.Tuple([_numbers(item, number) for item in data])
        case Dim() | OpenFloat():
            return number(data)
    return literal(data)
