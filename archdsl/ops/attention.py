"""Multi-head attention as one layer, with torch's packed weights."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import FLAG, INIT, PROBABILITY, SIZE
from archdsl.init import Init, KaimingUniform, XavierUniform, Zeros
from archdsl.layout import Laid, contiguous
from archdsl.op import (
    Arg,
    Arriving,
    Call,
    Doubt,
    Dropped,
    Hole,
    Input,
    Item,
    Kept,
    Look,
    Memory,
    Needs,
    OnnxConst,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    OnnxRef,
    OnnxWeight,
    Op,
    Order,
    Palette,
    Reject,
    SelfModule,
    Step,
    Tensor,
    Torch,
    Weight,
    Window,
    arg,
    drawn,
)
from archdsl.ops.multiples import divided_by
from archdsl.ops.shape import sizes_ref
from archdsl.ops.sliding import require_float
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

ROLES = ("query", "key", "value")


@record
class Attention(Op):
    """Multi-head attention (Vaswani et al., 2017) on [N, L, D]: of a value to itself, or between values.

    On a list ``[q, kv]`` or ``[q, k, v]`` the places of q look at those of the others; all have the same width D.
    ``softmax(q kᵀ / sqrt(D / heads)) v`` in every head, between projections of D to D; ``dropout`` falls on the
    softmax. The weights are torch's: ``in_proj_weight`` holds the projections of q, k and v one below the other.

    Example:
        input x: [N, L, 64]
        norm: layernorm
        look: attention(8)
        output y: [N, L, 64]
    """

    name: ClassVar[str] = "attention"
    palette: ClassVar[Palette] = "attention"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    is_random: ClassVar[bool] = True

    heads: Size = arg("number of heads, which divides the width", SIZE)
    dropout: float = arg("dropout probability of the attention weights, in training", PROBABILITY, 0.0)
    bias: bool = arg("add a learned bias to the projections", FLAG, True)
    init: Init | None = arg("initial value of in_proj_weight (torch: xavier_uniform)", INIT, None)
    out_init: Init | None = arg("initial value of out_proj.weight (torch: kaiming_uniform(slope=sqrt(5)))", INIT, None)
    bias_init: Init | None = arg("initial value of the biases (torch: zeros)", INIT, None)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        none, false = Dropped((None,)), Dropped((False,))
        torch = {
            "embed_dim": Arriving("width", axis=-1), "num_heads": "heads", "dropout": "dropout", "bias": "bias",
            "add_bias_kv": false, "add_zero_attn": false, "kdim": none, "vdim": none,
            "batch_first": Dropped((True, False)),
        }  # fmt: skip
        return (Order("torch.nn.MultiheadAttention", torch),)

    def doubt(self, inputs: tuple[Tensor, ...], given: Mapping[str, bool]) -> Doubt | None:
        return Doubt("heads") if given.get("heads") and inputs[0].shape[-1:] == (self.heads,) else None

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        for tensor in inputs:
            require_float(tensor)
            if tensor.rank != 3:
                raise Reject(f"takes [N, L, D], not {tensor.rank} axes")
        query, key, value = self._roles(inputs)
        batch, _, width = query.shape
        for tensor in (key, value):
            needs.require(tensor.shape[0], "==", batch, f"batches of {batch} and {tensor.shape[0]}")
            needs.require(tensor.shape[2], "==", width, f"widths of {width} and {tensor.shape[2]}")
        needs.require(key.shape[1], "==", value.shape[1], f"{key.shape[1]} keys for {value.shape[1]} values")
        message = f"{self.heads} heads cannot share a width of {width}"
        needs.multiple(width, self.heads, message, arg="heads", help=divided_by(width, self.heads))
        return (query,)

    def _roles(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value: those that are not given are the last that is."""
        query, key, value = (inputs[index] for index in self._sources(inputs))
        return query, key, value

    def _sources(self, inputs: tuple[Tensor, ...]) -> tuple[int, int, int]:
        last = len(inputs) - 1
        return 0, min(1, last), last

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        width = inputs[0].shape[2]
        packed = drawn("in_proj_weight", (3 * width, width), self.init, XavierUniform())
        packed_bias = drawn("in_proj_bias", (3 * width,), self.bias_init, Zeros())
        out = drawn("out_proj.weight", (width, width), self.out_init, KaimingUniform(slope=sqrt(5)))
        out_bias = drawn("out_proj.bias", (width,), self.bias_init, Zeros())
        return (packed, packed_bias, out, out_bias) if self.bias else (packed, out)

    # ---- costs ----

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        query, key, value = self._roles(inputs)
        width = query.shape[2]
        projections = (2 * query.numel + key.numel + value.numel) * width
        return projections + 2 * self._scores(inputs).numel * (width // self.heads)

    def _scores(self, inputs: tuple[Tensor, ...]) -> Tensor:
        query, key, _ = self._roles(inputs)
        return Tensor((query.shape[0], self.heads, query.shape[1], key.shape[1]))

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """The scale, the softmax (largest, differences, exps, sum, quotients), and biases."""
        query, key, value = self._roles(inputs)
        scores = self._scores(inputs)
        rows = Tensor(scores.shape[:3]).numel
        biases = 2 * query.numel + key.numel + value.numel if self.bias else 0
        return query.numel + 5 * scores.numel - 2 * rows + biases

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """torch projects values with the places first, copied where they do not lie in memory like one matrix."""
        turned = [layout.permuted((1, 0, 2)).merges(0, 2) for layout in memory.layouts]
        copied = tuple(tensor for tensor, is_view in zip(inputs, turned, strict=True) if not is_view)
        uncopied = tuple(index for index, is_view in enumerate(turned) if is_view)
        query, key, value = self._roles(inputs)
        scores = self._scores(inputs)
        if not self.dropout:  # the kernel keeps the projections, the result, and the softmax's sums
            projections: tuple[Tensor, ...] = (query, key, value)
            kept = (query, Tensor(scores.shape[:3]))
        else:  # the scaled queries and keys, the values in what they were projected with, the result
            with_values = {1: (query, key, value), 2: (key, value), 3: (value,)}[len(inputs)]
            projections = (query, key, *with_values)
            kept = (query, scores, scores, scores)
        return Kept(inputs=uncopied, extra=(*copied, *projections, *kept))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        """With the places outermost."""
        batch, places, width = memory.shapes[0]
        return (Laid(contiguous((places, batch, width)).permuted((1, 0, 2))),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        """A place sees itself as the query, and all places as keys and values."""
        batch, places, _ = outputs[0].shape
        width = Window(2, None)
        query = Look(((Step(0, 1, batch),), (Step(1, 1, places),), ()), (width,))
        others = Look(((Step(0, 1, batch),), (), ()), (Window(1, None), width))
        if len(inputs) == 1:
            return (query._replace(windows=others.windows),)
        return (query, *[others] * (len(inputs) - 1))

    # ---- back ends ----

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        module = Call(
            "nn.MultiheadAttention",
            (
                Arg(Hole(inputs[0].shape[2], (0, 2))),
                Arg(Hole(self.heads, "heads")),
                Arg(Hole(self.dropout, "dropout"), "dropout", 0.0),
                Arg(Hole(self.bias, "bias"), "bias", True),
                Arg(Hole(True), "batch_first", False),
            ),
        )
        values = tuple(Arg(Input(index)) for index in self._sources(inputs))
        run = Call(SelfModule(), (*values, Arg(Hole(False), "need_weights", True)))
        return Torch(module, Item(run, (Hole(0),)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        nodes = self._onnx_packed() if len(inputs) == 1 else self._onnx_apart(self._sources(inputs))
        for role, perm in zip(ROLES, ((0, 2, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3)), strict=True):
            heads = sizes_ref(0, 0, self.heads, -1)
            nodes.append(OnnxNode("Reshape", (OnnxLocal(role), heads), outputs=(f"{role}_split",)))
            nodes.append(OnnxNode("Transpose", (OnnxLocal(f"{role}_split"),), {"perm": perm}, (f"{role}_heads",)))
        each = inputs[0].shape[2] // self.heads
        assert isinstance(each, int)  # widths of weights are known
        scale = 1 / sqrt(each)
        nodes += (
            OnnxNode("Mul", (OnnxLocal("query_heads"), OnnxConst(scale, "float32")), outputs=("scaled",)),
            OnnxNode("MatMul", (OnnxLocal("scaled"), OnnxLocal("key_heads")), outputs=("scores",)),
            OnnxNode("Softmax", (OnnxLocal("scores"),), {"axis": -1}, ("weights",)),
            OnnxNode("MatMul", (OnnxLocal("weights"), OnnxLocal("value_heads")), outputs=("mixed",)),
            OnnxNode("Transpose", (OnnxLocal("mixed"),), {"perm": (0, 2, 1, 3)}, ("turned",)),
            OnnxNode("Reshape", (OnnxLocal("turned"), sizes_ref(0, 0, -1)), outputs=("merged",)),
        )
        out_bias: OnnxRef = OnnxWeight("out_proj.bias") if self.bias else None
        nodes += _onnx_linear(OnnxLocal("merged"), OnnxWeight("out_proj.weight"), out_bias, "out")
        return tuple(nodes)

    def _onnx_packed(self) -> list[OnnxNode]:
        """All three projections of one value at once."""
        bias: OnnxRef = OnnxWeight("in_proj_bias") if self.bias else None
        nodes = _onnx_linear(OnnxIn(), OnnxWeight("in_proj_weight"), bias, "packed")
        return [*nodes, OnnxNode("Split", (OnnxLocal("packed"),), {"axis": -1, "num_outputs": 3}, ROLES)]

    def _onnx_apart(self, sources: tuple[int, ...]) -> list[OnnxNode]:
        """Each projection with its third of the weight."""
        nodes = [_onnx_thirds("in_proj_weight", "weight")]
        if self.bias:
            nodes.append(_onnx_thirds("in_proj_bias", "bias"))
        for role, source in zip(ROLES, sources, strict=True):
            bias: OnnxRef = OnnxLocal(f"{role}_bias") if self.bias else None
            nodes += _onnx_linear(OnnxIn(source), OnnxLocal(f"{role}_weight"), bias, role)
        return nodes

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"attention, {self.heads} heads"


def _onnx_thirds(weight: str, name: str) -> OnnxNode:
    outputs = tuple(f"{role}_{name}" for role in ROLES)
    return OnnxNode("Split", (OnnxWeight(weight),), {"axis": 0, "num_outputs": 3}, outputs)


def _onnx_linear(x: OnnxRef, weight: OnnxRef, bias: OnnxRef, name: str) -> tuple[OnnxNode, ...]:
    """``name``: ``x`` times the transposed weight, and the bias where there is one."""
    product = f"{name}_product" if bias is not None else name
    nodes = (
        OnnxNode("Transpose", (weight,), {"perm": (1, 0)}, (f"{name}_turned",)),
        OnnxNode("MatMul", (x, OnnxLocal(f"{name}_turned")), outputs=(product,)),
    )
    return nodes if bias is None else (*nodes, OnnxNode("Add", (OnnxLocal(product), bias), outputs=(name,)))


OPS: tuple[type[Op], ...] = (Attention,)
