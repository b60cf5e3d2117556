"""Checkpoints from disk, read as data: nothing in them may run code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import CannotRead, MissingExtra, WeightsDiffer
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = 5
"""Differences named in a message; the others are counted."""


def read_weights(path: Path) -> Mapping[str, Tensor] | Diagnostic:
    """The state dict in a ``.safetensors``, ``.pth`` or ``.pt`` file, or in a training checkpoint (``.ckpt``)."""
    try:
        import torch
    except ImportError:
        return MissingExtra(span=None, what="reading weights", package="torch", extra="torch")
    if not path.is_file():
        reason = "it is a folder" if path.is_dir() else "there is no such file"
        return CannotRead(span=None, path=str(path), reason=reason)
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        with catch_warnings():
            simplefilter("ignore")  # torch's, about the protocol of a pickle that it then refuses
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError:
        return MissingExtra(span=None, what="reading safetensors", package="safetensors", extra="torch")
    except Exception as error:  # torch and safetensors raise many kinds on a broken or hostile file
        return unreadable(path, error)
    return _state_dict(loaded, path)


def unreadable(path: Path, error: Exception) -> Diagnostic:
    """Why a checkpoint was refused. torch's own words would advise to let it run code."""
    refused = re.search(r"GLOBAL (\S+)", str(error)) if isinstance(error, UnpicklingError) else None
    if refused is None:
        return CannotRead(span=None, path=str(path), reason="it is no checkpoint, or damaged")
    reason = f"it holds more than tensors (`{refused[1]}`), and loading that could run code"
    advice = "save the state dict alone: `torch.save(model.state_dict(), …)`, or as safetensors"
    return CannotRead(span=None, path=str(path), reason=reason, advice=advice)


def _state_dict(loaded: Any, path: Path) -> Mapping[str, Tensor] | Diagnostic:
    import torch
    from torch import Tensor

    if not isinstance(loaded, Mapping):
        return CannotRead(span=None, path=str(path), reason="it holds no state dict")
    inner = loaded.get("state_dict")
    state = inner if isinstance(inner, Mapping) else loaded
    if not state or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()):
        return CannotRead(span=None, path=str(path), reason="it holds no state dict")
    for name, tensor in state.items():
        if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized or tensor.is_complex():
            return CannotRead(span=None, path=str(path), reason=f"`{name}` holds no plain numbers")
    return state if state is loaded else {k.removeprefix("network."): v for k, v in state.items()}


def misfit(graph: Graph, weights: Mapping[str, Any], path: str) -> Diagnostic | None:
    """Why these weights do not load into the network with ``strict=True``; None if they do."""
    wanted = {name: tuple(w.shape) for name, w in graph.weights.items()}
    missing = [n for n in wanted if n not in weights]
    extra = [n for n in weights if n not in wanted]
    other = [f"{n} is {list(weights[n].shape)}, not {list(wanted[n])}" for n in wanted
             if n in weights and tuple(weights[n].shape) != wanted[n]]  # fmt: skip
    if not (missing or extra or other):
        return None
    parts = [_named("missing", missing), _named("unexpected", extra), _named("of another shape", other)]
    advice = did_you_mean(missing[0], extra) if missing and extra else None
    return WeightsDiffer(
        span=None, path=path, network=graph.name, difference="; ".join(p for p in parts if p), advice=advice
    )


def _named(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f", … ({len(names)} in all)" if len(names) > SHOWN else ""
    return f"{what}: {', '.join(names[:SHOWN])}{more}"
