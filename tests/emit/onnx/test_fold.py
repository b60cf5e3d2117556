"""Batch norms folded into the layers before them: gone from the file, and the outputs are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("torch")

import onnx
import torch
from onnx import numpy_helper

from archdsl.emit.onnx.sampling import random_inputs
from archdsl.graph import Graph

from .networks import assert_equal, body, exported, graph_of, in_runtime, in_torch

torch.set_num_threads(1)


def folded(graph: Graph, folder: Path, **sizes: int) -> onnx.ModelProto:
    """The exported model, having computed the same as torch."""
    path, weights = exported(graph, folder, fold_bn=True)
    inputs = random_inputs(graph, sizes)
    assert_equal(in_runtime(path, inputs), in_torch(graph, weights, inputs), 1e-5)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    read = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= read
    return model


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        ("conv(6, 3)", "[N, 8, H, W]"),
        ("conv(6, 3, bias=false)", "[N, 8, H, W]"),
        ("conv(6, 3, groups=2, stride=2, bias=false)", "[N, 8, H, W]"),
        ("conv(16, 3, groups=8)", "[N, 8, H, W]"),
        ("conv(5, 3)", "[N, 4, 16]"),
        ("conv(5, 2)", "[N, 4, 5, 6, 7]"),
        ("convtranspose(6, 3)", "[N, 8, H, W]"),
        ("convtranspose(6, 3, stride=2, bias=false)", "[N, 8, H, W]"),
        ("convtranspose(6, 3, groups=2)", "[N, 8, H, W]"),
        ("convtranspose(12, 2, groups=4, bias=false)", "[N, 8, 9]"),
        ("linear(7)", "[N, 5]"),
        ("linear(7, bias=false)", "[N, 5]"),
    ],
)
@pytest.mark.parametrize("norm", ["batchnorm", "batchnorm(eps=0.01)", "batchnorm(affine=false)"])
def test_into_the_layer_before(layer: str, size: str, norm: str, tmp_path: Path) -> None:
    graph = body(f"layer: {layer} -> norm: {norm} -> relu", size)
    model = folded(graph, tmp_path, N=3, H=7, W=9)
    assert len(kinds(model)) == 2
    assert kinds(model)[1] == "Relu"
    assert [tensor.name for tensor in model.graph.initializer] == ["layer.weight", "layer.bias"]
    assert list(model.graph.node[0].output) == ["norm"]


def test_past_what_does_nothing_and_one_after_the_other(tmp_path: Path) -> None:
    graph = body("conv: conv(6, 3, bias=false) -> dropout -> a: batchnorm -> identity -> b: batchnorm")
    assert kinds(folded(graph, tmp_path, N=2, H=5, W=6)) == ["Conv"]


def test_a_shared_layer_gets_weights_for_each_norm(tmp_path: Path) -> None:
    graph = body(
        """
        let conv: conv(8, 3, pad=1, bias=false)
        conv -> a: batchnorm -> relu -> conv -> b: batchnorm
        conv -> relu
        """
    )
    model = folded(graph, tmp_path, N=2, H=5, W=6)
    assert kinds(model) == ["Conv", "Relu", "Conv", "Conv", "Relu"]
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert len(stored) == 5  # three weights, two biases
    assert {"conv.weight", "conv.bias"} <= stored.keys()


@pytest.mark.parametrize(
    "text",
    [
        "conv: conv(6, 3) as x; norm: batchnorm; x + it",
        "conv: conv(6, 3) -> relu -> norm: batchnorm",
        "norm: batchnorm -> conv: conv(6, 3)",
        "concat { a: conv(6, 3); b: conv(6, 3) } -> norm: batchnorm",
        "conv: conv(6, 3); output raw; norm: batchnorm",
        "conv: conv(6, 3) -> norm: batchnorm(track=false)",
    ],
)
def test_not_where_something_else_reads_or_computes(text: str, tmp_path: Path) -> None:
    graph = body(text)
    path, _ = exported(graph, tmp_path)
    assert kinds(folded(graph, tmp_path, N=2, H=5, W=6)) == kinds(onnx.load(path))


def test_norms_are_kept_unless_asked(tmp_path: Path) -> None:
    path, _ = exported(body("conv: conv(6, 3) -> norm: batchnorm"), tmp_path)
    assert kinds(onnx.load(path)) == ["Conv", "BatchNormalization"]


def test_a_network(tmp_path: Path) -> None:
    graph = graph_of(
        """
        block Unit(width, stride) {
          residual {
            conv1: conv(width, 3, stride=stride, pad=1, bias=false) -> bn1: batchnorm -> relu
            conv2: conv(width, 3, pad=1, groups=2, bias=false) -> bn2: batchnorm
          } shortcut { down: seq { conv(width, 1, stride=stride, bias=false) -> batchnorm } }
          relu
        }
        model Net {
          input image: [N, 3, H, W]
          for i in 0..3 { unit{i}: Unit(8 * 2 ** i, 1 + i % 2) }
          global_avgpool -> flatten
          fc: linear(5) -> batchnorm(affine=false) -> softmax(axis=1)
          output y
        }
        """.replace("-> batchnorm(affine=false)", "-> norm: batchnorm(affine=false)")
    )
    assert "BatchNormalization" not in kinds(folded(graph, tmp_path, N=3, H=19, W=22))
