"""Receptive fields of drawn networks against what torch's outputs depend on.

``python -m tests.measure.field_nets --nets 1000`` draws chains of convolutions, transposed ones, pools, resizing,
slices, padding, rolls, windows and branches, whose weights are positive, so that nothing that is seen cancels. In one
run each example of a batch has another row that is not 0: an output that is not 0 there sees it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from random import Random
from typing import Literal

import torch

from archdsl.compiler import build, from_text
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.graph import Graph
from archdsl.measure import AxisField, Fields

SIZE = 192
INNER = 8
"""Positions that see nothing beyond the edges, from which on the greatest extent is taken to be among theirs."""

LAYERS = [
    *(
        "c{}: conv(4, 3, pad=1)",
        "c{}: conv(4, 1)",
        "c{}: conv(4, 2)",
        "c{}: conv(4, 5, pad=2)",
        "c{}: conv(4, 4, pad=1)",
    ),
    *("c{}: conv(4, [3, 1], dilation=[3, 1], pad=[3, 0])", "c{}: conv(4, 3, stride=[2, 1], pad=1)"),
    *(
        "c{}: conv(4, [5, 1], stride=[3, 1])",
        "c{}: conv(4, [3, 1], pad=[[2, 0], 0])",
        "c{}: conv(4, [2, 1], stride=[2, 1])",
    ),
    "u{}: convtranspose(4, [2, 1], stride=[2, 1])",
    "u{}: convtranspose(4, [4, 1], stride=[2, 1], pad=[1, 0])",
    "u{}: convtranspose(4, [3, 1], stride=[3, 1], dilation=[2, 1])",
    "u{}: convtranspose(4, [3, 1], stride=[2, 1], pad=[1, 0], output_pad=[1, 0])",
    "u{}: convtranspose(4, [3, 1], dilation=[2, 1], stride=[4, 1])",
    "u{}: convtranspose(4, [2, 1], stride=[2, 1], dilation=[3, 1], pad=[1, 0])",
    *("avgpool([2, 1])", "avgpool(3, stride=1, pad=1)", "avgpool([3, 1], stride=[2, 1], ceil=true)", "avgpool([4, 1])"),
    *("adaptive_avgpool([24, 4])", "adaptive_avgpool([36, 4])", "global_avgpool"),
    *('resize("nearest", scale=[2, 1])', 'resize("nearest", scale=[3, 1])', 'resize("nearest", scale=[1.5, 1])'),
    *('resize("nearest", scale=[0.5, 1])', 'resize("nearest", scale=[0.75, 1])', 'resize("nearest", size=[96, 4])'),
    *('resize("bilinear", scale=[2, 1])', 'resize("bilinear", scale=[0.5, 1])', 'resize("bilinear", scale=[1.5, 1])'),
    *('resize("bilinear", size=[64, 4])', 'resize("bilinear", size=[65, 4], align_corners=true)'),
    "c{}: conv(16, 1) -> pixel_shuffle(2)",
    *("pixel_unshuffle(2) -> c{}: conv(4, 1)", "pad(axis=2, before=2)", "pad(axis=2, before=1, after=3)"),
    *(
        'pad(axis=2, before=2, mode="reflect")',
        'pad(axis=2, after=1, mode="replicate")',
        "it[:, :, 3:]",
        "it[:, :, :-2]",
    ),
    *("it[:, :, ::2]", "it[:, :, 1::3]", "roll(axis=2, by=3)", "roll(axis=2, by=-3)", "relu", "b{}: batchnorm"),
    *('pad(axis=2, before=1, after=1, mode="circular")', "roll(axis=3, by=1)"),
    'rearrange("n c (h p) w -> n c h w p", p=4); w{}: linear(4); rearrange("n c h w p -> n c (h p) w")',
    'rearrange("n c (h p) w -> n h w (p c)", p=2); w{}: linear(4); rearrange("n h w c -> n c h w")',
    'rearrange("n c h w -> n (h w) c"); w{}: linear(4); rearrange("n (h w) c -> n c h w", w=4)',
]
BRANCHES = [
    "residual {{ {0} }}",
    "residual {{ {0}; {1} }}",
    "concat {{ {{ {0}; {1} }} ; {2} }} \n m{{}}: conv(4, 1)",
    "add {{ {{ {0} }} ; {{ {1} }} }}",
    "mul {{ it; {{ global_avgpool; s{{}}: conv(4, 1) }} }}",
]


def network(statements: list[str]) -> Graph | None:
    """The network of these statements; None where one does not fit."""
    lines = ["arch 1\nmodel M {", f"input x: [N, 4, {SIZE}, 4]", *statements, "output y\n}"]
    spec = from_text("\n ".join(lines))
    if not spec.buildable:
        return None
    graph = build(spec, list(spec.buildable.values())[-1], {}, {}).graph
    return graph if graph is not None and len(graph.outputs[0].value.shape) == 4 else None


def drawn(random: Random, length: int) -> tuple[list[str], Graph]:
    statements: list[str] = []
    graph = network(["relu"])
    number = 0
    while len(statements) < length:
        number += 1
        text = random.choice(LAYERS)
        if random.random() < 0.3:
            inner = [random.choice(LAYERS).replace("{}", f"{number}_{place}") for place in range(3)]
            text = random.choice(BRANCHES).format(*inner)
        longer = network([*statements, text.replace("{}", str(number))])
        if longer is not None and int(longer.outputs[0].value.shape[2]) <= 1200:  # type: ignore[arg-type]
            statements.append(text.replace("{}", str(number)))
            graph = longer
    assert graph is not None
    return statements, graph


def seen(graph: Graph) -> list[tuple[int, int]]:
    """First and last row of the input that the positions of the output depend on, each pair once.

    In float64: some convolutions of float32 (Winograd's) leave small numbers where nothing is seen.
    """
    state = {}
    for name, weight in graph.weights.items():
        shape = [size for size in weight.shape if isinstance(size, int)]
        is_zero = name.endswith(("bias", "running_mean", "tracked"))
        state[name] = torch.full(shape, 0.0 if is_zero else 0.5 if len(shape) > 1 else 1.0, dtype=torch.float64)
    rows = torch.zeros(SIZE, 4, SIZE, 4, dtype=torch.float64)
    rows[range(SIZE), :, range(SIZE)] = 1.0
    with torch.inference_mode():
        result = GraphRunner(graph, state).outputs({"x": rows})["y"]
    felt = (result != 0).flatten(1)
    felt = felt[:, felt.any(0)]
    first = felt.float().argmax(0)
    last = SIZE - 1 - felt.flip(0).float().argmax(0)
    return list(dict.fromkeys(zip(first.tolist(), last.tolist(), strict=True)))


Verdict = Literal["exact", "bound", "not judged", "WRONG"]


def judged(graph: Graph) -> tuple[Verdict, AxisField, int]:
    """Whether the stated extent along the rows is the greatest that some row has; and that."""
    stated = Fields(graph).of(graph.outputs[0].value).get("x")
    runs = seen(graph)
    greatest = max((last - first + 1 for first, last in runs), default=0)
    if stated is None:
        return ("WRONG" if greatest else "exact"), AxisField(0, 0, ()), greatest
    axis = stated[2]
    most = SIZE if axis.most == "all" else axis.most
    assert isinstance(most, int)
    if greatest > most:
        return "WRONG", axis, greatest
    if axis.is_bound:
        return "bound", axis, greatest
    if greatest == most or (axis.most == "all" and greatest == SIZE):
        return "exact", axis, greatest
    inner = sum(first > 0 and last < SIZE - 1 for first, last in runs)
    period = max((stride.den for stride in axis.strides if isinstance(stride.den, int)), default=1)
    return ("WRONG" if inner >= max(INNER, 2 * period) and most < SIZE // 2 else "not judged"), axis, greatest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    random = Random(args.seed)
    counts: Counter[str] = Counter()
    for _ in range(args.nets):
        statements, graph = drawn(random, random.randint(1, 5))
        verdict, axis, greatest = judged(graph)
        counts[verdict] += 1
        counts["of the bounds, reached"] += verdict == "bound" and greatest == (
            SIZE if axis.most == "all" else axis.most
        )
        if verdict == "WRONG":
            print(f"{axis.least}–{axis.most}, {greatest} seen: {' | '.join(statements)}", flush=True)
    print(", ".join(f"{count} {name}" for name, count in counts.items()))


if __name__ == "__main__":
    main()
