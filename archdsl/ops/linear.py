"""The fully connected layer."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import FLAG, INIT, SIZE
from archdsl.init import BiasUniform, Init, KaimingUniform
from archdsl.op import (
    Arg,
    Arriving,
    Call,
    Hole,
    Kept,
    Look,
    Memory,
    Needs,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    OnnxWeight,
    Op,
    Order,
    Palette,
    Reject,
    Tensor,
    Torch,
    Weight,
    Window,
    arg,
    drawn,
    pointwise,
)
from archdsl.ops.sliding import require_float
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
class Linear(Op):
    """Fully connected: each of ``width`` outputs is a weighted sum of all numbers along the last axis.

    Example:
        input x: [N, T, 64]
        fc: linear(10)
        output y: [N, T, 10]
    """

    name: ClassVar[str] = "linear"
    palette: ClassVar[Palette] = "linear"

    width: Size = arg("number of output features", SIZE)
    bias: bool = arg("add a learned bias", FLAG, True)
    init: Init | None = arg("initial value of the weight (torch: kaiming_uniform(slope=sqrt(5)))", INIT, None)
    bias_init: Init | None = arg("initial value of the bias (torch: uniform(1 / sqrt(fan-in)))", INIT, None)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {"in_features": Arriving("width", axis=-1), "out_features": "width", "bias": "bias"}
        return (Order("torch.nn.Linear", torch),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        if inputs[0].rank == 0:
            raise Reject("takes a value with at least one axis, not a single number")
        return (Tensor((*inputs[0].shape[:-1], self.width)),)

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        fan = inputs[0].shape[-1]
        weight = drawn("weight", (self.width, fan), self.init, KaimingUniform(slope=sqrt(5)))
        bias = drawn("bias", (self.width,), self.bias_init, BiasUniform(fan))
        return (weight, bias) if self.bias else (weight,)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return inputs[0].numel * self.width

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return outputs[0].numel if self.bias else 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """The input; or a copy of it, where its places do not lie in memory as the rows of one matrix."""
        (layout,) = memory.layouts
        places = len(layout.shape) - 1
        if places < 2 or layout.merges(0, places):
            return Kept(inputs=(0,))
        return Kept(extra=inputs)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        last = inputs[0].rank - 1
        return (Look((*pointwise(inputs[0]).steps[:last], ()), (Window(last, None),)),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        last = inputs[0].rank - 1
        return Torch(
            Call(
                "nn.Linear",
                (
                    Arg(Hole(inputs[0].shape[last], (0, last))),
                    Arg(Hole(self.width, "width")),
                    Arg(Hole(self.bias, "bias"), "bias", True),
                ),
            )
        )

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """Gemm takes matrices only, so with more axes it is a product and a sum."""
        if inputs[0].rank == 2:
            bias = (OnnxWeight("bias"),) if self.bias else ()
            return (OnnxNode("Gemm", (OnnxIn(), OnnxWeight("weight"), *bias), {"transB": 1}),)
        turned = OnnxNode("Transpose", (OnnxWeight("weight"),), {"perm": (1, 0)}, ("turned",))
        product = OnnxNode("MatMul", (OnnxIn(), OnnxLocal("turned")), outputs=("product",))
        if not self.bias:
            return (turned, product)
        return (turned, product, OnnxNode("Add", (OnnxLocal("product"), OnnxWeight("bias"))))

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"{self.name} {self.width}"


OPS: tuple[type[Op], ...] = (Linear,)
