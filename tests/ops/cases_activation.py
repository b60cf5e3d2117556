"""Cases of the activations of each number for itself."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.init import Constant, Normal
from archdsl.ops.activation import CELU, ELU, GELU, OPS, Fixed, Hardtanh, LeakyReLU, PReLU

from .drawing import FLAGS, shapes
from .harness import Case, case

WIDE = {"low": -8.0, "high": 8.0}
"""Far enough to meet the limits of relu6 and hardswish."""


@st.composite
def prelus(draw: st.DrawFn) -> Case:
    op = PReLU(per_channel=draw(FLAGS), init=draw(st.sampled_from([Constant(0.25), Normal(std=0.1)])))
    return case(op, draw(shapes()))


ALPHAS = st.sampled_from([1.0, 0.5, 2.0])

CASES = {
    **{op.name: shapes().map(lambda shape, op=op: case(op(), shape, **WIDE)) for op in OPS if issubclass(op, Fixed)},
    "leaky_relu": st.builds(lambda slope, shape: case(LeakyReLU(slope), shape), st.sampled_from([0.01, 0.2]), shapes()),
    "elu": st.builds(lambda alpha, shape: case(ELU(alpha), shape), ALPHAS, shapes()),
    "celu": st.builds(lambda alpha, shape: case(CELU(alpha), shape), ALPHAS, shapes()),
    "gelu": st.builds(lambda how, shape: case(GELU(how), shape), st.sampled_from(["none", "tanh"]), shapes()),
    "hardtanh": st.builds(
        lambda low, high, shape: case(Hardtanh(low, high), shape),
        st.sampled_from([-1.0, 0.0]),
        st.sampled_from([1.0, 1.5]),
        shapes(),
    ),
    "prelu": prelus(),
}

TIGHT = [case(GELU(), (2, 3, 4)), case(PReLU(), (2, 3, 4))]
