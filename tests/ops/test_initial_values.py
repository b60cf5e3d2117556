"""Where an operator says that torch's constructor draws a weight from a distribution, it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, sqrt

import pytest
import torch
from support.interpret import make_module
from torch import nn

from archdsl.init import (
    BiasUniform,
    Constant,
    Init,
    KaimingNormal,
    KaimingUniform,
    Normal,
    Ones,
    Uniform,
    XavierUniform,
    Zeros,
)
from archdsl.op import Op, Tensor, Weight
from archdsl.ops.activation import PReLU
from archdsl.ops.attention import Attention
from archdsl.ops.conv import Conv, ConvTranspose
from archdsl.ops.embedding import Embedding
from archdsl.ops.linear import Linear
from archdsl.ops.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm

from .harness import Case, case

NUMBERS = 4000
"""At least as many are drawn of each weight."""

LAYERS = [
    case(Conv(32, 3, groups=2), (1, 16, 9, 9)),
    case(Conv(32, 5), (1, 8, 9)),
    case(ConvTranspose(32, 3, groups=2), (1, 16, 9, 9)),
    case(Linear(32), (1, 24)),
    case(BatchNorm(), (1, 16, 9, 9)),
    case(LayerNorm(), (1, 16)),
    case(GroupNorm(4), (1, 16, 9)),
    case(InstanceNorm(affine=True), (1, 16, 9)),
    case(PReLU(), (1, 16)),
    case(Attention(4), (1, 3, 24)),
    Case(Embedding(100, 16), (Tensor((2, 3), "int64"),)),
]


def samplers(init: Init) -> Callable[[torch.Tensor], object]:
    """The distribution by ``torch.nn.init``."""
    match init:
        case Zeros():
            return nn.init.zeros_
        case Ones():
            return nn.init.ones_
        case Constant(value):
            return lambda t: nn.init.constant_(t, value)
        case Normal(std, mean):
            return lambda t: nn.init.normal_(t, mean, std)
        case Uniform(bound):
            return lambda t: nn.init.uniform_(t, -bound, bound)
        case KaimingUniform(mode, slope):
            return lambda t: nn.init.kaiming_uniform_(t, slope, mode)
        case KaimingNormal(mode, slope):
            return lambda t: nn.init.kaiming_normal_(t, slope, mode)
        case XavierUniform():
            return nn.init.xavier_uniform_
        case BiasUniform(fan):
            assert isinstance(fan, int)
            bound = 1 / sqrt(fan)
            return lambda t: nn.init.uniform_(t, -bound, bound)
    raise AssertionError(init)


def drawn_by_torch(case: Case, weight: Weight) -> Iterator[torch.Tensor]:
    while True:
        yield make_module(case.op.torch(case.inputs)).state_dict()[weight.name].flatten()


def drawn_as_said(weight: Weight) -> Iterator[torch.Tensor]:
    while True:
        tensor = torch.empty(weight.shape)  # type: ignore[arg-type]
        samplers(weight.init)(tensor)
        yield tensor.flatten()


def gather(draws: Iterator[torch.Tensor]) -> torch.Tensor:
    first = next(draws)
    rest = ceil(NUMBERS / first.numel()) - 1
    return torch.cat([first, *(next(draws) for _ in range(rest))]).double().sort().values


def distance(left: torch.Tensor, right: torch.Tensor) -> float:
    """Kolmogorov's and Smirnov's: the largest difference of the two empirical distribution functions."""
    at = torch.cat([left, right])
    gaps = [torch.searchsorted(sample, at, right=True) / len(sample) for sample in (left, right)]
    return (gaps[0] - gaps[1]).abs().max().item()


@pytest.mark.parametrize("case", LAYERS, ids=repr)
def test_torch_draws_what_is_said(case: Case) -> None:
    torch.manual_seed(3)
    weights = [w for w in case.op.weights(case.inputs) if w.dtype == "float32"]
    assert weights
    for weight in weights:
        assert weight.by_torch
        found, said = gather(drawn_by_torch(case, weight)), gather(drawn_as_said(weight))
        limit = 1.95 * sqrt(1 / len(found) + 1 / len(said))  # exceeded by chance once in a thousand times
        assert distance(found, said) < limit, weight


def test_the_distance_tells_distributions_apart() -> None:
    torch.manual_seed(3)
    weight = Weight("weight", (64, 64), Uniform(1.0))
    other = weight._replace(init=Uniform(1.1))
    assert distance(gather(drawn_as_said(weight)), gather(drawn_as_said(other))) > 1.95 * sqrt(2 / NUMBERS)


@pytest.mark.parametrize(
    "op",
    [Conv(4, 3, init=Zeros(), bias_init=Ones()), Linear(4, init=Zeros(), bias_init=Ones())],
    ids=lambda op: op.name,
)
def test_what_is_asked_for_is_not_torch_s_unless_it_is_the_same(op: Op) -> None:
    weight, bias = op.weights(case(op, (2, 3, 4)).inputs)
    assert (weight.init, weight.by_torch) == (Zeros(), False)
    assert (bias.init, bias.by_torch) == (Ones(), False)
    as_torch = LayerNorm(init=Ones(), bias_init=Zeros()).weights(case(op, (2, 4)).inputs)
    assert all(w.by_torch for w in as_torch)
