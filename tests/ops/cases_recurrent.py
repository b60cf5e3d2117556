"""Cases of recurrent layers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from archdsl.ops.recurrent import GRU, LSTM, RNN

from .drawing import FLAGS, INITS
from .harness import Case, case


@st.composite
def recurrent(draw: st.DrawFn, op: Any) -> Case:
    batch, steps, features, width = (draw(st.integers(1, 4)) for _ in range(4))
    layers = draw(st.integers(1, 3))
    more = {"nonlinearity": draw(st.sampled_from(["tanh", "relu"]))} if op is RNN else {}
    made = op(
        width,
        layers=layers,
        bidirectional=draw(FLAGS),
        dropout=draw(st.sampled_from([0.0, 0.0, 0.5])),
        bias=draw(FLAGS),
        init=draw(INITS),
        bias_init=draw(INITS),
        **more,
    )
    shape = (batch, steps, features)[: draw(st.sampled_from([3] * 9 + [2]))]
    return case(made, shape, is_stricter=True)


CASES = {"lstm": recurrent(LSTM), "gru": recurrent(GRU), "rnn": recurrent(RNN)}

TIGHT = [case(GRU(3, bidirectional=True), (2, 4, 3))]
