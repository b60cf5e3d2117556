"""Sizes of convolutions and poolings, and what they require: written here to put `Needs` to the test."""

from __future__ import annotations

from archdsl.dims import Needs, Size


def convolution(needs: Needs, h: Size, kernel: int, stride: int, pad: int, dilation: int) -> Size:
    """The kernel must fit in once."""
    room = h + 2 * pad - dilation * (kernel - 1) - 1
    needs.require(room, ">=", 0)
    return room // stride + 1


def pooling(needs: Needs, h: Size, kernel: int, stride: int, pad: int, dilation: int, ceil: bool) -> Size:
    """With ``ceil``, a window may hang over the end, but not start there: the lesser of two floors."""
    if not ceil:
        return convolution(needs, h, kernel, stride, pad, dilation)
    reach = dilation * (kernel - 1) + 1
    out = (h + pad + min(0, pad + stride - reach) + stride - 1) // stride
    needs.require(out, ">=", 1)
    return out


def transposed(needs: Needs, h: Size, kernel: int, stride: int, pad: int, dilation: int, output_pad: int) -> Size:
    """The convolution whose gradient this is, turned round."""
    out = (h - 1) * stride - 2 * pad + dilation * (kernel - 1) + output_pad + 1
    needs.require(out, ">=", 1)
    return out
