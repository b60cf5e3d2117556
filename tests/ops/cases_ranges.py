"""Cases of counting."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import Tensor
from archdsl.ops.ranges import Arange

from .drawing import shapes
from .harness import Case


@st.composite
def ranges(draw: st.DrawFn) -> Case:
    op = Arange(draw(st.integers(-3, 6)), draw(st.integers(-3, 9)))
    return Case(op, (Tensor(draw(shapes(1, 3)), draw(st.sampled_from(["float32", "int64"]))),))


CASES = {"arange": ranges()}

TIGHT: list[Case] = []
