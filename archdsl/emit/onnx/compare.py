"""An exported file run by ONNX Runtime, compared with torch; where they differ, the layer at fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.lowering import ModuleIsAnother, NothingVerified, OnnxDiffers, RuntimeRefuses
from archdsl.emit.onnx.lower import lower
from archdsl.emit.onnx.report import TOLERANCE, Comparison, Report, sizes_text
from archdsl.emit.onnx.sampling import USUAL, Arrays, choices, random_inputs, sizes_for
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.errors import SpecError
from archdsl.graph import Graph, Node

FOLDER = "session.model_external_initializers_file_folder_path"
"""Where ONNX Runtime finds the external weights of a model that it is given as bytes."""


@dataclass(frozen=True)
class Trial:
    """One choice of sizes: random inputs, and what torch and ONNX Runtime make of them."""

    sizes: dict[str, int]
    inputs: Arrays
    wanted: Arrays
    found: Arrays

    def differences(self) -> dict[str, float]:
        """Of each output."""
        return {name: difference(self.found[name], wanted) for name, wanted in self.wanted.items()}

    def comparisons(self) -> list[Comparison]:
        """Of each output. Numbers that are not finite in torch can only be the same, which says little."""
        return [
            Comparison(name, self.sizes, gap, self.wanted[name].size, int(np.isfinite(self.wanted[name]).sum()))
            for name, gap in self.differences().items()
        ]


def compare(graph: Graph, module: nn.Module, path: Path, batch_sizes: Sequence[int]) -> Report:
    """Compare at random inputs, for each of these sizes of the batch; then at sizes where rounding matters.

    Deep networks may be chaotic, with random weights above all: rounding then makes outputs differ, and nothing is
    wrong. So where outputs differ, each layer is run in torch on what ONNX Runtime computed before it; the first that
    then differs is at fault.

    Raises:
        SpecError: ONNX Runtime cannot run the file, or no sizes meet the network's preconditions.
    """
    session = _session(str(path))
    usual = _usual(graph, module, batch_sizes[0])
    trials = [_trial(graph, module, session, sizes) for sizes in choices(graph, batch_sizes, usual)]
    comparisons = tuple(comparison for trial in trials for comparison in trial.comparisons())
    worst = max(trials, key=lambda trial: max(trial.differences().values()))
    if max(worst.differences().values()) <= TOLERANCE:
        return Report(comparisons, _unverified(graph, comparisons))
    problem = _problem(graph, module, path, worst)
    return Report(comparisons, problem, amplifies=problem is None)


def _usual(graph: Graph, module: nn.Module, batch: int) -> int:
    """About how large the other sizes are: not so large that an index made of them lies outside of a table."""
    for usual in (USUAL, USUAL // 4, USUAL // 16):
        try:
            _run_module(graph, module, random_inputs(graph, sizes_for(graph, batch, usual)))
        except IndexError:
            continue
        return usual
    return 1


def _unverified(graph: Graph, comparisons: Sequence[Comparison]) -> NothingVerified | None:
    """The outputs of which no number was compared at any size, if there are such."""
    elements: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    for comparison in comparisons:
        elements[comparison.output] += comparison.elements
        compared[comparison.output] += comparison.compared
    empty = [f"`{name}`" for name, count in elements.items() if count and not compared[name]]
    return NothingVerified(span=None, network=graph.name, outputs=", ".join(empty)) if empty else None


def difference(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest, relative to the largest finite element that is wanted, or to 1.

    Infinite for another shape or element type, and where only one of two numbers is finite.
    """
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return inf
    if wanted.dtype != np.float32:
        return 0.0 if np.array_equal(found, wanted) else inf
    other = (found != wanted) & ~(np.isnan(found) & np.isnan(wanted))
    gaps = np.abs(found[other].astype(np.float64) - wanted[other])
    largest = np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
    return float(np.nan_to_num(gaps, nan=inf, posinf=inf).max(initial=0.0) / largest)


def difference_text(found: np.ndarray, wanted: np.ndarray) -> str:
    """The difference in words: ``3.1e-02``, ``its shape, [1, 2] and not [1, 3]``."""
    size = difference(found, wanted)
    if found.dtype != wanted.dtype:
        return f"its element type, {found.dtype} and not {wanted.dtype}"
    if found.shape != wanted.shape:
        return f"its shape, {list(found.shape)} and not {list(wanted.shape)}"
    return f"{size:.1e}" if np.isfinite(size) else "numbers that are not finite or not the same"


# ---- both sides --------------------------------------------------------------------------------------------


def _trial(graph: Graph, module: nn.Module, session: onnxruntime.InferenceSession, sizes: dict[str, int]) -> Trial:
    inputs = random_inputs(graph, sizes)
    return Trial(sizes, inputs, _run_module(graph, module, inputs), _run(session, inputs))


def _run_module(graph: Graph, module: nn.Module, inputs: Arrays) -> Arrays:
    """The module's outputs by name, in evaluation mode."""
    was_training = module.training
    try:
        with torch.inference_mode():
            result = module.eval()(*map(torch.from_numpy, inputs.values()))
    finally:
        module.train(was_training)
    names = [output.name for output in graph.outputs if not output.when_training]
    values = [result] if isinstance(result, torch.Tensor) else [value for value in result if value is not None]
    return {name: value.numpy() for name, value in zip(names, values, strict=True)}


def _session(model: str | bytes, folder: Path | None = None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    if folder is not None:
        options.add_session_config_entry(FOLDER, str(folder))
    return _runtime(partial(onnxruntime.InferenceSession, model, options, providers=["CPUExecutionProvider"]))


def _run(session: onnxruntime.InferenceSession, inputs: Arrays) -> Arrays:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, _runtime(partial(session.run, names, inputs)), strict=True))


def _runtime(call: Any) -> Any:
    try:
        return call()
    except Exception as error:  # it raises kinds of its own, without a common base
        raise SpecError([RuntimeRefuses(span=None, reason=str(error).strip())]) from None


# ---- where they differ -------------------------------------------------------------------------------------


def _problem(graph: Graph, module: nn.Module, path: Path, trial: Trial) -> Diagnostic | None:
    """What is at fault for outputs that differ; None where it is rounding alone."""
    runner = GraphRunner(graph, module.state_dict())
    with torch.inference_mode():
        fault = _fault(graph, runner, path, trial)
        ours = runner.outputs({name: torch.from_numpy(array) for name, array in trial.inputs.items()})
    output, size = max(trial.differences().items(), key=lambda item: item[1])
    told = difference_text(trial.found[output], trial.wanted[output])
    at = sizes_text(trial.sizes)
    if fault is not None:
        node, place, own = fault
        return OnnxDiffers(span=node.span, output=output, difference=told, sizes=at, place=place, own=own)
    if any(difference(ours[name].numpy(), wanted) > TOLERANCE for name, wanted in trial.wanted.items()):
        return ModuleIsAnother(span=None, network=graph.name)
    if not np.isfinite(size):  # rounding does not grow to this
        return OnnxDiffers(span=None, output=output, difference=told, sizes=at, place=output, own=told)
    return None


def _fault(graph: Graph, runner: GraphRunner, path: Path, trial: Trial) -> tuple[Node, str, str] | None:
    """The first layer that gives another result in torch on the inputs that it has in ONNX Runtime."""
    names = lower(graph).names
    found = _every_tensor(path, trial.inputs)
    known = {given.value: torch.from_numpy(trial.inputs[given.name]) for given in graph.inputs}
    for node in runner.nodes:
        made = runner.step(node, [known[value] for value in node.inputs], trial.sizes)
        for value, tensor in zip(node.outputs, made, strict=True):
            there = found.get(names[value])
            if there is not None and difference(there, tensor.numpy()) > TOLERANCE:  # None: folded away, or a weight
                return node, names[value], difference_text(there, tensor.numpy())
            known[value] = tensor if there is None else torch.from_numpy(there)
    return None


def _every_tensor(path: Path, inputs: Mapping[str, np.ndarray]) -> Arrays:
    """Whatever the file computes, by name."""
    model = onnx.load(path, load_external_data=False)
    model.graph.output.extend(model.graph.value_info)
    return _run(_session(model.SerializeToString(), path.parent), dict(inputs))
