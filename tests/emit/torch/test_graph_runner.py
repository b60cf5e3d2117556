"""A graph run node by node is the network: in evaluation torchvision's to the bit, in training with all outputs."""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision")

import torch
from torchvision import models

import archdsl
from archdsl.emit.torch.verify.runner import GraphRunner

torch.set_num_threads(1)


def test_torchvision_s_network_to_the_bit() -> None:
    theirs = models.resnet18(weights=None).eval()
    graph = archdsl.load("resnet18").graph
    image = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        (ours,) = GraphRunner(graph, theirs.state_dict()).outputs({graph.inputs[0].name: image}).values()
        assert torch.equal(ours, theirs(image))


def test_training() -> None:
    """Training outputs are computed, dropout drops, and batch norms follow the batch."""
    graph = archdsl.load("torchvision/googlenet", input="Nx3x96x96").graph
    weights = models.googlenet(weights=None, init_weights=False).state_dict()
    image = {"image": torch.randn(2, 3, 96, 96)}
    assert list(GraphRunner(graph, weights).outputs(image)) == ["logits"]
    before = weights["conv1.bn.running_mean"].clone()
    runner = GraphRunner(graph, weights, training=True)
    first, second = runner.outputs(image), runner.outputs(image)
    assert list(first) == ["logits", "aux2", "aux1"]
    assert not torch.equal(first["logits"], second["logits"])
    assert not torch.equal(weights["conv1.bn.running_mean"], before)
