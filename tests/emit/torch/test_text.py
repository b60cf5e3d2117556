"""Each network's file: proved in its readable form, and with nothing in it that a reviewer would send back."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from .conditions import faults, lint, poor_names
from .networks import emitted, shipped, short, sketched

NAMES = [*shipped(), *sketched()]


@pytest.mark.parametrize("name", NAMES, ids=short)
def test_it_is_proved_and_clean(name: str) -> None:
    _, source = emitted(name)
    assert source.diagnostics == ()
    assert faults(source.text) == []
    assert lint(source.text) == ""
    if name in shipped():
        assert poor_names(source.text) == []


def test_conditions_are_noticed() -> None:
    """What the text is searched for is found where it is."""
    bad = """import math
import torch
from torch import Tensor, nn
class Part(nn.Module):
    def __init__(self, width: int, stride: int = 1, unused: int = 0) -> None:
        super().__init__()
        self.width = width
        self.conv = nn.Conv2d(width, 8, 3, stride=1, padding=stride)
        self.pool = nn.MaxPool2d(2, stride=2)
class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part = Part(3, stride=1)
    def forward(self, image_: Tensor) -> Tensor:
        x2 = self.part(image_)
        out = x2
        return self.part(x2)
"""
    found = "\n".join([*faults(bad), *poor_names(bad)])
    for part in (
        "imports math", "stride=1, torch's default", "stride is its kernel", "states stride", "read unused",
        "read self.width", "nothing reads out", "the name image_", "numbered name x2",
    ):  # fmt: skip
        assert part in found
    assert lint(bad) != ""
