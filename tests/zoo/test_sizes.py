"""Images of any size: shapes stay symbolic, and the preconditions that are found are those that torchvision has."""

from __future__ import annotations

from itertools import count

import pytest
import torch
from torch import nn

import archdsl
from archdsl.dims import evaluate

from .reference import FIXED, NETWORKS, VIDEO, build, tensors
from .sampling import Zeroed


@pytest.mark.parametrize("name", [n for n in NETWORKS if n not in FIXED])
def test_the_image_may_have_any_size_that_the_preconditions_allow(name: str) -> None:
    axes = ("T", "H", "W") if name in VIDEO else ("H", "W")
    model = archdsl.load(f"torchvision/{name}", input="x".join(("N", "3", *axes)))
    with Zeroed():
        theirs = build(name).to("meta").train(bool(model.training_outputs))
    least = next(s for s in count(1) if allows(model, dict.fromkeys(axes, s)))
    for side in {max(1, least - 1), least, 2 * least + 13}:
        sizes = {axis: side + i for i, axis in enumerate(axes)}
        assert shapes(theirs, sizes) == expected(model, sizes), sizes


def allows(model: archdsl.Model, sizes: dict[str, int]) -> bool:
    """Whether the reported preconditions hold."""
    return all(c.holds(sizes) for p in model.graph.needs.preconditions() for c in p.conditions)


def expected(model: archdsl.Model, sizes: dict[str, int]) -> list[tuple[int, ...]] | None:
    """The shapes that the spec promises for two images, or None where it refuses. Heads for training ask for theirs."""
    if not allows(model, sizes):
        return None
    outputs = (*model.outputs.values(), *model.training_outputs.values())
    return [tuple(evaluate(size, {"N": 2, **sizes}) for size in output.shape) for output in outputs]


def shapes(theirs: nn.Module, sizes: dict[str, int]) -> list[tuple[int, ...]] | None:
    """The shapes of what torchvision's module gives, or None where it fails."""
    try:
        with torch.inference_mode():
            return [tuple(t.shape) for t in tensors(theirs(torch.empty(2, 3, *sizes.values(), device="meta")))]
    except RuntimeError:
        return None
