"""Cases of resizing, and of moving cells between space and channels."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import Operand
from archdsl.ops.resample import SPATIAL_AXES, ChannelShuffle, PixelShuffle, PixelUnshuffle, Resize

from .drawing import FLAGS, images, per_axis
from .harness import Case, case

SCALES = st.sampled_from([2.0, 2.0, 3.0, 0.5, 1.5, 0.25, 1.0, 0.1, 1.25, 2.25])


@st.composite
def resized(draw: st.DrawFn) -> Case:
    shape = draw(images())
    axes = len(shape) - 2
    fitting = [mode for mode, fits in SPATIAL_AXES.items() if axes in fits]
    mode = draw(st.sampled_from([*fitting, "nearest", draw(st.sampled_from(list(SPATIAL_AXES)))]))
    align = draw(FLAGS) and mode != "nearest"
    match draw(st.sampled_from(["size", "scale", "like"])):
        case "size":
            op = Resize(mode, size=draw(per_axis(st.integers(1, 15), axes)), align_corners=align)
        case "scale":
            op = Resize(mode, scale=draw(per_axis(SCALES, axes)), align_corners=align)
        case _:
            like = (*draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), *draw(images(axes=axes))[2:])
            return case(Resize(mode, like=Operand(1), align_corners=align), shape, like)
    known = tuple((0, axis) for axis in range(2, len(shape)))  # a scale is exact, 0.1 and what vanishes is not
    return case(op, shape, known=known, is_stricter=True)


@st.composite
def shuffled(draw: st.DrawFn) -> Case:
    factor, off = draw(st.integers(1, 3)), draw(st.sampled_from([0, 0, 0, 1]))
    shape = draw(images(axes=draw(st.sampled_from([2, 2, 2, 1]))))
    channels = factor**2 * draw(st.integers(1, 2)) + off
    return case(PixelShuffle(factor), (shape[0], channels, *shape[2:]), is_stricter=len(shape) != 4)


@st.composite
def unshuffled(draw: st.DrawFn) -> Case:
    factor, off = draw(st.integers(1, 3)), draw(st.sampled_from([0, 0, 0, 1]))
    batch, channels, *spatial = draw(images(axes=draw(st.sampled_from([2, 2, 2, 1]))))
    op = PixelUnshuffle(factor)
    return case(op, (batch, channels, *(factor * s + off for s in spatial)), is_stricter=len(spatial) != 2)


@st.composite
def interleaved(draw: st.DrawFn) -> Case:
    groups, off = draw(st.integers(1, 4)), draw(st.sampled_from([0, 0, 0, 1]))
    shape = draw(images())
    channels = groups * draw(st.integers(1, 3)) + off
    return case(ChannelShuffle(groups), (shape[0], channels, *shape[2:]))


CASES = {
    "resize": resized(),
    "pixel_shuffle": shuffled(),
    "pixel_unshuffle": unshuffled(),
    "channel_shuffle": interleaved(),
}

TIGHT = [
    case(Resize("bilinear", scale=2.0), (1, 2, 5, 5)),
    case(Resize("bicubic", size=(13, 11)), (1, 1, 6, 7)),
    case(Resize("nearest", like=Operand(1)), (1, 2, 3), (1, 1, 7)),
    case(PixelShuffle(2), (1, 8, 2, 3)),
    case(PixelUnshuffle(2), (1, 2, 4, 6)),
    case(ChannelShuffle(3), (1, 6, 2)),
]
