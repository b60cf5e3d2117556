"""Convolutions and poolings over a symbol, against the shapes PyTorch computes on its meta device."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from archdsl.dims import Needs, Size, Violated, evaluate, symbol

from .expressions import LONG
from .shapes import convolution, pooling, transposed

torch = pytest.importorskip("torch")
functional = torch.nn.functional
CASES = 4000 if LONG else 500
H = symbol("H")


def empty(*shape: int) -> Any:
    return torch.empty(*shape, device="meta")


def conv_case(chance: random.Random) -> tuple[Callable[[Needs], Size], Callable[[int], Any]]:
    k, s, p, d = _kernel(chance)
    return (
        lambda needs: convolution(needs, H, k, s, p, d),
        lambda h: functional.conv1d(empty(1, 1, h), empty(1, 1, k), stride=s, padding=p, dilation=d),
    )


def transposed_case(chance: random.Random) -> tuple[Callable[[Needs], Size], Callable[[int], Any]]:
    k, s, p, d = _kernel(chance)
    extra = chance.randint(0, max(s, d) - 1)
    return (
        lambda needs: transposed(needs, H, k, s, p, d, extra),
        lambda h: functional.conv_transpose1d(
            empty(1, 1, h), empty(1, 1, k), stride=s, padding=p, output_padding=extra, dilation=d
        ),
    )


def max_pool_case(chance: random.Random) -> tuple[Callable[[Needs], Size], Callable[[int], Any]]:
    k, s, p, d = _kernel(chance)
    p, ceil = min(p, k // 2), chance.random() < 0.5
    return (
        lambda needs: pooling(needs, H, k, s, p, d, ceil),
        lambda h: functional.max_pool2d(empty(1, 1, h, h), k, s, p, d, ceil_mode=ceil),
    )


def avg_pool_case(chance: random.Random) -> tuple[Callable[[Needs], Size], Callable[[int], Any]]:
    k, s, p, _ = _kernel(chance)
    p, ceil = min(p, k // 2), chance.random() < 0.5
    return (
        lambda needs: pooling(needs, H, k, s, p, 1, ceil),
        lambda h: functional.avg_pool2d(empty(1, 1, h, h), k, s, p, ceil_mode=ceil),
    )


def _kernel(chance: random.Random) -> tuple[int, int, int, int]:
    return chance.randint(1, 7), chance.randint(1, 6), chance.randint(0, 6), chance.randint(1, 4)


@pytest.mark.parametrize("case", [conv_case, transposed_case, max_pool_case, avg_pool_case])
def test_sizes_and_acceptance_are_those_of_torch(
    case: Callable[[random.Random], tuple[Callable[[Needs], Size], Callable[[int], Any]]],
) -> None:
    chance = random.Random(case.__name__)
    for _ in range(CASES):
        symbolic, concrete = case(chance)
        needs = Needs()
        out = symbolic(needs)
        conditions = [c for found in needs.preconditions() for c in found.conditions]
        for h in chance.sample(range(1, 40), 6):
            expected = shape_or_none(concrete, h)
            assert all(condition.holds({"H": h}) for condition in conditions) == (expected is not None)
            if expected is not None:
                assert evaluate(out, {"H": h}) == expected


def shape_or_none(concrete: Callable[[int], Any], h: int) -> int | None:
    """The size that comes out; None where PyTorch refuses, or gives an empty tensor."""
    try:
        return concrete(h).shape[-1] or None
    except RuntimeError:
        return None


def test_a_size_that_never_fits_is_violated() -> None:
    needs = Needs()
    assert isinstance(needs.require(transposed(needs, 1, 1, 1, 3, 1, 0), ">=", 1), Violated)
