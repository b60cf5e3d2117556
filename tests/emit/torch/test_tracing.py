"""torch's own tools take the modules: `torch.fx` and `torch.export` trace them, and compute the same."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

import archdsl

from .networks import SPECS

NETWORKS = {
    "resnet18": "1x3x64x64",
    "googlenet": "1x3x224x224",
    "resnet_cifar20": "1x3x32x32",
    str(SPECS / "densenet.arch:DenseNet121"): "1x3x64x64",
    str(SPECS / "mobilenetv3.arch"): "1x3x64x64",
    str(SPECS / "shufflenetv2.arch"): "1x3x64x64",
}

torch.set_num_threads(1)


@pytest.mark.parametrize("name", NETWORKS, ids=lambda n: n.rpartition("/")[2])
def test_traced(name: str) -> None:
    module = archdsl.load(name, input=NETWORKS[name]).module().eval()
    image = torch.randn(*map(int, NETWORKS[name].split("x")))
    with torch.no_grad():
        expected = module(image)
        assert torch.equal(torch.fx.symbolic_trace(module)(image), expected)
        exported = torch.export.export(module, (image,)).module()
        assert torch.allclose(exported(image), expected, rtol=1e-5, atol=1e-6)
