"""Frozen weights, rates of some of them, and decay of none of the norms."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from training_samples import Small

from archdsl.diagnostics.training import NothingLeftToTrain, NothingSelected
from archdsl.errors import SpecError
from archdsl.training.config import Config
from archdsl.training.optimizer import optimizer
from archdsl.training.task import Classification
from archdsl.training.trainable import Network


def task(**settings: Any) -> Classification:
    network = Network(module=Small(3, 4), source="", export=lambda path, state: None)
    return Classification(network, 4, Config(**settings))


def fault(**settings: Any) -> Any:
    with pytest.raises(SpecError) as caught:
        optimizer(task(**settings).network, Config(**settings))
    return caught.value.diagnostics[0]


@pytest.mark.parametrize("selector", ["bn", "bn.*", "b*", "bn.running_mean"])
def test_frozen_norms_do_not_drift(selector: str) -> None:
    found = task(freeze=(selector,)).train()
    before = {name: value.clone() for name, value in found.network.state_dict().items()}
    for _ in range(3):
        found.network(torch.randn(8, 3, 9, 9)).sum().backward()
    for name, value in found.network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert found.network.training


def test_norms_that_are_not_frozen_learn() -> None:
    found = task(freeze=("conv",)).train()
    before = found.network.bn.running_mean.clone()
    found.network(torch.randn(8, 3, 9, 9))
    assert not torch.equal(before, found.network.bn.running_mean)
    assert [name for name, p in found.network.named_parameters() if not p.requires_grad] == ["conv.weight", "conv.bias"]


def test_selectors_that_match_nothing() -> None:
    found = fault(freeze=("cov.*",))
    assert isinstance(found, NothingSelected)
    assert (found.message, found.help) == ("`--freeze cov.*` matches no parameter", "did you mean `conv.*`?")
    assert fault(lr_of={"conv.wieght": 1.0}).help == "known names: conv.weight, conv.bias"
    assert isinstance(fault(lr_of={"conv": 1.0}, freeze=("conv",)), NothingSelected)
    assert isinstance(fault(freeze=("*",)), NothingLeftToTrain)


def test_groups() -> None:
    config = Config(lr=0.1, lr_of={"conv": 0.01, "conv.bias": 0.02}, weight_decay=0.5, decay_norms=False)
    network = task(freeze=("fc.bias",)).network
    names = {p: name for name, p in network.named_parameters()}
    groups = {
        (g["lr"], g["weight_decay"]): [names[p] for p in g["params"]] for g in optimizer(network, config).param_groups
    }
    assert groups == {
        (0.1, 0.0): ["bn.weight", "bn.bias"],
        (0.1, 0.5): ["fc.weight"],
        (0.01, 0.5): ["conv.weight"],
        (0.02, 0.0): ["conv.bias"],
    }


def test_every_trained_weight_is_in_one_group() -> None:
    network = nn.Sequential(Small(3, 4), Small(3, 4))
    found = [p for g in optimizer(network, Config(decay_norms=False)).param_groups for p in g["params"]]
    assert sorted(map(id, found)) == sorted(map(id, network.parameters()))
