"""Real networks over a symbol: the same sizes, and the same inputs accepted, as on plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archdsl.dims import evaluate, show, symbol

from . import networks
from .networks import EXPECTED, Plain, Reader, Rejected, Symbolic

Network = Callable[[Reader, Any], Any]


def by_name(network: Network) -> str:
    return network.__name__


@pytest.mark.parametrize("network", EXPECTED, ids=by_name)
def test_sizes_and_preconditions_are_those_of_every_plain_size(network: Network) -> None:
    net = Symbolic()
    out = network(net, symbol("H"))
    preconditions = net.needs.preconditions()
    for h in range(1, 2500):
        accepted = all(c.holds({"H": h}) for found in preconditions for c in found.conditions)
        try:
            expected = network(Plain(), h)
        except Rejected:
            assert not accepted, h
        else:
            assert accepted, h
            assert evaluate(out, {"H": h}) == expected


@pytest.mark.parametrize("network", EXPECTED, ids=by_name)
def test_sizes_and_preconditions_read_well(network: Network) -> None:
    net = Symbolic()
    out = network(net, symbol("H"))
    assert (show(out), [found.text for found in net.needs.preconditions()]) == EXPECTED[network]


def test_two_axes_share_one_text() -> None:
    net = Symbolic()
    networks.unet(net, symbol("H"))
    networks.unet(net, symbol("W"))
    net.need(symbol("H"), ">=", 90)
    net.need(symbol("W"), ">=", 90)
    assert [found.text for found in net.needs.preconditions()] == ["H and W must be multiples of 16, at least 96"]


def test_plain_numbers_pass_through() -> None:
    net = Symbolic()
    assert networks.resnet152(net, 224) == 7
    assert net.needs.preconditions() == []
