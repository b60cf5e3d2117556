"""Operators one after the other in ONNX Runtime: its graph optimizations rewrite patterns, and may do so wrongly.

``python -m tests.emit.onnx.chains --triples 4000`` runs every pair of the statements below, and so many chains of
three, in torch and in ONNX Runtime with all graph optimizations and with none, with a symbolic batch and with known
sizes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product
from random import Random

import numpy as np
import onnxruntime
import torch

from archdsl.compiler import build, from_text
from archdsl.emit.onnx import to_model
from archdsl.emit.onnx.compare import difference
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.errors import SpecError
from archdsl.graph import Graph

from .networks import weights_for

ANY = [
    "relu",
    "relu6",
    "sigmoid",
    "tanh",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "logsigmoid",
    "hardswish",
    "hardsigmoid",
    "identity",
    "dropout",
    "exp",
    "sin",
    "cos",
    "erf",
    "abs",
    "sign",
    "floor",
    "ceil",
    "round",
    "leaky_relu(0.2)",
    "hardtanh",
    "celu(2.0)",
    'gelu("tanh")',
    "clamp(min=0,max=6)",
    "clamp(min=0)",
    "clamp(max=1)",
    "l{}: prelu",
    "abs -> sqrt",
    "exp -> log",
    "exp -> rsqrt",
    "exp -> reciprocal",
    "exp -> log2",
    "it * 2.0",
    "it + 0.5",
    "1.0 / (2.5 + sin(it))",
    "it / 2.0",
    "1.0 - it",
    "it * it",
    "it ** 2",
    "-it",
    "it % 3.0",
    "it // 2.0",
    "it * (it > 0.0)",
    "it + x",
    "it * x",
    "x - it",
    "it / (2.0 + abs(x))",
    "maximum(x)",
    "minimum(x)",
    "maximum(0.5)",
    "residual { relu }",
    "residual { l{}: layernorm }",
    "mul { it; sigmoid }",
    "add { it; it; it }",
    "softmax(axis=-1)",
    "softmax(axis=1)",
    "log_softmax(axis=-1)",
    "normalize(axis=-1)",
    "normalize(axis=1, p=1)",
    "layernorm(affine=false)",
    "l{}: layernorm",
    "l{}: layernorm(bias=false)",
    "layernorm(affine=false, axis=1)",
    "layernorm(affine=false, axis=[-2, -1])",
    "l{}: layernorm(axis=[-2, -1])",
    "l{}: linear(8)",
    "l{}: linear(8, bias=false)",
    "concat { it; x }",
    "glu(axis=1)",
    "split(2) as [a{}, b{}]; a{} * b{} + b{}",
    "roll(axis=1, by=3)",
    "pad(axis=-1, before=1, after=2)",
    "it[:, 2:]",
    "param p{}: [8] = normal(std=1.0)\n it + p{}",
    "param p{}: [8] = normal(std=1.0)\n it * p{}",
    "param p{}: [1] = normal(std=1.0)\n it * p{}",
    "it * l{}: layernorm",
]
"""Statements on values of any rank that end in 8 numbers; ``{}`` is a number of their own."""

IMAGE = [
    "l{}: conv(8, 3, pad=1)",
    "l{}: conv(8, 3, pad=1, bias=false)",
    "l{}: conv(8, 1, groups=4)",
    "l{}: conv(8, 3, pad=[[1, 0], [0, 1]], stride=2)",
    "l{}: convtranspose(8, 2, stride=2)",
    "l{}: batchnorm",
    "batchnorm(affine=false)",
    "l{}: batchnorm(track=false)",
    "batchnorm(affine=false, track=false)",
    "l{}: groupnorm(2)",
    "groupnorm(4, affine=false)",
    "instancenorm",
    "l{}: instancenorm(affine=true)",
    "lrn(3)",
    "maxpool(2)",
    "avgpool(3, stride=2, pad=1)",
    "adaptive_avgpool(3)",
    "global_avgpool",
    "global_maxpool",
    "spatial_dropout(0.1)",
    "l{}: prelu(per_channel=true)",
    'resize("nearest", scale=2)',
    'resize("bilinear", scale=1.5)',
    "pixel_unshuffle(2)",
    "channel_shuffle(2)",
    'rearrange("n c h w -> n h w c")',
    'rearrange("n c (h p) w -> n h w (p c)", p=2)',
    'reduce("n c h w -> n c 1 1", "mean")',
    'reduce("n c h w -> n 1 h w", "max")',
    "flatten(2)",
    "mul { it; { global_avgpool; l{}: conv(8, 1); sigmoid } }",
    "param p{}: [8, 1, 1] = normal(std=1.0)\n it * p{}",
    "param p{}: [8, 1, 1] = normal(std=1.0)\n it + p{}",
    'it - reduce(it, "n c h w -> n c 1 1", "mean")',
]
"""Statements on [N, 8, 8, 8]."""

TOKENS = [
    "l{}: attention(2)",
    'rearrange("n l c -> n c l")',
    'rearrange("n l (h d) -> n h l d", h=2)',
    'reduce("n l c -> n l 1", "mean")',
    'reduce("n l c -> n 1 c", "mean")',
    '(it, x) -> einsum("n i c, n j c -> n i j") -> softmax(axis=-1)',
    '(it, x) -> einsum("n i c, n j c -> n i j"); it * 0.35 -> softmax(axis=-1)\n'
    '(it, x) -> einsum("n i j, n j c -> n i c")',
    "l{}: batchnorm",
    "l{}: conv(8, 3, pad=1)",
    'it * rsqrt(reduce(it * it, "n l c -> n l 1", "mean") + 0.00001)',
    'it - reduce(it, "n l c -> n l 1", "mean"); it / sqrt(reduce(it * it, "n l c -> n l 1", "mean") + 0.00001)',
    "stack(axis=1) { it; x }",
    "it[:, 0]",
]
"""Statements on [N, 8, 8] (examples, places, channels)."""

LAYOUTS = {"image": ((8, 8, 8), [*ANY, *IMAGE]), "tokens": ((8, 8), [*ANY, *TOKENS])}
TOLERANCE = 1e-4


def chain(layout: str, statements: tuple[str, ...], batch: str) -> Graph | None:
    """The network of these statements; None where one does not take what the one before gives."""
    sizes, _ = LAYOUTS[layout]
    lines = [statement.replace("{}", str(number)) for number, statement in enumerate(statements)]
    given = f"input x: [{', '.join(map(str, (batch, *sizes)))}]"
    spec = from_text("\n ".join(["arch 1\nmodel M {", given, *lines, "output y\n}"]))
    built = build(spec, list(spec.buildable.values())[-1], {}, {}) if spec.buildable else None
    return built.graph if built is not None else None


def disagreement(graph: Graph) -> str | None:
    """How ONNX Runtime, with optimizations or without, differs from torch; None where it does not."""
    torch.set_num_threads(1)
    weights = weights_for(graph)
    data = to_model(graph, weights).SerializeToString()
    shape = [size if isinstance(size, int) else 2 for size in graph.inputs[0].value.shape]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = GraphRunner(graph, weights).outputs({"x": x})["y"].numpy()
        exact = {name: weight.double() if weight.is_floating_point() else weight for name, weight in weights.items()}
        finer = GraphRunner(graph, exact).outputs({"x": x.double()})["y"].float().numpy()
    if difference(finer.astype(wanted.dtype), wanted) > TOLERANCE / 10:
        return None  # chaotic: a rounding before a floor, a norm of equal numbers
    for name in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, name)
        try:
            session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
            given = {i.name: x.numpy() for i in session.get_inputs()}
            found = np.asarray(session.run(None, given)[0])
        except Exception as error:  # of kinds of ONNX Runtime's own
            return f"{name}: {str(error).splitlines()[0]}"
        gap = difference(found, wanted)
        if gap > TOLERANCE:
            return f"{name}: differs by {gap:.1e}"
    return None


def chains(triples: int, seed: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """All pairs, then drawn triples."""
    random = Random(seed)
    for layout, (_, statements) in LAYOUTS.items():
        yield from ((layout, pair) for pair in product(statements, repeat=2))
    for _ in range(triples):
        layout = random.choice(list(LAYOUTS))
        yield layout, tuple(random.choice(LAYOUTS[layout][1]) for _ in range(3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="of the chains, only each so-manieth (default: 1)")
    args = parser.parse_args()
    run = refused = 0
    faults: list[str] = []
    for number, (layout, statements) in enumerate(chains(args.triples, args.seed)):
        if number % args.every:
            continue
        for batch in ("N", "2"):
            graph = chain(layout, statements, batch)
            if graph is None:
                continue
            try:
                found = disagreement(graph)
            except SpecError:
                refused += 1
                continue
            run += 1
            if found is not None:
                faults.append(f"{layout}, batch {batch}: {' | '.join(statements)}: {found}")
                print(faults[-1], flush=True)
    print(f"{run} networks run, {refused} refused by the exporter, {len(faults)} differ")


if __name__ == "__main__":
    main()
