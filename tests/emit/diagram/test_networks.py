"""Networks that figures once showed wrongly, each with what its figure must show."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.emit.diagram import diagram
from archdsl.emit.diagram.figure import ADDS, Card, Figure, Item, Passage
from archdsl.model import load
from tests.emit.diagram.pictures import Picture, read
from tests.emit.diagram.survey import faults

NETWORKS = Path(__file__).parent / "networks"


def drawn(name: str) -> tuple[Figure, Picture]:
    found = load(str(NETWORKS / name)).diagram()
    return found.figure, read(found.svg())


def figure(name: str) -> Figure:
    return diagram(load(str(NETWORKS / name)).graph).figure


def cards(figure: Figure, panel: int = 0) -> list[Card]:
    return [item for item in figure.panels[panel].items if isinstance(item, Card)]


def texts(item: Item) -> str:
    assert isinstance(item, Card)
    return " · ".join([item.title, *item.details])


def test_arguments_that_do_not_fit_the_title_are_read_below_it() -> None:
    _, page = drawn("dilated.arch")
    found = " ".join(text.words for text in page.texts)
    for word in ("dilation 2", "depthwise", "leaky relu 0.2"):
        assert word in found
    assert "…" not in found


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ("conv(32, 3, stride=2, dilation=2, groups=4, pad=2) -> batchnorm -> leaky_relu(0.3) -> dropout(0.25)",
         ["/2", "dilation 2", "4 groups", "batchnorm", "leaky relu 0.3", "dropout 0.25"]),
        ("c: conv(8, 3) -> groupnorm(4) -> elu(0.5)", ["groupnorm, 4 groups", "elu 0.5"]),
        ("c: conv(8, 3) -> prelu(per_channel=true)", ["prelu per channel"]),
        ("c: conv(8, 3) -> hardtanh(low=-2, high=3)", ["low -2", "high 3"]),
        ("c: conv(8, 3) -> gelu(approximate=\"tanh\")", ["gelu tanh"]),
        ("maxpool(3, stride=2, dilation=2)", ["maxpool 3×3, /2", "dilation 2"]),
        ("resize(scale=2, mode=\"bilinear\")", ["resize ×2, bilinear"]),
        ("pad(axis=2, before=1, after=1, mode=\"reflect\")", ["pad 1 + 1, reflect"]),
    ],
)  # fmt: skip
def test_no_argument_that_matters_is_left_out(layers: str, words: list[str], tmp_path: Path) -> None:
    labelled = layers if ": " in layers or "conv" not in layers else f"c: {layers}"
    labelled = labelled.replace("-> batchnorm", "-> n: batchnorm").replace("-> groupnorm", "-> n: groupnorm")
    labelled = labelled.replace("-> prelu", "-> p: prelu")
    spec = tmp_path / "m.arch"
    spec.write_text(f"arch 1\nmodel M {{\n  input x: [N, 32, 16, 16]\n  {labelled}\n  output y\n}}\n")
    page = read(load(str(spec)).diagram().svg())
    found = " · ".join(text.words for text in page.texts)
    for word in words:
        assert word in found, found


def test_a_module_that_runs_twice_is_shared() -> None:
    twice = [card for card in cards(figure("siamese.arch")) if card.title == "Look"]
    assert len(twice) == 2
    assert all("shared" in texts(card) for card in twice)
    assert sum(card.params for card in twice) == 166_721
    assert "Shared: one module in several places" in figure("siamese.arch").caption.text


@pytest.mark.parametrize(("name", "size"), [("long.arch", "C * H + C * W + H * W"), ("wide.arch", "C * (H // 2)")])
def test_a_symbolic_size_too_long_for_its_card_is_in_the_tooltip(name: str, size: str) -> None:
    found, page = drawn(name)
    (first, *_) = (card for card in cards(found) if card.kind == "conv")
    assert size in first.tooltip
    assert page.width <= 523
    assert all(card.width <= 230 for card in cards(found))


@pytest.mark.parametrize(
    "body",
    [
        "flatten -> a: linear(C * H + 7 * W * C + 100) -> relu -> b: linear(C)",
        "concat { a: conv(C * (H // 2 + 1), 3, pad=1); b: conv(C * (W // 3 + 2), 3, pad=1); it }",
        "concat { { a: conv(C * (H // 2 + 1), 3, pad=1) -> relu }; { b: conv(C * (W // 3 + 2), 3, pad=1) -> relu } }",
        "residual { a: conv(C * (H + W), 1) -> b: conv(2 * C + H, 3, pad=1) } shortcut { s: conv(2 * C + H, 1) }",
        "maxpool(7, stride=3) -> avgpool(3, stride=2) -> maxpool(5, stride=3) -> avgpool(2)",
        "s: seq { for i in 0..6 { conv(C * (i + 1) + H * i, 3, pad=1) -> relu } }",
    ],
)
def test_symbolic_sizes_never_break_the_drawing(body: str, tmp_path: Path) -> None:
    spec = tmp_path / "m.arch"
    spec.write_text(f"arch 1\nmodel M {{\n  input x: [N, C, H, W]\n  {body}\n  output y\n}}\n")
    page = read(load(str(spec)).diagram().svg())
    assert not list(faults(page))
    assert page.width <= 523


def test_equal_blocks_with_shortcuts_bear_a_mark_and_no_loop() -> None:
    found = figure("stages.arch")
    folded = [card for card in cards(found) if card.is_folded]
    assert [(card.count, card.mark) for card in folded] == [(6, ADDS), (6, ADDS)]
    assert all(edge.tail != edge.head for edge in found.panels[0].edges)
    assert "+x: residual additions in each." in found.caption.text


def test_a_gate_is_no_shortcut() -> None:
    found = figure("llama.arch")
    assert [card.count for card in cards(found) if card.title == "Layer"] == [32]
    assert [card.title for card in cards(found) if card.is_folded] == ["Layer", "RMSNorm"]
    inside = found.panels[1]
    gate = next(item.id for item in inside.items if getattr(item, "sign", "") == "×")
    assert all(edge.kind == "flow" for edge in inside.edges if edge.head == gate)
    assert [item.text for item in inside.items if isinstance(item, Passage)] == ["identity", "identity"]


def test_parallel_streams_are_as_many_arrows() -> None:
    (panel, *_) = figure("parallel.arch").panels
    (module,) = (item for item in panel.items if isinstance(item, Card) and item.title == "Module3")
    assert module.count == 4
    assert "3 outputs · 18×56×56" in texts(module)
    assert {text for text in ("36×28×28", "72×14×14") if text in texts(module)} == {"36×28×28", "72×14×14"}


def test_equal_turns_of_a_loop_over_parallel_streams_are_one_card() -> None:
    found = figure("parallel_open.arch")
    turns = [card for card in cards(found) if card.is_folded]
    assert [(card.count, card.mark) for card in turns] == [(2, ADDS), (2, ADDS)]
    assert ["2 outputs" in texts(turns[0]), "3 outputs" in texts(turns[1])] == [True, True]
    assert [edge.lines for edge in found.panels[0].edges if edge.tail == turns[0].id] == [1, 2]


def test_a_range_flows_from_nowhere() -> None:
    (panel, *_) = figure("clip.arch").panels
    assert [edge.head for edge in panel.edges if edge.tail == "main-image"] == ["patches"]
    assert [edge.head for edge in panel.edges if edge.tail == "main-text"] == ["words"]
    assert not any(card.title in ("arange", "gather") for card in cards(figure("clip.arch")))


def test_the_block_that_holds_most_is_opened_and_the_attention_in_it() -> None:
    assert [panel.title for panel in figure("dla.arch").panels[1:]][:1] == ["Tree1, level2"]
    layer, *_ = figure("xcit.arch").panels[1:]
    assert layer.title == "Layer, blocks.0"
    assert [card.title for card in cards(figure("xcit.arch"), 1) if card.kind == "attention"] == ["XCA"]


def test_a_block_is_opened_by_its_name() -> None:
    graph = load(str(NETWORKS / "llama.arch")).graph
    (inset,) = diagram(graph, open=["Attention"]).figure.panels[1:]
    assert inset.title == "Attention, layers.0.attn"


def test_axes_and_constant_tables_are_put_into_words() -> None:
    titles = [card.title for card in cards(figure("tables.arch:Tables"))]
    assert titles == ["x", "× constant 8", "linear 8", "× constant 8", "+ constant 8", "mean over h", "linear 4",
                      "linear 4", "y"]  # fmt: skip


def test_where_a_size_must_be_even_its_halves_are_exact() -> None:
    found = figure("tables.arch:Even")
    assert [card.shape for card in cards(found)] == ["3×H×W", "8×H/2×W/2", "4×H×W", "4×H×W"]
    assert "rounded" not in found.caption.text


def test_the_bottom_of_a_u_is_in_the_middle() -> None:
    found, page = drawn("unet.arch")
    boxes = {node.id: node.box for node in page.of("node")}
    panel = found.panels[0]
    up = next(edge.head for edge in panel.edges if edge.is_upward)
    bottom = panel.chain[panel.chain.index(up) - 1]
    left, middle, right = boxes[panel.chain[panel.chain.index(up) - 2]], boxes[bottom], boxes[up]
    assert left is not None
    assert middle is not None
    assert right is not None
    assert middle.middle == pytest.approx((left.middle + right.middle) / 2, abs=2)
    assert middle.top > max(left.bottom, right.bottom)


def test_equal_layers_state_the_parameters_of_each() -> None:
    (found,) = [card for card in cards(figure("stages.arch")) if card.title == "Unit" and "stage1" in texts(card)]
    assert found.params_text == "74.0 k each"
    assert found.params == 6 * 73_984
