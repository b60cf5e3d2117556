"""Checkpoints on disk: written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from archdsl.files import whole


class WholeCheckpoints(TorchCheckpointIO):
    """A kill or a full disk in the midst of writing leaves the checkpoint that was there."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        save(checkpoint, Path(path))


def save(checkpoint: Mapping[str, Any], path: Path) -> None:
    """Raises: SpecError, where the folder or the disk does not allow it."""
    with whole(path) as temporary, temporary.open("wb") as file:
        torch.save(checkpoint, file)


def link(path: Path, name: Path) -> None:
    """Give a checkpoint a second name; where the file system knows no links, a copy.

    Raises: SpecError, where the folder or the disk does not allow it.
    """
    with whole(name) as temporary:
        temporary.unlink()
        try:
            os.link(path, temporary)
        except OSError:
            shutil.copyfile(path, temporary)
