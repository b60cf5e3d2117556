"""Labelled pictures, divided into what trains, validates and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from archdsl.training.decode import decode
from archdsl.training.splits import Split

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""What photographs are normalised by, as weights trained elsewhere expect."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """Labelled pictures, divided. A picture is a file, or a uint8 tensor [channels, H, W], or what ``opened`` gives.

    ``mean`` and ``std``, one number a channel on the scale 0 to 1, are what the network's input is normalised by.
    ``size`` is the pictures' own, or a usual one where they differ. ``skipped`` could not be read.
    """

    name: str
    classes: tuple[str, ...]
    pictures: Sequence[Path] | Tensor | Callable[[int], Image.Image]
    labels: Sequence[int]
    split: Split
    photographs: bool
    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    skipped: tuple[Path, ...] = ()

    @property
    def channels(self) -> int:
        return len(self.mean)

    @property
    def files(self) -> Sequence[Path]:
        """The files of the pictures; none where they are not files of their own."""
        if callable(self.pictures) or isinstance(self.pictures, Tensor):
            return ()
        return self.pictures

    def pixels(self, index: int, least: int) -> Tensor:
        """A picture as uint8 [channels, H, W]; a photograph no smaller than ``least``, if it is larger."""
        if callable(self.pictures):
            mode = "RGB" if self.channels == 3 else "L"
            return F.pil_to_tensor(self.pictures(index).convert(mode))
        picture = self.pictures[index]
        return picture if isinstance(picture, Tensor) else decode(picture, least)
