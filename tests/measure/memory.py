"""Activation memory of shipped and drawn networks against torch's saved-tensor hooks.

``python -m tests.measure.memory --nets 1500 --params 30000000`` measures so many drawn networks, at a batch of one and
of three, and every shipped network of at most so many parameters, and counts those that differ.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch

from archdsl.compiler import build, from_text
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.measure import activation_bytes, params
from archdsl.model import load

from .oracle import saved_bytes

ROOT = Path(__file__).parents[2]

ANY = [
    *("relu", "gelu", "sigmoid", "silu", "tanh", "logsigmoid", "leaky_relu(0.1)", "hardswish", "softplus", "elu"),
    *("dropout(0.2)", "drop_path(0.2)", "alpha_dropout(0.1)", "identity", "-it", "it * 2.0", "1.0 - it", "it ** 2"),
    *("exp", "abs", "sin", "it % 2.0", "it > 0.0; 1.0 * it", "clamp(min=0)", "maximum(0.1)", "it / (1.5 + sin(it))"),
    *("softmax(axis=-1)", "softmax(axis=1)", "log_softmax(axis=-1)", "glu(axis=1)", "normalize(axis=-1)"),
    *("l{}: linear(8)", "l{}: linear(8, bias=false)", "l{}: layernorm", "l{}: layernorm(axis=1)", "l{}: prelu"),
    *("layernorm(affine=false)", "l{}: layernorm(axis=[-2, -1])"),
    *("residual { relu }", "residual { l{}: linear(8) }", "mul { it; sigmoid }", "it as v{}", "it * v{-}", "it + v{-}"),
    *("concat { it; tanh }", "stack(axis=1) { it; sigmoid }", "concat(axis=-1) { it; it }"),
    *("it[:, 1:]", "it[:, ::2]", "it[:, 0:4]", "it[:, :, 1:-1]", "it[:, 0]"),
    *("split(2) as [a{}, b{}]; a{} * b{}", "split(2, axis=-1) as [a{}, b{}]; b{} -> relu", "flatten(1)", "flatten(2)"),
    *("roll(axis=1, by=3)", "roll(axis=-1, by=1)", "pad(axis=1, before=1)", "pad(axis=-1, after=2)"),
    "param p{}: [8] = normal(std=1.0)\n it * p{}",
    "param p{}: [1, 8] = normal(std=1.0)\n it + p{}",
    "it * (it > 0.0)",
    "dropout(0.0)",
]
IMAGE = [
    *("l{}: conv(8, 3, pad=1)", "l{}: conv(8, 1)", "l{}: conv(8, 3, pad=1, groups=8)", "l{}: conv(8, 2, stride=2)"),
    *("l{}: conv(8, 3, pad=[[1, 0], 0])", "l{}: convtranspose(8, 2, stride=2)", "l{}: batchnorm", "instancenorm"),
    *(
        "l{}: groupnorm(2)",
        "l{}: instancenorm(affine=true)",
        "lrn(3)",
        "maxpool(2)",
        "avgpool(2)",
        "adaptive_avgpool(4)",
    ),
    *(
        "adaptive_avgpool(4)",
        "global_avgpool",
        "spatial_dropout(0.2)",
        'resize("nearest", scale=2)',
        'resize("bilinear", size=8)',
    ),
    *("pixel_shuffle(2)", "pixel_unshuffle(2)", "channel_shuffle(2)", 'pad(axis=3, before=2, mode="reflect")'),
    "mul { it; { global_avgpool; l{}: conv(8, 1); sigmoid } }",
    'rearrange("n c h w -> n h w c")',
    'rearrange("n h w c -> n c h w")',
    'rearrange("n c h w -> n (h w) c")',
    'rearrange("n c h w -> n w c h")',
    'rearrange("n c (h p) (w q) -> n (h w) (p q) c", p=2, q=2)',
    'rearrange("n c (h p) (w q) -> (n h w) c p q", p=4, q=4)',
    'rearrange("n c h w -> n c h w r", r=2)',
    'reduce("n c h w -> n c h", "mean")',
    'reduce("n c h w -> h n c 1", "max")',
    'reduce("n c (h p) w -> n c h w", "sum", p=2)',
]
TOKENS = [
    *(
        'rearrange("n l c -> n c l")',
        'rearrange("n l (h d) -> n h l d", h=2)',
        'rearrange("n (h w) c -> n c h w", h=4)',
    ),
    *("l{}: attention(2)", "l{}: attention(2, dropout=0.1)", "l{}: batchnorm", "l{}: conv(8, 3, pad=1)"),
    'reduce("n l c -> n c", "mean")',
    'reduce("n l c -> n l 1", "sum")',
    'rearrange("n l c -> n l r c", r=3)',
    'rearrange("n l (k h d) -> k n h l d", k=2, h=2) as [q{}, k{}]\n'
    ' (q{}, k{}) -> einsum("n h i d, n h j d -> n h i j")',
    '(it, it) -> einsum("n i c, n j c -> n i j")',
    '(it, it) -> einsum("n i c, n i d -> n c d")',
    '(it, it) -> einsum("n i c, m i c -> n m i")',
    'l{}: linear(24) -> rearrange("n l (k h d) -> k n h l d", k=3, h=2) as [q{}, k{}, v{}]\n'
    ' (q{} * 0.5, k{}) -> einsum("n h i d, n h j d -> n h i j") -> softmax(axis=-1)\n'
    ' (it, v{}) -> einsum("n h i j, n h j d -> n i h d") -> rearrange("n i h d -> n i (h d)")',
]
HEADS = [
    *('rearrange("n h l d -> n l (h d)")', 'rearrange("n h l d -> n l h d")', "it[:, 0]", "softmax(axis=-1)"),
    '(it, it) -> einsum("n h i d, n h j d -> n h i j")',
    '(it, it) -> einsum("n h i d, n h j d -> i n h j")',
]
SIZES = ("[N, 8, 8, 8]", "[N, 8, 8]", "[N, 8, 4, 4]", "[N, 16, 8]")


def built(lines: list[str], size: str) -> Graph | None:
    """The network of these statements; None where one does not fit."""
    spec = from_text("\n ".join(["arch 1\nmodel M {", f"input x: {size}", *lines, "output y\n}"]))
    if spec.diagnostics or not spec.buildable:
        return None
    graph = build(spec, list(spec.buildable.values())[-1], {}, {}).graph
    if graph is None or graph.needs.preconditions():
        return None  # it does not take every batch
    weights = (size for weight in graph.weights.values() for size in weight.shape)
    return graph if all(isinstance(size, int) for size in weights) else None


def drawn(random: Random, length: int) -> Graph:
    """A chain of statements that fit, each of them kept if the network is still accepted."""
    size = random.choice(SIZES)
    lines: list[str] = ["it * 1.5"]
    graph = built(lines, size)
    assert graph is not None
    while len(lines) < length:
        kind = random.choice((ANY, ANY, IMAGE, TOKENS, HEADS))
        number = len(lines)
        text = random.choice(kind).replace("{}", str(number)).replace("{-}", str(random.randrange(number)))
        longer = built([*lines, text], size)
        if longer is not None:
            lines.append(text)
            graph = longer
    return graph


def text_of(graph: Graph) -> str:
    """The text of a network, for a report."""
    return graph.instance.scope.text.span.text


def networks(folder: Path) -> Iterator[str]:
    """Every model that a folder of specs has."""
    for path in sorted(folder.rglob("*.arch")):
        try:
            spec = load(str(path)).graph  # a file of one model
            del spec
            yield str(path)
        except SpecError:
            found = from_text(path.read_text())
            yield from (f"{path}:{name}" for name in found.buildable)


def shipped(most: int) -> Iterator[tuple[str, Graph]]:
    for name in networks(ROOT / "specs"):
        for shape in ("Nx3x64x64", "Nx3x96x96", None):
            try:
                graph = load(name, shape).graph
            except SpecError:
                continue
            if (count := params(graph)) and isinstance(count, int) and count <= most:
                yield name.removeprefix(str(ROOT) + "/"), graph
            break


def compare(graph: Graph, batch: int) -> tuple[int, int] | None:
    """Our bytes and torch's; None where torch refuses to train: a norm of one number."""
    ours = activation_bytes(graph, batch)
    assert isinstance(ours, int)
    try:
        return ours, saved_bytes(graph, batch)
    except ValueError as error:
        if "more than 1 value" in str(error):
            return None
        raise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--params", type=int, default=0, help="shipped networks of at most so many")
    args = parser.parse_args()
    torch.set_num_threads(1)
    random = Random(args.seed)
    exact = differ = 0
    named: Iterator[tuple[str, Graph]] = (("", drawn(random, random.randint(2, 7))) for _ in range(args.nets))
    for group in (named, shipped(args.params) if args.params else iter(())):
        exact = differ = 0
        for name, graph in group:
            for batch in (1, 3) if not name else (1, 2):
                found = compare(graph, batch)
                if found is None:
                    continue
                exact += found[0] == found[1]
                differ += found[0] != found[1]
                if found[0] != found[1]:
                    print(f"batch {batch}: {found[0]} here, {found[1]} in torch: {name or text_of(graph)}", flush=True)
        print(f"{exact} exact, {differ} differ")


if __name__ == "__main__":
    main()
