"""Numbers that nobody would write as arguments: refused by ``check``, or taken by everything after it."""

from __future__ import annotations

import re
from math import prod
from random import Random

import pytest
import torch

from archdsl.checks.report import check
from archdsl.compiler import from_text
from archdsl.model import open_model

from .compiled import Fault, Outcome, judge_model
from .graphs import REFUSED
from .language import Stricter
from .layers import LAYERS

SURPRISES = (
    "0", "-1", "2 ** 31", "2 ** 62", "2 ** 63", "10 ** 20", "0.5", "-0.0", "1e38", "1e39", "1e300", "-1e300", "true",
    "2.0", "1e-45", "none", "[1, 2]", "[2 ** 63]", "-(2 ** 63)", "-(2 ** 63) - 1", "\"x\"", "N", "it.shape[1]",
)  # fmt: skip
DRAWS = 1
LARGEST = 10**7
"""Numbers of a tensor: larger ones are left to the machine."""
SHAPES = ((2, 4, 6), (2, 4, 6, 6), (2, 2, 4, 4, 4), (2, 6))
_NUMBER = re.compile(r"(?<![\w.\"{])-?\d+(\.\d+)?(?![\w.\"])|(?<==)(true|false)")


def calls(name: str, random: Random) -> list[str]:
    """Specs of one statement, an operator with a surprise in the place of one of its numbers."""
    if name == "celu":  # ONNX Runtime computes exp(x / a) - 1, which for a large `a` is all rounding
        return []
    draw, ranks = LAYERS[name]
    shapes = [shape for shape in SHAPES if len(shape) in ranks]
    shape = random.choice(shapes)
    dtype = torch.int64 if name == "embedding" else torch.float32
    x = torch.zeros(shape, dtype=dtype, device="meta")
    try:
        text = draw(random, x).text
    except (*REFUSED, Stricter):
        return []
    found = list(_NUMBER.finditer(text))
    if not found:
        return []
    made: list[str] = []
    for surprise in SURPRISES:
        at = random.choice(found)
        changed = f"{text[: at.start()]}({surprise}){text[at.end() :]}"
        kind = "int64" if dtype == torch.int64 else "float32"
        sizes = ["N", *map(str, shape[1:])]
        made.append(f"model M {{\n  input a: [{', '.join(sizes)}] {kind}\n  l: seq {{ {changed} }}\n  output y\n}}\n")
    return made


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in LAYERS if name != "take"])  # its places may be outside another axis
def test_surprising_arguments_are_refused_or_taken(name: str) -> None:
    random, outcome = Random(name), Outcome()
    for _ in range(DRAWS):
        for text in calls(name, random):
            judge_small(text, outcome, random)


def judge_small(text: str, outcome: Outcome, random: Random) -> None:
    """Through everything, where no tensor is too large for that.

    Raises:
        Fault: what was accepted does not go through.
    """
    spec = from_text(text)
    if not check(spec).ok:
        return
    model = open_model(spec, {}, {})
    values = [v for node in model.graph.nodes for v in (*node.inputs, *node.outputs)]
    shapes = [v.shape for v in values] + [w.shape for w in model.graph.weights.values()]
    if any(prod(size if isinstance(size, int) else 64 for size in shape) > LARGEST for shape in shapes):
        return
    try:
        judge_model(model, outcome, random)
    except Fault as fault:
        if "can't allocate memory" not in str(fault):
            raise
