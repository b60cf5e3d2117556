"""Edits are named at their places: random ones of shipped specs, and known pairs of networks."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

import archdsl
from archdsl.diff import Change, Difference, diff
from tests.diff.drawn import drawn
from tests.diff.survey import named

SEEDS = range(4)
DRAWS = 6
"""Of each seed; `python -m tests.diff.survey` draws hundreds."""

TEXT = """arch 1
block Unit(width, stride=1) {
  conv1: conv(width, 3, stride=stride, pad=1) -> bn1: batchnorm -> relu
  conv2: conv(width, 3, pad=1) -> bn2: batchnorm
}
model Net(classes=10) {
  input x: [N, 3, 32, 32]
  stem: conv(8, 3, pad=1) -> relu
  body: seq { for i in 0..3 { Unit(8) } }
  global_avgpool -> flatten -> head: linear(classes)
  output y
}
"""


def net(*edits: tuple[str, str]) -> archdsl.Model:
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return archdsl.load(text=text)


def difference(*edits: tuple[str, str]) -> Difference:
    return diff(net().graph, net(*edits).graph)


def only(found: Difference) -> Change:
    assert len(found.changes) == 1, [(c.kind, c.place) for c in found.changes]
    return found.changes[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_edited_place_is_named_and_no_other(seed: int) -> None:
    for edit in islice(drawn(Random(seed)), DRAWS):
        paths = named(edit)
        assert edit.is_named_by(paths), f"{edit.kind} in {edit.spec}: {sorted(edit.expected)}, named {sorted(paths)}"


@pytest.mark.parametrize(
    "edit",
    [
        ("for i in 0..3 { Unit(8) }", "Unit(8); Unit(8); Unit(8)"),
        ("for i in 0..3", "for i in reversed([2 - j for j in reversed(0..3)])"),
        ("-> relu\n  body", "-> relu\n\n  # the body\n  body"),
        ("width, 3, stride=stride, pad=1", "width, kernel=3, pad=1, stride=1 * stride"),
    ],
)
def test_a_change_of_the_text_alone_is_no_difference(edit: tuple[str, str]) -> None:
    if "Unit(8);" in edit[1]:
        edit = (edit[0], "\n    Unit(8)\n    Unit(8)\n    Unit(8)\n")
    found = difference(edit)
    assert found.is_equal
    assert not found.changes
    assert not found.interface
    assert found.checkpoint.standing == "identical"


def test_names_of_values_blocks_and_parameters_are_no_difference() -> None:
    assert difference(("Unit", "Block"), ("width", "channels"), ("input x", "input x")).is_equal


def test_a_renamed_symbol_is_a_change_of_the_interface_alone() -> None:
    found = difference(("[N, 3", "[B, 3"))
    assert not found.is_equal
    assert [c.role for c in found.interface] == ["input", "output"]
    assert not found.changes
    assert found.effects.reached == 0


def test_units_are_counted() -> None:
    change = only(difference(("0..3", "0..5")))
    assert (change.kind, change.before, change.after, change.what) == ("repeated", "3", "5", "Unit")
    assert change.paths == ("body.3", "body.4")
    assert only(diff(net(("0..3", "0..5")).graph, net().graph)).before == "5"


def test_an_argument_that_moves_to_another_layer_is_one_change_over_all_repeats() -> None:
    strided = ("Unit(8)", "Unit(8, stride=2)")
    to_second = (("stride=stride, pad=1", "stride=1, pad=1"), ("width, 3, pad=1)", "width, 3, stride=stride, pad=1)"))
    change = only(diff(net(strided).graph, net(strided, *to_second).graph))
    assert (change.kind, change.argument, change.before, change.after) == ("shifted", "stride", "2", "conv2")
    assert change.scopes == ("body.0", "body.1", "body.2")
    assert change.name == "conv1"


def test_layers_that_change_places_are_moved() -> None:
    change = only(difference(("bn1: batchnorm -> relu", "relu -> bn1: batchnorm")))
    assert change.kind == "moved"
    assert len(change.scopes) == 3


def test_layers_put_into_a_group_are_renamed_and_load() -> None:
    found = difference(("stem: conv(8, 3, pad=1) -> relu", "stem: { proj: conv(8, 3, pad=1) -> relu }"))
    change = only(found)
    assert (change.kind, change.before, change.after) == ("renamed", "stem", "stem.proj")
    assert found.checkpoint.standing == "renamed"
    assert found.checkpoint.renames == {"stem.weight": "stem.proj.weight", "stem.bias": "stem.proj.bias"}


def test_another_value_that_is_read_is_rewired() -> None:
    text = "arch 1\nmodel M {{ input x: [N, 4]\n a: linear(4) as p\n b: linear(4) as q\n output y: {} }}"
    plus, times = (
        archdsl.load(text=text.format(value).replace("output y: ", "output y = ")) for value in ("q + p", "q + x")
    )
    change = only(diff(plus.graph, times.graph))
    assert change.kind == "rewired"
    assert ("q" not in change.before, change.before, change.after) == (True, "b, a", "b, x")


def test_what_follows_from_a_shape_is_marked() -> None:
    paper = archdsl.load("resnet18")
    text = paper._spec.scope.file.source.text.replace("conv1: conv(64, 7", "conv1: conv(96, 7")
    wide = archdsl.load("ResNet18", text=text)
    found = diff(archdsl.load("specs/resnet.arch:ResNet18").graph, wide.graph)
    assert [(c.kind, c.place, c.follows) for c in found.changes] == [
        ("changed", "conv1", False),
        ("added", "layer1.0.downsample", True),
    ]


def test_the_two_strides_of_resnet50() -> None:
    ours, paper = (archdsl.load(name) for name in ("torchvision/resnet50", "specs/resnet.arch:PaperResNet50"))
    found = diff(ours.graph, paper.graph)
    change = only(found)
    assert (change.kind, change.argument, change.name, change.after) == ("shifted", "stride", "conv2", "conv1")
    assert change.scopes == ("layer2.0", "layer3.0", "layer4.0")
    assert found.checkpoint.standing == "identical"
    costs = {cost.name: cost for cost in found.effects.costs}
    assert (costs["MACs"].before, costs["MACs"].after) == (ours.macs, paper.macs)
    assert sum(cause.delta for cause in costs["MACs"].causes) == paper.macs - ours.macs


def test_resnet_and_resnext() -> None:
    found = diff(archdsl.load("torchvision/resnet50").graph, archdsl.load("torchvision/resnext50_32x4d").graph)
    facts = [(c.place, c.argument) for c in found.changes]
    assert facts == [
        ("conv1 in every Bottleneck", "width"),
        ("conv2 in every Bottleneck", "width"),
        ("conv2 in every Bottleneck", "groups"),
    ]
    assert {name.split(".")[-2] for name in found.checkpoint.reshaped} == {"conv1", "bn1", "conv2", "bn2", "conv3"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("resnet18", "resnet34"), ("torchvision/vgg11", "torchvision/vgg16_bn"), ("lenet5", "alexnet"),
        ("unet", "lenet5"), ("torchvision/squeezenet1_0", "resnet18"),
    ],
)  # fmt: skip
def test_costs_are_those_of_the_summary_and_causes_add_up(before: str, after: str) -> None:
    models = [archdsl.load(name) for name in (before, after)]
    found = diff(models[0].graph, models[1].graph)
    summaries = [model.summary().summary for model in models]
    costs = {cost.name: cost for cost in found.effects.costs}
    for name, of in (
        ("parameters", lambda s: s.totals.params),
        ("MACs", lambda s: s.totals.macs),
        ("FLOPs", lambda s: s.totals.flops),
        ("activation bytes", lambda s: s.totals.memory),
        ("training bytes", lambda s: s.training.total),
        ("depth", lambda s: s.depth),
    ):
        assert [costs[name].before, costs[name].after] == [of(s) for s in summaries]
    for name in ("parameters", "MACs", "FLOPs"):
        assert sum(c.delta for c in costs[name].causes) == costs[name].after - costs[name].before
