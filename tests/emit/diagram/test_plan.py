"""What a figure shows of a network: everything once, repeats folded, shortcuts never lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from archdsl.diagnostics.diagrams import NoSuchModule, UnknownTheme
from archdsl.emit.diagram import diagram
from archdsl.emit.diagram.card import least_width
from archdsl.emit.diagram.figure import ADDS, LAYS, Card, Figure, Fork, Item, Join, Junction, Link, Panel, Passage
from archdsl.emit.diagram.outline import Network
from archdsl.emit.diagram.sizes import short_shape
from archdsl.emit.diagram.sketch import Sketch
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.measure import params
from archdsl.model import load
from tests.emit.diagram.pictures import DENSENET, HEADS, SHUFFLENET, TOWERS, UNET, VIT, network, networks


def cards(panel: Panel) -> list[Card]:
    return [item for item in panel.items if isinstance(item, Card)]


def titles(panel: Panel) -> list[str]:
    return [card.title for card in cards(panel)]


def card(figure: Figure, id: str) -> Card:
    return next(c for c in cards(figure.panels[0]) if c.id == id)


def words(card: Card) -> list[str]:
    """The words below a card's title."""
    return " · ".join(card.details).split(" · ")


def amount(item: Item, name: str) -> int:
    return getattr(item, name, 0)


def check(graph: Graph, figure: Figure) -> None:
    """What holds of every figure."""
    main = figure.panels[0]
    assert sum(amount(item, "params") for item in main.items) == params(graph)
    assert sum(amount(item, "residuals") for item in main.items) == len(Network(graph).residuals)
    ids = [item.id for item in figure.items()]
    assert len(ids) == len(set(ids))
    for panel in figure.panels:
        names = {item.id for item in panel.items}
        assert {end for edge in panel.edges for end in (edge.tail, edge.head)} <= names
        assert set(panel.chain) <= names
    for item in main.items:
        if isinstance(item, Card) and item.is_folded and item.residuals:
            assert item.mark == ADDS
    assert all(edge.tail != edge.head for panel in figure.panels for edge in panel.edges)


MODELS = {
    "resnet50": lambda: load("resnet50").graph,
    "googlenet": lambda: load("googlenet").graph,
    "vgg": lambda: load("vgg:VGG16").graph,
    "cifar": lambda: load("resnet_cifar:ResNetCifar110").graph,
    "unet": lambda: network(UNET, "UNet"),
    "densenet": lambda: network(DENSENET, "DenseNet"),
    "vit": lambda: network(VIT, "ViT"),
    "shufflenet": lambda: network(SHUFFLENET, "ShuffleNet"),
    "towers": lambda: network(TOWERS, "Towers"),
    "heads": lambda: network(HEADS, "Heads"),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("depth", [None, 1, 2, 9])
def test_every_parameter_and_every_shortcut_is_on_the_main_panel(name: str, depth: int | None) -> None:
    graph = MODELS[name]()
    check(graph, diagram(graph, depth=depth).figure)


# ---- ResNet-50, as the guide shows it ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def resnet() -> Figure:
    return diagram(load("resnet50").graph).figure


def test_a_resnet_is_four_folded_stages(resnet: Figure) -> None:
    folded = [c for c in cards(resnet.panels[0]) if c.is_folded]
    assert [(c.title, c.count) for c in folded] == [("Bottleneck", n) for n in (3, 4, 6, 3)]
    assert [words(c) for c in folded] == [
        ["layer1", "width 64"], ["layer2", "width 128", "first /2"], ["layer3", "width 256", "first /2"],
        ["layer4", "width 512", "first /2"],
    ]  # fmt: skip
    assert [c.shape for c in folded] == ["256×56×56", "512×28×28", "1024×14×14", "2048×7×7"]
    assert [c.residuals for c in folded] == [3, 4, 6, 3]
    assert [c.mark for c in folded] == [ADDS] * 4
    assert [c.params_text for c in folded] == ["216 k in all", "1.22 M in all", "7.10 M in all", "15.0 M in all"]
    assert [c.letters for c in folded] == [(), ("A", "B"), (), ()]


def test_its_two_structures_are_opened(resnet: Figure) -> None:
    projection, identity = resnet.panels[1:]
    assert (projection.letter, projection.title) == ("A", "Bottleneck, layer2.0, projection shortcut")
    assert (identity.letter, identity.title) == ("B", "Bottleneck, layer2.1–3")
    assert [c.title for c in cards(projection) if c.is_aside] == ["conv 1×1, 512, /2"]
    assert any(isinstance(item, Passage) for item in identity.items)
    assert titles(identity) == ["x", "conv 1×1, 128", "conv 3×3, 128", "conv 1×1, 512", "relu"]
    for panel in (projection, identity):
        assert sum(isinstance(item, Junction) for item in panel.items) == 1


def test_its_caption_tells_totals_and_marks(resnet: Figure) -> None:
    text = resnet.caption.text
    assert "ResNet50. 25,557,032 parameters, 4.09 GMACs at 224×224. Every conv is followed by batchnorm." in text
    assert "A, B: opened at the right." in text
    assert all("batchnorm" not in words(c) for panel in resnet.panels for c in cards(panel) if c.kind == "conv")


# ---- other kinds of networks -------------------------------------------------------------------------------


def test_a_chain_folds_equal_layers_and_fuses_what_follows_them() -> None:
    found = {
        (c.title, " · ".join(c.details), c.count) for c in cards(diagram(load("vgg:VGG16").graph).figure.panels[0])
    }
    assert ("conv 3×3, 64", "relu", 2) in found
    assert ("conv 3×3, 256", "relu", 3) in found
    assert ("linear 4096", "relu · dropout 0.5", 1) in found  # of 25,088 and of 4,096 numbers: not one card


def test_layers_that_differ_in_what_the_card_does_not_say_stay_apart() -> None:
    text = """
    model M {
      input x: [N, 8, 32, 32]
      a: conv(8, 3, pad=1) -> relu
      b: conv(8, 3, pad=1, bias=false) -> relu
      output y
    }"""
    assert titles(diagram(network(text, "M")).figure.panels[0]).count("conv 3×3, 8") == 2


def test_branches_stand_between_bars() -> None:
    figure = diagram(load("inception:InceptionReduced").graph).figure
    fork = next(item for item in figure.items() if isinstance(item, Fork))
    join = next(item for item in figure.items() if isinstance(item, Join))
    assert fork.branches == join.branches == 4
    leaving = [edge.tail_branch for edge in figure.panels[0].edges if edge.tail == fork.id]
    arriving = [edge.head_branch for edge in figure.panels[0].edges if edge.head == join.id]
    assert sorted(leaving, key=str) == sorted(arriving, key=str) == [0, 1, 2, 3]
    assert join.shape == "480×28×28"


def test_an_inception_is_opened_beside_or_below_a_googlenet() -> None:
    figure = diagram(load("googlenet").graph).figure
    assert [panel.title for panel in figure.panels[1:]] == ["Inception, inception_3a"]
    assert sum(isinstance(item, Link) for item in figure.panels[0].items) == 2
    aux = [c for c in cards(figure.panels[0]) if words(c) == ["training only"]]
    assert [c.title for c in aux] == ["aux1", "aux2"]


def test_a_unet_is_a_u_with_its_shortcuts_straight_across() -> None:
    (panel,) = diagram(network(UNET, "UNet")).figure.panels
    flat = [edge for edge in panel.edges if edge.is_flat]
    assert len(flat) == len(panel.rows) == 4
    assert all(edge.kind == "skip" for edge in flat)
    upward = {edge.tail for edge in panel.edges if edge.is_upward}
    assert "up3" in upward
    assert "encoder0.0" not in upward
    assert not any(isinstance(item, Passage) for item in panel.items)


def test_crops_stand_on_the_shortcuts_of_a_u() -> None:
    graph = load("unet").graph
    figure = diagram(graph).figure
    check(graph, figure)
    panel, inset = figure.panels
    assert inset.title == "Double, down1"
    crops = [c for c in cards(panel) if c.is_aside]
    assert [c.title for c in crops] == [f"crop {n}×{n}" for n in (56, 104, 200, 392)]
    for crop in crops:
        (row,) = [row for row in panel.rows if crop.id in row]
        assert [(e.tail, e.head) for e in panel.edges if e.is_flat and crop.id in (e.tail, e.head)] == [
            (row[0], crop.id), (crop.id, row[2])
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "title"),
    [
        ("it[:, :, 2:6, 1:7]", "crop 4×6"),
        ("it[:, :, 2:, 1:7]", "[:, :, 2:, 1:7]"),
        ("it[:, 2:6, 2:6, 2:6]", "[:, 2:6, 2:6, 2:6]"),
        ("it[:, :, 2:6]", "[:, :, 2:6]"),
        ("it[:, :, ::2, ::2]", "[:, :, ::2, ::2]"),
    ],
)
def test_a_part_is_a_crop_where_it_is_the_middle_of_all_but_the_channels(part: str, title: str) -> None:
    panel = diagram(network(f"model M {{ input x: [N, 8, 8, 8]\n{part}\noutput y }}", "M")).figure.panels[0]
    assert titles(panel) == ["x", title, "y"]


def test_dense_blocks_fold_turn_by_turn_and_open_to_their_concatenation() -> None:
    figure = diagram(network(DENSENET, "DenseNet")).figure
    folded = [c for c in cards(figure.panels[0]) if c.title == "Layer"]
    assert [c.count for c in folded] == [6, 12, 24, 16]
    assert all(c.mark == LAYS for c in folded)
    assert "concat" in titles(figure.panels[1])
    assert all(edge.kind == "flow" for edge in figure.panels[1].edges)


def test_a_transformer_opens_its_encoder_and_shows_its_own_parameters() -> None:
    figure = diagram(network(VIT, "ViT")).figure
    assert [c.count for c in cards(figure.panels[0]) if c.is_folded] == [12]
    assert {c.title: c.details for c in cards(figure.panels[0])}["pos_embedding"] == ("1×197×768 · 151 k",)
    inside = figure.panels[1]
    assert sum(isinstance(item, Junction) for item in inside.items) == 2
    assert [c.kind for c in cards(inside)].count("attention") == 1
    assert titles(inside)[-1] == "y"


def test_a_folded_attention_is_seen_to_be_one() -> None:
    figure = diagram(load("torchvision/swin_t").graph).figure
    assert [c.title for c in cards(figure.panels[1]) if c.kind == "attention"] == ["Attention"]
    assert all(c.kind == "block" for c in cards(figure.panels[0]) if c.is_folded)


def test_an_inset_that_hides_its_attention_leads_to_one_that_shows_it() -> None:
    figure = diagram(load("torchvision/maxvit_t").graph).figure
    leading, shown = figure.panels[1:]
    assert [(c.title, c.letters) for c in cards(leading) if c.is_folded] == [
        ("MBConv", ()), ("PartitionAttention", ("B",))
    ]  # fmt: skip
    assert shown.title.startswith("PartitionAttention, ")
    assert [c.title for c in cards(shown) if c.kind == "attention"] == ["Attention"]


def test_kinds_that_alternate_fold_and_say_so() -> None:
    text = """
    block Unit(shift) { input x: [N, L, C]; residual { norm: layernorm; roll(axis=1, by=shift); mix: linear(C) } }
    model M {
      input x: [N, 16, 32]
      layers: seq { for i in 0..6 { Unit(4 if i % 2 == 1 else 0) } }
      output y
    }"""
    (found,) = [c for c in cards(diagram(network(text, "M")).figure.panels[0]) if c.is_folded]
    assert (found.count, words(found)) == (6, ["layers", "shift 0, 4"])


def test_equal_parts_side_by_side_are_one_card_where_a_page_is_too_narrow() -> None:
    graph = network(HEADS.replace("Head(", "HeadOfADetector("), "Heads")
    figure = diagram(graph, fold=["pyramid"]).figure
    check(graph, figure)
    (head,) = [c for c in cards(figure.panels[0]) if c.title == "HeadOfADetector"]
    assert head.count == 5


def test_a_block_looks_the_same_wherever_it_stands() -> None:
    """PlainUnit is two equal convolutions, but for the first of a stage: that one alone could not be one card."""
    found = cards(diagram(load("resnet:Plain34").graph).figure.panels[0])
    assert [(c.title, c.count) for c in found if c.is_folded] == [("PlainUnit", n) for n in (3, 4, 6, 3)]


def test_a_shortcut_without_parameters_is_called_so() -> None:
    inset = diagram(load("resnet_cifar:ResNetCifar20").graph).figure.panels[1]
    assert inset.title == "Unit, layer2.0, parameter-free shortcut"
    assert [c.title for c in cards(inset) if c.is_aside] == ["[:, :, ::2, ::2]", "pad 8 + 8"]


def test_what_does_nothing_is_not_drawn() -> None:
    text = """
    model M {
      input x: [N, 8, 16]
      pad(axis=1) -> roll(axis=1, by=0) -> dropout(0.0) -> identity -> it[:, :8, :]
      pad(axis=1, after=2) -> roll(axis=1, by=1) -> it[:, :8, :]
      output y
    }"""
    panel = diagram(network(text, "M")).figure.panels[0]
    assert titles(panel) == ["x", "pad 0 + 2", "roll 1", "[:, :8, :]", "y"]


def test_two_inputs_and_two_outputs() -> None:
    panel = diagram(network(TOWERS, "Towers")).figure.panels[0]
    assert {c.title for c in cards(panel) if c.kind == "io"} == {"image", "text", "score", "embedding"}


def test_a_shared_layer_counts_once() -> None:
    text = """
    model M {
      input x: [N, 8]
      let f: linear(8)
      f -> relu -> f -> relu -> f
      output y
    }"""
    graph = network(text, "M")
    check(graph, diagram(graph).figure)


def test_a_chain_without_end_is_cut_in_the_middle_and_says_so() -> None:
    text = "\n".join(f"l{i}: linear({i % 7 + 1}) -> relu" for i in range(400))
    graph = network(f"model M {{ input x: [N, 8]\n{text}\noutput y }}", "M")
    figure = diagram(graph).figure
    check(graph, figure)
    (middle,) = [c for c in cards(figure.panels[0]) if c.title.endswith(" more")]
    shown = sum(c.kind == "linear" for c in cards(figure.panels[0]))
    assert int(middle.title.split()[0]) + shown == 400
    assert len(figure.panels[0].items) < 60


def test_shortcuts_from_far_only_say_where_from_if_there_are_too_many() -> None:
    text = "relu as y\nfor i in 0..200 { add { y; { c{i}: conv(8, 3, pad=1) } } }"
    graph = network(f"model M {{ input x: [N, 8, 16, 16]\n{text}\noutput z }}", "M")
    figure = diagram(graph).figure
    check(graph, figure)
    passages = [item for item in figure.panels[0].items if isinstance(item, Passage)]
    assert {item.text for item in passages} == {"identity", "from relu"}
    assert len(figure.panels[0].items) < 80


BRANCHED = """
block Unit(width) { input x: [N, C, H, W]; residual { conv: conv(width, 3, pad=1) } }
model M {
  input x: [N, 8, H, W]
  conv1: conv(8, 3, stride=2, pad=1)
  stage: seq { for i in 0..3 { Unit(8) } } as early
  conv2: conv(8, 3, stride=2, pad=1)
  output late
  output side = early -> aux: conv(4, 1)
}
"""


def test_sizes_that_are_rounded_up_are_written_as_quotients() -> None:
    figure = diagram(network(BRANCHED, "M")).figure
    assert [card(figure, id).shape for id in ("conv1", "conv2")] == ["8×H/2×W/2", "8×H/4×W/4"]
    assert "Divided sizes are rounded up." in figure.caption.text
    both = diagram(network(BRANCHED.replace("output late", "maxpool(2)\n output late"), "M")).figure
    assert card(both, "conv1").shape == "8×(H+1)/2×(W+1)/2"
    assert "Divided sizes are rounded down." in both.caption.text


def test_a_size_that_is_too_long_is_left_out_whole_and_no_title_is_cut_for_it() -> None:
    assert short_shape("256×(H+5)/16-4×W", 60) == "256×…×W"
    assert short_shape("256×H×W", 60) == "256×H×W"
    text = """
    block ABlockWithName(width) { input x: [N, C, H, W]; residual { conv: conv(width, 3, pad=1) } }
    model M {
      input x: [N, 8, H, W]
      maxpool(3, stride=5) -> conv1: conv(8, 3) -> conv2: conv(8, 4)
      stage: seq { for i in 0..3 { ABlockWithName(8) } }
      output y
    }"""
    figure = diagram(network(text, "M")).figure
    found = card(figure, "stage.0")
    assert found.shape == ""
    assert found.details[0].startswith("8×")
    assert "[N, 8, (H + 2) // 5 - 5, (W + 2) // 5 - 5]" in found.tooltip
    assert least_width(replace(found, details=())) <= found.width


# ---- what a user asks for ----------------------------------------------------------------------------------


def test_open_shows_a_module_from_within(resnet: Figure) -> None:
    figure = diagram(load("resnet50").graph, open=["layer3.0"]).figure
    (inside,) = figure.panels[1:]
    assert inside.title == "Bottleneck, layer3.0"
    assert card(figure, "layer3.0").letters == ("A",)


def test_fold_makes_one_card() -> None:
    graph = load("vgg:VGG16").graph
    figure = diagram(graph, fold=["features"]).figure
    check(graph, figure)
    assert card(figure, "features").is_folded


def test_depth_opens_repeats_one_by_one() -> None:
    graph = load("resnet_cifar:ResNetCifar20").graph
    figure = diagram(graph, depth=3).figure
    check(graph, figure)
    assert sum(isinstance(item, Junction) for item in figure.panels[0].items) == 9


@pytest.mark.parametrize("choice", [{"open": ["layer9"]}, {"fold": ["layer2.0.conv9"]}, {"open": ["layer1.0.conv1"]}])
def test_a_path_that_is_not_there_is_told_with_the_nearest(choice: dict) -> None:
    with pytest.raises(SpecError) as caught:
        diagram(load("resnet50").graph, **choice)
    (found,) = caught.value.diagnostics
    assert isinstance(found, NoSuchModule)
    assert found.help.startswith("did you mean")


def test_an_unknown_theme() -> None:
    with pytest.raises(SpecError) as caught:
        diagram(network(TOWERS, "Towers"), theme="sepia")
    assert isinstance(caught.value.diagnostics[0], UnknownTheme)


# ---- any network -------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(networks())
def test_whatever_the_network_nothing_is_lost(graph: Graph) -> None:
    for depth in (None, 1, 3):
        check(graph, diagram(graph, depth=depth).figure)
    known = Network(graph)
    for is_open in (True, False, None):
        units = Sketch(known, known.parts, lambda _, wanted=is_open: wanted, graph.outputs).units
        drawn = [node for unit in units for node in unit.nodes]
        assert len(drawn) == len(set(drawn))
        assert set(drawn) | known.constants == set(graph.nodes)
