"""Depth, as the names of the networks say it."""

from __future__ import annotations

import pytest

from archdsl.measure import depth

from .nets import body, shipped


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("lenet5", 5),
        ("alexnet", 8),
        ("VGG11", 11),
        ("VGG16", 16),
        ("VGG19_BN", 19),
        ("GoogLeNet", 22),
        ("torchvision/googlenet", 22),
        ("ResNet18", 18),
        ("ResNet34", 34),
        ("Plain34", 34),
        ("resnet50", 50),
        ("ResNet152", 152),
        ("ResNetCifar110", 110),
    ],
)
def test_as_the_papers_count(name: str, layers: int) -> None:
    assert depth(shipped(name)) == layers


CASES = {
    "norms, pools and activations do not count": ("a: conv(8, 1); b: batchnorm; relu; maxpool(2)", 1),
    "the longest path counts": ("concat { a: conv(4, 1); { b: conv(4, 1); c: conv(4, 1) } }", 2),
    "a shared layer counts as often as it runs": ("let a: conv(8, 1)\na -> a -> a", 3),
    "a product with a param is a layer": (
        'param w: [8, 4] = normal(std=1)\n(it, w) -> einsum("n c h w, c d -> n d h w")',
        1,
    ),
    "so is one with what is made of a param": (
        'param w: [8, 4] = normal(std=1)\n(it, w -> exp) -> einsum("n c h w, c d -> n d h w")',
        1,
    ),
    "a product of the stream with itself is none": ('(it, it) -> einsum("n c h w, n d h w -> n c d")', 0),
    "a buffer is not trained": ("buffer w: [8] = [i for i in 0..8]\nit[:, 0, 0, :8] * w", 0),
    "what makes weights is not on a path from the input": (
        "param t: [1, 8] = normal(std=1)\nlet w = t -> a: linear(8) -> b: linear(8)\n"
        '(it -> c: conv(8, 1)) * (w -> rearrange("1 c -> c 1 1"))',
        1,
    ),
}


@pytest.mark.parametrize(("statements", "layers"), CASES.values(), ids=CASES)
def test_what_counts(statements: str, layers: int) -> None:
    assert depth(body(statements)) == layers


def test_training_outputs_do_not_count() -> None:
    graph = body("output deep = a: conv(8, 1) -> b: conv(8, 1) when training\nc: conv(8, 1)")
    assert depth(graph) == 1
