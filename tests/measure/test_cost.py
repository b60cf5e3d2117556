"""Multiply-accumulates against torch's flop counter and torchvision's published figures."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import evaluate
from archdsl.measure import flops, macs

from .nets import body, shipped, text
from .oracle import counted_macs, macs_of
from .random_nets import examples, nets

torch.set_num_threads(1)

PUBLISHED = {
    "lenet5": 416_520,
    "alexnet": 724_406_816,
    "resnet50": 4_089_184_256,
    "PaperResNet50": 3_857_973_248,
    "PaperResNet101": 7_570_194_432,
    "PaperResNet152": 11_282_415_616,
    "InceptionNaive": 854_196_224,
    "InceptionReduced": 271_351_808,
}


@pytest.mark.parametrize(("name", "published"), PUBLISHED.items())
def test_published_figures(name: str, published: int) -> None:
    assert macs(shipped(name)) == published


@pytest.mark.parametrize(
    "name",
    ["lenet5", "alexnet", "VGG16", "VGG11_BN", "GoogLeNet", "torchvision/googlenet", "resnet50", "ResNetCifar20"],
)
def test_as_torch_counts_a_run(name: str) -> None:
    graph = shipped(name)
    assert macs(graph) == counted_macs(graph)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("torchvision/alexnet", "alexnet"),
        ("VGG11", "vgg11"),
        ("VGG19_BN", "vgg19_bn"),
        ("torchvision/googlenet", "googlenet"),
        ("ResNet18", "resnet18"),
        ("ResNet34", "resnet34"),
        ("resnet50", "resnet50"),
        ("ResNet101", "resnet101"),
        ("ResNet152", "resnet152"),
    ],
)
def test_as_torch_counts_torchvision_itself(name: str, theirs: str) -> None:
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        more = {"init_weights": False} if theirs == "googlenet" else {}
        network = models.get_model(theirs, **more).eval()
        image = torch.empty(1, 3, 224, 224)
        assert macs(shipped(name)) == macs_of(lambda: network(image))
    published = models.get_model_weights(theirs).DEFAULT.meta["_ops"]  # thousands of millions, to 3 decimals
    assert round(macs(shipped(name)) / 1e9, 3) == published


@given(nets())
@examples(30)
def test_drawn_networks(statements: str) -> None:
    graph = body(statements)
    assert macs(graph) == counted_macs(graph)
    assert macs(graph, 3) == counted_macs(graph, 3) == 3 * macs(graph)


BODIES = {
    "attention": "a: attention(4)",
    "linear on tokens": "a: linear(32) -> gelu; b: linear(8, bias=false)",
    "product": '(it, it) -> einsum("n l c, n m c -> n l m") -> softmax(axis=-1)',
    "transposed": 'rearrange("n l c -> n c l"); up: convtranspose(4, 4, stride=2, pad=1)',
    "shared layers are run twice": "let a: linear(8)\na -> relu -> a",
}


@pytest.mark.parametrize("statements", BODIES.values(), ids=BODIES)
def test_bodies(statements: str) -> None:
    graph = body(statements, "[N, 12, 8]")
    assert macs(graph, 2) == counted_macs(graph, 2)


def test_flops_are_two_for_each_mac_and_one_for_all_else() -> None:
    graph = body("a: conv(4, 1) -> relu")
    outputs = 4 * 16 * 16
    assert macs(graph) == 8 * outputs
    assert flops(graph) == 2 * 8 * outputs + outputs + outputs  # products and sums, biases, relu


def test_what_feeds_training_outputs_only_is_not_counted() -> None:
    plain = macs(shipped("GoogLeNet", auxiliary=False))
    assert macs(shipped("GoogLeNet")) == plain


@given(st.integers(1, 300), st.integers(1, 300))
@examples(20)
def test_a_polynomial_is_right_at_every_size(height: int, width: int) -> None:
    symbolic = shipped("ResNet18", "Nx3xHxW")
    numeric = shipped("ResNet18", f"Nx3x{height}x{width}")
    sizes = {"H": height, "W": width}
    assert evaluate(macs(symbolic), sizes) == macs(numeric)
    assert evaluate(flops(symbolic), sizes) == flops(numeric)


def test_the_batch_may_stay_symbolic() -> None:
    graph = text("model M { input x: [N, 8]; a: linear(4); output y }")
    assert macs(graph) == 32
    assert str(macs(graph, None)) == "32 * N"


def test_a_number_that_is_no_batch_is_left_alone() -> None:
    assert macs(shipped("lenet5", "7x1x32x32")) == 7 * macs(shipped("lenet5"))
    square = text("model M { input x: [L, L]; a: linear(L); output y }")
    assert str(macs(square)) == "L**3"
