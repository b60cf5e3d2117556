"""What ONNX Runtime's graph optimizations make of operators one after the other. `chains` has many more."""

from __future__ import annotations

from itertools import islice, product

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("torch")

from archdsl.emit.onnx import to_model

from .chains import chain, chains, disagreement
from .networks import assert_equal, graph_of, in_runtime, in_torch

SUMS = ["it + x", "residual { relu }", "add { it; x; it }", "it * 2.0 + x", "it + 0.5"]
NORMS = [
    "layernorm(affine=false)",
    "layernorm(affine=false, axis=1)",
    "layernorm(affine=false, axis=[-2, -1])",
    "l{}: layernorm",
    "l{}: layernorm(bias=false)",
    "l{}: layernorm(axis=[-2, -1])",
    "l{}: layernorm(axis=1)",
]


@pytest.mark.parametrize("batch", ["N", "2"])
@pytest.mark.parametrize("layout", ["tokens", "image"])
def test_a_norm_after_a_sum(layout: str, batch: str) -> None:
    """ONNX Runtime makes one SkipLayerNormalization of both, which wants a scale for each cell."""
    for statements in product(SUMS, NORMS):
        graph = chain(layout, statements, batch)
        assert graph is not None
        assert disagreement(graph) is None, statements


def test_a_share_of_all_pairs_and_some_triples() -> None:
    for layout, statements in islice(chains(triples=200, seed=3), 5, None, 211):
        for batch in ("N", "2"):
            graph = chain(layout, statements, batch)
            if graph is not None:
                assert disagreement(graph) is None, (layout, batch, statements)


def test_a_norm_over_an_axis_of_any_size_after_a_sum() -> None:
    text = "model M {{ input x: [N, T, C]; input y: [N, T, C]\n x + y -> layernorm(affine=false{})\n output z }}"
    for axis in ("", ", axis=1", ", axis=[1, 2]"):
        graph = graph_of(text.format(axis))
        model = to_model(graph, {})
        for shape in ((1, 2, 3), (2, 5, 8), (3, 1, 2)):
            random = np.random.default_rng(0)
            given = {name: random.standard_normal(shape, np.float32) for name in "xy"}
            assert_equal(in_runtime(model, given), in_torch(graph, {}, given))
