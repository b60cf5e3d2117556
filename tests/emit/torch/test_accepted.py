"""What `archdsl check` accepts compiles to proved source, and computes what the graph says: in torch and ONNX Runtime.

Both forms of the source are run, with blocks built on symbols and with every number written out, at several sizes, in
evaluation and in training.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

import torch

from archdsl.emit.onnx.compare import compare
from archdsl.emit.onnx.sampling import random_inputs, sizes_for
from archdsl.emit.torch.emission import Source, emit
from archdsl.emit.torch.load import make_module
from archdsl.emit.torch.lower import source as lower
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.graph import Graph

from .accepted import ALL
from .networks import model_of

torch.set_num_threads(1)


def inputs(graph: Graph, training: bool) -> Iterator[dict[str, torch.Tensor]]:
    """Inputs of several sizes; a batch norm in training needs more than one example."""
    for batch, size in ((2, 5), (3, 8), *(() if training else ((1, 1),))):
        given = random_inputs(graph, sizes_for(graph, batch, size))
        yield {name: torch.from_numpy(array) for name, array in given.items()}


def agrees(graph: Graph, source: Source) -> None:
    """The module has the graph's state dict, and computes to the bit what the graph says."""
    module = make_module(source.text, source.class_name)
    assert list(module.state_dict()) == list(graph.weights)
    for training in (False, True):
        module.train(training)
        outputs = sorted((o for o in graph.outputs if training or not o.when_training), key=lambda o: o.when_training)
        for given in inputs(graph, training):
            weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
            wanted = GraphRunner(graph, weights, training).outputs(given)
            found = module(*given.values())
            found = found if isinstance(found, tuple) else (found,)
            assert len(found) == len(outputs)
            for output, tensor in zip(outputs, found, strict=True):
                assert torch.equal(tensor, wanted[output.name]), (training, output.name)


@pytest.mark.parametrize("name", ALL)
def test_it_compiles_and_runs(name: str) -> None:
    graph = model_of(ALL[name]).graph
    source = emit(model_of(ALL[name]))
    assert [d.code for d in source.diagnostics] == []
    agrees(graph, source)
    agrees(graph, Source(*lower.plain_text(graph)))


@pytest.mark.parametrize("name", ALL)
def test_onnx_runtime_agrees(name: str, tmp_path: Path) -> None:
    model = model_of(ALL[name])
    module = model.module().eval()
    report = compare(model.graph, module, model.onnx(tmp_path / "net.onnx", module), (1, 2, 3))
    assert all(c.difference < 1e-4 for c in report.comparisons)


@pytest.mark.parametrize("rows", [2, 20])
def test_positions_of_a_short_table_are_verified_at_sizes_that_it_has(rows: int, tmp_path: Path) -> None:
    model = model_of(ALL["sizes: positions"].replace("embedding(80, 8)", f"embedding({rows}, 8)"))
    module = model.module()
    report = compare(model.graph, module, model.onnx(tmp_path / "net.onnx", module), (1, 2))
    assert all(c.difference < 1e-4 for c in report.comparisons)


def test_the_order_of_the_state_dict_is_that_of_declarations() -> None:
    model = model_of(ALL["declared: position encoder"])
    assert list(model.module().state_dict()) == ["pos.weight", "pos.bias", "body.a.weight", "body.a.bias"]


def test_a_buffer_of_a_buffer_holds_its_numbers() -> None:
    module = model_of(ALL["buffers: of a buffer"]).module()
    assert module(torch.zeros(1, 3)).tolist() == [[1.5, 3.0, 6.0]]
    assert {n: t.tolist() for n, t in module.state_dict().items()} == {"t": [0.5, 1, 2], "b": [1, 2, 4]}


DEPENDS = {
    "an input": "buffer b: [N, 3] = x * 2.0",
    "a parameter": "param p: [3] = zeros\n buffer b: [3] = p * 2.0",
    "weights": "buffer b: [3] = [1.0, 2.0, 3.0] -> lin: linear(3)",
    "random numbers": "buffer b: [3] = [1.0, 2.0, 3.0] -> dropout(0.5)",
    "a let of an input": 'let t = x -> reduce("n c -> c", "sum")\n buffer b: [3] = t',
}


@pytest.mark.parametrize("what", DEPENDS)
def test_a_buffer_that_cannot_be_computed_by_the_constructor(what: str) -> None:
    from archdsl.errors import SpecError

    with pytest.raises(SpecError, match="A0505"):
        model_of(f"arch 1\nmodel M {{\n input x: [N, 3]\n {DEPENDS[what]}\n x + b\n output y\n}}\n")


def test_a_buffer_of_symbolic_numbers_needs_the_size() -> None:
    """As any tensor of the module: it can be checked, and written once the size is given."""
    from archdsl.errors import SpecError

    text = "arch 1\nmodel M { input x: [N, T]; buffer b: [T] = [1.0 * i for i in 0..T]; x + b; output y }\n"
    model = model_of(text)
    with pytest.raises(SpecError, match="A0502"):
        model.module()
    module = model.vary(input="Nx3").module()
    assert module.state_dict()["b"].tolist() == [0, 1, 2]


def test_what_only_buffers_read_is_read() -> None:
    from archdsl.checks.unused import dead_layers

    assert list(dead_layers(model_of(ALL["buffers: a let read by buffers"]).graph)) == []
