"""Cases of functions of one value, and of what limits or scales it."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import Tensor
from archdsl.ops.functions import OPS, Clamp, Function, Log, Log2, Normalize, Reciprocal, Rsqrt, Sqrt

from .cases_elementwise import DTYPES
from .drawing import shapes
from .harness import Case, case

POSITIVE = (Log, Log2, Sqrt, Rsqrt, Reciprocal)
LIMITS = st.sampled_from([None, None, 0, 1, -0.5, 0.5])


@st.composite
def functions(draw: st.DrawFn, op: type[Function]) -> Case:
    low = 1.0 if op in POSITIVE else -3.0
    inputs = (Tensor(draw(shapes(0, 4)), draw(DTYPES)),)
    return Case(op(), inputs, low, 3.0, is_stricter=inputs[0].dtype == "bool")


@st.composite
def clamps(draw: st.DrawFn) -> Case:
    inputs = (Tensor(draw(shapes(0, 4)), draw(DTYPES)),)
    return Case(Clamp(draw(LIMITS), draw(LIMITS)), inputs, is_stricter=inputs[0].dtype == "bool")


@st.composite
def normalizations(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    op = Normalize(
        draw(st.integers(-len(shape), len(shape))),
        draw(st.sampled_from([1, 2, 2, 3])),
        draw(st.sampled_from([1e-12, 1e-3, 2.0])),
    )
    return case(op, shape, is_stricter=op.p == 3)


CASES = {
    **{op.name: functions(op) for op in OPS if issubclass(op, Function)},
    "clamp": clamps(),
    "normalize": normalizations(),
}

TIGHT = [case(Normalize(1), (2, 5, 3)), case(Clamp(max=1), (2, 3))]
