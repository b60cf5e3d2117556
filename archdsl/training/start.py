"""Weights to begin with, from another training: all but the head, where that is of other classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import WeightsDiffer
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.errors import SpecError
from archdsl.weights import read_weights

COUNTERS = "num_batches_tracked"
"""Of batch norms; not in files of before PyTorch 0.4.1."""


def start(network: nn.Module, path: Path, name: str) -> list[str]:
    """Load the weights into the network. Returns lines that tell, key by key, what was replaced.

    A key whose shapes differ in nothing but the number of classes (the first axis) is a head's, and stays fresh, with
    its module's other weights. Heads for training only may be missing in the file or superfluous in it.

    Raises: SpecError, where the file is no checkpoint of plain tensors, or of another network.
    """
    weights = read_weights(path)
    if isinstance(weights, Diagnostic):
        raise SpecError([weights])
    state = network.state_dict()
    heads = {key for key in state if key in weights and _other_classes(state[key], weights[key])}
    fault = _misfit(state, weights, heads, path, name)
    if fault is not None:
        raise SpecError([fault])
    with torch.no_grad():
        network.load_state_dict(
            {key: weights.get(key, value) if key not in heads else value for key, value in state.items()}
        )
    loaded = sum(key in weights for key in state) - len(heads)
    replaced = [f"  replaced {key}: {_shape(weights[key])} there, {_shape(state[key])} here" for key in sorted(heads)]
    unused = [f"  not used {key}" for key in weights if key not in state]
    return [f"{loaded} of {len(state)} weights from {path}", *replaced, *unused]


def _other_classes(here: Tensor, there: Tensor) -> bool:
    return here.ndim > 0 and here.shape[0] != there.shape[0:1].numel() and here.shape[1:] == there.shape[1:]


def _misfit(
    state: Mapping[str, Tensor], weights: Mapping[str, Tensor], heads: set[str], path: Path, name: str
) -> Diagnostic | None:
    """Why these are the weights of another network; None if they are not.

    Only one module for each output of the network can be a head: more that differ in their first axis are other widths.
    """
    missing = [key for key in state if key not in weights and not key.endswith(COUNTERS)]
    other = [key for key in state if key in weights and key not in heads and weights[key].shape != state[key].shape]
    modules = {key.rpartition(".")[0] for key in heads}
    classes = {state[key].shape[0] for key in heads}
    if not missing and not other and len(classes) <= 1 and len(modules) <= 3:
        return None
    wrong = other or ([] if missing else sorted(heads))
    parts = [f"missing: {_listed(missing)}"] if missing else []
    if wrong:
        named = [f"{key} ({_shape(weights[key])}, not {_shape(state[key])})" for key in wrong]
        parts.append(f"of another shape: {_listed(named)}")
    advice = did_you_mean(missing[0], [key for key in weights if key not in state]) if missing else None
    return WeightsDiffer(span=None, path=str(path), network=name, difference="; ".join(parts), advice=advice)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f", … ({len(names)} in all)" if len(names) > 4 else "")


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
