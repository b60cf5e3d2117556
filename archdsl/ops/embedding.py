"""Tables of learned vectors, looked up by integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import COUNT, INIT, SIZE
from archdsl.init import Init, Normal
from archdsl.op import (
    Arg,
    Call,
    Hole,
    Kept,
    Look,
    Memory,
    Needs,
    OnnxIn,
    OnnxNode,
    OnnxWeight,
    Op,
    Order,
    Palette,
    Reject,
    Tensor,
    Torch,
    Weight,
    arg,
    drawn,
    pointwise,
)
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
class Embedding(Op):
    """A learned vector for every int64: [N, L] becomes [N, L, width].

    The row ``padding_idx`` is not trained; it starts at 0 unless ``init`` is given.

    Example:
        input tokens: [N, L] int64
        words: embedding(1000, 64)
        output y: [N, L, 64]
    """

    name: ClassVar[str] = "embedding"
    palette: ClassVar[Palette] = "linear"

    count: Size = arg("number of vectors", SIZE)
    width: Size = arg("size of each vector", SIZE)
    init: Init | None = arg("initial value of the table (torch: normal(std=1))", INIT, None)
    padding_idx: int | None = arg("index of a row that is not trained", COUNT, None)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        torch = {"num_embeddings": "count", "embedding_dim": "width", "padding_idx": "padding_idx"}
        return (Order("torch.nn.Embedding", torch),)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        if x.dtype != "int64":
            raise Reject(f"takes int64, not {x.dtype}")
        if self.padding_idx is not None:
            message = f"row {self.padding_idx} is outside a table of {self.count}"
            needs.require(self.count, ">=", self.padding_idx + 1, message, arg="padding_idx")
        return (Tensor((*x.shape, self.width)),)

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        return (drawn("weight", (self.count, self.width), self.init, Normal(1.0)),)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept(inputs=(0,))

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (Look((*pointwise(inputs[0]).steps, ())),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        args = (
            Arg(Hole(self.count, "count")),
            Arg(Hole(self.width, "width")),
            Arg(Hole(self.padding_idx, "padding_idx"), "padding_idx", None),
        )
        return Torch(module=Call("nn.Embedding", args))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("Gather", (OnnxWeight("weight"), OnnxIn()), {"axis": 0}),)

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"embedding {self.count}, {self.width}"


OPS: tuple[type[Op], ...] = (Embedding,)
