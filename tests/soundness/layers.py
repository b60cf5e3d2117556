"""Every operator of the language with arguments drawn for a tensor: how the language says it, and torch.

What torch is asked is written here from torch's documentation, not taken from archdsl's back end. Arguments are drawn
so that they fit, mostly. Axes by name are judged by einops.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import suppress
from math import prod
from random import Random
from typing import Any, NamedTuple

import einops
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import stochastic_depth

from .language import counted, each, floats, held, meet, several, spatial, with_axes

OFF = 0.06
"""How often something is drawn that need not fit."""


class Layer(NamedTuple):
    """``text`` in the language, ``run`` in torch; ``owns`` weights, so that it needs a label."""

    text: str
    run: Callable[[Tensor], Any]
    owns: bool = False


def written(value: Any) -> str:
    """A value as the language writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case tuple() | list():
            return f"[{', '.join(map(written, value))}]"
        case _:
            return str(value)


def call(name: str, *args: Any, **named: Any) -> str:
    shown = [*map(written, args), *(f"{key}={written(value)}" for key, value in named.items())]
    return f"{name}({', '.join(shown)})" if shown else name


# ---- drawing -------------------------------------------------------------------------------------------------


def off(random: Random) -> bool:
    return random.random() < OFF


def divisor(random: Random, size: int) -> int:
    """A divisor of a size; now and then another number."""
    if off(random):
        return random.randint(1, 5)
    return random.choice([d for d in range(1, min(size, 12) + 1) if size % d == 0])


def axis_in(random: Random, rank: int) -> int:
    rank = max(rank, 1)
    return random.randint(-rank - off(random), rank - 1 + off(random))


def per_axis(random: Random, axes: int, choices: list[int]) -> Any:
    """A number for all axes, or a list with one for each."""
    if random.random() < 0.7:
        return random.choice(choices)
    return tuple(random.choice(choices) for _ in range(axes - (off(random) and axes > 1)))


def axes_of(x: Tensor) -> int:
    return min(max(x.ndim - 2, 1), 3)


def spread(value: Any, axes: int) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


# ---- convolutions, linear --------------------------------------------------------------------------------------


def conv(random: Random, x: Tensor) -> Layer:
    axes, channels = axes_of(x), x.shape[1] if x.ndim > 1 else 1
    groups = divisor(random, channels) if random.random() < 0.3 else 1
    width = random.randint(1, 6) if off(random) else groups * random.randint(1, 4)
    kernel = per_axis(random, axes, [1, 1, 2, 3, 3, 4])
    sides = [0, 0, 1, 2]
    pad: Any = per_axis(random, axes, sides)
    if random.random() < 0.2:
        pad = tuple((random.choice(sides), random.choice(sides)) for _ in range(axes))
    stride = per_axis(random, axes, [1, 1, 2, 3])
    if random.random() < 0.2:
        pad, stride = "same", (stride if off(random) else 1)
    dilation = per_axis(random, axes, [1, 1, 1, 2])
    bias = random.random() < 0.5

    def run(x: Tensor) -> Tensor:
        axes = spatial(x)
        for value in (kernel, stride, dilation, pad):
            each(value, axes)
        around = pad
        if isinstance(pad, tuple):
            sides = [side if isinstance(side, tuple) else (side, side) for side in pad]
            x, around = F.pad(x, [cells for side in reversed(sides) for cells in side]), 0
        made = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
        return made(x.shape[1], width, kernel, stride, around, dilation, groups, bias)(x)

    text = call("conv", width, kernel, stride=stride, pad=pad, dilation=dilation, groups=groups, bias=bias)
    return Layer(text, run, owns=True)


def convtranspose(random: Random, x: Tensor) -> Layer:
    axes, channels = axes_of(x), x.shape[1] if x.ndim > 1 else 1
    groups = divisor(random, channels) if random.random() < 0.3 else 1
    width = random.randint(1, 6) if off(random) else groups * random.randint(1, 3)
    kernel, stride = per_axis(random, axes, [1, 2, 3, 4]), per_axis(random, axes, [1, 2, 2, 3])
    pad, output_pad = per_axis(random, axes, [0, 0, 0, 1]), per_axis(random, axes, [0, 0, 0, 0, 1])
    dilation, bias = per_axis(random, axes, [1, 1, 1, 2]), random.random() < 0.5

    def run(x: Tensor) -> Tensor:
        axes = spatial(x)
        for value in (kernel, stride, dilation, pad, output_pad):
            each(value, axes)
        made = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[axes - 1]
        return made(x.shape[1], width, kernel, stride, pad, output_pad, groups, bias, dilation)(x)

    more = {"output_pad": output_pad, "groups": groups, "bias": bias, "dilation": dilation}
    return Layer(call("convtranspose", width, kernel, stride=stride, pad=pad, **more), run, owns=True)


def linear(random: Random, x: Tensor) -> Layer:
    width, bias = random.randint(1, 8), random.random() < 0.5
    return Layer(call("linear", width, bias=bias), lambda x: nn.Linear(floats(x).shape[-1], width, bias)(x), owns=True)


# ---- normalisations ----------------------------------------------------------------------------------------------


def batchnorm(random: Random, x: Tensor) -> Layer:
    affine, track = random.random() < 0.5, random.random() < 0.8

    def run(x: Tensor) -> Tensor:
        if floats(x).ndim == 2:
            made = nn.BatchNorm1d
        else:
            made = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[spatial(x) - 1]
        if not track:
            several(x.numel() // x.shape[1])
        return made(x.shape[1], affine=affine, track_running_stats=track).eval()(x)

    return Layer(call("batchnorm", affine=affine, track=track), run, owns=True)


def layernorm(random: Random, x: Tensor) -> Layer:
    last = random.randint(1, max(1, x.ndim - 1))
    several_axes = random.random() < 0.4
    axis: Any = tuple(range(-last, 0)) if several_axes else axis_in(random, x.ndim)
    affine = random.random() < 0.5

    def run(x: Tensor) -> Tensor:
        axes = axis if isinstance(axis, tuple) else (axis,)
        if any(not -x.ndim <= a < x.ndim for a in axes):
            raise IndexError
        moved = floats(x).movedim(axes, tuple(range(-len(axes), 0)))
        shape = moved.shape[-len(axes) :]
        return nn.LayerNorm(shape, elementwise_affine=affine)(moved).movedim(tuple(range(-len(axes), 0)), axes)

    return Layer(call("layernorm", axis=axis, affine=affine), run, owns=True)


def groupnorm(random: Random, x: Tensor) -> Layer:
    groups = divisor(random, x.shape[1] if x.ndim > 1 else 1)

    def run(x: Tensor) -> Tensor:
        held(floats(x).ndim > 1, "[N, C, spatial…], never without its batch")
        normed = nn.GroupNorm(groups, x.shape[1])
        several(x.numel() // groups)
        return normed(x)

    return Layer(call("groupnorm", groups), run, owns=True)


def instancenorm(random: Random, x: Tensor) -> Layer:
    affine = random.random() < 0.5

    def run(x: Tensor) -> Tensor:
        axes = spatial(x)
        several(prod(x.shape[2:]))
        return (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[axes - 1](x.shape[1], affine=affine)(x)

    return Layer(call("instancenorm", affine=affine), run, owns=affine)


def lrn(random: Random, x: Tensor) -> Layer:
    size = random.randint(1, 5)

    def run(x: Tensor) -> Tensor:
        spatial(x)
        return nn.LocalResponseNorm(size)(x.contiguous())  # torch views three axes as two; the emitted source does this

    return Layer(call("lrn", size), run)


def normalize(random: Random, x: Tensor) -> Layer:
    axis, p = axis_in(random, x.ndim), random.choice([1, 2])
    return Layer(call("normalize", axis=axis, p=p), lambda x: F.normalize(floats(x), p=p, dim=axis))


# ---- pools -------------------------------------------------------------------------------------------------------


def maxpool(random: Random, x: Tensor) -> Layer:
    axes = axes_of(x)
    kernel, stride = per_axis(random, axes, [1, 2, 2, 3]), per_axis(random, axes, [1, 2, 2, 3])
    pad, dilation = per_axis(random, axes, [0, 0, 0, 1]), per_axis(random, axes, [1, 1, 1, 2])
    ceil = random.random() < 0.4

    def run(x: Tensor) -> Tensor:
        axes = spatial(x)
        for value in (kernel, stride, dilation, pad):
            each(value, axes)
        pooled = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[axes - 1](kernel, stride, pad, dilation, ceil_mode=ceil)(x)
        rows = zip(x.shape[2:], spread(pad, axes), spread(dilation, axes), strict=True)
        held(all(not p or d == 1 or size >= d for size, p, d in rows), "no window of padding alone")
        return pooled

    return Layer(call("maxpool", kernel, stride=stride, pad=pad, dilation=dilation, ceil=ceil), run)


def avgpool(random: Random, x: Tensor) -> Layer:
    axes = axes_of(x)
    kernel, stride = per_axis(random, axes, [1, 2, 2, 3]), per_axis(random, axes, [1, 2, 2, 3])
    pad, ceil = per_axis(random, axes, [0, 0, 0, 1]), random.random() < 0.4

    def run(x: Tensor) -> Tensor:
        axes = spatial(x)
        for value in (kernel, stride, pad):
            each(value, axes)
        return (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[axes - 1](kernel, stride, pad, ceil)(x)

    return Layer(call("avgpool", kernel, stride=stride, pad=pad, ceil=ceil), run)


def adaptive(kind: str) -> Callable[[Random, Tensor], Layer]:
    def draw(random: Random, x: Tensor) -> Layer:
        size = per_axis(random, axes_of(x), [1, 2, 3, 5])

        def run(x: Tensor) -> Tensor:
            each(size, spatial(x))
            return getattr(nn, f"Adaptive{kind.capitalize()}Pool{spatial(x)}d")(size)(x)

        return Layer(call(f"adaptive_{kind}pool", size), run)

    return draw


def whole(kind: str) -> Callable[[Random, Tensor], Layer]:
    return lambda random, x: Layer(
        f"global_{kind}pool", lambda x: getattr(F, f"adaptive_{kind}_pool{spatial(x)}d")(x, 1)
    )


# ---- element by element --------------------------------------------------------------------------------------------


def simple(text: str, module: Callable[[], nn.Module], owns: bool = False) -> Callable[[Random, Tensor], Layer]:
    return lambda random, x: Layer(text, lambda x: module().eval()(floats(x)), owns)


def prelu(random: Random, x: Tensor) -> Layer:
    per_channel = random.random() < 0.5

    def run(x: Tensor) -> Tensor:
        held(not per_channel or floats(x).ndim > 1, "[N, C, spatial…], never without its batch")
        return nn.PReLU(x.shape[1] if per_channel else 1)(floats(x))

    return Layer(call("prelu", per_channel=per_channel), run, owns=True)


def function(name: str) -> Callable[[Random, Tensor], Layer]:
    whole_numbers = name in ("abs", "sign", "floor", "ceil", "round")

    def run(x: Tensor) -> Tensor:
        held(not whole_numbers or x.dtype != torch.bool, "a bool is neither ordered nor rounded")
        return getattr(torch, name)(x)

    return lambda random, x: Layer(name, run)


def clamp(random: Random, x: Tensor) -> Layer:
    limits: dict[str, Any] = {name: random.choice([0, 1, 0.5]) for name in ("min", "max") if random.random() < 0.6}

    def run(x: Tensor) -> Tensor:
        held(x.dtype != torch.bool, "a bool is neither ordered nor rounded")
        return torch.clamp(x, **limits)

    return Layer(call("clamp", **limits) if limits else "clamp()", run)


def extremum(name: str) -> Callable[[Random, Tensor], Layer]:
    def draw(random: Random, x: Tensor) -> Layer:
        number = random.choice([0, 1, 0.5])

        def run(x: Tensor) -> Tensor:
            held(x.dtype != torch.bool, "a bool is neither ordered nor rounded")
            return getattr(torch, name)(x, torch.tensor(number, device=x.device))

        return Layer(call(name, number), run)

    return draw


NUMBERS = [1, 2, -3, 2.5, -0.5, 0]
TORCH_S: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
OPERATORS = list(TORCH_S)


def arithmetic(op: str, left: Any, right: Any) -> Any:
    """``left op right``, tensors or numbers; torch's arithmetic, but for bools."""
    tensors = [side for side in (left, right) if isinstance(side, Tensor)]
    is_whole = not any(t.dtype == torch.float32 for t in tensors) and not any(
        isinstance(side, float) for side in (left, right)
    )
    if op in ("//", "%", "**"):
        held(all(t.dtype != torch.bool for t in tensors), "no quotient, remainder or power of bools")
        held(op == "**" or not (is_whole and right is not tensors[-1] and right == 0), "whole numbers by 0")
        held(op != "%" or is_whole or isinstance(left, Tensor), "no remainder of a number by floats")
    meet(left, right)
    if op == "-" or (op in ("+", "*") and all(t.dtype == torch.bool for t in tensors)):
        left, right = (counted(side) if isinstance(side, Tensor) else side for side in (left, right))
    return TORCH_S[op](left, right)


def with_number(random: Random, x: Tensor) -> Layer:
    op, number = random.choice(OPERATORS), random.choice(NUMBERS)
    if random.random() < 0.5:
        return Layer(f"it {op} {number}", lambda x: arithmetic(op, x, number))
    shown = f"({number})" if number < 0 and op == "**" else number
    return Layer(f"{shown} {op} it", lambda x: arithmetic(op, number, x))


def negative(random: Random, x: Tensor) -> Layer:
    return Layer("-it", lambda x: -counted(x))


# ---- layout --------------------------------------------------------------------------------------------------------


def softmax(name: str) -> Callable[[Random, Tensor], Layer]:
    def draw(random: Random, x: Tensor) -> Layer:
        axis = axis_in(random, x.ndim)
        return Layer(call(name, axis=axis), lambda x: getattr(torch, name)(floats(x), axis))

    return draw


def glu(random: Random, x: Tensor) -> Layer:
    even = [a for a in range(x.ndim) if x.shape[a] % 2 == 0]
    axis = random.choice(even) if even and not off(random) else axis_in(random, x.ndim)
    return Layer(call("glu", axis), lambda x: F.glu(floats(x), axis))


def flatten(random: Random, x: Tensor) -> Layer:
    start = random.randint(0, max(0, x.ndim - 1))
    end = random.choice([-1, random.randint(0 if off(random) else start, max(start, x.ndim - 1 + off(random)))])
    return Layer(call("flatten", start, end), lambda x: torch.flatten(x, start, end))


def slices(random: Random, x: Tensor) -> Layer:
    """``it[…]``: Python's, but no bound may lie beyond its axis and nothing may be empty."""
    parts = []
    for size in x.shape[: random.randint(1, max(1, x.ndim))] or (1,):
        reach = size + off(random)
        kind = random.random()
        if kind < 0.4:
            parts.append(slice(None))
        elif kind < 0.6:
            parts.append(random.randint(-reach, reach - 1 + off(random)))
        else:
            low = random.choice([None, random.randint(0, reach - 1)])
            high = random.choice([None, random.randint(-reach, reach)])
            parts.append(slice(low, high, random.choice([None, None, 1, 2, 3])))

    def run(x: Tensor) -> Tensor:
        if len(parts) > x.ndim:
            raise IndexError
        for part, size in zip(parts, x.shape, strict=False):
            if isinstance(part, slice):
                held(all(b is None or -size <= b <= size for b in (part.start, part.stop)), "no bound beyond its axis")
        return x[tuple(parts)]

    return Layer(f"it[{', '.join(map(_subscript, parts))}]", run)


def _subscript(part: int | slice) -> str:
    if not isinstance(part, slice):
        return str(part)
    ends = ":".join("" if end is None else str(end) for end in (part.start, part.stop))
    return ends if part.step is None else f"{ends}:{part.step}"


def pad(random: Random, x: Tensor) -> Layer:
    axis, before, after = axis_in(random, x.ndim), random.choice([0, 1, 2]), random.choice([0, 0, 1, 3])
    mode = random.choice(["constant", "constant", "reflect", "replicate", "circular"])

    def run(x: Tensor) -> Tensor:
        """Other modes than a constant torch has for the last axes only, so many by the rank: tell it of more."""
        if not -x.ndim <= axis < x.ndim:
            raise IndexError
        last = x.ndim - axis % x.ndim
        cells = [0, 0] * (last - 1) + [before, after]
        if mode == "constant":
            return F.pad(x, cells)
        floats(x)
        for more in range(3 - last):
            with suppress(NotImplementedError, RuntimeError):
                return F.pad(x, cells + [0, 0] * more, mode)
        return F.pad(x, cells + [0, 0] * max(0, 3 - last), mode)

    return Layer(call("pad", axis=axis, before=before, after=after, mode=mode), run)


def roll(random: Random, x: Tensor) -> Layer:
    axis, by = axis_in(random, x.ndim), random.randint(-4, 4)
    return Layer(call("roll", axis=axis, by=by), lambda x: torch.roll(x, by, axis))


NAMES = "nchwdabe"


def rearrange(random: Random, x: Tensor) -> Layer:
    """Axes split by divisors, moved, merged, and now and then repeated along a new one."""
    left, names, sizes = [], [], {}
    for name, size in zip(NAMES, x.shape, strict=False):
        if size > 1 and random.random() < 0.35:
            inner = divisor(random, size)
            sizes[f"{name}i"] = inner
            left.append(f"({name} {name}i)")
            names += [name, f"{name}i"]
        elif size == 1 and random.random() < 0.5:
            left.append("1")
        else:
            left.append(name)
            names.append(name)
    if random.random() < 0.15:
        sizes["r"] = random.randint(1, 3)
        names.append("r")
    if random.random() < 0.7:
        random.shuffle(names)
    right, at = [], 0
    while at < len(names):
        group = names[at : at + random.choice([1, 1, 1, 2])]
        right.append(group[0] if len(group) == 1 else f"({' '.join(group)})")
        at += len(group)
    if random.random() < 0.1:
        right.insert(random.randint(0, len(right)), "1")
    pattern = f"{' '.join(left)} -> {' '.join(right)}"
    return Layer(call("rearrange", pattern, **sizes), lambda x: einops.repeat(x, pattern, **sizes))


def reduce(random: Random, x: Tensor) -> Layer:
    names = list(NAMES[: x.ndim + off(random)])
    kept = [name for name in names if random.random() < 0.6]
    pattern, how = f"{' '.join(names)} -> {' '.join(kept)}", random.choice(["mean", "sum", "max", "min", "prod"])

    def run(x: Tensor) -> Tensor:
        held(x.dtype != torch.bool, "a bool is neither ordered nor rounded")
        return einops.reduce(x, pattern, how)

    return Layer(call("reduce", pattern, how), run)


def resize(random: Random, x: Tensor) -> Layer:
    axes = axes_of(x)
    mode = random.choice(["nearest", ("linear", "bilinear", "trilinear")[axes - 1]])
    mode = random.choice(["bicubic", "trilinear"]) if off(random) else mode
    align = mode != "nearest" and random.random() < 0.4
    named: dict[str, Any] = {}
    if random.random() < 0.5:
        named["size"] = per_axis(random, axes, [1, 2, 4, 5, 7])
    else:
        named["scale"] = random.choice([2, 0.5, 1.5, 0.25, 3])

    def run(x: Tensor) -> Tensor:
        axes = spatial(x)
        size, scale = named.get("size"), named.get("scale")
        each(size, axes)
        return F.interpolate(x, size, scale, mode, align if mode != "nearest" else None)

    return Layer(call("resize", mode, align_corners=align, **named), run)


def pixel_shuffle(random: Random, x: Tensor) -> Layer:
    factor = random.choice([1, 2, 2, 3])

    def run(x: Tensor) -> Tensor:
        held(floats(x).ndim == 4, "[N, C, spatial…], never without its batch")
        return F.pixel_shuffle(x, factor)

    return Layer(call("pixel_shuffle", factor), run)


def pixel_unshuffle(random: Random, x: Tensor) -> Layer:
    factor = divisor(random, x.shape[2]) if x.ndim == 4 else 2

    def run(x: Tensor) -> Tensor:
        held(floats(x).ndim == 4, "[N, C, spatial…], never without its batch")
        return F.pixel_unshuffle(x, factor)

    return Layer(call("pixel_unshuffle", factor), run)


def channel_shuffle(random: Random, x: Tensor) -> Layer:
    groups = divisor(random, x.shape[1] if x.ndim > 1 else 1)

    def run(x: Tensor) -> Tensor:
        """As its definition: torch's own has no meta form."""
        spatial(x)
        return x.unflatten(1, (groups, x.shape[1] // groups)).transpose(1, 2).flatten(1, 2)

    return Layer(call("channel_shuffle", groups), run)


def embedding(random: Random, x: Tensor) -> Layer:
    count, width = random.randint(1, 9), random.randint(1, 5)

    def run(x: Tensor) -> Tensor:
        held(x.dtype == torch.int64, "numbers of rows are int64")
        return nn.Embedding(count, width)(x)

    return Layer(call("embedding", count, width), run, owns=True)


def attention(random: Random, x: Tensor) -> Layer:
    heads, bias = divisor(random, x.shape[-1] if x.ndim else 1), random.random() < 0.5
    return Layer(call("attention", heads, bias=bias), lambda x: attend(x, x, x, heads, bias), owns=True)


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, bias: bool) -> Tensor:
    for x in (query, key, value):
        held(floats(x).ndim == 3, "[N, C, spatial…], never without its batch")
    width = query.shape[-1]
    held(key.shape[-1] == value.shape[-1] == width, "attention has one width")
    return nn.MultiheadAttention(width, heads, bias=bias, batch_first=True).eval()(query, key, value)[0]


def chosen(name: str) -> Callable[[Random, Tensor], Layer]:
    """The largest elements, or all in order, of an axis."""

    def draw(random: Random, x: Tensor) -> Layer:
        axis, flag = axis_in(random, x.ndim), random.random() < 0.5
        size = x.shape[axis] if -x.ndim <= axis < x.ndim else 1
        k = random.randint(1, size + off(random))

        def run(x: Tensor) -> Tensor:
            if name == "topk":
                return torch.topk(floats(x), k, axis, flag)[0]
            if name == "sort":
                return torch.sort(floats(x), axis, flag)[0]
            return torch.argsort(floats(x), axis, flag)

        texts = {
            "topk": call("topk", k, axis=axis, largest=flag),
            "sort": call("sort", axis=axis, descending=flag),
            "argsort": call("argsort", axis=axis, descending=flag),
        }
        return Layer(texts[name] if name == "argsort" else f"(it -> {texts[name]})[0]", run)

    return draw


def place(name: str) -> Callable[[Random, Tensor], Layer]:
    def draw(random: Random, x: Tensor) -> Layer:
        axis, keep = axis_in(random, x.ndim), random.random() < 0.5

        def run(x: Tensor) -> Tensor:
            held(x.dtype != torch.bool, "a bool is neither ordered nor rounded")
            return getattr(torch, name)(x, axis, keep)

        return Layer(call(name, axis=axis, keep=keep), run)

    return draw


def take(random: Random, x: Tensor) -> Layer:
    axis = axis_in(random, x.ndim)

    def run(x: Tensor) -> Tensor:
        held(x.dtype != torch.bool, "a bool is neither ordered nor rounded")
        return x.take_along_dim(x.argmax(axis, keepdim=True), axis)

    return Layer(f"take(it, argmax(it, axis={axis}, keep=true), axis={axis})", run)


def one_hot(random: Random, x: Tensor) -> Layer:
    count = random.randint(1, 5)

    def run(x: Tensor) -> Tensor:
        held(x.dtype == torch.int64, "numbers of rows are int64")
        return (with_axes(x).unsqueeze(-1) == torch.arange(count, device=x.device)).long()  # torch's reads the numbers

    return Layer(call("one_hot", count), run)


def cumsum(random: Random, x: Tensor) -> Layer:
    axis = axis_in(random, x.ndim)
    return Layer(call("cumsum", axis), lambda x: x.cumsum(axis))


def masked(random: Random, x: Tensor) -> Layer:
    """A choice between the value and a number, by conditions of which some are joined."""
    limit, number = random.choice(NUMBERS), random.choice(NUMBERS)

    def run(x: Tensor) -> Tensor:
        return torch.where((arithmetic(">", x, limit)) | ~arithmetic("==", x, number), x, number)

    return Layer(f"where(it > {limit} or not (it == {number}), it, {number})", run)


def conversion(name: str) -> Callable[[Random, Tensor], Layer]:
    wanted = {"int": torch.int64, "float": torch.float32}[name]

    def run(x: Tensor) -> Tensor:
        held(x.dtype != wanted, "nothing is converted to what it is")
        return x.to(wanted)

    return lambda random, x: Layer(name, run)


def recurrent(name: str) -> Callable[[Random, Tensor], Layer]:
    made = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[name]

    def draw(random: Random, x: Tensor) -> Layer:
        width, layers, both, bias = random.randint(1, 6), random.choice([1, 1, 2]), random.random() < 0.4, off(random)

        def run(x: Tensor) -> Tensor:
            held(floats(x).ndim == 3, "[N, C, spatial…], never without its batch")
            return made(x.shape[2], width, layers, bias=not bias, batch_first=True, bidirectional=both)(x)[0]

        return Layer(call(name, width, layers=layers, bidirectional=both, bias=not bias), run, owns=True)

    return draw


def attend_to_itself(random: Random, x: Tensor) -> Layer:
    causal = random.random() < 0.5

    def run(x: Tensor) -> Tensor:
        held(floats(x).ndim >= 3, "[N, heads, length, width], never without its heads")
        return F.scaled_dot_product_attention(x, x, x, is_causal=causal)

    return Layer(f"attend(it, it, it, causal={written(causal)})", run)


def drop_path(random: Random, x: Tensor) -> Layer:
    def run(x: Tensor) -> Tensor:
        held(floats(x).ndim > 0, "[N, C, spatial…], never without its batch")
        return stochastic_depth(x, 0.2, "row", training=False)

    return Layer("drop_path(0.2)", run)


def spatial_dropout(random: Random, x: Tensor) -> Layer:
    return Layer(
        "spatial_dropout(0.3)", lambda x: (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)[spatial(x) - 1]().eval()(x)
    )


FUNCTIONS = (
    "exp", "log", "log2", "sqrt", "rsqrt", "reciprocal", "sin", "cos", "erf", "abs", "sign", "floor", "ceil", "round",
)  # fmt: skip

LAYERS: dict[str, tuple[Callable[[Random, Tensor], Layer], range]] = {
    "conv": (conv, range(3, 6)),
    "convtranspose": (convtranspose, range(3, 6)),
    "linear": (linear, range(1, 6)),
    "batchnorm": (batchnorm, range(2, 6)),
    "layernorm": (layernorm, range(1, 6)),
    "groupnorm": (groupnorm, range(2, 6)),
    "instancenorm": (instancenorm, range(3, 6)),
    "lrn": (lrn, range(3, 6)),
    "normalize": (normalize, range(1, 6)),
    "maxpool": (maxpool, range(3, 6)),
    "avgpool": (avgpool, range(3, 6)),
    "adaptive_avgpool": (adaptive("avg"), range(3, 6)),
    "adaptive_maxpool": (adaptive("max"), range(3, 6)),
    "global_avgpool": (whole("avg"), range(3, 6)),
    "global_maxpool": (whole("max"), range(3, 6)),
    "relu": (simple("relu", nn.ReLU), range(6)),
    "relu6": (simple("relu6", nn.ReLU6), range(6)),
    "leaky_relu": (simple("leaky_relu(0.2)", lambda: nn.LeakyReLU(0.2)), range(6)),
    "prelu": (prelu, range(2, 6)),
    "hardtanh": (simple("hardtanh", nn.Hardtanh), range(6)),
    "hardsigmoid": (simple("hardsigmoid", nn.Hardsigmoid), range(6)),
    "hardswish": (simple("hardswish", nn.Hardswish), range(6)),
    "sigmoid": (simple("sigmoid", nn.Sigmoid), range(6)),
    "tanh": (simple("tanh", nn.Tanh), range(6)),
    "elu": (simple("elu", nn.ELU), range(6)),
    "selu": (simple("selu", nn.SELU), range(6)),
    "celu": (simple("celu(2.0)", lambda: nn.CELU(2.0)), range(6)),
    "gelu": (simple("gelu", nn.GELU), range(6)),
    "silu": (simple("silu", nn.SiLU), range(6)),
    "mish": (simple("mish", nn.Mish), range(6)),
    "softplus": (simple("softplus", nn.Softplus), range(6)),
    "softsign": (simple("softsign", nn.Softsign), range(6)),
    "logsigmoid": (simple("logsigmoid", nn.LogSigmoid), range(6)),
    "softmax": (softmax("softmax"), range(1, 6)),
    "log_softmax": (softmax("log_softmax"), range(1, 6)),
    "glu": (glu, range(1, 6)),
    "identity": (lambda random, x: Layer("identity", lambda x: x), range(6)),
    "dropout": (simple("dropout(0.2)", nn.Dropout), range(6)),
    "alpha_dropout": (simple("alpha_dropout(0.2)", nn.AlphaDropout), range(6)),
    "spatial_dropout": (spatial_dropout, range(3, 6)),
    "drop_path": (drop_path, range(1, 6)),
    **{name: (function(name), range(6)) for name in FUNCTIONS},
    "clamp": (clamp, range(6)),
    "maximum": (extremum("maximum"), range(6)),
    "minimum": (extremum("minimum"), range(6)),
    "arithmetic": (with_number, range(6)),
    "negative": (negative, range(6)),
    "flatten": (flatten, range(1, 6)),
    "select": (slices, range(1, 6)),
    "pad": (pad, range(1, 6)),
    "roll": (roll, range(1, 6)),
    "rearrange": (rearrange, range(1, 6)),
    "reduce": (reduce, range(1, 6)),
    "resize": (resize, range(3, 6)),
    "pixel_shuffle": (pixel_shuffle, range(4, 5)),
    "pixel_unshuffle": (pixel_unshuffle, range(4, 5)),
    "channel_shuffle": (channel_shuffle, range(3, 6)),
    "embedding": (embedding, range(1, 5)),
    "attention": (attention, range(3, 4)),
    "attend": (attend_to_itself, range(3, 6)),
    "topk": (chosen("topk"), range(1, 6)),
    "sort": (chosen("sort"), range(1, 6)),
    "argsort": (chosen("argsort"), range(1, 6)),
    "argmax": (place("argmax"), range(1, 6)),
    "argmin": (place("argmin"), range(1, 6)),
    "take": (take, range(1, 6)),
    "one_hot": (one_hot, range(1, 5)),
    "cumsum": (cumsum, range(1, 6)),
    "where": (masked, range(6)),
    "int": (conversion("int"), range(6)),
    "float": (conversion("float"), range(6)),
    "lstm": (recurrent("lstm"), range(3, 4)),
    "gru": (recurrent("gru"), range(3, 4)),
    "rnn": (recurrent("rnn"), range(3, 4)),
}  # fmt: skip
"""Operators on one value, with the ranks for which they are made."""


ANY_ELEMENTS = {
    "arithmetic", "negative", "flatten", "select", "pad", "roll", "rearrange", "clamp", "maximum", "minimum", "abs",
    "exp", "sqrt", "floor", "sign", "argmax", "argmin", "take", "cumsum", "where", "int", "float",
}  # fmt: skip
"""Operators that take whole numbers too."""


def layer(random: Random, x: Tensor) -> Layer:
    """Any operator, mostly one that is made for such a tensor."""
    made = {name for name, (_, ranks) in LAYERS.items() if x.ndim in ranks} - {"embedding", "one_hot"}
    if x.dtype != torch.float32:
        made = (made & ANY_ELEMENTS) | ({"embedding", "one_hot"} if x.dtype == torch.int64 else set())
    names = LAYERS if off(random) or not made else made
    draw, ranks = LAYERS[random.choice(sorted(names))]
    drawn = draw(random, x)
    return drawn if 0 in ranks else drawn._replace(run=lambda x: drawn.run(with_axes(x)))
