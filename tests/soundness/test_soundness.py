"""A small share of the long run (``python -m tests.soundness.long``)."""

from __future__ import annotations

from random import Random

import pytest

from archdsl.ops import OPS

from .graphs import Drawing
from .judge import Tally, judge
from .layers import LAYERS

GRAPHS = 60
STATEMENTS = {"add", "mul", "concat", "stack", "split", "unbind", "gather", "einsum", "arange", "logic", "not"}
"""Operators that are drawn as statements of a graph, since they join values or take them apart."""


def test_every_operator_is_drawn() -> None:
    assert {op.name for op in OPS} == LAYERS.keys() | STATEMENTS


@pytest.mark.filterwarnings("ignore")
def test_the_checker_and_torch_accept_the_same_graphs() -> None:
    tally = Tally()
    for number in range(GRAPHS):
        random = Random(f"test/{number}")
        judge(Drawing(random).graph(), random, tally)
    assert min(tally.counts[f"drawn sizes {outcome}"] for outcome in ("accepted", "refused")) > GRAPHS // 5
    assert tally.counts["symbolic: answered"] > GRAPHS
