"""torch's own tools take the modules: `torch.fx` and `torch.export` trace them, and compute the same."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from .networks import model_of
from .verify.test_mutants import SOURCES

DENSE = """arch 1
block Dense(depth, drop) {
  for i in 0..depth { let skip = it; concat { skip; layer{i}: seq { conv(4, 3, pad=1) -> relu -> dropout(drop) } } }
}
model Net(drop = 0.2) {
  input image: [N, 3, H, W]
  first: Dense(5, drop)
  even: conv(24, 1)
  second: Dense(4, drop)
  if drop > 0 { conv: conv(8, 1) -> split(2) as [a, b]; a * b }
  output y
}
"""
NETWORKS = {**SOURCES, "dense": DENSE}

torch.set_num_threads(1)


@pytest.mark.parametrize("name", NETWORKS)
def test_traced(name: str) -> None:
    model = model_of(NETWORKS[name])
    module = model.module().eval()
    (given,) = model.inputs.values()
    value = torch.randn([size if isinstance(size, int) else 8 for size in given.shape])
    with torch.no_grad():
        expected = module(value)
        assert torch.equal(torch.fx.symbolic_trace(module)(value), expected)
        exported = torch.export.export(module, (value,)).module()
        assert torch.allclose(exported(value), expected, rtol=1e-5, atol=1e-6)
