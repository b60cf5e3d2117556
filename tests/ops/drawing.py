"""Strategies that the cases of several families draw from."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from archdsl.init import Init, Normal, Ones, Zeros
from archdsl.op import DType

INITS: st.SearchStrategy[Init | None] = st.sampled_from([None, Zeros(), Ones(), Normal(std=0.1)])
FLAGS = st.booleans()


def mostly(usual: DType, other: DType) -> st.SearchStrategy[DType]:
    """An element type, and now and then another."""
    return st.integers(0, 9).map(lambda number: other if number == 9 else usual)


def per_axis(elements: st.SearchStrategy[Any], axes: int) -> st.SearchStrategy[Any]:
    """One for all axes, or a tuple with one for each."""
    return elements | st.tuples(*[elements] * axes)


FEW = st.integers(1, 4)


@st.composite
def images(draw: st.DrawFn, channels: st.SearchStrategy[int] = FEW, axes: int | None = None) -> tuple[int, ...]:
    """A shape [N, C, spatial…], of few cells."""
    if axes is None:
        axes = draw(st.integers(1, 3))
    largest = {1: 12, 2: 9, 3: 5}[axes]
    spatial = draw(st.tuples(*[st.integers(1, largest)] * axes))
    return (draw(st.integers(1, 3)), draw(channels), *spatial)


def shapes(least: int = 1, most: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    """Any shape of ``least`` to ``most`` axes."""
    return st.lists(st.integers(1, 5), min_size=least, max_size=most).map(tuple)
