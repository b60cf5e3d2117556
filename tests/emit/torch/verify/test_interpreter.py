"""What operators are in torch, evaluated on tensors and on traced tensors by the same interpreter."""

from __future__ import annotations

import operator

import pytest

from archdsl.dims import symbol
from archdsl.emit.torch.operators import BINARY, COMPARISONS, UNARY, infix
from archdsl.emit.torch.verify import tracing
from archdsl.emit.torch.verify.interpreter import Interpreter, forms, subexpressions
from archdsl.emit.torch.verify.terms import TermTable, TracedSize, TracedTensor
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
    Torch,
    Training,
    UnaryOp,
)

SCALE = BinaryOp("*", Call("F.relu", (Arg(Input()),)), Hole(2.0))
EVERYTHING = Call(
    "F.dropout",
    (
        Arg(
            Method(
                UnaryOp("-", Input()), "reshape", (Arg(Item(Attribute(Input(1), "shape"), (Hole(0),))), Arg(Hole(-1)))
            )
        ),
        Arg(Hole(0.5), "p"),
        Arg(Training(), "training"),
        Arg(Call("torch.cat", (Arg(ListExpr((Own("scale"), Call(SelfModule(), ()), Input()))),)), "more"),
        Arg(Item(Input(), (SliceExpr(Hole(1), None, Hole(2)),)), "even"),
        Arg(Conditional(Training(), Hole(1), Hole(0)), "mode"),
    ),
)


def test_subexpressions_are_all_there_and_outer_ones_first() -> None:
    kinds = [type(part) for part in subexpressions(EVERYTHING)]
    wanted = {
        Call, Method, UnaryOp, Item, Attribute, Input, Hole, Training, Conditional, ListExpr, Own, SelfModule,
        SliceExpr,
    }  # fmt: skip
    assert kinds[0] is Call
    assert set(kinds) == wanted
    assert [part.index for part in subexpressions(EVERYTHING) if isinstance(part, Input)] == [0, 1, 0, 0]


def test_forms() -> None:
    assert list(forms(Torch(module=Call("nn.ReLU", ()), function=SCALE))) == [Call("nn.ReLU", ()), SCALE]
    assert list(forms(Torch())) == []


def test_on_tensors() -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor([-1.0, 3.0])
    assert torch.equal(Interpreter([x]).value(SCALE), torch.tensor([0.0, 6.0]))
    size = Method(Input(), "expand", (Arg(ListExpr((Hole(symbol("N")), Hole(2)), is_tuple=True)),))
    assert Interpreter([x], size=lambda _: 5).value(size).shape == (5, 2)
    assert Interpreter(own={"scale": x}.__getitem__).value(Own("scale")) is x


def test_a_condition_chooses() -> None:
    chosen = Conditional(Training(), Hole(0.1), Hole(0.0))
    assert [Interpreter(training=training).value(chosen) for training in (True, False)] == [0.1, 0.0]


def test_on_traced_tensors() -> None:
    table = TermTable()
    names = tracing.names(table)
    x = TracedTensor(table, table.term("input", "x"))
    traced = Interpreter([x], size=TracedSize, names=names).value(SCALE)
    assert traced.term == (table.call("*", [table.call("F.relu", [x], {}), 2.0], {})).term


def test_arguments_at_their_default_may_be_kept() -> None:
    args = (Arg(Hole(1), default=1), Arg(Hole(2), "k", default=2), Arg(Hole(3), "m", default=4))
    assert Interpreter().arguments(args) == ([], {"m": 3})
    assert Interpreter(drop=False).arguments(args) == ([1], {"k": 2, "m": 3})


def test_a_missing_tensor_is_named() -> None:
    with pytest.raises(LookupError, match="scale"):
        Interpreter().value(Own("scale"))


@pytest.mark.parametrize("op", [*BINARY, *COMPARISONS])
def test_infix_operators_are_python_s(op: str) -> None:
    left, right = (True, False) if op in ("is", "is not") else (7, 3)
    if op == "@":
        with pytest.raises(TypeError):
            infix(op, left, right)
    else:
        assert infix(op, left, right) == eval(f"a {op} b", {"a": left, "b": right})


def test_prefix_operators_are_python_s() -> None:
    assert {op: entry.apply(6) for op, entry in UNARY.items()} == {"-": -6, "+": 6, "~": ~6, "not": operator.not_(6)}
