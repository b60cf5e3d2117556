"""Traced values: what they compute, and what they refuse to answer."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import evaluate, symbol
from archdsl.emit.torch.verify.terms import Refused, TermTable, TracedSize, TracedTensor, plain, sized, unsized
from archdsl.op import Arg, Call, Hole, Input, Method

N = symbol("N")


def tensor(table: TermTable, name: str = "x") -> TracedTensor:
    return TracedTensor(table, table.term("input", name))


def test_equal_computations_are_one_term() -> None:
    table = TermTable()
    x, y = tensor(table), tensor(table, "y")
    assert (x + y).term == (x + y).term != (y + x).term
    assert (x * 2).term != (x * 2.0).term  # numbers of different types are different numbers
    assert x.flatten(1).term == x.flatten(1).term != x.flatten(2).term


@pytest.mark.parametrize("apply", [operator.add, operator.sub, operator.matmul, operator.pow, operator.and_])
def test_operators_know_their_sides(apply: Callable[[object, object], TracedTensor]) -> None:
    x = tensor(TermTable())
    assert apply(x, 3).term != apply(3, x).term


def test_defaults_of_arguments_are_torch_s() -> None:
    table = TermTable()
    x = tensor(table)
    table.learn(Call("F.softmax", (Arg(Input()), Arg(Hole(-1), "dim"), Arg(Hole(None), "dtype", None))))
    table.learn(Method(Input(), "flatten", (Arg(Hole(1), default=0), Arg(Hole(-1), default=-1))))
    short, whole = {"dim": -1}, {"dim": -1, "dtype": None}
    assert table.call("F.softmax", [x], short).term == table.call("F.softmax", [x], whole).term
    assert x.flatten(0).term == x.flatten().term == x.flatten(0, -1).term != x.flatten(1).term
    assert table.callees == {"F.softmax"}


def test_one_size_of_a_window_is_that_of_all_axes() -> None:
    table = TermTable()
    assert table.complete("nn.Conv2d", [3, 8, (3, 3)], {}) == table.complete("nn.Conv2d", [3, 8, 3], {})
    assert table.complete("nn.Conv2d", [3, 8, (3, 1)], {}) != table.complete("nn.Conv2d", [3, 8, 3], {})
    assert table.complete("nn.Conv1d", [3, 8, (3, 3)], {}) != table.complete("nn.Conv1d", [3, 8, 3], {})


def test_steps_are_recorded_where_they_are_asked_for() -> None:
    table = TermTable()
    x = tensor(table)
    with table.recorded() as outer:
        x + 1
        with table.recorded() as inner:
            y = x * 2
        y - 3
    assert [table.show(t) for t in outer] == ["`+`", "`-`"]
    assert [table.show(t) for t in inner] == ["`*`"]


@pytest.mark.parametrize(
    "ask",
    [
        bool,
        lambda x: x.is_cuda == True,  # noqa: E712
        lambda x: bool(x.is_cuda),
        lambda x: list(x),
        lambda x: x.shape,
        lambda x: x.dtype == (x + 1).dtype,
        lambda x: plain(object()),
        lambda x: x.expand(len),
    ],
)
def test_what_only_a_real_tensor_could_answer_is_refused(ask: Callable[[TracedTensor], object]) -> None:
    with pytest.raises(Refused):
        ask(tensor(TermTable()))


def test_a_comparison_is_answered_if_it_holds_for_all_sizes() -> None:
    size = TracedSize(2 * N + 2)
    assert size > 1
    assert size != 3
    assert size == 2 * (TracedSize(N) + 1)
    for ask in (lambda: size == 4, lambda: size < 5, lambda: bool(size), lambda: size == "4"):
        with pytest.raises(Refused):
            ask()


@given(st.integers(1, 9), st.integers(-9, 9), st.sampled_from([operator.add, operator.sub, operator.mul]))
def test_arithmetic_on_sizes_is_that_of_numbers(n: int, k: int, apply: Callable[[object, object], object]) -> None:
    for made, value in ((apply(TracedSize(N), k), apply(n, k)), (apply(k, TracedSize(N)), apply(k, n))):
        assert evaluate(unsized(made), {"N": n}) == value


def test_sizes_in_lists() -> None:
    shape = sized((N, 3))
    assert unsized(shape) == (N, 3)
    assert plain(shape) == plain((N, 3))
