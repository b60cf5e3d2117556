"""Receptive fields against published figures, gradients, and paths told one by one."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import archdsl
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.graph import Graph
from archdsl.measure import AxisField, Fields, field, receptive_field

from .field_nets import drawn, judged, network
from .nets import body, shipped, text
from .oracle import weights
from .random_nets import examples, nets

torch.set_num_threads(1)


def fields(graph: Graph) -> list[tuple[AxisField, ...]]:
    """The field of every node's output in the only input."""
    found = Fields(graph)
    name = graph.inputs[0].name
    return [found.of(node.output)[name] for node in graph.nodes]


def along(field: tuple[AxisField, ...], axis: int = 2) -> tuple[object, object, str]:
    """Least, greatest, strides."""
    least, most, strides = field[axis]
    return least, most, ", ".join(map(str, strides))


def before(graph: Graph, op: str) -> tuple[object, object, str]:
    """What the last operator of that name looks at."""
    last = [node for node in graph.nodes if node.op.name == op][-1]
    return along(Fields(graph).of(last.inputs[0])[graph.inputs[0].name])


# Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019; VGG-16's last
# convolution and AlexNet's layers as commonly given.
@pytest.mark.parametrize(
    ("name", "op", "most", "stride"),
    [
        ("PaperResNet50", "global_avgpool", 483, 32),
        ("PaperResNet101", "global_avgpool", 1027, 32),
        ("PaperResNet152", "global_avgpool", 1507, 32),
        ("VGG16", "maxpool", 196, 16),
        ("VGG16", "adaptive_avgpool", 212, 32),
        ("alexnet", "maxpool", 163, 16),
        ("alexnet", "flatten", 195, 32),
    ],
)
def test_published_figures(name: str, op: str, most: int, stride: int) -> None:
    _, found, strides = before(shipped(name), op)
    assert (found, strides) == (most, str(stride))


def test_the_narrowest_path_leads_through_the_shortcuts() -> None:
    least, most, _ = before(shipped("resnet50"), "global_avgpool")
    assert (least, most) == (11, 427)


# ---- gradients ---------------------------------------------------------------------------------------------


def seen(graph: Graph, size: int, place: int) -> tuple[int, int] | None:
    """First and last row of an image of this size that an output row depends on; None if there are none."""
    state = {n: torch.zeros_like(t) if "running_mean" in n else torch.ones_like(t) for n, t in weights(graph).items()}
    image = torch.ones(1, 8, size, 5, requires_grad=True)
    output = GraphRunner(graph, {n: t.detach() for n, t in state.items()}).outputs({"x": image})["y"]
    if place >= output.shape[2]:
        return None
    (gradient,) = torch.autograd.grad(output[0, :, place, output.shape[3] // 2].sum(), image)
    rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten().tolist()
    return (rows[0], rows[-1]) if rows else None


UPSAMPLING = [
    "up: convtranspose(8, 2, stride=2)",
    "up: convtranspose(8, 3, stride=2, pad=1, output_pad=1)",
    'resize(scale=3, mode="nearest"); up: conv(8, 1)',
    'resize(scale=2, mode="bilinear"); up: conv(8, 1)',
]


@given(nets(monotonic=True))
@examples(30)
def test_gradients_reach_as_far_as_is_said_and_move_as_said(statements: str) -> None:
    size = 151
    graph = body(statements, f"[N, 8, {size}, 5]")
    _, most, strides = fields(graph)[-1][2]
    assert isinstance(most, int)
    height = graph.outputs[0].value.shape[2]
    assert isinstance(height, int)
    spans = [seen(graph, size, height // 2 + more) for more in (0, 1)]
    inner = [span for span in spans if span is not None and span[0] > 0 and span[1] < size - 1]
    assume(len(inner) == 2)
    assert [last - first + 1 for first, last in inner] == [most, most]
    assert [Fraction(b[0] - a[0]) for a, b in pairwise(inner)] == [Fraction(s.num, s.den) for s in strides]


@given(nets(monotonic=True), st.sampled_from(UPSAMPLING), nets(monotonic=True, prefix="m"))
@examples(30)
def test_after_upsampling_no_position_sees_more_than_is_said(down: str, up: str, after: str) -> None:
    size = 61
    graph = body(f"{down}\n{up}\n{after}", f"[N, 8, {size}, 5]")
    _, most, _ = fields(graph)[-1][2]
    assert isinstance(most, int)
    height = graph.outputs[0].value.shape[2]
    assert isinstance(height, int)
    spans = [seen(graph, size, place) for place in range(max(0, height // 2 - 2), height // 2 + 2)]
    assert max(last - first + 1 for first, last in filter(None, spans)) <= most


LAYOUTS = [
    'rearrange("n c (h p) w -> n c h w p", p=4); m{}: linear(4); rearrange("n c h w p -> n c (h p) w")',
    'rearrange("n c (p h) w -> n c h w p", p=4); m{}: linear(4); rearrange("n c h w p -> n c (p h) w")',
    'rearrange("n c (h p) w -> n (c p) h w", p=2); m{}: conv(8, 1)',
    "m{}: conv(8, 3, pad=1)",
    "m{}: conv(8, 3, stride=2, pad=1)",
    "m{}: conv(32, 1); pixel_shuffle(2)",
    'resize(scale=2, mode="nearest"); m{}: conv(8, 1)',
    "m{}: conv(32, 2); pixel_shuffle(2)",
    "m{}: convtranspose(8, 4, stride=2, pad=1)",
    "pad(axis=2, before=2, after=2)",
    "it[:, :, 1:]",
    "avgpool(2)",
    "roll(axis=2, by=3)",
    'rearrange("n c h w -> n (h w) c"); a{}: linear(6); rearrange("n (h w) c -> n c h w", w=5); m{}: conv(8, 1)',
    'rearrange("n c h w -> n c (w h)"); a{}: conv(8, 3, pad=1); rearrange("n c (w h) -> n c h w", w=5)',
]


@given(st.lists(st.sampled_from(LAYOUTS), min_size=1, max_size=5))
@examples(25)
def test_split_and_merged_axes(layers: list[str]) -> None:
    size = 32
    statements = "\n".join(layer.replace("{}", str(number)) for number, layer in enumerate(layers))
    try:
        graph = body(statements, f"[N, 8, {size}, 5]")
    except AssertionError:  # an axis of this size does not split so
        return
    _, most, _ = fields(graph)[-1][2]
    height = graph.outputs[0].value.shape[2]
    assert isinstance(height, int)
    spans = [seen(graph, size, place) for place in range(0, height, max(1, height // 8))]
    widest = max((last - first + 1 for first, last in filter(None, spans)), default=1)
    assert widest <= (size if most == "all" else most)


# ---- path by path ------------------------------------------------------------------------------------------


def paths(graph: Graph) -> set[tuple[int, int]]:
    """Field and stride along axis 2 of every path, by the textbook's recurrence."""
    found = {graph.inputs[0].value: {(1, 1)}}
    for node in graph.nodes:
        kernel, stride, dilation = (getattr(node.op, name, 1) for name in ("kernel", "stride", "dilation"))
        arriving = {pair for value in node.inputs for pair in found[value]}
        found[node.output] = {(r + (kernel - 1) * dilation * j, j * stride) for r, j in arriving}
    return found[graph.outputs[0].value]


@given(nets(monotonic=True))
@examples(60)
def test_the_fold_is_over_all_paths(statements: str) -> None:
    graph = body(statements, "[N, 8, 64, 64]")
    every = paths(graph)
    least, most, strides = fields(graph)[-1][2]
    assert (least, most) == (min(r for r, _ in every), max(r for r, _ in every))
    assert {str(s) for s in strides} == {str(j) for _, j in every}


def test_paths_of_different_strides_are_told_apart() -> None:
    graph = body("concat { { maxpool(2); a: conv(8, 3) } ; it[:, :, :6, :6] }")
    assert along(fields(graph)[-1]) == (1, 6, "2, 1")


def test_many_paths_cost_no_more_than_many_layers() -> None:
    graph = body("for i in 0..200 { residual { c{i}: conv(8, 3, pad=1) } }")  # 2**200 paths
    assert along(fields(graph)[-1]) == (1, 401, "1")


# ---- looks of all kinds, composed --------------------------------------------------------------------------

IMAGE = "[N, 8, 28, 28]"
WINDOWS = 'rearrange("n c (h p) w -> n c h w p", p=4); l{}: linear(4); rearrange("n c h w p -> n c (h p) w")'
CASES = {
    "a convolution": ("c: conv(4, 5, stride=2, pad=2)", (5, 5, "2")),
    "dilation": ("c: conv(4, 3, dilation=4)", (9, 9, "1")),
    "global pool": ("global_avgpool", ("all", "all", "")),
    "squeeze and excitation": ("c: conv(8, 3, pad=1); mul { it; { global_avgpool; s: conv(8, 1) } }", (3, "all", "1")),
    "upsampling by 2, then a convolution": ("up: convtranspose(8, 2, stride=2); c: conv(8, 3, pad=1)", (2, 2, "1/2")),
    "down and up": ("maxpool(2); up: convtranspose(8, 2, stride=2)", (2, 2, "1")),
    "roll": ("roll(axis=2, by=3)", (1, 1, "1")),
    "rolled and back, then a window": ("roll(axis=2, by=3) -> roll(axis=2, by=-3); c: conv(8, 3)", (3, 3, "1")),
    "rolled once around": ("roll(axis=2, by=28); c: conv(8, 3)", (3, 3, "1")),
    "a window over the ends": ("roll(axis=2, by=3); c: conv(8, 3)", ("all", "all", "")),
    "continued around the circle": (
        'pad(axis=2, before=1, after=1, mode="circular"); c: conv(8, 3)',
        ("all", "all", ""),
    ),
    "doubled and halved": ('resize("nearest", scale=2); avgpool(2)', (1, 1, "1")),
    "doubled, cut by one, and halved": ('resize("nearest", scale=2); it[:, :, 1:-1]; avgpool(2)', (2, 2, "1")),
    "tripled, and smoothed": ('resize("nearest", scale=3); avgpool(3, stride=1, pad=1)', (2, 2, "1/3")),
    "taps of a transposed convolution that never meet": (
        "up: convtranspose(8, 3, stride=3, dilation=2)",
        (1, 1, "1/3"),
    ),
    "taps of a transposed convolution that meet at some places": (
        "up: convtranspose(8, 4, stride=2, dilation=3)",
        (4, 4, "1/2"),
    ),
    "every third cell is a cell, between neighbors": ('resize("bilinear", scale=0.25)', (2, 2, "4")),
    "centres meet": ('resize("bilinear", size=[28, 4])', (1, 1, "1")),
    "shuffled up, and halved": ("a: conv(32, 1); pixel_shuffle(2); avgpool(2)", (1, 1, "1")),
    "paths beside each other": (
        "concat { a: conv(8, 3, pad=[[2, 0], 1]); b: conv(8, 3, pad=[[0, 2], 1]) }",
        (3, 5, "1"),
    ),
    "a part of the axis": ("c: conv(8, 3); it[:, :, 2:9]", (3, 3, "1")),
    "one row": ("c: conv(8, 3); it[:, :, 4]", (3, 3, "")),
    "a linear layer over the row": ("l: linear(4)", (1, 1, "1")),
    "attention in windows of 7": (
        'rearrange("n c (h p) (w q) -> n (h w) (p q) c", p=7, q=7)\n'
        '(it, it) -> einsum("n w i c, n w j c -> n w i j") -> softmax(axis=-1)',
        (1, 7, "1, 7"),  # what is asked sees itself
    ),
    "windows mixed and put back, then a convolution": (
        'rearrange("n c (h p) w -> n h w c p", p=7); l: linear(7)\n'
        'rearrange("n h w c p -> n c (h p) w"); c: conv(8, 3, pad=1)',
        (14, 14, "1"),  # two windows
    ),
    "windows put back are the whole axis again": (
        'rearrange("n c (h p) w -> n h w c p", p=7) -> relu -> rearrange("n h w c p -> n c (h p) w"); global_avgpool',
        ("all", "all", ""),
    ),
    "windows, then the grid of their places": (
        'rearrange("n c (h p) w -> n h w c p", p=7); l: linear(7)\nrearrange("n h w c p -> n p w c h"); m: linear(4)',
        ("all", "all", ""),
    ),
    "mixed again, no more is seen": (
        'rearrange("n c (h p) w -> n h w c p", p=7); l: linear(7) -> softmax(axis=-1); m: linear(7)',
        (7, 7, "7"),
    ),
    "windows mixed, slid over, and mixed": (
        WINDOWS.format(1) + "; c: conv(8, 3, pad=1); " + WINDOWS.format(2),
        (12, 12, "1"),
    ),
    "windows mixed, and others that lie across them": (
        WINDOWS.format(1) + "; it[:, :, 2:26]; " + WINDOWS.format(2),
        (8, 8, "1"),
    ),
    "windows mixed, and one that lies across two": (
        WINDOWS.format(1) + "; it[:, :, 2:6]; " + WINDOWS.format(2),
        (8, 8, "1"),
    ),
    "a window that is the whole axis": (
        'rearrange("n c (h p) w -> n h w c p", p=28); l: linear(7)',
        ("all", "all", ""),
    ),
    "tokens": ('c: conv(16, 4, stride=4); rearrange("n c h w -> n (h w) c"); l: linear(4)', (4, 4, "4")),
    "tokens with one before them": (
        'c: conv(16, 4, stride=4); rearrange("n c h w -> n (h w) c")\npad(axis=1, before=1)',
        (4, 4, "4"),
    ),
    "tokens that all see each other": (
        'c: conv(16, 4, stride=4); rearrange("n c h w -> n (h w) c"); a: attention(4)',
        ("all", "all", ""),
    ),
    "pooled by 4, doubled, pairs": (
        'maxpool(4); resize(scale=2, mode="nearest"); c: conv(8, 2)',
        (8, 8, "2"),
    ),
    "pooled by 4, doubled, two pairs": (
        'maxpool(4); resize(scale=2, mode="nearest"); c: conv(8, 2); d: conv(8, 2)',
        (8, 8, "2"),
    ),
    "pixel shuffle": ("c: conv(8, 3, pad=1); pixel_shuffle(2); d: conv(2, 3, pad=1)", (4, 4, "1/2")),
}


@pytest.mark.parametrize(("statements", "expected"), CASES.values(), ids=CASES)
def test_looks_composed(statements: str, expected: tuple[object, object, str]) -> None:
    assert along(fields(body(statements, IMAGE))[-1]) == expected


ROUGH = 'resize("nearest", scale=[2, 1]); maxpool([2, 1])'
"""Comes back to the rows it began with, by steps of half a row."""


@pytest.mark.parametrize("branches", [f"{ROUGH} }} ; {{ it", f"it }} ; {{ {ROUGH}", f"{ROUGH} }} ; {{ {ROUGH}"])
def test_a_bound_of_one_branch_is_a_bound_of_both(branches: str) -> None:
    """Four rows that are mixed see four rows; the half steps count as a fifth."""
    mixed = ['rearrange("n c (h p) w -> n c h w p", p=4)', "w: linear(4)", 'rearrange("n c h w p -> n c (h p) w")']
    graph = network([f"add {{ {{ {branches} }} }}", *mixed])
    assert graph is not None
    verdict, axis, greatest = judged(graph)
    assert (verdict, axis.most, greatest) == ("bound", 5, 4)


@pytest.mark.parametrize("seed", range(40))
def test_drawn_networks_see_what_is_stated(seed: int) -> None:
    """Upsampling, transposed convolutions, rolls, slices, windows and branches. `field_nets` draws many more."""
    random = Random(seed)
    statements, graph = drawn(random, random.randint(1, 4))
    verdict, axis, greatest = judged(graph)
    assert verdict != "WRONG", (axis, greatest, statements)


@pytest.mark.parametrize(
    ("statements", "is_bound"),
    [
        ("c: conv(8, 5, stride=2, pad=2)", False),
        ('resize("nearest", scale=2); avgpool(2)', False),
        ("global_avgpool", False),
        ("roll(axis=2, by=3)", False),
        ("roll(axis=2, by=4); avgpool(4)", True),
        (WINDOWS.format(1), False),
        (WINDOWS.format(1) + '; resize("nearest", scale=2); c: conv(8, 3)', True),
    ],
)
def test_a_bound_is_called_one(statements: str, is_bound: bool) -> None:
    graph = body(statements, IMAGE)
    assert Fields(graph).of(graph.outputs[0].value)["x"][2].is_bound == is_bound


def test_symbolic_windows() -> None:
    graph = text(
        "model M(p = 7) { input x: [N, C, H, W]\n"
        'rearrange("n c (h p) w -> n h w c p", p=p); l: linear(p)\n'
        'rearrange("n h w c p -> n c (h p) w"); output y }'
    )
    assert along(fields(graph)[-1]) == (7, 7, "1")
    pooled = text(
        "model M { input x: [N, C, H, W]\n"
        'rearrange("n c (h p) w -> n h w c p", p=7) -> rearrange("n h w c p -> n c (h p) w")\n'
        "global_avgpool; output y }"
    )
    assert along(fields(pooled)[-1]) == ("all", "all", "")


def test_resizing_by_an_uneven_factor_sees_the_whole_axis_from_then_on() -> None:
    uneven = (
        'model M {{ input x: [N, 8, H, W]{}; resize(size=[H // 2, W // 2], mode="nearest"); c: conv(8, 3); output y }}'
    )
    assert along(fields(text(uneven.format("")))[-1])[1] == "all"
    even = fields(text(uneven.format("; assert H % 2 == 0 and W % 2 == 0")))
    assert along(even[-1]) == (5, 5, "2")


def test_what_lends_its_shape_alone_is_not_seen() -> None:
    graph = body('maxpool(2) -> resize(like=x, mode="nearest"); d: conv(8, 3, pad=1)')
    assert along(fields(graph)[-1])[:2] == (4, 4)


def test_ways_beyond_counting_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    two = "concat { it[:, :, ::2] ; it[:, :, : it.shape[2] // 2] }"
    graph = body(f"c: conv(8, 3, pad=1)\n{two}\n{two}\n{two}\nd: conv(8, 3, pad=1)", "[N, 8, 64, 64]")
    assert along(fields(graph)[-1]) == (5, 19, "8, 4, 2, 1")
    monkeypatch.setattr(field, "MAX_WAYS", 3)
    assert along(fields(graph)[-1]) == (3, "all", "")


def test_sliding_over_windows_and_grids_in_turns_does_not_tangle() -> None:
    """Each division of places that were slid over repeats their digits: thirty rounds of it would never end."""
    window = 'c{i}: conv(8, 3, pad=1); rearrange("n c (h p) (w q) -> n (h w) c (p q)", p=4, q=4)'
    grid = 'l{i}: linear(16); rearrange("n (h w) c (p q) -> n c (p h) (q w)", h=4, p=4)'
    graph = body(f"for i in 0..30 {{ {window}; {grid} }}")
    assert receptive_field(graph) == [1, "all", "all", "all"]


def test_windows_and_grids_in_turn_are_followed_as_fast_as_they_are_many() -> None:
    """MaxViT's: what strides over a partition splits is gathered again, else each one would double it."""
    graph = archdsl.load("torchvision/maxvit_t").graph
    assert receptive_field(graph) == [1, "all", "all", "all"]


def test_all_outputs_and_inputs() -> None:
    graph = text(
        "model M { input a: [N, 4, 8, 8]; input b: [N, 4, 8, 8]\n"
        "output p = a -> c: conv(4, 3); output q = concat { a; b -> d: conv(4, 1) } }"
    )
    assert receptive_field(graph) == [[[1, "all", 3, 3], []], [[1, 1, 1, 1], [1, "all", 1, 1]]]


def test_one_of_each_is_a_list_of_its_axes() -> None:
    assert receptive_field(body("c: conv(4, [3, 5])")) == [1, "all", 3, 5]
