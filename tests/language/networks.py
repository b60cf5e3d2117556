"""A network of a spec beside a reference: outputs in torch and in ONNX Runtime, at several sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

import archdsl

Reference = Callable[..., Tensor | tuple[Tensor, ...]]


def model(text: str) -> archdsl.Model:
    return archdsl.load(text=f"arch 1\n{text}")


def same_as(
    network: archdsl.Model, module: nn.Module, reference: Reference, runs: Sequence[Sequence[Tensor]], folder: Path
) -> None:
    """For the inputs of each run, module and ONNX Runtime give what the reference gives."""
    path = network.onnx(folder / "net.onnx", module)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    module.eval()
    for inputs in runs:
        with torch.no_grad():
            expected, found = as_tuple(reference(*inputs)), as_tuple(module(*inputs))
        exported = session.run(None, {name: t.numpy() for name, t in zip(names, inputs, strict=True)})
        for wanted, ours, theirs in zip(expected, found, exported, strict=True):
            torch.testing.assert_close(ours, wanted, rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(np.asarray(theirs), wanted.numpy(), rtol=1e-4, atol=1e-5)


def as_tuple(result: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    return (result,) if isinstance(result, Tensor) else tuple(result)
