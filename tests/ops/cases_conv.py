"""Cases of the convolutions."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.ops.conv import Conv, ConvTranspose

from .drawing import FLAGS, INITS, images, per_axis
from .harness import Case, case

SMALL = st.sampled_from([1, 1, 1, 2, 2, 3, 4])
SIDE = st.integers(0, 3)


@st.composite
def grouped(draw: st.DrawFn) -> tuple[int, int, int]:
    """Groups, channels, width; now and then they do not divide."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    off = draw(st.sampled_from([0] * 12 + [1])) if groups > 1 else 0
    return groups, groups * draw(st.integers(1, 2)) + off, groups * draw(st.integers(1, 3))


@st.composite
def convs(draw: st.DrawFn) -> Case:
    groups, channels, width = draw(grouped())
    shape = draw(images(st.just(channels)))
    axes = len(shape) - 2
    pad = draw(st.just("same") | per_axis(SIDE, axes) | st.tuples(*[SIDE | st.tuples(SIDE, SIDE)] * axes))
    stride = draw(st.just(1) if pad == "same" and draw(st.integers(0, 9)) else per_axis(SMALL, axes))
    op = Conv(
        width,
        kernel=draw(per_axis(SMALL, axes)),
        stride=stride,
        pad=pad,
        dilation=draw(per_axis(SMALL, axes)),
        groups=groups,
        bias=draw(FLAGS),
        init=draw(INITS),
        bias_init=draw(INITS),
    )
    return case(op, shape)


@st.composite
def transposed(draw: st.DrawFn) -> Case:
    groups, channels, width = draw(grouped())
    shape = draw(images(st.just(channels)))
    axes = len(shape) - 2
    op = ConvTranspose(
        width,
        kernel=draw(per_axis(SMALL, axes)),
        stride=draw(per_axis(SMALL, axes)),
        pad=draw(per_axis(st.sampled_from([0, 0, 1, 2]), axes)),
        output_pad=draw(per_axis(st.sampled_from([0, 0, 0, 1, 2]), axes)),
        groups=groups,
        bias=draw(FLAGS),
        dilation=draw(per_axis(SMALL, axes)),
        init=draw(INITS),
        bias_init=draw(INITS),
    )
    return case(op, shape)


CASES = {"conv": convs(), "convtranspose": transposed()}

TIGHT = [
    case(Conv(4, 3), (1, 4, 11)),
    case(Conv(6, (3, 2), stride=2, dilation=(2, 3), groups=2), (2, 4, 11, 12)),
    case(Conv(4, (1, 3), pad=(0, (2, 0)), groups=4), (1, 4, 4, 9)),
    case(Conv(2, 4, pad="same"), (1, 3, 11)),
    case(ConvTranspose(4, 4, stride=2, groups=2), (1, 4, 7)),
    case(ConvTranspose(4, 3, stride=2, dilation=2, pad=1), (1, 4, 7, 7)),
    case(ConvTranspose(4, 4, stride=2, dilation=4), (1, 2, 12)),
    case(ConvTranspose(4, 7, stride=3), (1, 2, 12)),
]

RARE = [
    case(ConvTranspose(2, 1, output_pad=1, dilation=2), (1, 2, 3)),  # output_pad not less than stride
    case(ConvTranspose(2, 2, output_pad=2, dilation=3, pad=1), (1, 2, 3)),
    case(ConvTranspose(2, 2, output_pad=(2, 1), dilation=3, pad=2, stride=2, bias=False), (1, 2, 3, 4)),
]
