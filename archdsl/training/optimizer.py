"""The optimizer of a run: weights in groups of one learning rate and one weight decay."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from archdsl.training.config import Config
from archdsl.training.select import check, rate_of


def optimizer(network: nn.Module, config: Config) -> torch.optim.Optimizer:
    """Over the weights that are not frozen."""
    groups = _groups(network, config)
    fused = config.fused and _can_fuse(config)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, fused=fused or None)
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=fused or None)


def _can_fuse(config: Config) -> bool:
    """Fused steps unscale gradients themselves, too late to clip them; of SGD on sharded weights torch has none."""
    return config.strategy != "fsdp" and not (config.clip and config.precision == "16-mixed")


def check_rates(network: nn.Module, config: Config) -> None:
    """Raises: SpecError, where a selector of a learning rate matches no weight that is trained."""
    check(config.lr_of, _trained(network), "--lr")


def _trained(network: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}


def _groups(network: nn.Module, config: Config) -> list[dict[str, Any]]:
    """In order of first appearance, the largest part first as logs show its rate: the default one."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    spared = set() if config.decay_norms else _norms_and_biases(network)
    for name, parameter in _trained(network).items():
        rate = rate_of(name, config.lr_of, config.learning_rate)
        decay = 0.0 if name in spared else config.decay
        groups.setdefault((rate, decay), []).append(parameter)
    ordered = sorted(groups.items(), key=lambda item: item[0][0] != config.learning_rate)
    return [{"params": weights, "lr": rate, "weight_decay": decay} for (rate, decay), weights in ordered]


def _norms_and_biases(network: nn.Module) -> set[str]:
    """Vectors and scalars: scales and shifts of norms, biases (He et al. 2018, "Bag of Tricks", section 3.1)."""
    return {name for name, parameter in network.named_parameters() if parameter.ndim <= 1}
