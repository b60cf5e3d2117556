"""How many threads a network is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from archdsl.dims import Size

SMALL = 10_000_000
"""Multiply-accumulates of one example below which threads wait for each other longer than they compute."""


@contextmanager
def suited_threads(macs: Size) -> Iterator[None]:
    """One thread for a small network, as many as torch likes for others.

    LeNet-5 trains as fast on one as on two of an idle machine, and many times faster on one of a busy one.
    """
    threads = torch.get_num_threads()
    if isinstance(macs, int) and macs < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
