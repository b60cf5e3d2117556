"""Modules in other types of floats: half precision, double precision, and under autocast.

``python -m tests.emit.torch.precisions`` runs all models of the library and of the examples (some 160), each on the
smallest image that it accepts and for at most two minutes of processor time; given names, only these.
"""

from __future__ import annotations

import copy
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import FrameType

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
SIDES = (32, 64, 96, 128, 160, 192, 256, 304)
"""Of images and frames that are tried in place of those of a spec."""
FRAMES = 8
MOST_SECONDS = 120


def small(name: str) -> archdsl.Model:
    """A model on the smallest of some images, or of some frames, that it accepts."""
    model = archdsl.load(name)
    _, *sizes = model.graph.inputs[0].value.shape
    if len(model.inputs) > 1 or len(sizes) < 3 or not all(isinstance(size, int) for size in sizes):
        return model
    channels, *frames, height, width = (int(str(size)) for size in sizes)
    for side in (side for side in SIDES if side < min(height, width)):
        shape = (1, channels, *(min(count, FRAMES) for count in frames), side, side)
        try:
            return archdsl.load(name, input="x".join(map(str, shape)))
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


def main(names: list[str]) -> None:
    """Print what is wrong with each model, and how many were fine."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGVTALRM, _stop)
    counts: Counter[str] = Counter()
    for name in names:
        signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
        try:
            found = model_faults(small(name))
            counts["other" if found else "fine"] += 1
        except TimeoutError:
            found = [f"not judged in {MOST_SECONDS} s of processor time"]
            counts["not judged"] += 1
        print(name, *(found or ["fine"]), sep="\n  ", flush=True)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    print(dict(counts))


def _stop(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


if __name__ == "__main__":
    main(sys.argv[1:] or every_model())
