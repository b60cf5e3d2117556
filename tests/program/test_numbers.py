"""Numbers that are open in a class: symbols, and floats that keep their expression."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import symbol
from archdsl.op import Tensor
from archdsl.ops.dropout import DropPath
from archdsl.program.numbers import OpenFloat, Operation, at, is_exactly, names_in
from archdsl.record import exactly

WIDTH = symbol("width")
SCALE = OpenFloat(0.125, Operation("**", WIDTH, -0.5))


def test_an_open_float_is_its_expression_and_not_its_value() -> None:
    assert OpenFloat(0.1, "p") == OpenFloat(0.2, "p")
    assert OpenFloat(0.1, "p") != OpenFloat(0.1, "q")
    assert OpenFloat(0.1, "p") != 0.1
    assert len({OpenFloat(0.1, "p"), OpenFloat(0.2, "p")}) == 1


def test_it_is_shown_as_it_is_written() -> None:
    assert str(SCALE) == "(width ** -0.5)"


def test_the_names_in_a_number() -> None:
    assert names_in(SCALE) == {"width"}
    assert names_in(OpenFloat(0.1, "p")) == {"p"}
    assert names_in(WIDTH * 4 + 1) == {"width"}
    assert names_in(3) == names_in(0.5) == frozenset()


def test_numbers_at_the_values_of_an_instance() -> None:
    lane = {"width": 16, "p": 0.3}
    assert at(WIDTH * 4, lane) == 64
    assert at(SCALE, lane) == 0.25
    assert at(DropPath(p=OpenFloat(0.1, "p")), lane) == DropPath(p=0.3)
    assert at(Tensor((symbol("N"), WIDTH)), lane) == Tensor((symbol("N"), 16))


def test_equal_numbers_of_other_types_are_not_the_same() -> None:
    assert is_exactly((1, 2.0), (1, 2.0))
    assert not is_exactly((1, 2.0), (1, 2))
    assert not is_exactly(True, 1)


NUMBERS = st.one_of(st.integers(-2, 2), st.booleans(), st.sampled_from([0.0, -0.0, 1.0, float("nan")]))


@given(st.lists(NUMBERS, max_size=2))
def test_exactness_is_that_of_records(values: list[float]) -> None:
    """1, 1.0 and true are equal, and not the same; so are 0.0 and -0.0."""
    for other in ([], [1], [1.0], [True], [0.0], [-0.0], [1, 0.0], [float("nan")]):
        a, b = (tuple(values), 1), (tuple(other), 1)
        assert is_exactly(a, b) == (exactly(a) == exactly(b))
