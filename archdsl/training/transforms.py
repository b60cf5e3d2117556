"""What happens to a picture between the file and the network, all of it by torchvision's v2 transforms.

To evaluate: the shorter side is resized to 8/7 of the input (256 for 224, the papers' proportion), the middle is cut
out, and every channel is normalised. To train on photographs: a random crop, mirrored half the time, then as asked for:
brightness, contrast and saturation varied, RandAugment or TrivialAugment. Pictures no larger than 64 pixels are shifted
by an eighth rather than cropped, as is usual for CIFAR. Digits are resized whole; they are shifted, turned and scaled a
little, whatever is asked for, but never mirrored, for that makes no digit.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torchvision.transforms import v2

from archdsl.training.config import Config

SMALL = 64
"""Photographs up to so many pixels are shifted, not cropped."""

Size = tuple[int, int]


class Looks(Protocol):
    """What has to be known of the pictures: see ``data.Data``."""

    @property
    def photographs(self) -> bool: ...
    @property
    def size(self) -> Size: ...
    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def std(self) -> tuple[float, ...]: ...
    @property
    def channels(self) -> int: ...


def evaluation(data: Looks, channels: int, size: Size, resize: int | None = None) -> v2.Transform:
    """uint8 [c, h, w] -> float32 [channels, *size]."""
    return v2.Compose([*_whole(data, size, resize), *_normalised(data, channels)])


def training(data: Looks, channels: int, size: Size, config: Config) -> v2.Transform:
    """As ``evaluation``, with chance in it where the settings ask for it."""
    if config.augment == "none":
        varied = _whole(data, size, config.resize)
    else:
        varied = _varied(data, size, config) if data.photographs else _jittered(size)
    erased = [v2.RandomErasing(config.erasing)] if config.erasing else []
    return v2.Compose([*varied, *_normalised(data, channels), *erased])


def _whole(data: Looks, size: Size, resize: int | None) -> list[v2.Transform]:
    if not data.photographs or max(data.size) <= SMALL:
        return [v2.Resize(size)]
    return [v2.Resize([resize or math.ceil(max(size) * 8 / 7)]), v2.CenterCrop(size)]


def _jittered(size: Size) -> list[v2.Transform]:
    linear = v2.InterpolationMode.BILINEAR
    return [v2.Resize(size), v2.RandomAffine([-10, 10], translate=(0.1, 0.1), scale=(0.9, 1.1), interpolation=linear)]


def _varied(data: Looks, size: Size, config: Config) -> list[v2.Transform]:
    if max(data.size) <= SMALL:
        cut: list[v2.Transform] = [v2.Resize(size), v2.RandomCrop(size, padding=max(size) // 8)]
    else:
        cut = [v2.RandomResizedCrop(size, scale=(config.crop, 1.0))]
    return [*cut, v2.RandomHorizontalFlip(), *_coloured(config)]


def _coloured(config: Config) -> list[v2.Transform]:
    linear = v2.InterpolationMode.BILINEAR
    match config.augment:
        case "colour":
            return [v2.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3)]
        case "rand":
            return [v2.RandAugment(interpolation=linear)]
        case "trivial":
            return [v2.TrivialAugmentWide(interpolation=linear)]
        case _:
            return []


def _normalised(data: Looks, channels: int) -> list[v2.Transform]:
    repeat = channels // data.channels
    colour = [v2.RGB()] if repeat > 1 else []
    scaled = v2.ToDtype(torch.float32, scale=True)
    return [*colour, scaled, v2.Normalize(list(data.mean * repeat), list(data.std * repeat), inplace=True)]
