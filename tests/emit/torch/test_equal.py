"""To the bit what torchvision's module computes: the same operations in the same order, not merely close.

`tests/zoo` holds every network against torchvision's, within 1e-5; here are some small ones.
"""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision")

import torch
from torchvision import models

import archdsl

NETWORKS = {
    "resnet18": "resnet18",
    "alexnet": "torchvision/alexnet",
    "googlenet": "torchvision/googlenet",
    "squeezenet1_1": "torchvision/squeezenet1_1",
    "mobilenet_v2": "torchvision/mobilenet_v2",
    "shufflenet_v2_x0_5": "torchvision/shufflenet_v2_x0_5",
}

torch.set_num_threads(1)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_difference(name: str) -> None:
    torch.manual_seed(0)
    options = {"init_weights": False} if name == "googlenet" else {}
    theirs = models.get_model(name, weights=None, **options).eval()
    with torch.no_grad():
        for tensor in (t for t in theirs.state_dict().values() if t.is_floating_point()):
            tensor.add_(torch.rand(tensor.shape), alpha=0.01)  # nothing is 0 or 1 any more; variances stay positive
    model = archdsl.load(NETWORKS[name], input="1x3x96x96")
    ours = model.module().eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.randn(1, 3, 96, 96)
    with torch.inference_mode():
        assert torch.equal(ours(image), theirs(image))
