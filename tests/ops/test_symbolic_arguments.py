"""Arguments that are symbolic sizes: one network of open sizes, in torch and in ONNX Runtime, at many of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from archdsl.compiler import build, from_text
from archdsl.dims import evaluate
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.graph import Graph

SIZES = st.integers(1, 17)


def graph_of(shape: str, body: str) -> Graph:
    spec = from_text(f"model M {{\n input x: {shape}\n{body}\n output y\n}}\n")
    assert not spec.diagnostics
    (model,) = spec.buildable.values()
    built = build(spec, model, {}, {})
    assert built.graph is not None, [f"{d.message}: {d.note}" for d in built.diagnostics]
    return built.graph


WINDOWS = """
    pad(axis=1, after=-H % 7) -> pad(axis=2, after=-W % 7) as _: [N, Y, X, C]
    roll(axis=1, by=-3) -> roll(axis=2, by=H)
    rearrange("n (h p) (w q) c -> n (h w) (p q) c", p=7, q=7) as _: [N, (Y // 7) * (X // 7), 49, C]
    rearrange("n (h w) (p q) c -> n (h p) (w q) c", h=Y // 7, p=7)
    roll(axis=1, by=3) -> roll(axis=2, by=-H)
    it[:, :H, :W]
"""
PARTS = "split([H, 2 * H], axis=3) as [a, b]\n concat(axis=3) { b; a }"
ENDS = "it[:, :, H - 1:, W - 1]"
REPEATED = 'rearrange("n c h w -> n (h r) w c", r=W)'
FRAME = 'pad(axis=2, before=H, after=H, mode="circular") -> resize(size=[W, H], mode="nearest")'

SCALED = "(it * H > W - 1) * W - it / H + it % W"

NETWORKS: dict[str, tuple[str, str, Callable[[Tensor], Tensor]]] = {
    "windows": ("[N, H, W, 3]", WINDOWS, lambda x: x),
    "parts": ("[N, W, H, 3 * H]", PARTS, lambda x: x.roll(-x.shape[2], 3)),
    "ends": ("[N, 2, H, W]", ENDS, lambda x: x[:, :, -1:, -1]),
    "repeated": ("[N, 2, H, W]", REPEATED, lambda x: x.permute(0, 2, 3, 1).repeat_interleave(x.shape[3], 1)),
    "scaled": (
        "[N, H, W]",
        SCALED,
        lambda x: (x * x.shape[1] > x.shape[2] - 1) * x.shape[2] - x / x.shape[1] + x % x.shape[2],
    ),
    "frame": (
        "[N, 2, H, W]",
        FRAME,
        lambda x: F.interpolate(x.repeat(1, 1, 3, 1), (x.shape[3], x.shape[2])),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_one_network_for_all_sizes(name: str) -> None:
    shape, body, expected = NETWORKS[name]
    graph = graph_of(shape, body)
    assert not graph.needs.preconditions(), "it takes every size"
    run = onnx_runner(graph)

    @settings(max_examples=15)
    @given(st.integers(1, 3), SIZES, SIZES)
    def prove(batch: int, height: int, width: int) -> None:
        sizes = {"N": batch, "H": height, "W": width}
        x = torch.rand([evaluate(size, sizes) for size in graph.inputs[0].value.shape])
        wanted = expected(x)
        assert torch.equal(GraphRunner(graph, {}).outputs({"x": x})["y"], wanted)
        np.testing.assert_array_equal(run(x.numpy()), wanted.numpy())

    prove()


def onnx_runner(graph: Graph) -> Callable[[np.ndarray], np.ndarray]:
    onnxruntime = pytest.importorskip("onnxruntime")
    from archdsl.emit.onnx import to_model

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(to_model(graph, {}).SerializeToString(), options)
    return lambda x: session.run(None, {"x": x})[0]
