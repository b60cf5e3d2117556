"""Checkpoints to disk, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.files import whole

if TYPE_CHECKING:
    from torch import Tensor

ENDINGS = (".safetensors", ".pth")


def save(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict in the form that the path's ending names.

    Tensors that share memory are written each by itself in safetensors, as that form has no sharing.

    Raises:
        SpecError: the file cannot be written.
    """
    import torch

    with whole(path) as temporary:
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import save_file

            save_file(_apart(tensors), temporary)
        else:
            torch.save(dict(tensors), temporary)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors of which no two share memory."""
    seen: set[int] = set()
    found = {}
    for name, tensor in tensors.items():
        own = tensor.contiguous()
        if own.data_ptr() in seen:
            own = own.clone()
        seen.add(own.data_ptr())
        found[name] = own
    return found
