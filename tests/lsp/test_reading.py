"""Reading a text again: what comes out is what parsing the whole gives, with every place where it is now."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from archdsl.lsp.reading import Reader
from archdsl.source import Source
from archdsl.syntax import tree
from archdsl.syntax.parse import parse

ROOT = Path(__file__).parents[2]


def places(file: tree.File) -> list[tuple[type, int, int, str]]:
    assert all(node.span.source is file.source for definition in file.definitions for node in tree.walk(definition))
    return [(type(n), n.span.start, n.span.end, n.span.text) for d in file.definitions for n in tree.walk(d)]


@pytest.mark.parametrize("name", ["specs/resnet.arch", "examples/tiny.arch", "specs/torchvision/regnet.arch"])
def test_edits(name: str) -> None:
    random, reader = Random(0), Reader()
    text = (ROOT / name).read_text(encoding="utf-8")
    for _ in range(12):
        at = random.randrange(len(text))
        edited = text[:at] + random.choice(["\n", " ", "# x\n", "(", "relu\n", "}"]) + text[at:]
        for version in (edited, text):
            file, problems = reader.read(Source("<test>", version))
            whole, wrong = parse(Source("<test>", version))
            assert places(file) == places(whole)
            assert [p.code for p in problems] == [p.code for p in wrong]
