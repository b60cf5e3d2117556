"""Counting at run time: a comprehension over a symbolic range."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from archdsl.op import (
    Arg,
    Attribute,
    Call,
    Hole,
    Input,
    Kept,
    Look,
    Memory,
    Needs,
    OnnxConst,
    OnnxLocal,
    OnnxNode,
    OnnxSizes,
    Op,
    Palette,
    Tensor,
    Torch,
)
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
class Arange(Op):
    """The whole numbers from ``start`` up to, not with, ``stop``: ``i`` in ``[… for i in start..stop]``.

    Its input is any value of the network: the numbers are made on its device.

    Example:
        input x: [N, L] int64
        let positions = [i for i in 0..L]
        tokens: embedding(100, 8) as y
        positions -> places: embedding(512, 8)
        it + y
    """

    name: ClassVar[str] = "arange"
    palette: ClassVar[Palette] = "other"
    is_internal: ClassVar[bool] = True

    start: Size
    stop: Size

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        needs.require(self.stop, ">=", self.start + 1, f"the range {self.start}..{self.stop} is empty")
        return (Tensor((self.stop - self.start,), "int64"),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look | None, ...]:
        return (None,)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        ends = (self.stop,) if isinstance(self.start, int) and self.start == 0 else (self.start, self.stop)
        device = Arg(Attribute(Input(), "device"), "device")
        return Torch(function=Call("torch.arange", (*(Arg(Hole(end)) for end in ends), device)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (
            OnnxNode("Squeeze", (OnnxSizes((self.start,)),), {}, ("start",)),
            OnnxNode("Squeeze", (OnnxSizes((self.stop,)),), {}, ("stop",)),
            OnnxNode("Range", (OnnxLocal("start"), OnnxLocal("stop"), OnnxConst(1, "int64"))),
        )


OPS: tuple[type[Op], ...] = (Arange,)
