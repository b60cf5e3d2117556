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

LEGACY_LIMIT = 2 * 10**9
"""Bytes of a file that cannot be memory-mapped."""
INDEX_LIMIT = 100 * 10**6
REPEATED_LIMIT = 2**30
"""Bytes of a tensor that the file holds fewer bytes of: a small file could ask for any amount of memory."""

DEPTH = 3
"""How deep a state dict may lie in the dictionaries of a file."""

LIGHTNING = "pytorch-lightning_version"
"""A key of the checkpoints of Lightning, and so of archdsl's own runs."""


class Refused(Exception):
    """A file that is not read: why, and what to do instead."""

    def __init__(self, reason: str, advice: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


@dataclass(frozen=True)
class Checkpoint:
    """The state dicts in a file, by the dotted path of the entry that holds them; "" is the file itself.

    ``part`` is what the person named after the file, ``FILE:PART``: an entry, or a prefix of names in one.
    """

    path: str
    entries: Mapping[str, Mapping[str, Tensor]]
    part: str | None = None


def source_path(source: str | PathLike[str]) -> Path:
    """The file that ``FILE`` or ``FILE:PART`` names."""
    return _split(fspath(source))[0]


def read_checkpoint(source: str | PathLike[str]) -> Checkpoint | Diagnostic:
    """The state dicts in a safetensors or PyTorch file (``.pth``, ``.pt``, ``.bin``, ``.ckpt``), or ``FILE:PART``.

    An index of shards (``model.safetensors.index.json``) stands for the files that it lists. Tensors are mapped from
    the file, not read, until something asks for their contents.
    """
    try:
        import torch  # noqa: F401  # whether it is there: the reader needs it
    except ImportError:
        return MissingExtra(span=None, what="reading weights", package="torch", extra="torch")
    path, part = _split(fspath(source))
    if not path.is_file():
        reason = "it is a folder" if path.is_dir() else "it is not a regular file" if path.exists() else "no such file"
        return CannotRead(span=None, path=str(path), reason=reason)
    try:
        loaded = _contents(path)
    except ImportError:
        return MissingExtra(span=None, what="reading safetensors", package="safetensors", extra="torch")
    except Refused as refused:
        return CannotRead(span=None, path=str(path), reason=refused.reason, advice=refused.advice)
    except Exception as error:  # torch and safetensors raise many kinds on a broken or hostile file
        return unreadable(path, error)
    if isinstance(loaded, Mapping) and LIGHTNING in loaded:  # beside it lie copies for averaging and resumption
        loaded = {"state_dict": loaded.get("state_dict")}
    entries = dict(_entries(loaded, "", DEPTH))
    if not entries:
        return CannotRead(span=None, path=str(path), reason="it contains no state dict")
    for state in entries.values():
        for name, tensor in state.items():
            if (reason := _fault_of(name, tensor)) is not None:
                return CannotRead(span=None, path=str(path), reason=reason)
    return Checkpoint(str(path), entries, part)


def _fault_of(name: str, tensor: Tensor) -> str | None:
    """Why a tensor is refused; None if it is not."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized or tensor.is_complex():
        return f"`{name}` does not contain plain numbers"
    size = tensor.numel() * tensor.element_size()
    if size > max(REPEATED_LIMIT, tensor.untyped_storage().nbytes()):
        return f"`{name}` repeats a few numbers to {size:,} bytes"
    return None


def _split(source: str) -> tuple[Path, str | None]:
    """``FILE:PART``, unless there is a file of this very name."""
    whole = Path(source)
    file, colon, part = source.rpartition(":")
    if colon and part and not whole.exists() and Path(file).exists():
        return Path(file), part
    return whole, None


def _contents(path: Path) -> Any:
    """What a file holds. Its form is known by its first bytes, whatever its name ends in. Tensors are memory-mapped."""
    import torch

    if path.name.endswith(".index.json"):
        return _shards(path)
    with path.open("rb") as file:
        start = file.read(9)
    if path.suffix == ".safetensors" or (len(start) == 9 and start[8:] == b"{" and not start.startswith(b"PK")):
        from safetensors.torch import load_file

        return load_file(path)
    is_zip = start.startswith(b"PK")
    if not is_zip and path.stat().st_size > LEGACY_LIMIT:
        raise Refused(
            f"it has the format of PyTorch before 1.6 and {path.stat().st_size / 1e9:.1f} GB, too large to load",
            "load it with that version's `torch.load`, and save it again",
        )
    with catch_warnings(), torch.serialization.safe_globals(_harmless()):
        simplefilter("ignore")  # torch's, about the protocol of a pickle that it then refuses
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)


def _shards(index: Path) -> Mapping[str, Tensor]:
    """The tensors of several files, as an index of Hugging Face's lists them: all in the folder of the index."""
    import json

    if index.stat().st_size > INDEX_LIMIT:
        raise Refused(f"an index of more than {INDEX_LIMIT / 1e6:.0f} MB")
    listed = json.loads(index.read_text(encoding="utf-8"))
    places = listed.get("weight_map") if isinstance(listed, dict) else None
    if not isinstance(places, dict) or not all(isinstance(part, str) for part in places.values()):
        raise Refused("it is not an index of shards: it has no `weight_map`")
    found: dict[str, Tensor] = {}
    for name in dict.fromkeys(places.values()):
        if Path(name).name != name or not (index.parent / name).is_file() or name.endswith(".index.json"):
            raise Refused(f"the file `{name}` is missing in the same folder")
        part = _contents(index.parent / name)
        if not isinstance(part, Mapping):
            raise Refused(f"`{name}` contains no state dict")
        found.update({key: part[key] for key, place in places.items() if place == name and key in part})
    lacking = [key for key in places if key not in found]
    if lacking:
        raise Refused(f"`{lacking[0]}` is missing in the files that it lists")
    return found


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
        return CannotRead(span=None, path=str(path), reason="it is not a checkpoint, or damaged")
    reason = f"it contains more than tensors (`{refused[1]}`), and loading it could execute code"
    advice = "save only the state dict, `torch.save(model.state_dict(), …)`, or use safetensors"
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
