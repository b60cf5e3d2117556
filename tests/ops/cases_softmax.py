"""Cases of the activations along an axis."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.ops.softmax import GLU, LogSoftmax, Softmax

from .drawing import shapes
from .harness import Case, case


@st.composite
def along(draw: st.DrawFn, op: type[Softmax | LogSoftmax]) -> Case:
    shape = draw(shapes())
    return case(op(draw(st.integers(-len(shape), len(shape)))), shape)  # the last one is beyond


@st.composite
def glus(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    if draw(st.integers(0, 3)):
        shape = tuple(2 * size if i == axis % len(shape) else size for i, size in enumerate(shape))
    return case(GLU(axis), shape)


CASES = {"softmax": along(Softmax), "log_softmax": along(LogSoftmax), "glu": glus()}

TIGHT = [case(Softmax(1), (2, 5, 3)), case(GLU(1), (2, 6, 3))]
