"""The DOT of figures: the same bytes everywhere, and nothing in a name can break out of its place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.emit.diagram import diagram
from archdsl.emit.diagram import render as rendering
from archdsl.emit.diagram.dot import dot
from archdsl.emit.diagram.figure import Caption, Card, Edge, Figure, Fork, Join, Junction, Link, Panel, Passage
from archdsl.emit.diagram.theme import DARK, LIGHT
from archdsl.model import load
from tests.emit.diagram.pictures import read

SNAPSHOTS = Path(__file__).parent / "snapshots"


def everything() -> Figure:
    """Every kind of item, once."""
    main = Panel(
        "main",
        (
            Card("in", "io", "image", shape="3×8×8", width=120),
            Card("conv", "conv", "conv 3×3, 8", ("relu",), "8×8×8", 224, "224", count=2, width=120),
            Card(
                "unit", "block", "Unit", ("unit · width 8",), "8×8×8", 1000, "1.00 k", 3, ("A",), True, "+x",
                residuals=3, tooltip="unit.0 to unit.2", width=120,
            ),
            Link("to-1", 1),
            Link("from-1", 1),
            Card("flat", "reshape", "flatten", shape="512", width=120),
            Card("out", "io", "logits", shape="10", width=120),
        ),
        (
            Edge("in", "conv", weight=1000),
            Edge("conv", "unit", weight=1000),
            Edge("unit", "to-1", weight=1000, lines=2),
            Edge("from-1", "flat", weight=1000),
            Edge("flat", "out", weight=1000),
        ),
        ("in", "conv", "unit", "flat", "out"),
        rows=(("in", "from-1"),),
    )  # fmt: skip
    inset = Panel(
        "A",
        (
            Card("x", "io", "x", shape="8×8×8", width=80),
            Fork("fork", 2, 2 * 94.4),
            Card("left", "conv", "conv 1×1, 4", width=80),
            Card("right", "pool", "maxpool 3×3", shape="4", width=80),
            Join("join", 2, "concat", "8×8×8", 2 * 94.4),
            Passage("same"),
            Card("project", "conv", "conv 1×1, 8", is_aside=True),
            Junction("add", "+", residuals=1),
        ),
        (
            Edge("x", "fork", weight=1000),
            Edge("fork", "left", tail_branch=0),
            Edge("fork", "right", tail_branch=1),
            Edge("left", "join", head_branch=0),
            Edge("right", "join", head_branch=1),
            Edge("join", "add", weight=1000),
            Edge("x", "same", "skip"),
            Edge("same", "add", "skip"),
            Edge("x", "project", "skip"),
            Edge("project", "add", "skip"),
        ),
        ("x", "fork", "left", "join", "add"),
        "A",
        "Unit, unit.0",
    )
    caption = Caption(
        "Net.", ("1,224 parameters.",), ("Orange: a shortcut.", "A: opened at the right."), (("conv", "pool"),)
    )
    return Figure("Net", (main, inset), caption)


def compare(name: str, text: str) -> None:
    """Set ARCHDSL_SNAPSHOTS=write to accept what is drawn now; then look at the pictures."""
    path = SNAPSHOTS / name
    if os.environ.get("ARCHDSL_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "theme"), [("light", LIGHT), ("dark", DARK)])
def test_every_kind_of_item(name: str, theme: object) -> None:
    compare(f"everything_{name}.dot", dot(everything(), theme))  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", ["lenet5", "resnet50", "inception:InceptionReduced"])
def test_shipped_specs(spec: str) -> None:
    compare(f"{spec.partition(':')[0]}.dot", diagram(load(spec).graph).dot)


PROGRAM = """
import sys
from archdsl.model import load
sys.stdout.buffer.write(b"".join(load(s).diagram().dot.encode() for s in ("resnet50", "googlenet")))
"""


def test_the_same_bytes_for_every_hash_seed_folder_and_locale(tmp_path: Path) -> None:
    package = str(Path(__file__).parents[3])
    told = set()
    for seed, folder, language in (
        ("0", package, "C"),
        ("1", str(tmp_path), "de_DE.UTF-8"),
        ("77", "/", "tr_TR.UTF-8"),
    ):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": package, "LC_ALL": language, "LANG": language}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=folder, env=environment, capture_output=True, check=True
        )
        told.add(done.stdout)
    assert len(told) == 1
    assert told.pop().startswith(b"digraph")


# ---- hostile names -----------------------------------------------------------------------------------------

HOSTILE = [
    "</TD></TR></TABLE>>];evil [label=x",
    "<IMG SRC='/etc/passwd'/>",
    'quote " and \\N \\G \\l back\\',
    "&amp; &#0; & <b>",
    "two\nlines\r\ttabs\x00\x1b[31m",
    "%s {} ${HOME} `ls`",
    "日本語 ١٢٣ 🧠 \u202e reversed",
    "<<B>html</B>>",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("program", [rendering.pure_dot(), rendering.system_dot()])
def test_names_stay_in_their_places(name: str, program: Path | None) -> None:
    if program is None:
        pytest.skip("this renderer is not installed")
    card = Card("a", "conv", name, (name,), "8", 8, "8", 2, ("A",), True, tooltip=name, width=300)
    other = Card("b", "linear", name, tooltip=name, is_aside=True)
    chain = (card, other, Junction("c", "+", tooltip=name), Join("d", 2, name, "8", 300))
    edges = (Edge("a", "b"), Edge("b", "c"), Edge("c", "d"))
    panels = (
        Panel("main", chain, edges, ("a", "b", "c", "d")),
        Panel("A", (Card("x", "io", name, width=200),), (), ("x",), "A", name),
    )
    figure = Figure(name, panels, Caption(name, (name,), (name,)))
    drawn = rendering.run(program, dot(figure, LIGHT), "svg")
    assert isinstance(drawn, bytes), drawn
    page = read(drawn.decode())
    assert {node.id for node in page.of("node")} == {"a", "b", "c", "d", "x"}
    assert not list(page.root.iter("{http://www.w3.org/2000/svg}image"))
    shown = "".join(text.words for text in page.texts)
    for letter in name:
        assert letter in shown or not letter.isprintable()


def test_a_name_too_long_is_shortened_and_told_in_full_by_the_tooltip() -> None:
    card = Card("a", "conv", "conv " * 40, tooltip="conv " * 40, width=100)
    text = dot(Figure("N", (Panel("main", (card,), (), ("a",)),), Caption("N.", ("",), ())), LIGHT)
    assert "…" in text
    assert "conv " * 40 in text
