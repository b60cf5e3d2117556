"""What happens to a picture between the file and the network, all of it by torchvision's v2 transforms.

To evaluate: the shorter side is resized to 8/7 of the input (256 for 224, the papers' proportion), the middle is cut
out, and every channel is normalised. To train on photographs: a random crop, mirrored half the time, with brightness,
contrast and saturation varied. Digits are resized whole; they are shifted, turned and scaled a little, but never
mirrored, for that makes no digit.
"""

from __future__ import annotations

import math

import torch
from torchvision.transforms import v2

from archdsl.training.data import Data


def evaluation(data: Data, channels: int, size: tuple[int, int]) -> v2.Transform:
    """uint8 [c, h, w] -> float32 [channels, *size]."""
    return v2.Compose([*_whole(data, size), *_normalised(data, channels)])


def training(data: Data, channels: int, size: tuple[int, int], augment: bool) -> v2.Transform:
    """As ``evaluation``, with chance in it where ``augment`` asks for it."""
    varied = _varied(data, size) if augment else _whole(data, size)
    return v2.Compose([*varied, *_normalised(data, channels)])


def _whole(data: Data, size: tuple[int, int]) -> list[v2.Transform]:
    if not data.photographs:
        return [v2.Resize(size)]
    return [v2.Resize([math.ceil(max(size) * 8 / 7)]), v2.CenterCrop(size)]


def _varied(data: Data, size: tuple[int, int]) -> list[v2.Transform]:
    if not data.photographs:
        shift = v2.RandomAffine(
            [-10, 10], translate=(0.1, 0.1), scale=(0.9, 1.1), interpolation=v2.InterpolationMode.BILINEAR
        )
        return [v2.Resize(size), shift]
    return [
        v2.RandomResizedCrop(size, scale=(0.25, 1.0)),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3),
    ]


def _normalised(data: Data, channels: int) -> list[v2.Transform]:
    repeat = channels // data.channels
    colour = [v2.RGB()] if repeat > 1 else []
    scaled = v2.ToDtype(torch.float32, scale=True)
    return [*colour, scaled, v2.Normalize(list(data.mean * repeat), list(data.std * repeat))]
