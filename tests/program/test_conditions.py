"""Conditions on the open numbers of a class."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import Operator, symbol
from archdsl.program.conditions import Combined, Compared, Condition, holds, names_of, opposite

NUMBERS = st.integers(1, 4)
COMPARED = st.builds(
    Compared,
    st.sampled_from([symbol("stride"), symbol("width")]),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.one_of(NUMBERS, st.just(symbol("C"))),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    COMPARED, lambda inner: st.builds(Combined, st.sampled_from(["and", "or"]), inner, inner), max_leaves=5
)


@given(CONDITIONS, st.fixed_dictionaries({"stride": NUMBERS, "width": NUMBERS, "C": NUMBERS}))
def test_the_opposite_holds_where_a_condition_does_not(condition: Condition, lane: dict[str, int]) -> None:
    assert holds(opposite(condition), lane) is not holds(condition, lane)


@pytest.mark.parametrize(
    ("op", "answers"),
    [("==", (False, True, False)), ("<", (True, False, False)), (">=", (False, True, True))],
)
def test_a_comparison_at_the_numbers_of_an_instance(op: Operator, answers: tuple[bool, ...]) -> None:
    condition = Compared(symbol("stride"), op, 2)
    assert tuple(holds(condition, {"stride": k}) for k in (1, 2, 3)) == answers


def test_as_text() -> None:
    condition = Combined("or", Compared(symbol("stride"), "!=", 1), Compared(symbol("C"), "!=", symbol("width")))
    assert str(condition) == "(stride != 1 or C != width)"
    assert names_of(condition) == {"stride", "C", "width"}
