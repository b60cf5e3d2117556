"""Specs drawn at random: each is emitted in its readable form and proved; a sample runs in torch as the graph does."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("torch")

import torch

from archdsl.emit.torch.emission import emit
from archdsl.emit.torch.load import make_module
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.graph import Graph

from .conditions import faults
from .drawn import drawn
from .networks import model_of

SPECS = 1000 if os.environ.get("ARCHDSL_LONG") else 300
GROUPS = 20
EXECUTED = 40

torch.set_num_threads(1)


@pytest.mark.parametrize("group", range(GROUPS))
def test_it_is_proved(group: int) -> None:
    for seed in range(group, SPECS, GROUPS):
        source = emit(model_of(drawn(seed)))
        assert source.diagnostics == (), seed
        if seed < EXECUTED:
            assert faults(source.text) == [], seed


def inputs_of(graph: Graph) -> dict[str, torch.Tensor]:
    """Random inputs, 8 for each size that is free but for the batch."""
    sizes = {"N": 2}
    return {
        i.name: torch.randn([s if isinstance(s, int) else sizes.get(str(s), 8) for s in i.value.shape])
        for i in graph.inputs
    }


@pytest.mark.parametrize("seed", range(EXECUTED))
def test_it_computes_what_the_graph_does(seed: int) -> None:
    """Node by node, to the bit; in training too, with the same random numbers in the same order."""
    model = model_of(drawn(seed))
    source = emit(model)
    torch.manual_seed(seed)
    module = make_module(source.text, source.class_name)
    weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    assert list(weights) == list(model.graph.weights)
    given = inputs_of(model.graph)
    for training in (False, True):
        module.train(training)
        with torch.no_grad():
            torch.manual_seed(seed)
            found = module(*given.values())
            torch.manual_seed(seed)
            expected = list(GraphRunner(model.graph, weights, training).outputs(given).values())
        found = found if isinstance(found, tuple) else (found,)
        assert len(found) == len(expected)
        outputs = [o for o in model.graph.outputs if training or not o.when_training]
        names = [o.name for o in sorted(outputs, key=lambda o: o.when_training)]
        by_name = dict(zip([o.name for o in outputs], expected, strict=True))
        for name, tensor in zip(names, found, strict=True):
            assert torch.equal(tensor, by_name[name]), (seed, training, name)
