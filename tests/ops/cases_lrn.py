"""Cases of local response normalisation."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.ops.lrn import LRN

from .drawing import images
from .harness import Case, case


@st.composite
def lrns(draw: st.DrawFn) -> Case:
    op = LRN(
        draw(st.integers(1, 7)),
        alpha=draw(st.sampled_from([1e-4, 0.5])),
        beta=draw(st.sampled_from([0.75, 0.5])),
        k=draw(st.sampled_from([1.0, 2.0])),
    )
    return case(op, draw(images(st.integers(1, 8))))


CASES = {"lrn": lrns()}

TIGHT = [case(LRN(3, alpha=0.5), (2, 9, 2, 2)), case(LRN(4, alpha=0.5), (2, 9, 2))]
