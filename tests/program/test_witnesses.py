"""What was built on symbols is held against each instance of the checked graph."""

from __future__ import annotations

import pytest

from archdsl.program.symbolic import build
from archdsl.program.witnesses import Operators, Witnesses

from .networks import Weights, graph_of, instances

BLOCK = "block B(c) { f: linear(c) as p; relu; it + p }\n"
USES = "model M { input x: [N, 4]; a: B(3); b: B(5); output y }"


def difference(block: str) -> str | None:
    """How the first instance of another block differs from B built on symbols."""
    ours, theirs = graph_of(BLOCK + USES), graph_of(block + USES)
    symbolic = build(instances(ours, "B"), ours, {"N"})
    order = {node: k for k, node in enumerate(theirs.nodes)}
    witnesses = Witnesses(theirs, Weights(), Weights(), order, Operators(Weights().form))
    return witnesses.difference(symbolic, symbolic.opened.lanes[0], instances(theirs, "B")[0])


def test_the_instances_themselves_are_the_same() -> None:
    assert difference(BLOCK) is None


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("relu", "gelu", "ReLU() is not GELU"),
        ("linear(c)", "linear(c + 1)", "is not Linear"),
        ("it + p", "p + it", "reads something else"),
        ("it + p", "it", "operators run"),
        ("f: linear", "g: linear", "linear has another place"),
        ("it + p", "it + p; p", "another result"),
    ],
)
def test_what_differs_is_named(old: str, new: str, found: str) -> None:
    assert found in str(difference(BLOCK.replace(old, new)))
