"""Cases of the fully connected layer."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.ops.linear import Linear

from .drawing import FLAGS, INITS, shapes
from .harness import Case, case


@st.composite
def linears(draw: st.DrawFn) -> Case:
    op = Linear(draw(st.integers(1, 6)), bias=draw(FLAGS), init=draw(INITS), bias_init=draw(INITS))
    return case(op, draw(shapes()))


CASES = {"linear": linears()}

TIGHT = [case(Linear(3), (2, 4, 5))]
