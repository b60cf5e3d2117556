"""Twelve networks as chains of sizes along one axis, over symbols or over plain numbers.

The same function runs on a `Symbolic` reader, which requires what each layer needs, and on `Plain`, which
computes as PyTorch does and raises `Rejected` where PyTorch would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from archdsl.dims import Needs, Operator, Size, Violated

from .shapes import convolution, pooling


class Rejected(Exception):
    """The network does not accept this size."""


class Reader(Protocol):
    """What a network is read by."""

    def conv(self, h: Any, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> Any: ...

    def pool(self, h: Any, kernel: int, stride: int, pad: int = 0, ceil: bool = False) -> Any: ...

    def need(self, a: Any, operator: Operator, b: Any) -> None: ...


class Symbolic:
    """Reads a network over symbols."""

    def __init__(self) -> None:
        self.needs = Needs()

    def conv(self, h: Size, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> Size:
        return convolution(self.needs, h, kernel, stride, pad, dilation)

    def pool(self, h: Size, kernel: int, stride: int, pad: int = 0, ceil: bool = False) -> Size:
        return pooling(self.needs, h, kernel, stride, pad, 1, ceil)

    def need(self, a: Size, operator: Operator, b: Size) -> None:
        assert not isinstance(self.needs.require(a, operator, b), Violated)


class Plain:
    """Reads a network over numbers, by the formulas in PyTorch's own source."""

    def conv(self, h: int, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> int:
        if h + 2 * pad < dilation * (kernel - 1) + 1:
            raise Rejected
        return (h + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1

    def pool(self, h: int, kernel: int, stride: int, pad: int = 0, ceil: bool = False) -> int:
        out = (h + 2 * pad - kernel + (stride - 1 if ceil else 0)) // stride + 1
        if ceil and (out - 1) * stride >= h + pad:
            out -= 1
        if out < 1:
            raise Rejected
        return out

    def need(self, a: int, operator: Operator, b: int) -> None:
        if not (a == b if operator == "==" else a >= b):
            raise Rejected


def vgg(net: Reader, h: Any) -> Any:
    for convs in (2, 2, 3, 3, 3):
        for _ in range(convs):
            h = net.conv(h, 3, 1, 1)
        h = net.pool(h, 2, 2)
    return h


def resnet152(net: Reader, h: Any) -> Any:
    h = net.pool(net.conv(h, 7, 2, 3), 3, 2, 1)
    for stage, depth in enumerate((3, 8, 36, 3)):
        for unit in range(depth):
            stride = 2 if stage and not unit else 1
            body = net.conv(net.conv(net.conv(h, 1), 3, stride, 1), 1)
            net.need(body, "==", net.conv(h, 1, stride) if stride > 1 else h)
            h = body
    return h


def densenet(net: Reader, h: Any) -> Any:
    h = net.pool(net.conv(h, 7, 2, 3), 3, 2, 1)
    for stage, depth in enumerate((6, 12, 24, 16)):
        for _ in range(depth):
            net.need(net.conv(net.conv(h, 1), 3, 1, 1), "==", h)
        if stage < 3:
            h = net.pool(net.conv(h, 1), 2, 2)
    return h


def googlenet(net: Reader, h: Any) -> Any:
    h = net.pool(net.conv(h, 7, 2, 3), 3, 2, ceil=True)
    h = net.pool(net.conv(net.conv(h, 1), 3, 1, 1), 3, 2, ceil=True)
    for units, kernel in ((2, 3), (5, 2), (2, None)):
        for _ in range(units):
            h = _concat(
                net,
                net.conv(h, 1),
                net.conv(net.conv(h, 1), 3, 1, 1),
                net.conv(h, 5, 1, 2),
                net.conv(net.pool(h, 3, 1, 1, ceil=True), 1),
            )
        if kernel:
            h = net.pool(h, kernel, 2, ceil=True)
    return h


def inception_v3(net: Reader, h: Any) -> Any:
    h = net.pool(net.conv(net.conv(net.conv(h, 3, 2), 3), 3, 1, 1), 3, 2)
    h = net.pool(net.conv(net.conv(h, 1), 3), 3, 2)
    for _ in range(3):
        deep = net.conv(net.conv(h, 3, 1, 1), 3, 1, 1)
        h = _concat(net, net.conv(h, 1), net.conv(h, 5, 1, 2), deep, net.pool(h, 3, 1, 1))
    h = _concat(net, net.conv(h, 3, 2), net.conv(net.conv(h, 3, 1, 1), 3, 2), net.pool(h, 3, 2))
    for _ in range(4):
        h = _concat(net, net.conv(h, 1), net.conv(h, 7, 1, 3), net.pool(h, 3, 1, 1))
    h = _concat(net, net.conv(h, 3, 2), net.conv(net.conv(h, 7, 1, 3), 3, 2), net.pool(h, 3, 2))
    for _ in range(2):
        h = _concat(net, net.conv(h, 1), net.conv(h, 3, 1, 1), net.pool(h, 3, 1, 1))
    return h


def unet(net: Reader, h: Any) -> Any:
    skips = []
    for _ in range(4):
        h = net.conv(net.conv(h, 3, 1, 1), 3, 1, 1)
        skips.append(h)
        h = net.pool(h, 2, 2)
    for skip in reversed(skips):
        h = (h - 1) * 2 + 2
        net.need(h, "==", skip)
        h = net.conv(net.conv(h, 3, 1, 1), 3, 1, 1)
    return h


def valid_unet(net: Reader, h: Any) -> Any:
    """The original: no padding, skips cropped, and even sizes before each pooling."""
    skips = []
    for _ in range(4):
        h = net.conv(net.conv(h, 3), 3)
        skips.append(h)
        net.need(h % 2, "==", 0)
        h = net.pool(h, 2, 2)
    h = net.conv(net.conv(h, 3), 3)
    for skip in reversed(skips):
        h = 2 * h
        net.need(skip, ">=", h)
        h = net.conv(net.conv(h, 3), 3)
    return h


def feature_pyramid(net: Reader, h: Any) -> Any:
    """Upsampled by exactly two, so that only some sizes meet again."""
    h = net.pool(net.conv(h, 7, 2, 3), 3, 2, 1)
    levels = []
    for stage in range(4):
        h = net.conv(h, 3, 2 if stage else 1, 1)
        levels.append(h)
    for level in reversed(levels[:-1]):
        h = 2 * h
        net.need(h, "==", level)
    return h


def deeplab(net: Reader, h: Any) -> Any:
    h = net.conv(net.pool(net.conv(h, 7, 2, 3), 3, 2, 1), 3, 2, 1)
    for dilation in (1, 2, 4):
        h = net.conv(h, 3, 1, dilation, dilation)
    return _concat(net, net.conv(h, 1), *(net.conv(h, 3, 1, rate, rate) for rate in (12, 24, 36)))


def swin(net: Reader, h: Any, window: int = 7) -> Any:
    """Padded to whole windows and cropped back."""
    h = net.conv(h, 4, 4)
    for stage in range(4):
        if stage:
            h = h + h % 2
            net.need(h % 2, "==", 0)
            h = h // 2
        padded = h + -h % window
        net.need(padded % window, "==", 0)
        net.need((padded // window) * window, "==", padded)
        net.need(padded, ">=", h)
    return h


def unpadded_swin(net: Reader, h: Any, window: int = 7) -> Any:
    h = net.conv(h, 4, 4)
    for stage in range(4):
        if stage:
            net.need(h % 2, "==", 0)
            h = h // 2
        net.need(h % window, "==", 0)
    return h


def alexnet(net: Reader, h: Any) -> Any:
    h = net.pool(net.conv(h, 11, 4, 2), 3, 2)
    h = net.pool(net.conv(h, 5, 1, 2), 3, 2)
    return net.pool(net.conv(h, 3, 1, 1), 3, 2)


def _concat(net: Reader, first: Any, *others: Any) -> Any:
    for other in others:
        net.need(other, "==", first)
    return first


EXPECTED: dict[Callable[[Reader, Any], Any], tuple[str, list[str]]] = {
    vgg: ("H // 32", ["H must be at least 32"]),
    resnet152: ("(H + 31) // 32", []),
    densenet: ("(H + 3) // 32", ["H must be at least 29"]),
    googlenet: ("(H + 17) // 32", ["H must be at least 15"]),
    inception_v3: ("(H + 21) // 32 - 2", ["H must be at least 75"]),
    unet: ("16 * (H // 16)", ["H must be a multiple of 16"]),
    valid_unet: ("16 * ((H + 4) // 16) - 188", ["H % 16 must be 12, at least 188"]),
    feature_pyramid: ("8 * ((H + 31) // 32)", ["H % 32 must be 0, 29, 30 or 31"]),
    deeplab: ("(H + 7) // 8", []),
    swin: ("(H + 28) // 32", ["H must be at least 4"]),
    unpadded_swin: ("H // 32", ["H % 224 must be at most 3, at least 224"]),
    alexnet: ("(H + 1) // 32 - 1", ["H must be at least 63"]),
}
"""What comes out at the end of each network, and what it requires."""
