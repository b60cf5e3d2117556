"""Cases of the normalisations."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.init import Normal, Ones, Zeros
from archdsl.ops.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm

from .drawing import FLAGS, images, shapes
from .harness import Case, case

EPS = st.sampled_from([1e-5, 1e-3, 0.1])
SCALES = st.sampled_from([Ones(), Zeros(), Normal(std=0.1)])


@st.composite
def batch_norms(draw: st.DrawFn) -> Case:
    op = BatchNorm(
        eps=draw(EPS),
        momentum=draw(st.sampled_from([0.1, 0.01])),
        affine=draw(FLAGS),
        track=draw(st.sampled_from([True, True, False])),
        init=draw(SCALES),
        bias_init=draw(SCALES),
    )
    return case(op, draw(images() | st.tuples(st.integers(1, 4), st.integers(1, 4))))


@st.composite
def layer_norms(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    rank = len(shape)
    last = st.integers(1, rank).map(lambda n: tuple(range(-n, 0)))
    op = LayerNorm(
        eps=draw(EPS),
        axis=draw(st.just(-1) | st.integers(-rank, rank - 1) | last | st.just((0, rank - 1))),
        affine=draw(FLAGS),
        bias=draw(FLAGS),
        init=draw(SCALES),
        bias_init=draw(SCALES),
    )
    return case(op, shape, is_stricter=op.axis == (0, rank - 1))


@st.composite
def group_norms(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 3)) + draw(st.sampled_from([0] * 9 + [1]))
    op = GroupNorm(groups, eps=draw(EPS), affine=draw(FLAGS), init=draw(SCALES), bias_init=draw(SCALES))
    return case(op, draw(images(st.just(channels)) | st.tuples(st.integers(1, 3), st.just(channels))))


@st.composite
def instance_norms(draw: st.DrawFn) -> Case:
    op = InstanceNorm(eps=draw(EPS), affine=draw(FLAGS), init=draw(SCALES), bias_init=draw(SCALES))
    return case(op, draw(images()))


CASES = {
    "batchnorm": batch_norms(),
    "layernorm": layer_norms(),
    "groupnorm": group_norms(),
    "instancenorm": instance_norms(),
}

TIGHT = [
    case(BatchNorm(), (2, 3, 4, 4)),
    case(LayerNorm(axis=1), (2, 4, 3, 3)),
    case(LayerNorm(axis=(-2, -1)), (2, 4, 3, 3)),
    case(GroupNorm(2), (2, 6, 3)),
    case(InstanceNorm(), (2, 3, 4)),
]

RARE = [case(LayerNorm(axis=1), (2, 6, 3, 4)), case(LayerNorm(axis=1, affine=False), (2, 3, 4, 5, 6))]
