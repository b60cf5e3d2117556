"""What a reader sees, measured in the figures of a model of each shipped spec, by both renderers.

`tests.emit.diagram.survey` checks all models.
"""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings

from archdsl.compiler import build as build_model
from archdsl.compiler import open_spec
from archdsl.diagnostics.base import Diagnostic
from archdsl.emit.diagram import Diagram, diagram
from archdsl.emit.diagram import render as rendering
from archdsl.emit.diagram.figure import Card, Figure
from archdsl.graph import Graph
from archdsl.model import load
from tests.emit.diagram.pictures import (
    DENSENET,
    HEADS,
    SHUFFLENET,
    SVG,
    TOWERS,
    UNET,
    VIT,
    Picture,
    network,
    networks,
    read,
)
from tests.emit.diagram.survey import faults, misplaced, overlaps, sample

TEXTS = {
    "UNet": UNET, "DenseNet": DENSENET, "ViT": VIT, "ShuffleNet": SHUFFLENET, "Towers": TOWERS, "Heads": HEADS,
}  # fmt: skip


@cache
def graph(name: str) -> Graph:
    if name in TEXTS:
        return network(TEXTS[name], name)
    spec = open_spec(name)
    assert not isinstance(spec, Diagnostic)
    built = build_model(spec, spec.buildable[name.rpartition(":")[2]], {}, {})
    assert built.graph is not None
    return built.graph


@cache
def figure(name: str) -> Figure:
    return diagram(graph(name)).figure


@cache
def picture(name: str, renderer: str) -> Picture:
    program = rendering.pure_dot() if renderer == "graphviz-pure" else rendering.system_dot()
    assert program is not None
    drawn = rendering.run(program, diagram(graph(name)).dot, "svg")
    assert isinstance(drawn, bytes), drawn
    return read(drawn.decode())


@pytest.fixture(params=["graphviz-pure", "dot"])
def renderer(request: pytest.FixtureRequest) -> str:
    if request.param == "dot" and rendering.system_dot() is None:
        pytest.skip("Graphviz's dot is not installed")
    return request.param


SAMPLE = sample()
ALL = pytest.mark.parametrize("name", [*SAMPLE, *TEXTS], ids=lambda n: n.rpartition("/")[2])


@ALL
def test_a_model_fits_a_page(name: str, renderer: str) -> None:
    page = picture(name, renderer)
    assert page.width <= 523
    assert page.height <= 770


@ALL
def test_texts_lie_in_their_cards_apart_and_lines_round_them(name: str, renderer: str) -> None:
    assert not list(faults(picture(name, renderer)))


@ALL
def test_straight_chains_are_vertical(name: str, renderer: str) -> None:
    boxes = {node.id: node.box for node in picture(name, renderer).of("node")}
    for panel in figure(name).panels:
        breaks = {name for row in panel.rows for name in row}
        for edge in panel.edges:
            if edge.weight >= 1000 and not {edge.tail, edge.head} <= breaks:
                above, below = boxes[edge.tail], boxes[edge.head]
                assert above is not None
                assert below is not None
                assert above.middle == pytest.approx(below.middle, abs=0.6), (edge.tail, edge.head)


@ALL
def test_what_is_planned_is_drawn(name: str, renderer: str) -> None:
    page = picture(name, renderer)
    assert {node.id for node in page.of("node")} == {item.id for item in figure(name).items()}
    drawn = {edge.id for edge in page.of("edge") if {"flow", "skip"} & edge.classes}
    assert drawn == {line for panel in figure(name).panels for edge in panel.edges for line in edge.ids}


@settings(max_examples=15)
@given(networks())
def test_any_network_is_drawn_without_collisions(graph: Graph) -> None:
    program = rendering.pure_dot()
    assert program is not None
    drawn = rendering.run(program, diagram(graph).dot, "svg")
    assert isinstance(drawn, bytes), drawn
    page = read(drawn.decode())
    assert not [*misplaced(page), *overlaps(page)]


def test_the_card_column_is_as_wide_everywhere() -> None:
    items = diagram(load("resnet50").graph).figure.panels[0].items
    assert len({item.width for item in items if isinstance(item, Card)}) == 1


def test_an_svg_says_what_it_shows_and_names_fonts_that_exist_elsewhere() -> None:
    drawn: Diagram = diagram(graph("Towers"))
    root = read(drawn.svg()).root
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert "Towers" in (root[0].text or "")
    assert root[1].tag == f"{SVG}desc"
    assert "parameters" in (root[1].text or "")
    families = {text.family for text in read(drawn.svg()).texts}
    assert families == {"Arial, Helvetica, 'Liberation Sans', Arimo, sans-serif"}
