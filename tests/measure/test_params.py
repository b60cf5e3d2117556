"""Parameters, buffers, bytes."""

from __future__ import annotations

import pytest

from archdsl.measure import bytes_by_dtype, params

from .nets import body, shipped, text


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("lenet5", 61_706),
        ("alexnet", 60_965_224),
        ("VGG16", 138_357_544),
        ("VGG19", 143_667_240),
        ("GoogLeNet", 13_378_280),
        ("ResNetCifar20", 269_722),
        ("ResNetCifar1202", 19_421_274),
    ],
)
def test_published_figures(name: str, published: int) -> None:
    assert params(shipped(name)) == published


@pytest.mark.parametrize(
    ("name", "theirs"), [("torchvision/alexnet", "alexnet"), ("VGG13_BN", "vgg13_bn"), ("ResNet101", "resnet101")]
)
def test_as_torchvision_says(name: str, theirs: str) -> None:
    models = pytest.importorskip("torchvision.models")
    meta = models.get_model_weights(theirs).DEFAULT.meta
    assert params(shipped(name)) == meta["num_params"]


def test_the_state_dict_of_torchvision_has_these_bytes() -> None:
    models, torch = pytest.importorskip("torchvision.models"), pytest.importorskip("torch")
    with torch.device("meta"):
        state = models.resnet50().state_dict().values()
    found = {"float32": 0, "int64": 0}
    for tensor in state:
        found[str(tensor.dtype).removeprefix("torch.")] += tensor.nbytes
    assert bytes_by_dtype(shipped("resnet50")) == found


def test_a_shared_parameter_counts_once() -> None:
    graph = body("let a: conv(8, 3, pad=1)\na -> relu -> a -> relu -> a")
    assert params(graph) == 8 * 8 * 9 + 8


def test_buffers_are_no_parameters() -> None:
    graph = body("b: batchnorm; buffer table: [4] = [1, 2, 3, 4]")
    assert params(graph) == 16
    assert params(graph, trainable=False) == 8 + 8 + 1 + 4
    assert bytes_by_dtype(graph) == {"int64": 4 * 8 + 8, "float32": 4 * 32}


def test_heads_of_training_have_parameters() -> None:
    assert params(shipped("GoogLeNet")) - params(shipped("GoogLeNet", auxiliary=False)) == 13_378_280 - 6_998_552


def test_a_symbolic_width_gives_a_polynomial() -> None:
    graph = text("model M { input x: [N, C, 8, 8]; a: conv(2 * C, 3); output y }")
    assert str(params(graph)) == "18 * C**2 + 2 * C"
