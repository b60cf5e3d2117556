"""Shipped networks that torchvision lacks: ONNX Runtime gives what torch gives, at batch 1 and 3, from one file.

Those that it has are compared with it in `tests/zoo`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

import torch

import archdsl
from archdsl.emit.onnx import export, verify

from .networks import Reference, weights_for

torch.set_num_threads(1)

NETWORKS = [
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


@pytest.mark.parametrize("name", NETWORKS)
def test_equal_to_torch(name: str, file: Path) -> None:
    graph = load(name).graph
    weights = weights_for(graph)
    report = verify(graph, Reference(graph, weights), export(graph, weights, file))
    assert report.problem is None
    assert report.difference < 1e-4
    assert {c.sizes["N"] for c in report.comparisons} == {1, 3}
