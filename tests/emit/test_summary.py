"""The summary as data: rows that add up, and neighbours that look the same folded."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from archdsl.compiler import build, from_text
from archdsl.emit.summary import Row, Summary, sort, summarise, to_depth, to_json
from archdsl.graph import Graph
from archdsl.measure import activation_bytes, by_module, depth, flops, macs, params
from archdsl.model import load


def text(source: str) -> Graph:
    spec = from_text(source)
    assert not spec.diagnostics, [d.message for d in spec.diagnostics]
    built = build(spec, list(spec.buildable.values())[-1], {}, {})
    assert built.graph is not None, [(d.message, d.note) for d in built.diagnostics]
    return built.graph


def body(statements: str) -> Graph:
    return text(f"model M {{\n input x: [N, 8, 16, 16]\n{statements}\n output y\n}}")


def named(rows: Iterable[Row]) -> dict[str, Row]:
    return {row.name: row for row in rows if row.name}


def every(rows: Iterable[Row], times: int = 1) -> Iterable[tuple[Row, int]]:
    for row in rows:
        yield row, times * row.times
        yield from every(row.children, times * row.times)


NAMES = ["lenet5", "GoogLeNet", "resnet50", "VGG11_BN", "torchvision/googlenet", "InceptionReduced"]


@pytest.mark.parametrize("name", NAMES)
def test_rows_add_up_to_the_measures(name: str) -> None:
    graph = load(name).graph
    totals = summarise(graph).totals
    assert totals.params == params(graph)
    assert totals.buffers == params(graph, trainable=False)
    assert totals.macs == macs(graph)
    assert totals.flops == flops(graph)
    assert totals.memory == activation_bytes(graph)


@pytest.mark.parametrize("name", NAMES)
def test_leaves_add_up_as_often_as_they_stand(name: str) -> None:
    summary = summarise(load(name).graph)
    leaves = [(row, times) for row, times in every(summary.rows) if not row.children]
    for cost in ("params", "buffers", "macs", "flops", "memory"):
        assert sum(getattr(row.costs, cost) * n for row, n in leaves) == getattr(summary.totals, cost)


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_modules_are_what_the_modules_cost(name: str) -> None:
    graph = load(name).graph
    modules = by_module(graph)
    rows = [row for row, _ in every(summarise(graph).rows) if row.path is not None]
    assert len(rows) > 4
    for row in rows:
        assert row.costs == modules[row.path or ""]


def test_repeats_are_folded() -> None:
    summary = summarise(load("resnet50").graph)
    layer3 = named(summary.rows)["layer3"].children
    assert [(row.name, row.last_name, row.times, row.what) for row in layer3] == [
        ("0", None, 1, "Bottleneck"),
        ("1", "5", 5, "Bottleneck"),
    ]
    assert sum(row.costs.params * row.times for row in layer3) == named(summary.rows)["layer3"].costs.params


def test_a_folded_row_sees_what_its_last_sees() -> None:
    summary = summarise(load("PaperResNet50").graph)
    last = named(summary.rows)["layer4"].children[-1]
    assert last.times == 2
    assert last.fields["image"][2].most == 483
    assert named(last.children)["conv2"].fields["image"][2].most == 483


def test_neighbours_that_differ_are_not_folded() -> None:
    def rows(statements: str) -> list[int]:
        return [row.times for row in summarise(body(statements + "; d: conv(4, 1)")).rows if row.name[:1] == "c"]

    assert rows("c0: conv(8, 3, pad=1); c1: conv(8, 3, pad=1)") == [2]
    assert rows("c0: conv(8, 3, pad=1); c1: conv(8, 3)") == [1, 1]
    assert rows("c0: conv(8, 3, pad=1); relu; c1: conv(8, 3, pad=1)") == [1, 1]
    assert rows("c0: conv(8, 3, pad=1); c1: conv(8, 3, pad=1, bias=false)") == [1, 1]
    assert rows("c0: dropout(0.0); c1: dropout(0.1)") == [1, 1]  # the first keeps no mask


def test_a_shared_module_is_counted_at_its_first_run() -> None:
    summary = summarise(body("let a: conv(8, 3, pad=1)\na -> relu -> a -> relu -> a"))
    runs = [row for row in summary.rows if row.name == "a"]
    assert [(row.costs.params, row.is_shared) for row in runs] == [(584, False), (0, True), (0, True)]
    assert len({row.costs.macs for row in runs}) == 1
    assert summary.totals.params == 584


def test_a_shared_block_is_counted_at_its_first_run() -> None:
    graph = text(
        "block B { c: conv(8, 1); b: batchnorm }\nmodel M { input x: [N, 8, 4, 4]; let b: B; b -> relu -> b; output y }"
    )
    first, second = (row for row in summarise(graph).rows if row.name == "b")
    assert (first.costs.params, first.is_shared) == (72 + 16, False)
    assert (second.costs.params, second.costs.buffers, second.is_shared) == (0, 0, True)


def test_what_runs_in_training_only_has_parameters_and_no_macs() -> None:
    aux = named(summarise(load("GoogLeNet").graph).rows)["aux1"]
    assert aux.in_training_only
    assert aux.costs.params == 3_188_840
    assert aux.costs.macs == aux.costs.flops == 0
    assert aux.costs.memory == 53_248


def test_params_and_buffers_have_rows_of_their_own() -> None:
    rows = named(
        summarise(body("param w: [8, 1, 1] = ones; buffer t: [8, 1, 1] = [[[1.0]] for i in 0..8]; it * w + t")).rows
    )
    assert (rows["w"].what, rows["w"].path, rows["w"].costs.params) == ("param", "w", 8)
    assert (rows["t"].what, rows["t"].path, rows["t"].costs.buffers) == ("buffer", "t", 8)


def test_depth_cuts_the_tree_and_changes_no_figure() -> None:
    rows = summarise(load("resnet50").graph).rows
    cut = to_depth(rows, 2)
    assert not any(row.children for top in cut for row in top.children)
    assert [row.costs for row in cut] == [row.costs for row in rows]


def test_the_dearest_first_at_every_level() -> None:
    rows = sort(summarise(load("resnet50").graph).rows, "params")
    assert [row.name for row in rows[:5]] == ["layer4", "layer3", "fc", "layer2", "layer1"]
    assert [row.times for row in rows[1].children] == [5, 1]  # five together are dearer
    by_macs = sort(summarise(load("VGG11").graph).rows, "macs")
    assert by_macs[0].name == "features"


def test_symbolic_sizes() -> None:
    summary = summarise(load("ResNet18", "NxCxHxW").graph)
    assert summary.batch == {"N": 1}
    assert "H" in str(summary.totals.macs)
    assert "N" not in str(summary.totals.macs)
    assert "C" in str(summary.totals.params)
    sort(summary.rows, "memory")
    assert json.loads(json.dumps(to_json(summary, summary.rows)))["totals"]["macs"] == str(summary.totals.macs)


def test_the_batch() -> None:
    graph = load("lenet5").graph
    one, ten = summarise(graph), summarise(graph, batch=10)
    assert ten.batch == {"N": 10}
    assert ten.totals.macs == 10 * one.totals.macs
    assert ten.totals.memory == 10 * one.totals.memory
    assert ten.totals.params == one.totals.params
    assert ten.training.activations == ten.totals.memory
    fixed = summarise(load("lenet5", "10x1x32x32").graph)
    assert fixed.batch == {}
    assert fixed.totals == ten.totals


def test_json_says_all_of_it() -> None:
    graph = load("resnet50").graph
    summary: Summary = summarise(graph, optimizer="momentum")
    facts = json.loads(json.dumps(to_json(summary, summary.rows)))
    assert facts["model"] == "ResNet50"
    assert facts["inputs"] == {"image": {"shape": ["N", 3, 224, 224], "dtype": "float32"}}
    totals = facts["totals"]
    assert (totals["params"], totals["buffers"], totals["macs"]) == (25_557_032, 53_173, 4_089_184_256)
    assert totals["depth"] == depth(graph) == 50
    assert totals["weight_bytes"] == {"float32": 102_440_608, "int64": 424}
    assert totals["training"]["optimizer_bytes"] == 4 * 25_557_032
    conv1 = next(row for row in facts["rows"] if row["name"] == "conv1")
    assert conv1["shapes"] == [["N", 64, 112, 112]]
    assert conv1["receptive_field"]["image"][1] == {"least": "all", "most": "all", "strides": []}
    assert conv1["receptive_field"]["image"][2] == {"least": 7, "most": 7, "strides": [2]}
