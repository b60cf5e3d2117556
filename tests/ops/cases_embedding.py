"""Cases of tables of learned vectors."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import Tensor
from archdsl.ops.embedding import Embedding

from .drawing import INITS, shapes
from .harness import Case


@st.composite
def embeddings(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 6))
    padding = draw(st.none() | st.integers(0, count))
    op = Embedding(count, draw(st.integers(1, 4)), draw(INITS), padding)
    dtype = draw(st.sampled_from(["int64"] * 9 + ["float32"]))
    return Case(op, (Tensor(draw(shapes(0, 3)), dtype),), 0, count - 1)


CASES = {"embedding": embeddings()}

TIGHT: list[Case] = []
