"""Tensors that no input gives: constants, and the parameters and buffers that a scope owns itself."""

from __future__ import annotations

from typing import Any, ClassVar

from archdsl.dims import Size
from archdsl.init import Init
from archdsl.op import (
    Arg,
    Call,
    DType,
    Hole,
    Kept,
    Look,
    Memory,
    Needs,
    OnnxConst,
    OnnxNode,
    OnnxWeight,
    Op,
    Own,
    Palette,
    Tensor,
    Torch,
    Weight,
)
from archdsl.record import record


@record
class Source(Op):
    """Base of the operators without inputs: they cost nothing and see nothing."""

    arity: ClassVar[tuple[int, int | None]] = (0, 0)
    palette: ClassVar[Palette] = "other"

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return ()


@record
class Constant(Source):
    """A nested list of numbers used as a value: int64 if all are ints, bool if all are bools, else float32."""

    name: ClassVar[str] = "constant"
    data: Any = ()
    shape: tuple[Size, ...] = ()
    dtype: DType = "float32"

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        return (Tensor(self.shape, self.dtype),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=Call("torch.tensor", (Arg(Hole(self.data)),)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("Identity", (OnnxConst(self.data, self.dtype),)),)


@record
class OwnTensor(Source):
    """``param name: shape = init`` or ``buffer name: shape = contents``."""

    name: ClassVar[str] = "tensor"
    label: str = ""
    tensor: Tensor = Tensor(())
    init: Init = Init()
    buffer: bool = False

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        return (self.tensor,)

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        shape, dtype = self.tensor
        return (Weight(self.label, shape, self.init, by_torch=False, dtype=dtype, buffer=self.buffer),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=Own(self.label))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("Identity", (OnnxWeight(self.label),)),)
