"""Cases of padding and rolling."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import Tensor
from archdsl.ops.padding import Pad, Roll

from .cases_elementwise import DTYPES
from .drawing import shapes
from .harness import Case, case

SIDES = st.integers(0, 3)


@st.composite
def pads(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    mode = draw(st.sampled_from(["constant", "constant", "reflect", "replicate", "circular"]))
    op = Pad(
        draw(st.integers(-len(shape), len(shape) - 1)),
        draw(SIDES),
        draw(SIDES),
        mode,
        draw(st.sampled_from([0, 0, 1, 2.5])) if mode == "constant" else 0,
    )
    dtype = draw(DTYPES) if mode == "constant" else "float32"
    return Case(op, (Tensor(shape, dtype),), is_stricter=dtype != "float32", is_folded=mode != "constant")


@st.composite
def rolls(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    op = Roll(draw(st.integers(-len(shape), len(shape) - 1)), draw(st.integers(-7, 7)))
    return Case(op, (Tensor(shape, draw(DTYPES)),))


CASES = {"pad": pads(), "roll": rolls()}

TIGHT = [case(Pad(1, 2, 1), (2, 3, 4))]
