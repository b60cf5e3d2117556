"""Attention of given queries to given keys and values, without weights of its own."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import FLAG, NUMBER, PROBABILITY, VALUE
from archdsl.dims import Dim
from archdsl.layout import Laid, contiguous, elementwise
from archdsl.op import (
    Arg,
    BinaryOp,
    Call,
    Conditional,
    Hole,
    Input,
    Kept,
    ListExpr,
    Look,
    Memory,
    Method,
    Needs,
    OnnxConst,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    OnnxRef,
    OnnxSizes,
    Op,
    Operand,
    Palette,
    Reject,
    Step,
    Tensor,
    Torch,
    TorchExpr,
    Training,
    Window,
    arg,
)
from archdsl.ops.multiples import divided_by
from archdsl.ops.shape import sizes_ref
from archdsl.ops.sliding import require_float
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

MASK = 3
"""The number of the input that is the mask, if there is one."""
LEAST = -3.4028234663852886e38
"""The smallest float32: the score of a masked key in ONNX, where a softmax of infinities alone is not a number."""


@record
class Attend(Op):
    """Scaled dot-product attention: ``softmax(q kᵀ * scale + mask) v`` on the list ``[q, k, v]``.

    Queries are [N, heads, T, d], keys [N, heads, S, d] and values [N, heads, S, e]; the result is [N, heads, T, e].
    More axes in front, or none, are possible. With fewer heads of keys and values each serves a group of queries.
    A ``mask`` broadcasts to the scores, [N, heads, T, S]: a bool mask is true where a query may attend to a key, a
    float mask is added to the scores. torch's fused kernels do not store the scores. Multiply-accumulates are
    those of the full products, also with ``causal``.

    Example:
        input x: [N, T, 96]
        rearrange("n t (k h d) -> k n h t d", k=3, h=4) as [q, k, v]
        (q, k, v) -> attend(causal=true) -> rearrange("n h t d -> n t (h d)")
        output y: [N, T, 32]
    """

    name: ClassVar[str] = "attend"
    palette: ClassVar[Palette] = "attention"
    arity: ClassVar[tuple[int, int | None]] = (3, 3)
    is_random: ClassVar[bool] = True

    causal: bool = arg("query i attends only to the keys up to i", FLAG, False)
    dropout: float = arg("dropout probability of the attention weights, in training", PROBABILITY, 0.0)
    scale: float | None = arg("factor of the scores (default: 1 / sqrt(d))", NUMBER, None)
    mask: Operand | None = arg("bool: keys to attend to; float32: added to the scores", VALUE, None)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        query, key, value = inputs[:MASK]
        for tensor in inputs[:MASK]:
            require_float(tensor)
            if tensor.rank < 3:
                raise Reject(f"takes [N, heads, length, width], not {tensor.rank} axes")
            if tensor.rank != query.rank:
                raise Reject(f"values of {query.rank} and {tensor.rank} axes")
            for axis, (left, right) in enumerate(zip(query.shape[:-3], tensor.shape[:-3], strict=True)):
                needs.require(left, "==", right, f"axis {axis} is {left} and {right}")
        needs.require(query.shape[-1], "==", key.shape[-1], f"queries of {query.shape[-1]} and keys of {key.shape[-1]}")
        for axis, what in ((-3, "heads of"), (-2, "")):
            message = f"{key.shape[axis]} {what} keys for {value.shape[axis]} {what} values".replace("  ", " ")
            needs.require(key.shape[axis], "==", value.shape[axis], message)
        heads, fewer = query.shape[-3], key.shape[-3]
        message = f"{heads} heads of queries cannot share {fewer} heads of keys equally"
        needs.multiple(heads, fewer, message, help=divided_by(heads, fewer))
        self._check_mask(inputs, needs)
        return (Tensor((*query.shape[:-1], value.shape[-1])),)

    def _check_mask(self, inputs: tuple[Tensor, ...], needs: Needs) -> None:
        """
        Raises:
            Reject: the mask does not broadcast to the scores.
        """
        if self.mask is None:
            return
        mask, scores = inputs[MASK], self._scores(inputs)
        if mask.dtype == "int64":
            help = "compare: `mask != 0` is true for the keys to attend to"
            raise Reject("the mask is int64, neither bool nor float32", arg="mask", help=help)
        if not 2 <= mask.rank <= scores.rank:
            raise Reject(f"the mask has {mask.rank} axes, the scores {scores.rank}", arg="mask")
        for axis in range(-mask.rank, 0):
            size, wanted = mask.shape[axis], scores.shape[axis]
            if size != 1:
                message = f"axis {axis} of the mask is {size}, of the scores {wanted}"
                needs.require(size, "==", wanted, message, arg="mask")

    @staticmethod
    def _scores(inputs: tuple[Tensor, ...]) -> Tensor:
        query, key = inputs[:2]
        return Tensor((*query.shape[:-1], key.shape[-2]))

    # ---- costs ----

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return self._scores(inputs).numel * (inputs[0].shape[-1] + inputs[2].shape[-1])

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """The scale, the mask, and the softmax: largest, differences, exps, sum, quotients."""
        scores = self._scores(inputs)
        masked = scores.numel if self.mask is not None or self.causal else 0
        return inputs[0].numel + masked + 5 * scores.numel - 2 * Tensor(scores.shape[:-1]).numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """torch's fused kernel saves what it takes and gives, and for each query a sum; its other form the scores."""
        scores = self._scores(inputs)
        if self._is_fused(memory):
            sums = Tensor(scores.shape[:-1])
            if self.mask is None:
                return Kept(inputs=(0, 1, 2), outputs=(0,), extra=(sums,))
            added = self._added_mask(inputs)
            if inputs[MASK].dtype == "float32" and not self.causal:
                return Kept(inputs=(0, 1, 2, MASK), outputs=(0,), extra=(sums,))
            return Kept(inputs=(0, 1, 2), outputs=(0,), extra=(sums, added))
        return self._keeps_unfused(inputs, memory)

    def _keeps_unfused(self, inputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """The scaled queries and keys, and the values, of all heads of the queries; the softmax and its dropout."""
        query, key, value = inputs[:MASK]
        to_query, to_key, to_value, *to_mask = memory.wants
        heads, scores = query.shape[-3], self._scores(inputs)
        to_scores = to_query or to_key or (any(to_mask) and inputs[MASK].dtype == "float32")
        extra: list[Tensor] = []
        if to_key:
            extra.append(query)
        if to_query:
            extra.append(Tensor((*key.shape[:-3], heads, *key.shape[-2:])))
        kept: tuple[int, ...] = ()
        if to_scores:
            layout = memory.layouts[2]
            if value.shape[-3] == heads and layout.merges(0, len(layout.shape) - 2):
                kept = (2,)
            else:
                extra.append(Tensor((*value.shape[:-3], heads, *value.shape[-2:])))
        if to_scores or (to_value and not self.dropout):
            extra.append(scores)
        if self.dropout:
            drawn = Tensor(()) if self.dropout == 1 else scores
            extra += [drawn] * to_scores + [scores] * to_value
        return Kept(inputs=kept, extra=tuple(extra))

    def _added_mask(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """What is added to the scores: of the mask's size, or of that of a mask with a triangle."""
        mask, scores = inputs[MASK], self._scores(inputs)
        shape = (*mask.shape[:-2], *scores.shape[-2:]) if self.causal else mask.shape
        return Tensor(shape)

    def _is_fused(self, memory: Memory) -> bool:
        """Does torch run its fused kernel on a CPU? (`aten/src/ATen/native/transformers/sdp_utils_cpp.cpp`)"""
        query, key, value, *mask = memory.layouts
        rank = len(query.shape)
        if rank > 4 or self.dropout or query.shape[-1] != value.shape[-1]:
            return False
        if mask and (memory.wants[MASK] or len(mask[0].shape) not in (2, rank)):
            return False
        return all(layout.strides[-1] == 1 for layout in (query, key, value))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        if self._is_fused(memory):
            return (Laid(elementwise((memory.layouts[0],))),)
        return (Laid(contiguous(memory.shapes[0])),)

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        """A query sees itself, and all keys and values of its head."""
        (output,) = outputs
        batch = tuple((Step(axis, 1, size),) for axis, size in enumerate(output.shape[:-3]))
        heads, width = output.shape[-3], output.shape[-1]
        here, place, last = output.rank - 3, output.rank - 2, output.rank - 1
        shared = inputs[1].shape[-3]
        if shared == heads:
            own: tuple[Step, ...] = (Step(here, 1, heads),)
        else:
            own = (Step(here, 1, shared), Step(None, 0, heads // shared))
        everywhere, features = Window(place, None), Window(last, None)
        query = Look((*batch, (Step(here, 1, heads),), (Step(place, 1, output.shape[-2]),), ()), (features,))
        key = Look((*batch, own, (), ()), (everywhere, features))
        value = Look((*batch, own, (), (Step(last, 1, width),)), (everywhere,))
        return (query, key, value, *(self._mask_look(inputs[MASK], output) for _ in inputs[MASK:]))

    @staticmethod
    def _mask_look(mask: Tensor, output: Tensor) -> Look:
        """A query sees its row of the mask."""
        missing = output.rank - mask.rank
        rows = [() if size == 1 else (Step(axis, 1, size),) for axis, size in enumerate(mask.shape[:-1])]
        return Look((*((),) * missing, *rows, ()), (Window(mask.rank - 1, None),))

    # ---- back ends ----

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        mask = self._torch_mask(inputs)
        is_grouped = inputs[0].shape[-3] != inputs[1].shape[-3]
        args = [Arg(Input(index)) for index in range(MASK)]
        if mask is not None:
            args.append(Arg(mask, "attn_mask"))
        if self.dropout != 0:  # one that differs between the instances of a block is written, be it 0 in the first
            args.append(Arg(Conditional(Training(), Hole(self.dropout, "dropout"), Hole(0.0)), "dropout_p"))
        args += [
            Arg(Hole(self.causal and mask is None, "causal"), "is_causal", False),
            Arg(Hole(self.scale, "scale"), "scale", None),
            Arg(Hole(is_grouped), "enable_gqa", False),
        ]
        return Torch(function=Call("F.scaled_dot_product_attention", tuple(args)))

    def _torch_mask(self, inputs: tuple[Tensor, ...]) -> TorchExpr | None:
        """torch takes a mask or ``is_causal``: both are one mask."""
        if self.mask is None or not self.causal:
            return None if self.mask is None else Input(MASK)
        sizes = Hole(inputs[0].shape[-2], (0, inputs[0].rank - 2)), Hole(inputs[1].shape[-2], (1, inputs[1].rank - 2))
        if inputs[MASK].dtype == "bool":
            ones = Method(Input(MASK), "new_ones", tuple(map(Arg, sizes)))
            return BinaryOp("&", Input(MASK), Method(ones, "tril", ()))
        never = (Arg(ListExpr(sizes, is_tuple=True)), Arg(Hole(float("-inf"))))
        later = Method(Method(Input(MASK), "new_full", never), "triu", (Arg(Hole(1)),))
        return BinaryOp("+", Input(MASK), later)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        rank = inputs[0].rank
        turned = (*range(rank - 2), rank - 1, rank - 2)
        nodes = [*self._onnx_scaled(inputs[0])]
        groups = [*_onnx_groups(inputs, 1, "keys"), *_onnx_groups(inputs, 2, "values")]
        key, value = (OnnxLocal("keys"), OnnxLocal("values")) if groups else (OnnxIn(1), OnnxIn(2))
        nodes += groups
        nodes += (
            OnnxNode("Transpose", (key,), {"perm": turned}, ("turned",)),
            OnnxNode("MatMul", (OnnxLocal("scaled"), OnnxLocal("turned")), outputs=("scores",)),
        )
        scores, allowed, masking = self._onnx_masked(inputs)
        nodes += (*masking, OnnxNode("Softmax", (scores,), {"axis": -1}, ("weights",)))
        weights = OnnxLocal("weights")
        if allowed is not None:  # a query without any key gets zeros
            nodes.append(OnnxNode("Where", (allowed, weights, OnnxConst(0.0, "float32")), outputs=("allowed_weights",)))
            weights = OnnxLocal("allowed_weights")
        return (*nodes, OnnxNode("MatMul", (weights, value)))

    def _onnx_scaled(self, query: Tensor) -> tuple[OnnxNode, ...]:
        width = query.shape[-1]
        if self.scale is not None:
            return (OnnxNode("Mul", (OnnxIn(), OnnxConst(self.scale, "float32")), outputs=("scaled",)),)
        if isinstance(width, Dim):
            return (
                OnnxNode("Cast", (OnnxSizes((width,)),), {"to": "float32"}, ("width",)),
                OnnxNode("Sqrt", (OnnxLocal("width"),), outputs=("root",)),
                OnnxNode("Div", (OnnxIn(), OnnxLocal("root")), outputs=("scaled",)),
            )
        return (OnnxNode("Mul", (OnnxIn(), OnnxConst(1 / sqrt(width), "float32")), outputs=("scaled",)),)

    def _onnx_masked(self, inputs: tuple[Tensor, ...]) -> tuple[OnnxRef, OnnxRef, tuple[OnnxNode, ...]]:
        """The scores with the mask, where weights may be (None: everywhere), and the nodes that compute both."""
        nodes: list[OnnxNode] = []
        scores, allowed = OnnxLocal("scores"), None
        if self.mask is not None and inputs[MASK].dtype == "float32":
            nodes.append(OnnxNode("Add", (scores, OnnxIn(MASK)), outputs=("added",)))
            scores = OnnxLocal("added")
        elif self.mask is not None:
            allowed = OnnxIn(MASK)
        if self.causal:
            nodes += _onnx_triangle(inputs[0].shape[-2], inputs[1].shape[-2])
            if allowed is not None:
                nodes.append(OnnxNode("And", (allowed, OnnxLocal("earlier")), outputs=("allowed",)))
            allowed = OnnxLocal("earlier" if allowed is None else "allowed")
        if allowed is not None:
            nodes.append(OnnxNode("Where", (allowed, scores, OnnxConst(LEAST, "float32")), outputs=("masked",)))
            scores = OnnxLocal("masked")
        return scores, allowed, tuple(nodes)

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        heads = f"attention, {inputs[0].shape[-3]} heads"
        return f"causal {heads}" if self.causal else heads


def _onnx_groups(inputs: tuple[Tensor, ...], index: int, name: str) -> tuple[OnnxNode, ...]:
    """Each head of keys or values as often as it serves a head of queries; nothing if it serves one."""
    tensor, heads = inputs[index], inputs[0].shape[-3]
    fewer = tensor.shape[-3]
    if fewer == heads:
        return ()
    repeated = (*tensor.shape[:-2], heads // fewer, *tensor.shape[-2:])
    joined = (*tensor.shape[:-3], heads, *tensor.shape[-2:])
    return (
        OnnxNode("Unsqueeze", (OnnxIn(index), OnnxConst([tensor.rank - 2], "int64")), outputs=(f"{name}_apart",)),
        OnnxNode("Expand", (OnnxLocal(f"{name}_apart"), sizes_ref(*repeated)), outputs=(f"{name}_repeated",)),
        OnnxNode("Reshape", (OnnxLocal(f"{name}_repeated"), sizes_ref(*joined)), outputs=(name,)),
    )


def _onnx_triangle(queries: Size, keys: Size) -> tuple[OnnxNode, ...]:
    """``earlier``: [queries, keys], true for the keys up to the query."""
    nodes: list[OnnxNode] = []
    for name, count in (("query", queries), ("key", keys)):
        nodes += (
            OnnxNode("Squeeze", (OnnxSizes((count,)),), outputs=(f"{name}_count",)),
            OnnxNode(
                "Range",
                (OnnxConst(0, "int64"), OnnxLocal(f"{name}_count"), OnnxConst(1, "int64")),
                outputs=(f"{name}_place",),
            ),
        )
    return (
        *nodes,
        OnnxNode("Unsqueeze", (OnnxLocal("query_place"), OnnxConst([1], "int64")), outputs=("query_row",)),
        OnnxNode("LessOrEqual", (OnnxLocal("key_place"), OnnxLocal("query_row")), outputs=("earlier",)),
    )


OPS: tuple[type[Op], ...] = (Attend,)
