"""Modules in other types of floats: half precision, double precision, and under autocast.

``python -m tests.emit.torch.precisions`` runs all models of the library and of the examples (some 180, an hour of one
core); given names, only these.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn

import archdsl
from archdsl.compiler import shipped_specs
from archdsl.emit.onnx.sampling import random_inputs, sizes_for
from archdsl.errors import SpecError
from archdsl.graph import Graph

from .networks import members

TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float64": torch.float64}
WAYS = (*TYPES, "autocast")
NEAR = {"float16": 0.02, "bfloat16": 0.15, "float64": 1e-4, "autocast": 0.15}
"""Relative differences from the float32 result, in the norm of an output."""
SMALL = ("1x3x32x32", "1x3x64x64", "1x3x96x96", "1x3x224x224")


def small(name: str) -> archdsl.Model:
    """A model on the smallest of some images that it accepts."""
    model = archdsl.load(name)
    if len(model.inputs) > 1 or model.graph.inputs[0].value.shape[1:] != (3, 224, 224):
        return model
    for shape in SMALL[:-1]:
        try:
            return archdsl.load(name, input=shape)
        except SpecError:
            continue
    return model


def small_inputs(graph: Graph) -> dict[str, Tensor]:
    given = random_inputs(graph, sizes_for(graph, 2, 12))
    return {name: torch.from_numpy(array) for name, array in given.items()}


def results(module: nn.Module, given: dict[str, Tensor], way: str) -> list[Tensor]:
    """The outputs of a copy of a module of another type (or under autocast)."""
    dtype = TYPES.get(way)
    if dtype is not None:
        module = copy.deepcopy(module).to(dtype)
        given = {n: t.to(dtype) if t.is_floating_point() else t for n, t in given.items()}
    context = torch.autocast("cpu", torch.bfloat16) if way == "autocast" else nullcontext()
    with torch.inference_mode(), context:
        found = module(*given.values())
    return list(found) if isinstance(found, tuple) else [found]


def faults(module: nn.Module, given: dict[str, Tensor], ways: tuple[str, ...] = WAYS) -> Iterator[str]:
    """What is wrong with a module in these ways."""
    wanted = results(module, given, "float32")
    for way in ways:
        try:
            found = results(module, given, way)
        except RuntimeError as error:
            yield f"{way}: {error}"
            continue
        for place, (tensor, expected) in enumerate(zip(found, wanted, strict=True)):
            if way in TYPES and expected.is_floating_point() and tensor.dtype != TYPES[way]:
                yield f"{way}: output {place} is {tensor.dtype}"
            distance = (tensor.double() - expected.double()).norm() / (expected.double().norm() + 1e-6)
            if not distance < NEAR[way]:
                yield f"{way}: output {place} differs by {distance:.3g}"


def model_faults(model: archdsl.Model, ways: tuple[str, ...] = WAYS) -> list[str]:
    torch.manual_seed(0)
    return list(faults(model.module().eval(), small_inputs(model.graph), ways))


def every_model() -> list[str]:
    examples = Path(__file__).parents[3] / "examples"
    paths = [*shipped_specs(), *sorted(p for p in examples.rglob("*.arch") if "mistakes" not in p.parts)]
    return [name for path in paths for name in members(path)]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for each in sys.argv[1:] or every_model():
        print(each, *(model_faults(small(each)) or ["fine"]), sep="\n  ", flush=True)
