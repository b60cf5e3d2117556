"""Costs by module: they add up."""

from __future__ import annotations

import pytest
from hypothesis import given

from archdsl.graph import Graph
from archdsl.measure import activation_bytes, by_module, flops, macs, params

from .nets import body, shipped
from .random_nets import examples, nets

EXACTLY = ["lenet5", "GoogLeNet", "resnet50", "VGG11_BN", "torchvision/googlenet"]


def of_inputs(graph: Graph) -> int:
    """Bytes of the inputs, which no module makes."""
    sizes = [i.value.shape for i in graph.inputs]
    assert len(sizes) == 1
    _, *shape = sizes[0]
    total = 4
    for size in shape:
        assert isinstance(size, int)
        total *= size
    return total


@pytest.mark.parametrize("name", EXACTLY)
def test_the_root_is_the_whole(name: str) -> None:
    graph = shipped(name)
    whole = by_module(graph)[""]
    assert whole.params == params(graph)
    assert whole.buffers == params(graph, trainable=False)
    assert whole.macs == macs(graph)
    assert whole.flops == flops(graph)
    assert whole.memory == activation_bytes(graph) - of_inputs(graph)


@given(nets())
@examples(20)
def test_the_root_of_drawn_networks_is_the_whole(statements: str) -> None:
    graph = body(f"s: {{\n{statements}\n}}\nlast: conv(2, 1)")
    found = by_module(graph, 2)
    assert (found[""].params, found[""].macs, found[""].flops) == (params(graph), macs(graph, 2), flops(graph, 2))
    kept = activation_bytes(graph, 2) - found[""].memory
    assert kept in (0, 2 * of_inputs(graph))
    assert found["s"].macs == found[""].macs - found["last"].macs


def test_paths_are_those_of_the_module_tree_in_its_order() -> None:
    graph = shipped("resnet50")
    assert list(by_module(graph)) == [module.path for module in graph.root.walk()]


def test_a_module_is_what_lies_in_it() -> None:
    found = by_module(shipped("resnet50"))
    block = found["layer1.1"]
    assert block.params == 64 * 256 + 9 * 64 * 64 + 64 * 256 + 2 * (64 + 64 + 256)
    assert block.macs == 56 * 56 * (64 * 256 + 9 * 64 * 64 + 64 * 256)
    parts = [found[f"layer1.{i}"] for i in range(3)]
    assert found["layer1"].macs == sum(part.macs for part in parts)
    assert found["layer1"].memory == sum(part.memory for part in parts)


def test_memory_is_where_the_tensor_is_made() -> None:
    found = by_module(body("a: conv(8, 1, bias=false); b: batchnorm; relu"))
    assert found["a"].memory == 4 * 8 * 16 * 16  # kept by the norm
    assert found["b"].memory == 4 * 2 * 8
    assert found[""].memory == 2 * found["a"].memory + found["b"].memory


def test_a_shared_module_is_counted_where_it_stands() -> None:
    found = by_module(body("let a: conv(8, 1, bias=false)\na -> relu -> a"))
    assert found["a"].params == 64
    assert found["a"].macs == 2 * 64 * 16 * 16
