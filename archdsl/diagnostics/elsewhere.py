"""Names of other libraries that mean nothing here, with what stands for each."""

from __future__ import annotations

import re

_REARRANGE = 'axes are moved, split and joined by their names: `rearrange("n c h w -> n (h w) c")`'
_RECURRENT = "recurrent layers run over all steps of [N, T, C]: `lstm(64)`, `gru(64)`, `rnn(64)`"
_TRANSFORMER = (
    "there is no such layer: a transformer block is written with `attention`, `layernorm` and `linear`,"
    " as in the shipped spec `vit`"
)
_NORMED = "weights are used as they are: normalize what the layer gives instead (`batchnorm`, `layernorm`, `groupnorm`)"
_RANKED = (
    "the number of elements would depend on the data: take a fixed number with `topk(k)` and `take`,"
    " or keep all and mask them: `where(x > 0.0, x, 0.0)`"
)
_SELECTED = "choose element by element: `where(x > 0.0, x, 0.0)`"
_GATHERED = "`take(x, index, axis=1)` takes other places in each row, `x[:, index]` the same places of all rows"
_WRITTEN = "a value cannot be written to: build it with `concat`, or choose with `where(mask, a, b)`"
_RUNNING = "a running sum is `cumsum(axis=1)`, a running product `exp(cumsum(log(x), axis=1))`"
_WINDOWS = (
    "overlapping windows are a `conv`; those side by side are"
    ' `rearrange("n c (h p) (w q) -> n (h w) (p q c)", p=4, q=4)`'
)
_STATISTIC = 'a reduction names its axes: `reduce("n c h w -> n c", "mean")`; also "sum", "max" and "min"'
_SPREAD = 'a variance is a mean of squares: `(x - m) ** 2.0 -> reduce("n c h w -> n c", "mean")` for the mean `m`'
_TABLE = "a table is a comprehension: `[[i - j for j in 0..8] for i in 0..8]`"
_RANDOM = "only `dropout` and its kin draw random numbers; `param` has a random initial value"
_SIZES = "`x.shape` is the list of sizes: `x.shape[1]`, `len(x.shape)`"
_MEMORY = "leave it out: a value has no memory layout, device or gradient of its own"
_TYPES = "arithmetic takes integers, floats and comparisons alike; conversions are `int(x)` and `float(x)`"
_ATTENTION = "attention of given queries, keys and values: `(q, k, v) -> attend(causal=true)`"
_PRODUCT = 'a matrix product is an `einsum`: `(a, b) -> einsum("n i k, n k j -> n i j")`'
_BRANCHES = "give the values as branches: `concat { a; b }`, or `concat(axis=2) { a; b }`"
_LOSS = "a network gives its logits out; `archdsl train` computes the loss"
_OPERATOR = "write the operator: `a - b`, `a / b`, `a ** 2`"

STANDS_FOR = {
    **dict.fromkeys(("lstmcell", "grucell", "rnncell", "bilstm", "rnnbase"), _RECURRENT),
    **dict.fromkeys(("scaleddotproductattention", "sdpa", "flashattention", "flexattention"), _ATTENTION),
    **dict.fromkeys(
        (
            "transformer",
            "transformerencoder",
            "transformerdecoder",
            "transformerencoderlayer",
            "transformerdecoderlayer",
            "encoderlayer",
            "decoderlayer",
        ),
        _TRANSFORMER,
    ),
    **dict.fromkeys(("weightnorm", "spectralnorm", "parametrizations"), _NORMED),
    **dict.fromkeys(("nonzero", "unique", "kthvalue", "median", "maskedselect", "nms"), _RANKED),
    **dict.fromkeys(("maskedfill",), _SELECTED),
    **dict.fromkeys(("gather", "takealongdim", "indexselect", "select", "index"), _GATHERED),
    **dict.fromkeys(("scatter", "scatteradd", "indexadd", "indexcopy", "indexput", "maskedscatter", "copy"), _WRITTEN),
    **dict.fromkeys(("cumprod", "cummax", "logcumsumexp"), _RUNNING),
    **dict.fromkeys(("unfold", "fold", "im2col", "col2im"), _WINDOWS),
    **dict.fromkeys(("amax", "amin", "avg", "logsumexp", "nansum", "any", "all"), _STATISTIC),
    **dict.fromkeys(("mean", "sum", "prod", "max", "min"), _STATISTIC),
    **dict.fromkeys(("std", "var", "varmean", "stdmean"), _SPREAD),
    **dict.fromkeys(
        (
            "view",
            "reshape",
            "permute",
            "transpose",
            "swapaxes",
            "swapdims",
            "movedim",
            "moveaxis",
            "t",
            "mt",
            "unflatten",
            "viewas",
            "reshapeas",
        ),
        _REARRANGE,
    ),
    **dict.fromkeys(("squeeze",), 'an axis of one cell is left out: `rearrange("n c 1 1 -> n c")`'),
    **dict.fromkeys(("unsqueeze", "expanddims"), 'an axis of one cell is written `1`: `rearrange("n c -> n c 1 1")`'),
    **dict.fromkeys(
        ("expand", "repeat", "tile", "broadcastto", "expandas", "repeatinterleave"),
        'sizes of 1 broadcast in arithmetic; copies are a new axis: `rearrange("n c -> n r c", r=2)`',
    ),
    **dict.fromkeys(("chunk", "tensorsplit", "unbind"), "`split(2) as [a, b]` cuts a value into equal parts"),
    **dict.fromkeys(("narrow", "slice", "crop"), "parts are slices: `x[:, 2:4]`"),
    **dict.fromkeys(("flip", "fliplr", "flipud", "rot90"), "no operator reverses an axis; `roll` turns one around"),
    **dict.fromkeys(("matmul", "bmm", "mm", "dot", "baddbmm", "addmm", "tensordot", "outer"), _PRODUCT),
    **dict.fromkeys(("cat", "hstack", "vstack"), _BRANCHES),
    **dict.fromkeys(("arange", "range", "linspace"), "a range is written `0..n`"),
    **dict.fromkeys(("eye", "tril", "triu", "meshgrid", "full", "zeroslike", "oneslike", "tensor", "diag"), _TABLE),
    **dict.fromkeys(("rand", "randn", "randint", "randperm", "bernoulli", "randnlike", "randlike"), _RANDOM),
    **dict.fromkeys(("size", "dim", "ndim", "numel", "ndimension", "nelement", "len"), _SIZES),
    **dict.fromkeys(
        ("contiguous", "clone", "detach", "cuda", "cpu", "device", "requiresgrad", "data", "item"), _MEMORY
    ),
    **dict.fromkeys(("half", "bfloat16", "double", "long", "bool", "type", "typeas", "dtype"), _TYPES),
    **dict.fromkeys(("sub", "div", "truediv", "neg", "pow", "square", "eq", "gt", "lt", "rsub", "multiply"), _OPERATOR),
    **dict.fromkeys(("rmsnorm",), 'write it: `x * (x * x -> reduce("n t d -> n t 1", "mean") -> rsqrt)`'),
    **dict.fromkeys(("crossentropy", "crossentropyloss", "nllloss", "mseloss", "bceloss", "bcewithlogitsloss"), _LOSS),
    **dict.fromkeys(("sequential",), "layers one after another: `seq { conv(8, 3) -> relu }`"),
    **dict.fromkeys(("modulelist", "moduledict"), "declare a list of layers: `let blocks: [linear(8) for i in 0..3]`"),
    **dict.fromkeys(("parameter",), "`param scale: [8] = ones` is a trained tensor"),
    **dict.fromkeys(("registerbuffer",), "`buffer steps: [8] = 0..8` is a tensor that is not trained"),
    **dict.fromkeys(
        ("scan", "whileloop", "map", "vmap", "lambda"), "repeat with `for i in 0..3 { … }`, over a range or list"
    ),
    **dict.fromkeys(("self",), "a block has no `self`: layers are labeled where they run, `conv1: conv(64, 3)`"),
    **dict.fromkeys(("print",), "`archdsl summary` shows the shapes; `as x: [N, C]` states one and checks it"),
    **dict.fromkeys(("weight", "bias"), "a layer's weights cannot be read: a tensor that is shared is a `param`"),
}
"""By a name without case and underscores: what to write instead."""

_CALLED = frozenset({
    "all", "any", "bias", "bool", "copy", "data", "device", "dim", "index", "item", "long", "map", "mt", "range",
    "repeat", "select", "size", "t", "type", "weight",
})  # fmt: skip
"""Of these, names that a spec may well mean for something of its own, unless it calls them."""

PREFIXES = frozenset({"nn", "torch", "F", "functional", "tf", "keras", "np", "jnp", "jax", "einops", "timm", "math"})
"""Modules of other libraries that people write before a function."""

_MEMBER = re.compile(r"(?:\s*\.\s*\w+)*\s*\.\s*(\w+)")


def stands_for(name: str, is_called: bool = True) -> str | None:
    """What is written here for a function or method of another library that has no word of its own; None if unknown."""
    plain = re.sub(r"[_-]|[123]d$", "", name.lower())
    return STANDS_FOR.get(plain) if is_called or plain not in _CALLED else None


def member(text: str) -> str | None:
    """The last name of the dotted path that a text goes on with: ``relu`` of ``.nn.functional.relu(x)``."""
    match = _MEMBER.match(text)
    return match[1] if match is not None else None
