"""The convention for operations (``Op.operations``), counted by hand on layers that one can count in the head."""

from __future__ import annotations

import pytest

from archdsl.ops.activation import GELU, ReLU, Sigmoid
from archdsl.ops.conv import Conv
from archdsl.ops.dropout import Dropout
from archdsl.ops.linear import Linear
from archdsl.ops.lrn import LRN
from archdsl.ops.norm import BatchNorm, LayerNorm
from archdsl.ops.pool import AdaptiveAvgPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archdsl.ops.softmax import Softmax

from .harness import Case, accepted, case


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (case(Conv(4, 3), (1, 2, 5)), 4 * 3),
        (case(Conv(4, 3, bias=False), (1, 2, 5)), 0),
        (case(Linear(4), (3, 5)), 3 * 4),
        (case(BatchNorm(), (2, 3, 4)), 2 * 24),
        (case(LayerNorm(), (2, 5)), 2 * (5 + 5 + 5 + 5 + 2 + 5 + 5 + 5)),
        (case(LayerNorm(bias=False), (2, 5)), 2 * (5 + 5 + 5 + 5 + 2 + 5 + 5)),
        (case(LRN(5), (1, 7, 2)), 14 * (1 + 5 + 1 + 1 + 1 + 1)),
        (case(MaxPool(3), (1, 1, 6, 6)), 4 * 8),
        (case(AvgPool(3), (1, 1, 6, 6)), 4 * 9),
        (case(GlobalAvgPool(), (1, 2, 6)), 2 * 6),
        (case(GlobalMaxPool(), (1, 2, 6)), 2 * 5),
        (case(AdaptiveAvgPool(2), (1, 1, 5)), 3 + 3),
        (case(AdaptiveAvgPool(4), (1, 1, 6)), 2 + 2 + 2 + 2),
        (case(ReLU(), (3, 4)), 12),
        (case(Sigmoid(), (3, 4)), 4 * 12),
        (case(GELU(), (3, 4)), 5 * 12),
        (case(Softmax(1), (3, 4)), 3 * (3 + 4 + 4 + 3 + 4)),
        (case(Dropout(), (3, 4)), 0),
    ],
    ids=repr,
)
def test_operations_are_as_counted_by_hand(layer: Case, expected: int) -> None:
    outputs = accepted(layer)
    assert outputs is not None
    assert layer.op.operations(layer.inputs, outputs) == expected
