"""Published figures, from the spec alone: parameters, and multiply-accumulates to three decimals of 10⁹."""

from __future__ import annotations

import pytest

from .reference import NETWORKS, ours, published, published_settings


@pytest.mark.parametrize("name", NETWORKS)
def test_published_figures(name: str) -> None:
    for figures in published(name):
        model = ours(name, figures.image, **published_settings(name))
        assert model.params == figures.params, figures.weights
        assert isinstance(model.macs, int)
        assert round(model.macs / 1e9, 3) == figures.macs, figures.weights
