"""Checkpoints from disk, read as data: nothing in them may run code."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import CannotRead, MissingExtra

if TYPE_CHECKING:
    from torch import Tensor

DEPTH = 3
"""How deep a state dict may lie in the dictionaries of a file."""

LIGHTNING = "pytorch-lightning_version"
"""A key of the checkpoints of Lightning, and so of archdsl's own runs."""


@dataclass(frozen=True)
class Checkpoint:
    """The state dicts in a file, by the dotted path of the entry that holds them; "" is the file itself.

    ``part`` is what the person named after the file, ``FILE:PART``: an entry, or a prefix of names in one.
    """

    path: str
    entries: Mapping[str, Mapping[str, Tensor]]
    part: str | None = None


def read_checkpoint(source: str | PathLike[str]) -> Checkpoint | Diagnostic:
    """The state dicts in a safetensors or PyTorch file (``.pth``, ``.pt``, ``.bin``, ``.ckpt``), or ``FILE:PART``."""
    try:
        import torch
    except ImportError:
        return MissingExtra(span=None, what="reading weights", package="torch", extra="torch")
    path, part = _split(fspath(source))
    if not path.is_file():
        reason = "it is a folder" if path.is_dir() else "it is no regular file" if path.exists() else "no such file"
        return CannotRead(span=None, path=str(path), reason=reason)
    try:
        loaded = _contents(path)
    except ImportError:
        return MissingExtra(span=None, what="reading safetensors", package="safetensors", extra="torch")
    except Exception as error:  # torch and safetensors raise many kinds on a broken or hostile file
        return unreadable(path, error)
    if isinstance(loaded, Mapping) and LIGHTNING in loaded:  # beside it lie copies for averaging and resumption
        loaded = {"state_dict": loaded.get("state_dict")}
    entries = dict(_entries(loaded, "", DEPTH))
    if not entries:
        return CannotRead(span=None, path=str(path), reason="it holds no state dict")
    for state in entries.values():
        for name, tensor in state.items():
            if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized or tensor.is_complex():
                return CannotRead(span=None, path=str(path), reason=f"`{name}` holds no plain numbers")
    return Checkpoint(str(path), entries, part)


def _split(source: str) -> tuple[Path, str | None]:
    """``FILE:PART``, unless there is a file of this very name."""
    whole = Path(source)
    file, colon, part = source.rpartition(":")
    if colon and part and not whole.exists() and Path(file).exists():
        return Path(file), part
    return whole, None


def _contents(path: Path) -> Any:
    """By the file's first bytes, whatever its name ends in: a zip archive or a pickle is PyTorch's."""
    import torch

    with path.open("rb") as file:
        start = file.read(9)
    if path.suffix == ".safetensors" or (len(start) == 9 and start[8:] == b"{" and not start.startswith(b"PK")):
        from safetensors.torch import load_file

        return load_file(path)
    with catch_warnings(), torch.serialization.safe_globals(_harmless()):
        simplefilter("ignore")  # torch's, about the protocol of a pickle that it then refuses
        return torch.load(path, map_location="cpu", weights_only=True)


def _harmless() -> list[Any]:
    """For ``torch.serialization.safe_globals``: options and numbers of numpy, which training scripts keep beside the
    weights. Making one of them runs no code of the file.
    """
    import numpy as np

    scalar = np.float64(0).__reduce__()[0]
    dtypes = [type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "?")]
    return [argparse.Namespace, np.dtype, *dtypes, scalar, (scalar, "numpy.core.multiarray.scalar")]


def unreadable(path: Path, error: Exception) -> Diagnostic:
    """Why a checkpoint was refused. torch's own words would advise to let it run code."""
    refused = re.search(r"GLOBAL (\S+)", str(error)) if isinstance(error, UnpicklingError) else None
    if refused is None:
        return CannotRead(span=None, path=str(path), reason="it is no checkpoint, or damaged")
    reason = f"it holds more than tensors (`{refused[1]}`), and loading that could run code"
    advice = "save the state dict alone: `torch.save(model.state_dict(), …)`, or as safetensors"
    return CannotRead(span=None, path=str(path), reason=reason, advice=advice)


def _entries(held: Any, path: str, depth: int) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """The dictionaries that hold tensors by name. Other values in them (an epoch, options) are left out."""
    from torch import Tensor

    if not isinstance(held, Mapping):
        return
    tensors = {name: value for name, value in held.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if tensors:
        yield path, tensors
    if depth:
        for name, value in held.items():
            if isinstance(name, str):
                yield from _entries(value, f"{path}.{name}" if path else name, depth - 1)
