"""Cases of multi-head attention."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.ops.attention import Attention

from .drawing import FLAGS, INITS
from .harness import Case, case

OFF = st.sampled_from([0] * 15 + [1])


@st.composite
def attentions(draw: st.DrawFn) -> Case:
    heads = draw(st.integers(1, 3))
    batch, places, others, depth = (draw(st.integers(1, 4)) for _ in range(4))
    width = heads * depth + draw(OFF)
    op = Attention(
        heads,
        dropout=draw(st.sampled_from([0.0, 0.0, 0.5])),
        bias=draw(FLAGS),
        init=draw(INITS),
        out_init=draw(INITS),
        bias_init=draw(INITS),
    )
    query, other = (batch, places, width), (batch, others, width + draw(OFF))
    shapes = [query, other, (*other[:1], others + draw(OFF), other[2])][: draw(st.integers(1, 3))]
    known = tuple((i, axis) for i, shape in enumerate(shapes) for axis in (0, 1) if shape[axis] == 1)
    return case(op, *shapes, known=known)


CASES = {"attention": attentions()}

TIGHT = [
    case(Attention(2), (2, 5, 4)),
    case(Attention(2), (2, 3, 4), (2, 5, 4)),
]
