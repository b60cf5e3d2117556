"""Cases of choosing by data."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from archdsl.op import DType, Op, Operand, Tensor
from archdsl.ops.order import Argmax, Argmin, Argsort, Cumsum, OneHot, Sort, Take, TopK

from .cases_elementwise import DTYPES
from .drawing import FLAGS, mostly, shapes
from .harness import Case, case

FLOATS: st.SearchStrategy[DType] = mostly("float32", "int64")


@st.composite
def axes(draw: st.DrawFn, rank: int) -> int:
    return draw(st.integers(-rank, rank - 1) | st.just(-1))


@st.composite
def chosen(draw: st.DrawFn, op: Any, types: st.SearchStrategy[Any]) -> Case:
    """Along an axis, with a flag."""
    shape = draw(shapes(1, 4))
    made: Op = op(draw(axes(len(shape))), draw(FLAGS))
    return Case(made, (Tensor(shape, draw(types)),), is_stricter=True)


@st.composite
def largest(draw: st.DrawFn) -> Case:
    shape = draw(shapes(1, 4))
    axis = draw(axes(len(shape)))
    k = draw(st.integers(1, shape[axis] + 1))
    return Case(TopK(k, axis, draw(FLAGS)), (Tensor(shape, draw(FLOATS)),), is_stricter=True)


@st.composite
def taken(draw: st.DrawFn) -> Case:
    shape = draw(shapes(1, 4))
    axis = draw(st.integers(0, len(shape) - 1))
    rank = draw(st.integers(axis + 1, len(shape)))
    index = [draw(st.sampled_from([size, size, 1])) for size in shape[:rank]]
    index[axis] = draw(st.integers(1, 4))
    if draw(st.sampled_from([False] * 9 + [True])):
        index[-1] += 1
    places: DType = draw(mostly("int64", "float32"))
    inputs = Tensor(shape, draw(DTYPES)), Tensor(tuple(index), places)
    known = tuple((1, at) for at, size in enumerate(index) if size == 1)
    given = axis - draw(st.sampled_from([0, len(shape)]))
    return Case(Take(Operand(1), given), inputs, 0.0, shape[axis] - 1, known, is_stricter=True)


@st.composite
def hot(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 5))
    dtype: DType = draw(mostly("int64", "float32"))
    return Case(OneHot(count), (Tensor(draw(shapes(0, 3)), dtype),), 0.0, count - 1, is_stricter=True)


@st.composite
def summed(draw: st.DrawFn) -> Case:
    shape = draw(shapes(1, 4))
    return Case(Cumsum(draw(axes(len(shape)))), (Tensor(shape, draw(DTYPES)),))


CASES = {
    "topk": largest(),
    "sort": chosen(Sort, FLOATS),
    "argsort": chosen(Argsort, FLOATS),
    "argmax": chosen(Argmax, DTYPES),
    "argmin": chosen(Argmin, DTYPES),
    "take": taken(),
    "one_hot": hot(),
    "cumsum": summed(),
}

TIGHT = [case(Cumsum(1), (2, 5))]
