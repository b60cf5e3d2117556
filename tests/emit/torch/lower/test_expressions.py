"""Torch expressions of operators as Python, in the names of a scope."""

from __future__ import annotations

import ast

import pytest

from archdsl.dims import Dim, symbol
from archdsl.emit.torch.lower.expressions import Expression, Scope, Unsupported, translate
from archdsl.emit.torch.render import flat
from archdsl.op import (
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
    Training,
    UnaryOp,
)
from archdsl.program.numbers import OpenFloat

SCOPE = Scope(
    (ast.Name("x"), ast.Name("y")),
    ast.parse("self.conv1", mode="eval").body,
    tensor=lambda label: ast.Attribute(ast.Name("self"), label),
    open=lambda size: ast.Name(str(size).lower()),
)
DEFAULT = Arg(Hole(1), "stride", default=1)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (Input(1), "y"),
        (Hole((2, 3.0)), "(2, 3.0)"),
        (Training(), "self.training"),
        (Conditional(Training(), Hole(0.1), Hole(0.0)), "0.1 if self.training else 0.0"),
        (Own("scale"), "self.scale"),
        (UnaryOp("-", Input()), "-x"),
        (BinaryOp("+", Input(0), Input(1)), "x + y"),
        (BinaryOp(">=", Input(0), Hole(0)), "x >= 0"),
        (Attribute(Input(), "shape"), "x.shape"),
        (Call("torch.cat", (Arg(ListExpr((Input(0), Input(1)))), Arg(Hole(1), "dim"))), "torch.cat([x, y], dim=1)"),
        (Call(SelfModule(), (Arg(Input()),)), "self.conv1(x)"),
        (Method(Input(), "flatten", (Arg(Hole(1)),)), "x.flatten(1)"),
        (Method(Input(), "view", (Arg(ListExpr((Hole(-1), Hole(4)), is_tuple=True)),)), "x.view((-1, 4))"),
        (Item(Input(), (SliceExpr(), SliceExpr(Hole(1), Hole(None)), Hole(0))), "x[:, 1:None, 0]"),
        (Hole(symbol("N")), "n"),
        (Call("nn.Conv2d", (Arg(Hole(3)), DEFAULT)), "nn.Conv2d(3)"),
    ],
)
def test_each_form(expression: Expression, text: str) -> None:
    assert flat(translate(expression, SCOPE)) == text


def test_a_default_of_another_type_is_written() -> None:
    """torch takes 1 and 1.0 for different things."""
    said = Call("f", (Arg(Hole(1.0), "p", default=1),))
    assert flat(translate(said, SCOPE)) == "f(p=1.0)"


def test_functions_that_are_called_are_reported() -> None:
    used: list[str] = []
    translate(Call("drop_path", (Arg(Call("F.relu", (Arg(Input()),))),)), Scope((ast.Name("x"),), use=used.append))
    assert used == ["drop_path", "F.relu"]


@pytest.mark.parametrize("expression", [Input(0), SelfModule(), Own("w"), Hole(symbol("N"))])
def test_what_a_scope_does_not_have_is_refused(expression: Expression) -> None:
    with pytest.raises(Unsupported):
        translate(expression, Scope())


def test_symbolic_sizes_are_asked_for_whole() -> None:
    asked: list[Dim | OpenFloat] = []

    def size(wanted: Dim | OpenFloat) -> ast.expr:
        asked.append(wanted)
        return ast.Name("n")

    translate(Hole((symbol("N") + 1, 4)), Scope(open=size))
    assert asked == [symbol("N") + 1]
