"""Networks to export, weights for them, and both sides of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from archdsl.compiler import build, from_text
from archdsl.emit.onnx import export
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.graph import Graph
from archdsl.op import Weight

Arrays = Mapping[str, np.ndarray]

UNET = """
block Double(width) = seq {
  conv(width, 3, pad=1, bias=false) -> batchnorm -> relu
  conv(width, 3, pad=1, bias=false) -> batchnorm -> relu
}
model UNet {
  input image: [N, 3, H, W]
  for i in 0..3 {
    encoder{i}: Double(4 * 2 ** i) as skip{i}
    maxpool(2)
  }
  bottom: Double(32)
  for i in reversed(0..3) {
    up{i}: convtranspose(4 * 2 ** i, 2, stride=2)
    resize(like=skip{i}, mode="bilinear")
    concat { skip{i}; it }
    decoder{i}: Double(4 * 2 ** i)
  }
  head: conv(2, 1)
  output mask: [N, 2, H, W]
}
"""
"""Sizes computed at run time: each skip has another."""

WINDOWS = """
block Attention(heads, p) {
  input x: [N, H, W, C]
  pad(axis=1, after=-H % p) -> pad(axis=2, after=-W % p) as padded: [N, Y, X, C]
  roll(axis=1, by=-2) -> roll(axis=2, by=-2)
  rearrange("n (h p) (w q) c -> n (h w) (p q) c", p=p, q=p)
  qkv: linear(3 * C) -> rearrange("n w i (k h d) -> k n w h i d", k=3, h=heads) as qkv
  (qkv[0] * (C // heads) ** -0.5, qkv[1]) -> einsum("n w h i d, n w h j d -> n w h i j") -> softmax(axis=-1)
  (it, qkv[2]) -> einsum("n w h i j, n w h j d -> n w i h d") -> rearrange("n w i h d -> n w i (h d)")
  rearrange("n (h w) (p q) c -> n (h p) (w q) c", h=Y // p, p=p)
  roll(axis=1, by=2) -> roll(axis=2, by=2)
  it[:, :H, :W]
}
model Windows {
  input image: [N, 3, H, W]
  stem: conv(8, 3, stride=2, pad=1) -> rearrange("n c h w -> n h w c")
  residual { norm: layernorm; attn: Attention(2, 5) }
  output features: [N, (H + 1) // 2, (W + 1) // 2, 8]
}
"""
"""Windows of 5x5 on an image of any size."""

PARTS = """
block Head(classes) {
  fc1: linear(6) -> relu -> dropout
  fc2: linear(classes)
}
model Parts(classes = 5) {
  input words: [N, L] int64
  input image: [N, 3, 8, 8]
  input unused: [N, 2]
  param scale: [6, 1] = ones
  buffer shift: [6, 1] = [[1.5], [2.5], [3.5], [4.5], [5.5], [6.5]]
  let embed: linear(6)
  words -> table: embedding(7, 4) -> embed -> rearrange("n l c -> n c l") as text: [N, 6, L]
  image -> conv: conv(4, 3, bias=false) -> norm: batchnorm -> relu -> rearrange("n c h w -> n (h w) c") -> embed
  reduce("n l c -> n c 1", "mean")
  add { it; text; mixed: seq { relu -> relu -> conv(6, 1) } }
  it * scale + shift
  relu
  reduce("n c l -> n c", "mean") as summary
  let hint = summary -> aux: Head(classes)
  main: Head(classes) -> identity
  output logits: [N, classes]
  output same: [N, classes]
  output first = words[:, 0]
  output given = unused
  output factor = scale
  output aux: [N, classes] = hint when training
}
"""
"""Several inputs and outputs; shared, own, unused and constant tensors; a head for training."""


def graph_of(text: str) -> Graph:
    """The graph of the only model in a text."""
    spec = from_text(text)
    (model,) = spec.models.values()
    built = build(spec, model, {}, {})
    assert built.graph is not None, [d.message for d in (*spec.diagnostics, *built.diagnostics)]
    return built.graph


def body(text: str, size: str = "[N, 8, H, W]") -> Graph:
    """The graph of a model around the statements of a body."""
    return graph_of(f"model M {{\n input x: {size}\n{text}\n output y\n}}")


def weights_for(graph: Graph) -> dict[str, torch.Tensor]:
    """Weights that show in the result and keep its scale: no zeros, no ones; variances positive."""
    random = torch.Generator().manual_seed(0)
    return {name: _weight(name, weight, random) for name, weight in graph.weights.items()}


def _weight(name: str, weight: Weight, random: torch.Generator) -> torch.Tensor:
    shape = [int(size) for size in weight.shape if isinstance(size, int)]
    if weight.dtype != "float32":
        return torch.zeros(shape, dtype=torch.int64)
    if len(shape) < 2:
        noise = torch.rand(shape, generator=random)
        return noise + 0.5 if name.endswith(("weight", "var")) else noise - 0.4
    return torch.randn(shape, generator=random) / prod(shape[1:]) ** 0.5


class Reference(nn.Module):
    """The graph in torch, node by node."""

    def __init__(self, graph: Graph, weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self._names = [given.name for given in graph.inputs]
        self._weights = dict(weights)
        self._runner = GraphRunner(graph, self._weights)

    def state_dict(self, *args: object, **kwargs: object) -> dict[str, torch.Tensor]:
        return self._weights

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self._runner.outputs(dict(zip(self._names, inputs, strict=True))).values())


def in_torch(graph: Graph, weights: Mapping[str, torch.Tensor], inputs: Arrays) -> dict[str, np.ndarray]:
    """What torch makes of the inputs, by name of the output."""
    given = {name: torch.from_numpy(array) for name, array in inputs.items()}
    with torch.inference_mode():
        return {name: tensor.numpy() for name, tensor in GraphRunner(graph, weights).outputs(given).items()}


def session(model: Path | onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def in_runtime(model: Path | onnx.ModelProto, inputs: Arrays) -> dict[str, np.ndarray]:
    """What ONNX Runtime makes of the inputs, by name of the output."""
    return run(session(model), inputs)


def run(opened: onnxruntime.InferenceSession, inputs: Arrays) -> dict[str, np.ndarray]:
    names = [output.name for output in opened.get_outputs()]
    return dict(zip(names, map(np.asarray, opened.run(names, dict(inputs))), strict=True))


def exported(graph: Graph, folder: Path, **choices: bool) -> tuple[Path, dict[str, torch.Tensor]]:
    """A file of the network with weights that show, and these."""
    weights = weights_for(graph)
    return export(graph, weights, folder / "net.onnx", **choices), weights


def assert_equal(found: Arrays, wanted: Arrays, tolerance: float = 1e-4) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert found[name].shape == array.shape, name
        assert found[name].dtype == array.dtype, name
        scale = np.abs(array).max(initial=1e-30)
        assert np.abs(found[name] - array).max(initial=0) <= tolerance * scale, name
