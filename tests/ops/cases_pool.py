"""Cases of the pools."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool

from .drawing import FLAGS, images, per_axis
from .harness import Case, case

KERNEL = st.sampled_from([1, 2, 2, 3, 3, 4, 5])
STRIDE = st.integers(1, 4)
SIDE = st.sampled_from([0, 0, 0, 1, 1, 2])


@st.composite
def max_pools(draw: st.DrawFn) -> Case:
    shape = draw(images())
    axes = len(shape) - 2
    op = MaxPool(
        draw(per_axis(KERNEL, axes)),
        stride=draw(st.none() | per_axis(STRIDE, axes)),
        pad=draw(per_axis(SIDE, axes)),
        dilation=draw(per_axis(st.sampled_from([1, 1, 2, 3]), axes)),
        ceil=draw(FLAGS),
    )
    return case(op, shape, is_stricter=op.dilation != 1 and op.pad != 0)


@st.composite
def avg_pools(draw: st.DrawFn) -> Case:
    shape = draw(images())
    axes = len(shape) - 2
    op = AvgPool(
        draw(per_axis(KERNEL, axes)),
        stride=draw(st.none() | per_axis(STRIDE, axes)),
        pad=draw(per_axis(SIDE, axes)),
        ceil=draw(FLAGS),
        count_pad=draw(FLAGS),
    )
    return case(op, shape)


@st.composite
def adaptive(draw: st.DrawFn, op: type[AdaptiveAvgPool | AdaptiveMaxPool]) -> Case:
    shape = draw(images())
    axes = len(shape) - 2
    return case(op(draw(per_axis(st.integers(1, 6), axes) | st.just(shape[2:]))), shape)


CASES = {
    "maxpool": max_pools(),
    "avgpool": avg_pools(),
    "adaptive_avgpool": adaptive(AdaptiveAvgPool),
    "adaptive_maxpool": adaptive(AdaptiveMaxPool),
    "global_avgpool": images().map(lambda shape: case(GlobalAvgPool(), shape)),
    "global_maxpool": images().map(lambda shape: case(GlobalMaxPool(), shape)),
}

TIGHT = [
    case(AvgPool(3, stride=2), (1, 2, 9)),
    case(AvgPool((2, 3)), (1, 2, 8, 9)),
    case(AdaptiveAvgPool(3), (1, 2, 9)),
    case(AdaptiveAvgPool((3, 5)), (1, 2, 8, 12)),
    case(GlobalAvgPool(), (2, 3, 4, 4)),
]

RARE = [
    case(MaxPool(2, ceil=True, pad=1), (1, 1, 1)),  # nothing hangs over, though ⌈⌉ says so
    case(MaxPool(2, ceil=True, pad=1), (1, 1, 1, 3)),  # along one axis only
    case(AvgPool(2, stride=3, ceil=True, pad=1), (1, 1, 4, 3)),  # where the other must be cut
    case(AvgPool((1, 2), stride=(3, 2), ceil=True), (1, 2, 3, 5)),
    case(MaxPool((1, 2), stride=(3, 2), ceil=True), (1, 2, 3, 5)),
]
