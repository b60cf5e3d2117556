"""The speed of a network on this machine: forward, training step, ONNX Runtime, against the batch size."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter, StrMethodFormatter
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.benchmark import Timer

from archdsl.diagnostics.training import StepLeftOut
from archdsl.files import write_whole
from archdsl.measure.alone import norms_of_single_numbers
from archdsl.model import Model
from archdsl.training.explained import explained

COLOURS = {"forward": "#1f6feb", "training step": "#d1495b", "ONNX Runtime": "#2a9d8f", "ONNX Runtime (CPU)": "#2a9d8f"}


@dataclass(frozen=True)
class Speed:
    """Of one thing at one batch size. ``latency`` in seconds is the median of a batch; ``memory`` in bytes is the most
    that was allocated beyond weights and input (None: not known); ``flops`` are achieved per second, 2 for each
    multiply-accumulate of convolutions, linear layers and matrix products, a training step counted as three forwards.
    """

    what: str
    batch: int
    latency: float
    spread: float
    throughput: float
    memory: int | None
    flops: float


def left_out(model: Model, batches: Sequence[int]) -> list[StepLeftOut]:
    """The training steps that cannot be measured: those of a batch norm that would see one number in each channel."""
    alone = norms_of_single_numbers(model.graph) if 1 in batches else []
    return [StepLeftOut(norm=alone[0].path or "")] if alone else []


def bench(model: Model, batches: Sequence[int], least: float, device: str, onnx: bool) -> Iterator[Speed]:
    """Measure for at least ``least`` seconds each, with torch's threads as they are set, what is not ``left_out``.

    Raises: SpecError, where the model's input has sizes besides the batch that are not known, where there is no such
    device, or where a batch is too large for it.
    """
    shape = _shape(model)
    macs = model.macs
    assert isinstance(macs, int)  # the sizes of the input are known
    with explained("measuring"):
        module = model.module().to(device)
        session = _session(model, device) if onnx else None
        for batch in batches:
            pictures = torch.randn(batch, *shape, device=device)
            yield _speed("forward", batch, _forward(module.eval(), pictures), least, 2 * macs, device)
            if not left_out(model, (batch,)):
                yield _speed("training step", batch, _step(module.train(), pictures), least, 6 * macs, device)
            if session is not None:
                yield _speed(_named(session, device), batch, _inferred(session, pictures), least, 2 * macs, None)


def _inferred(session: Any, pictures: Tensor) -> Callable[[], object]:
    given = {session.get_inputs()[0].name: pictures.cpu().numpy()}
    return lambda: session.run(None, given)


def _shape(model: Model) -> list[int]:
    (tensor,) = model.inputs.values()
    return [size for size in tensor.shape[1:] if isinstance(size, int)]


def _forward(module: nn.Module, pictures: Tensor) -> Callable[[], object]:
    @torch.inference_mode()
    def run() -> object:
        return module(pictures)

    return run


def _step(module: nn.Module, pictures: Tensor) -> Callable[[], object]:
    """Forward, backward and SGD, on the sum of the outputs' squares: the network's own work, not that of a loss."""
    stepper = torch.optim.SGD(module.parameters(), lr=1e-9, momentum=0.9)

    def run() -> None:
        outputs = module(pictures)
        stepper.zero_grad()
        heads = outputs if isinstance(outputs, tuple) else (outputs,)
        torch.stack([head.square().mean() for head in heads]).sum().backward()
        stepper.step()

    return run


def _named(session: Any, device: str) -> str:
    """Its CPU build runs beside a GPU too, which a reader of the figures has to know."""
    elsewhere = device != "cpu" and session.get_providers() == ["CPUExecutionProvider"]
    return "ONNX Runtime (CPU)" if elsewhere else "ONNX Runtime"


def _session(model: Model, device: str) -> Any:
    import onnxruntime

    from archdsl.training.scoring import providers

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        path = model.onnx(Path(folder) / "model.onnx")
        return onnxruntime.InferenceSession(path, options, providers=providers(device))


def _speed(what: str, batch: int, run: Callable[[], object], least: float, flops: int, device: str | None) -> Speed:
    """``device`` None: its memory is not torch's to tell."""
    memory = None if device is None else _memory(run, device)
    timer = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
    timed = timer.blocked_autorange(min_run_time=least)
    return Speed(what, batch, timed.median, timed.iqr, batch / timed.median, memory, flops * batch / timed.median)


def _memory(run: Callable[[], object], device: str) -> int:
    """The most that a run allocates beyond what was allocated before. The first run warms up and does not count."""
    run()
    if device.startswith("cuda"):
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return torch.cuda.max_memory_allocated() - before
    with _hushed(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        profiler.export_chrome_trace(file.name)
        events = json.loads(Path(file.name).read_text(encoding="utf-8"))["traceEvents"]
    changes = sorted((e["ts"], e["args"]["Bytes"]) for e in events if e.get("name") == "[memory]")
    held = most = 0
    for _, change in changes:
        held += change
        most = max(most, held)
    return most


@contextmanager
def _hushed() -> Iterator[None]:
    """The profiler's C++ writes to the process's stderr, past Python's."""
    before = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def draw(rows: Sequence[Speed], title: str, path: Path) -> None:
    """Write a PNG: latency and throughput against the batch size."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    figure.suptitle(title, fontsize=11)
    latency, throughput = figure.subplots(1, 2)
    for what in dict.fromkeys(row.what for row in rows):
        found = [row for row in rows if row.what == what]
        batches = [row.batch for row in found]
        latency.plot(batches, [1e3 * row.latency for row in found], color=COLOURS[what], marker="o", label=what)
        throughput.plot(batches, [row.throughput for row in found], color=COLOURS[what], marker="o", label=what)
    latency.set(ylabel="latency of a batch, ms", yscale="log")
    throughput.set(ylabel="images per second", yscale="log")
    for axes in (latency, throughput):
        axes.set(xlabel="batch size", xscale="log")
        axes.set_xticks(sorted({row.batch for row in rows}))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    latency.legend(frameon=False)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=150)
    write_whole(path, png.getvalue())
