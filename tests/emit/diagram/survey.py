"""Checks the figure of every shipped model: ``python -m tests.emit.diagram.survey [MODEL …] [--images FOLDER]``.

No text outside its card, no card on another, no line through a card, every text at least 6 pt on the page. With
``--images`` the figures are written as SVG, to be looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from archdsl.compiler import open_spec, shipped_specs
from archdsl.diagnostics.base import Diagnostic
from archdsl.model import load
from tests.emit.diagram.pictures import Picture, read

SLACK = 1.0
"""Points by which a text may leave its card: renderers place texts by the widths of their own fonts."""
TOUCH = 2.0
"""Points by which a line may enter a card that it does not join: Graphviz rounds its curves."""
SMALLEST = 6.0


def faults(page: Picture) -> Iterator[str]:
    """What is wrong with a figure, one line each."""
    yield from too_small(page)
    yield from misplaced(page)
    yield from overlaps(page)
    yield from crossings(page)


def too_small(page: Picture) -> Iterator[str]:
    """Texts that cannot be read on the page."""
    for text in page.texts:
        if text.size * page.scale < SMALLEST - 0.05:
            yield f"`{text.words}` is {text.size * page.scale:.1f} pt high"


def misplaced(page: Picture) -> Iterator[str]:
    """Texts outside their cards, or on another text."""
    for node in page.of("node"):
        for text in node.texts:
            if node.box is not None and not node.box.holds(text.box, SLACK):
                yield f"`{text.words}` leaves the card {node.id}"
        for number, text in enumerate(node.texts):
            for other in node.texts[number + 1 :]:
                if abs(text.box.bottom - other.box.bottom) < 3 and text.box.overlaps(other.box):
                    yield f"`{text.words}` touches `{other.words}`"


def overlaps(page: Picture) -> Iterator[str]:
    """Cards that lie on each other."""
    boxes = [(node.id, node.box) for node in page.of("node") if node.box is not None]
    for number, (one, box) in enumerate(boxes):
        for other, second in boxes[number + 1 :]:
            if box.overlaps(second):
                yield f"{one} lies on {other}"


def crossings(page: Picture) -> Iterator[str]:
    """Lines that lead through cards."""
    boxes = [(node.id, node.box) for node in page.of("node") if node.box is not None]
    for edge in page.of("edge"):
        for name, box in boxes:
            joins = edge.id.startswith(f"{name}--") or f"--{name}" in edge.id
            if not joins and any(box.has(point, TOUCH) for point in edge.curve):
                yield f"the line {edge.id} leads through {name}"


NETWORKS = sorted((Path(__file__).parent / "networks").glob("*.arch"))
"""Networks of kinds that have been drawn badly: parallel streams, two towers, gates, tables, long symbolic sizes."""


def models(paths: Iterable[Path]) -> list[list[str]]:
    """For each file the models that need no argument."""
    found = []
    for path in paths:
        spec = open_spec(str(path))
        assert not isinstance(spec, Diagnostic)
        found.append([f"{path}:{name}" for name in spec.buildable])
    return [names for names in found if names]


def sample() -> list[str]:
    """One model of each file."""
    return [names[0] for names in models([*shipped_specs(), *NETWORKS])]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="default: all that ship")
    parser.add_argument("--images", type=Path, help="a folder for the figures as SVG")
    args = parser.parse_args()
    wrong = 0
    for name in args.models or chain.from_iterable(models([*shipped_specs(), *NETWORKS])):
        svg = load(name).diagram().svg()
        short = name.rpartition("/")[2]
        if args.images is not None:
            args.images.mkdir(parents=True, exist_ok=True)
            (args.images / f"{short.replace(':', '-')}.svg").write_text(svg, encoding="utf-8")
        for fault in faults(read(svg)):
            print(f"{short}: {fault}")
            wrong += 1
    print(f"{wrong} faults")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
