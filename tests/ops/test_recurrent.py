"""Recurrent layers: activation memory, which is stated as an estimate, since torch chooses the kernel."""

from __future__ import annotations

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from archdsl.op import Op, Tensor
from archdsl.ops.recurrent import GRU, LSTM, RNN

from .harness import accepted, case, memory_of, module_of

LAYERS = [
    LSTM(128),
    LSTM(64, layers=2, bidirectional=True),
    GRU(128),
    GRU(64, layers=2, bidirectional=True),
    RNN(128),
    RNN(64, layers=3),
]


@pytest.mark.parametrize("op", LAYERS, ids=repr)
def test_the_memory_is_about_what_torch_saves(op: Op) -> None:
    layer = case(op, (8, 50, 64))
    outputs = accepted(layer)
    module = module_of(layer)
    assert outputs is not None
    assert module is not None
    saved: dict[int, int] = {}

    def save(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(save, lambda tensor: tensor):
        module(torch.randn(8, 50, 64))
    own = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}
    found = sum(size for at, size in saved.items() if at not in own)
    stated = sum(bytes_of(tensor) for tensor in op.keeps(layer.inputs, outputs, memory_of([], outputs)).extra)
    assert 0.8 * found <= stated <= 2.5 * found


def bytes_of(tensor: Tensor) -> int:
    assert isinstance(tensor.numel, int)
    return 4 * tensor.numel
