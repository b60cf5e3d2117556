"""Neighbors that are made alike are made in a comprehension."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.emit.torch.lower.classir import Argument, ClassIR
from archdsl.emit.torch.lower.rerolling import rerolled
from archdsl.emit.torch.render import flat


def given_to_base(items: str, *parameters: str) -> str:
    """What ``super().__init__`` of a container is given for these items."""
    (written,) = ast.parse(f"f({items})").body
    assert isinstance(written, ast.Expr)
    assert isinstance(written.value, ast.Call)
    named = tuple(Argument(p, "int") for p in parameters)
    cls = rerolled(ClassIR("nn.Sequential", (), tuple(written.value.args), (), (), parameters=named))
    return ", ".join(map(flat, cls.positional))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("B(64), B(64), B(64)", "*(B(64) for _ in range(3))"),
        ("A(3), B(8), B(8), B(8), C()", "A(3), *(B(8) for _ in range(3)), C()"),
        ("B(64), B(96), B(128)", "*(B(64 + 32 * i) for i in range(3))"),
        ("B(0), B(1), B(2)", "*(B(i) for i in range(3))"),
        ("B(9), B(7), B(5)", "*(B(9 - 2 * i) for i in range(3))"),
        ("B(c, 1, pad=4), B(c, 2, pad=6), B(c, 3, pad=8)", "*(B(c, 1 + i, pad=4 + 2 * i) for i in range(3))"),
        ("B(1), B(5), B(5), B(5)", "B(1), *(B(5) for _ in range(3))"),
        (
            "nn.Sequential(A(), A(), A()), C()",
            "nn.Sequential(*(A() for _ in range(3))), C()",
        ),
        ("nn.ModuleList([A(), A(), A()])", "nn.ModuleList([*(A() for _ in range(3))])"),
    ],
)
def test_equal_and_evenly_growing_neighbors(items: str, expected: str) -> None:
    assert given_to_base(items) == expected


@pytest.mark.parametrize(
    "items",
    [
        "B(64), B(64)",  # two are as short
        "B(1), B(2), B(4)",
        "A(1), B(1), A(1)",
        "B(0.1), B(0.2), B(0.3)",  # sums of floats are not exact
        "B(True), B(False), B(True)",
        "B(1), B(1, bias=False), B(1)",
        "m, m, m",  # one module three times, not three modules
    ],
)
def test_others_are_written_one_by_one(items: str) -> None:
    assert given_to_base(items) == items


def test_a_parameter_that_has_the_variables_name_is_not_hidden() -> None:
    assert given_to_base("B(i), B(i), B(i)", "i") == "B(i), B(i), B(i)"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=12))
def test_the_same_modules_are_made_in_the_same_order(numbers: list[tuple[int, int]]) -> None:
    """Python itself says what the items are."""

    def made(items: str) -> list[tuple[int, ...]]:
        return list(eval(f"[{items}]", {"B": lambda *given: given}))

    items = ", ".join(f"B({a}, {b})" for a, b in numbers)
    assert made(given_to_base(items)) == made(items)
