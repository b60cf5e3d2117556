"""Idioms: passes that make a class read as a person writes it. Each takes a class and gives one that does the same.

They work on `ClassIR` alone, know nothing of the network, and may be applied or left out one by one. Whether the result
still is the network, the proof says.
"""

from __future__ import annotations

from collections.abc import Callable

from archdsl.emit.torch.lower.classir import ClassIR
from archdsl.emit.torch.lower.nesting import nested
from archdsl.emit.torch.lower.rerolling import rerolled
from archdsl.emit.torch.lower.variables import named, sizes_in_place

Idiom = Callable[[ClassIR], ClassIR]
IDIOMS: tuple[Idiom, ...] = (rerolled, sizes_in_place, nested, named)
"""In the order in which they are applied."""


def idiomatic(cls: ClassIR) -> ClassIR:
    """The class after all idioms."""
    for idiom in IDIOMS:
        cls = idiom(cls)
    return cls
