"""Checkpoints that are said to load do load in torch, and compute the same if the networks differ only in names."""

from __future__ import annotations

import pytest
import torch

import archdsl
from archdsl.diff import diff
from tests.diff.test_edits import net


@pytest.mark.parametrize(
    "edits",
    [
        [("stem: conv(8, 3, pad=1) -> relu", "stem: { proj: conv(8, 3, pad=1) -> relu }")],
        [("body: seq", "trunk: seq"), ("head:", "classifier:")],
        [("body: seq {", "body: seq { dropout(0.5)\n")],
        [("conv1:", "first:"), ("bn2:", "norm:")],
    ],
)
def test_renamed_checkpoints_load_and_compute_the_same(edits: list[tuple[str, str]]) -> None:
    before, after = net(), net(*edits)
    found = diff(before.graph, after.graph).checkpoint
    assert found.standing == "renamed"
    old, new = before.module(seed=1).eval(), after.module(seed=2).eval()
    state = {found.renames.get(name, name): tensor for name, tensor in old.state_dict().items()}
    new.load_state_dict(state, strict=True)
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(old(x), new(x))


def test_what_is_new_gone_and_reshaped_is_what_torch_says() -> None:
    before, after = (
        net(),
        net(
            ("0..3", "0..2"),
            ("linear(classes)", "linear(classes + 1)"),
            ("-> relu\n  body", "-> gn: batchnorm\n  body"),
        ),
    )
    found = diff(before.graph, after.graph).checkpoint
    assert found.standing == "partial"
    module = after.module()
    shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
    state = {n: t for n, t in before.module().state_dict().items() if n not in shapes or t.shape == shapes[n]}
    missing, unexpected = module.load_state_dict(state, strict=False)
    assert set(missing) == {n for n in (*found.new, *found.reshaped) if "num_batches" not in n}  # torch fills these in
    assert set(unexpected) == set(found.gone)


def test_symbolic_sizes_and_shared_layers() -> None:
    siamese = archdsl.load("examples/siamese.arch")
    assert diff(siamese.graph, siamese.graph).is_equal
