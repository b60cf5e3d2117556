"""Cases of bool values, the choice between two values, and conversions."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import DType, Operand, Tensor
from archdsl.ops.elementwise import Side
from archdsl.ops.logic import Logic, Not, ToFloat, ToInt, Where

from .cases_elementwise import DTYPES, NUMBERS, ones, stretched
from .drawing import mostly, shapes
from .harness import Case

BOOLS: st.SearchStrategy[DType] = mostly("bool", "float32")


@st.composite
def logic(draw: st.DrawFn) -> Case:
    shape = draw(shapes(0, 4))
    inputs = Tensor(shape, draw(BOOLS)), Tensor(draw(stretched(shape)), draw(BOOLS))
    return Case(Logic(draw(st.sampled_from(["and", "or"]))), inputs, known=ones(*inputs), is_stricter=True)


@st.composite
def choices(draw: st.DrawFn) -> Case:
    shape = draw(shapes(0, 4))
    inputs = [Tensor(draw(stretched(shape)), draw(BOOLS))]
    sides: list[Side] = []
    for _ in range(2):
        if draw(st.booleans()):
            inputs.append(Tensor(draw(stretched(shape)), draw(DTYPES)))
            sides.append(Operand(len(inputs) - 1))
        else:
            sides.append(draw(NUMBERS.filter(lambda number: number is not True)))
    then, otherwise = sides
    return Case(Where(then, otherwise), tuple(inputs), known=ones(*inputs), is_stricter=True)


def converted(op: ToInt | ToFloat) -> st.SearchStrategy[Case]:
    return st.builds(lambda shape, dtype: Case(op, (Tensor(shape, dtype),), is_stricter=True), shapes(0, 4), DTYPES)


CASES = {
    "logic": logic(),
    "not": st.builds(lambda shape, dtype: Case(Not(), (Tensor(shape, dtype),), is_stricter=True), shapes(0, 4), BOOLS),
    "where": choices(),
    "int": converted(ToInt()),
    "float": converted(ToFloat()),
}

TIGHT = [Case(Where(Operand(1), 0.0), (Tensor((2, 3), "bool"), Tensor((2, 3))))]
