"""Training is tested where its extra is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("lightning")

import torch
from training_samples import paint


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Several runs side by side are faster, and a run is the same bit for bit only for one number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 20 pictures each: 36 train, 12 validate, 12 test."""
    root = tmp_path_factory.mktemp("colours")
    for hue, name in enumerate(("red", "green", "blue")):
        for n in range(20):
            paint(root / name / f"{n:02d}.png", hue, 100 * hue + n)
    return root
