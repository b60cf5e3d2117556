"""Cases of multi-head attention."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import DType, Operand, Tensor
from archdsl.ops.attend import Attend
from archdsl.ops.attention import Attention

from .cases_elementwise import stretched
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


@st.composite
def attending(draw: st.DrawFn) -> Case:
    """Queries, keys and values with one width or two, shared heads, and masks of all kinds; some do not fit."""
    batch = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    fewer, groups, places, others = (draw(st.integers(1, 3)) for _ in range(4))
    width = draw(st.integers(1, 4))
    heads = fewer * groups + draw(OFF)
    query = (*batch, heads, places, width)
    key = (*batch, fewer, others, width + draw(OFF))
    value = (*batch, fewer, others + draw(OFF), draw(st.sampled_from([width, width, 2])))
    inputs = [Tensor(query), Tensor(key), Tensor(value)]
    kind: DType | None = draw(st.sampled_from([None, None, "bool", "bool", "float32", "int64"]))
    if kind is not None:
        shape = draw(stretched((*query[:-1], others)))
        inputs.append(Tensor(shape, kind))
    op = Attend(
        causal=draw(FLAGS),
        dropout=draw(st.sampled_from([0.0, 0.0, 0.5])),
        scale=draw(st.sampled_from([None, None, 0.5])),
        mask=Operand(3) if kind is not None else None,
    )
    known = tuple((i, axis) for i, t in enumerate(inputs) for axis, size in enumerate(t.shape) if size == 1)
    known += tuple((i, t.rank - 3) for i, t in enumerate(inputs) if t.rank >= 3)  # heads
    return Case(op, tuple(inputs), known=known, is_stricter=True)


CASES = {"attention": attentions(), "attend": attending()}

TIGHT = [
    case(Attend(), (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2)),
    case(Attend(), (2, 4, 3, 2), (2, 2, 5, 2), (2, 2, 5, 2)),
    case(Attend(mask=Operand(3)), (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2), (3, 4, 6)),
    case(Attention(2), (2, 5, 4)),
    case(Attention(2), (2, 3, 4), (2, 5, 4)),
]
