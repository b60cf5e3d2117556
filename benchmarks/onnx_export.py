"""ResNet-50 to ONNX, with weights: `Model.onnx` beside `torch.onnx.export(dynamo=True)`; both files in ONNX Runtime.

    python benchmarks/onnx_export.py

Both run in this process, in turn, on the same weights; each is warmed up once. The files must give the same outputs.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import onnxruntime
import torch
from torchvision.models import resnet50

import archdsl

EXPORTS, RUNS = 5, 30
RATIO = 10
"""How much faster than torch's exporter ours has to be."""


def main() -> None:
    module = resnet50(weights=None).eval()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "archdsl.onnx", Path(folder) / "torch.onnx"
        exports = timed([lambda: export_ours(module, ours), lambda: export_theirs(module, theirs)], EXPORTS)
        sessions = [session(ours), session(theirs)]
        image = np.random.default_rng(0).standard_normal((1, 3, 224, 224), np.float32)
        outputs = [run(opened, image) for opened in sessions]
        np.testing.assert_allclose(*outputs, rtol=1e-3, atol=1e-4 * np.abs(outputs[0]).max())
        latencies = timed([lambda o=opened: run(o, image) for opened in sessions], RUNS)
        sizes = [file.stat().st_size / 1e6 for file in (ours, theirs)]
    print(f"{'':28}{'archdsl':>10}{'torch':>10}{'ratio':>10}")
    row("export, median of 5, s", [median(times) for times in exports])
    row("export, best, s", [min(times) for times in exports])
    row("ONNX Runtime, median, ms", [1e3 * median(times) for times in latencies])
    row("ONNX Runtime, best, ms", [1e3 * min(times) for times in latencies])
    row("file, MB", sizes)
    reached = median(exports[1]) / median(exports[0])
    print(f"\nexport: {reached:.0f} times as fast (at least {RATIO} wanted)")


def row(what: str, pair: list[float]) -> None:
    print(f"{what:28}{pair[0]:10.3f}{pair[1]:10.3f}{pair[0] / pair[1]:10.3f}")


def timed(tasks: list[Callable[[], object]], count: int) -> list[list[float]]:
    """Seconds that each task took in each of ``count`` rounds, after one to warm up."""
    rounds = [[seconds(task) for task in tasks] for _ in range(count + 1)]
    return [list(times) for times in zip(*rounds[1:], strict=True)]


def seconds(task: Callable[[], object]) -> float:
    start = perf_counter()
    task()
    return perf_counter() - start


def export_ours(module: torch.nn.Module, path: Path) -> None:
    """From the spec's text to the file, checked."""
    archdsl.load("resnet50").onnx(path, module)


def export_theirs(module: torch.nn.Module, path: Path) -> None:
    batch = {0: torch.export.Dim.DYNAMIC}
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            module, (torch.randn(2, 3, 224, 224),), path, dynamo=True, dynamic_shapes=(batch,), external_data=False
        )


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(opened: onnxruntime.InferenceSession, image: np.ndarray) -> np.ndarray:
    (found,) = opened.run(None, {opened.get_inputs()[0].name: image})
    return np.asarray(found)


if __name__ == "__main__":
    main()
