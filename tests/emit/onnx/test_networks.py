"""The shipped networks: ONNX Runtime gives what torch gives, at batch 1 and 3, from one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("torchvision")

import torch
from torch import nn
from torchvision import models

import archdsl
from archdsl.emit.onnx import export, verify

from .networks import Reference, weights_for

torch.set_num_threads(1)

IN_TORCHVISION = {
    "torchvision/alexnet:alexnet": "alexnet",
    "torchvision/googlenet:googlenet": "googlenet",
    "resnet50": "resnet50",
    **{f"resnet:ResNet{depth}": f"resnet{depth}" for depth in (18, 34, 101, 152)},
    **{f"vgg:VGG{depth}": f"vgg{depth}" for depth in (11, 13, 16, 19)},
    **{f"vgg:VGG{depth}_BN": f"vgg{depth}_bn" for depth in (11, 13, 16, 19)},
}
OTHERS = [
    "lenet5",
    "alexnet",
    "googlenet",
    "resnet:Plain18",
    "resnet:PaperResNet50",
    "resnet_cifar:ResNetCifar20",
    "resnet_cifar:ResNetCifar110",
    "inception:InceptionNaive",
    "inception:InceptionReduced",
    "stacked3x3:Stacked3x3",
    "global_pool:GlobalPool",
]
SPECS = Path(archdsl.__file__).parents[1] / "specs"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Where to write a network, until the test ends: some are large."""
    path = tmp_path / "net.onnx"
    yield path
    path.unlink()


def load(name: str) -> archdsl.Model:
    path, _, model = name.partition(":")
    return archdsl.load(f"{SPECS / path}.arch" + (f":{model}" if model else ""))


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_equal_to_torchvision(name: str, file: Path) -> None:
    """With torchvision's own weights: the names in the file are those of its state dict."""
    other = from_torchvision(IN_TORCHVISION[name])
    model = load(name)
    report = verify(model.graph, other, export(model.graph, other.state_dict(), file))
    assert report.problem is None
    assert report.difference < 1e-4
    assert [dict(c.sizes) for c in report.comparisons] == [{"N": 1}, {"N": 3}]


@pytest.mark.parametrize("name", OTHERS)
def test_equal_to_torch(name: str, file: Path) -> None:
    graph = load(name).graph
    weights = weights_for(graph)
    report = verify(graph, Reference(graph, weights), export(graph, weights, file))
    assert report.problem is None
    assert report.difference < 1e-4
    assert [c.sizes["N"] for c in report.comparisons] == [1, 3]


def from_torchvision(name: str) -> nn.Module:
    """torchvision's network with weights that show: its own are all 0 or 1 in norms and biases."""
    choices = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        other = models.get_model(name, weights=None, **choices)
    random = torch.Generator().manual_seed(0)
    other.to_empty(device="cpu").eval()
    with torch.no_grad():
        for key, tensor in other.state_dict().items():
            if not tensor.is_floating_point():
                tensor.zero_()
            elif tensor.ndim > 1:
                tensor.normal_(0, (1 / tensor[0].numel()) ** 0.5, generator=random)
            else:
                shift = 0.5 if key.endswith(("weight", "var")) else -0.4
                tensor.uniform_(shift, shift + 1, generator=random)
    return other
