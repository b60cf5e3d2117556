"""torchvision's networks and what was published of them: the oracle, written by nobody here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from torch import Tensor, nn
from torchvision import models

import archdsl

CLASSIFIERS = models.list_models(module=models)
SEGMENTATION = models.list_models(module=models.segmentation)
VIDEO = ["mc3_18", "r2plus1d_18", "r3d_18"]
NETWORKS = [*CLASSIFIERS, *SEGMENTATION, *VIDEO]

FIXED = {"maxvit_t", "vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32"}
"""Networks whose weights are made for one size of image."""
SIDE = 128
"""Of the images on which outputs are compared: at 32 pixels to a cell of the last map, a kernel has inner places."""
MANY = 45_000_000
"""Parameters from which a member of a family is large."""
LEAST = {"alexnet", "vgg11", "vgg11_bn", "vit_b_32"}
"""Members of that many which are nevertheless the smallest that have all that their families have."""
GIANTS = {"regnet_y_128gf", "vit_h_14"}
"""Their weights pass 2 GB. One at a time fits the memory of a small machine."""

_OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"init_weights": True},
    "inception_v3": {"init_weights": True},
    **{name: {"aux_loss": True, "weights_backbone": None} for name in SEGMENTATION if not name.startswith("lraspp")},
    "lraspp_mobilenet_v3_large": {"weights_backbone": None},
}
_PUBLISHED_WITHOUT = {"googlenet": {"auxiliary": False}}
"""What the published figures leave out."""


def build(name: str) -> nn.Module:
    """torchvision's module, freshly initialised; with the auxiliary heads that the published weights have."""
    return models.get_model(name, weights=None, **_OPTIONS.get(name, {}))


@dataclass(frozen=True)
class Published:
    """What torchvision says of one set of weights."""

    weights: str
    image: tuple[int, ...]
    """An example's shape."""
    params: int
    macs: float
    """In units of 10⁹, to three decimals."""


def published(name: str) -> Iterator[Published]:
    """All weights of a network."""
    for weights in models.get_model_weights(name):
        yield Published(str(weights), image(weights), weights.meta["num_params"], weights.meta["_ops"])


def image(weights: Any) -> tuple[int, ...]:
    """The shape for which these weights were made."""
    transforms = weights.transforms()
    if type(transforms).__name__ == "VideoClassification":
        return (3, 16, *transforms.crop_size)
    side = getattr(transforms, "crop_size", transforms.resize_size)[0]
    return (3, side, side)


def small_image(name: str) -> tuple[int, ...]:
    """An image on which one example costs little; of the published size where the weights are made for it.

    Figures at the published sizes are in `test_figures`.
    """
    if name in SEGMENTATION:
        return (3, 136, 168)
    if name in VIDEO:
        return (3, 8, 48, 64)
    smallest = min(p.image for p in published(name))
    return smallest if name in FIXED or name == "inception_v3" else (3, SIDE, SIDE)


def published_settings(name: str) -> dict[str, Any]:
    """Settings of our model at which torchvision counted."""
    return _PUBLISHED_WITHOUT.get(name, {})


def ours(name: str, shape: tuple[int, ...], **settings: Any) -> archdsl.Model:
    """Our model for images of this shape. A network that is made for one size takes it as a parameter."""
    model = archdsl.load(f"torchvision/{name}", **settings)
    (given,) = model.inputs.values()
    if given.shape[1:] == shape:
        return model
    if name in FIXED:
        return model.vary(size=shape[-1])
    return model.vary(input="x".join(("N", *map(str, shape))))


def tensors(outputs: Any) -> list[Tensor]:
    """What a network gives, in order: torchvision's give tensors, named tuples or dictionaries."""
    if isinstance(outputs, Tensor):
        return [outputs]
    return list(outputs.values() if isinstance(outputs, dict) else outputs)


def is_large(name: str) -> bool:
    """Whether a network differs from a smaller one of its family by its numbers alone, and has many parameters."""
    return name not in LEAST and next(published(name)).params > MANY


def parameters() -> list[Any]:
    """The networks as arguments of a test. The giants run on one worker, one after the other."""
    return [
        pytest.param(name, marks=pytest.mark.xdist_group("giants")) if name in GIANTS else name for name in NETWORKS
    ]
