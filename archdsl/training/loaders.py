"""Pictures in batches. What is drawn is a function of the seed, the epoch and the place in the order alone.

The order of an epoch and a seed for each picture's augmentation are drawn together, so that neither the number of
workers nor a stop and a resumption in the middle of an epoch changes a single pixel.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from hashlib import sha256

import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms import v2

from archdsl.training.data import Data


class Pictures(Dataset[tuple[Tensor, int]]):
    """One part of the data, transformed. An item is drawn with the seed of the chance in its transform."""

    def __init__(self, data: Data, indices: Sequence[int], transform: v2.Transform, least: int) -> None:
        """``least``: photographs are decoded to no fewer than twice these pixels on the shorter side."""
        self.data: Data = data
        self.indices: Sequence[int] = indices
        self.transform: v2.Transform = transform
        self.least: int = least

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, drawn: tuple[int, int]) -> tuple[Tensor, int]:
        place, seed = drawn
        index = self.indices[place]
        pixels = self.data.pixels(index, 2 * self.least)
        torch.default_generator.manual_seed(seed)
        return self.transform(pixels), self.data.labels[index]


class Draws(Sampler[tuple[int, int]]):
    """Which pictures an epoch takes, and the seed of each: pairs (place, seed).

    Shuffled, the batches are whole on every process, and what does not fill one is left to another epoch; in order,
    every picture is taken once by one process, so that a metric counts none twice.
    """

    def __init__(self, count: int, batch_size: int, seed: int | None, repeats: int = 1) -> None:
        """``seed``: None takes the pictures in order. ``repeats``: how often an epoch takes those that it takes."""
        self.count: int = count
        self.batch_size: int = batch_size
        self.seed: int | None = seed
        self.repeats: int = repeats
        self.epoch: int = 0
        self.start: int = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch; one that is not the present one starts at its beginning."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def resume(self, epoch: int, batches: int) -> None:
        """Leave out the first ``batches`` of an epoch: they have been trained on."""
        self.epoch, self.start = epoch, batches * self.batch_size

    def __len__(self) -> int:
        """Draws of a whole epoch in this process, for the trainer counts the batches of a resumed one too."""
        rank, processes = _place()
        if self.seed is None:
            return len(range(rank, self.count, processes))
        share = self.count // processes
        return share // self.batch_size * self.batch_size or share

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rank, processes = _place()
        if self.seed is None:
            return iter([(place, 0) for place in range(rank, self.count, processes)])
        chance = torch.Generator().manual_seed(mixed(self.seed, self.epoch))
        drawn = torch.randperm(self.count, generator=chance)
        order = drawn.repeat_interleave(self.repeats)[: self.count].tolist()
        seeds = torch.randint(2**62, (self.count,), generator=chance).tolist()
        mine = list(zip(order, seeds, strict=True))[rank::processes]
        return iter(mine[self.start : len(self)])


def mixed(seed: int, step: int) -> int:
    """A seed for a step: near seeds and near steps give unrelated ones."""
    return int.from_bytes(sha256(f"{seed}/{step}".encode()).digest()[:8], "big") >> 1


def loader(pictures: Pictures, draws: Draws, workers: int) -> DataLoader[tuple[Tensor, int]]:
    return DataLoader(
        pictures,
        batch_size=draws.batch_size,
        sampler=draws,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_ignore_interrupt,
    )


def _ignore_interrupt(worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; the trainer alone decides when the workers end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _place() -> tuple[int, int]:
    """Rank of this process and number of processes that train together."""
    together = dist.is_available() and dist.is_initialized()
    return (dist.get_rank(), dist.get_world_size()) if together else (0, 1)
