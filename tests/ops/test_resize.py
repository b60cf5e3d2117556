"""Resizing in ONNX Runtime against torch, at every small size: rounding differs from size to size."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from archdsl.dims import symbol
from archdsl.op import Operand, Reject, Tensor
from archdsl.ops.resample import SPATIAL_AXES, Resize

from .harness import Case, OnnxRun, infer, run, tensors, values

pytest.importorskip("onnxruntime")
torch.set_num_threads(1)

MODES = [(mode, axes) for mode, fitting in SPATIAL_AXES.items() for axes in fitting]
FACTORS: list[Any] = [1.25, 2.25, 1.0625, 0.75, 0.5, 2.0]
SIZES = {1: range(1, 28), 2: range(1, 20), 3: range(1, 8)}
"""Sizes of the last axis; those before it are among `OTHERS`."""
OTHERS = {1: [()], 2: [(2,), (5,)], 3: [(1, 4), (3, 5)]}


def sizes(axes: int) -> list[tuple[int, ...]]:
    return [(*others, last) for others, last in product(OTHERS[axes], SIZES[axes])]


def model_of(op: Resize, axes: int) -> OnnxRun:
    """The operator on an input of any spatial sizes, and on a second input of others where it is resized like one."""
    shapes = [(1, 2, *(symbol(f"{name}{axis}") for axis in range(axes))) for name in ("S", "T")]
    inputs = tuple(Tensor(shape) for shape in shapes[: 1 if op.like is None else 2])
    outputs = infer(op, inputs)
    assert not isinstance(outputs, Reject), outputs.message
    return OnnxRun(op, inputs, outputs, {})


def differs(model: OnnxRun, op: Resize, shapes: tuple[tuple[int, ...], ...]) -> bool:
    """Whether ONNX Runtime gives other numbers than torch, at these spatial sizes."""
    case = Case(op, tuple(Tensor((1, 2, *shape)) for shape in shapes))
    if isinstance(infer(op, case.inputs), Reject):
        return False
    given = values(case)
    (wanted,) = tensors(run(case, given, None))
    (found,) = model(given)
    tolerance = 0.0 if op.mode == "nearest" else 1e-4
    return found.shape != wanted.shape or not np.allclose(found, wanted.numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize(("mode", "axes"), MODES)
def test_by_a_factor_at_every_size(mode: Any, axes: int, align: bool) -> None:
    """Above all where the size stays, or is exactly doubled, though the factor is another."""
    if mode == "nearest" and align:
        return
    for factor in FACTORS:
        for scale in (factor, (*(1.25,) * (axes - 1), factor)):
            op = Resize(mode, scale=scale, align_corners=align)
            model = model_of(op, axes)
            off = [shape for shape in sizes(axes) if differs(model, op, (shape,))]
            assert not off, f"scale {scale} differs at {off}"


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize(("mode", "axes"), MODES)
def test_like_another_value_at_every_size(mode: Any, axes: int, align: bool) -> None:
    if mode == "nearest" and align:
        return
    op = Resize(mode, like=Operand(1), align_corners=align)
    model = model_of(op, axes)
    pairs = product(sizes(axes)[::2], sizes(axes)[::3])
    off = [pair for pair in pairs if differs(model, op, pair)]
    assert not off, off


@pytest.mark.parametrize(("mode", "axes"), MODES)
def test_known_sizes(mode: Any, axes: int) -> None:
    for factor, shape in product(FACTORS[:4], sizes(axes)[::3]):
        op = Resize(mode, scale=factor)
        inputs = (Tensor((1, 2, *shape)),)
        outputs = infer(op, inputs)
        if not isinstance(outputs, Reject):
            assert not differs(OnnxRun(op, inputs, outputs, {}), op, (shape,)), (factor, shape)


@pytest.mark.parametrize("shape", [(3, 100), (100, 3), (2, 60), (60, 2), (3, 103)])
def test_nearest_beyond_the_sizes_of_torch_s_faster_kernel(shape: tuple[int, int]) -> None:
    """Torch ignores a factor that keeps the size in small images only."""
    op = Resize("nearest", scale=1.25)
    assert not differs(model_of(op, 2), op, (shape,))
    stretched = Resize("nearest", scale=(1.25, 7.0))
    assert not differs(model_of(stretched, 2), stretched, (shape,))
