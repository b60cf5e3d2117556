"""The terminal sessions of the tutorials: run in one folder each, they print what the pages show."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.fixture(scope="module")
def tutorials():
    specification = importlib.util.spec_from_file_location("tutorials", ROOT / "docs" / "tutorials.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_session_prints_what_the_page_shows(tutorials, page: Path, tmp_path: Path) -> None:
    written = page.read_text(encoding="utf-8")
    found = tutorials.filled(written, tmp_path)
    assert _without_lengths(found) == _without_lengths(written), "run: python docs/tutorials.py"
    shown = [line for block in tutorials._BLOCK.finditer(written) if block["language"] == "console"
             for line in block["text"].splitlines()]  # fmt: skip
    assert sum(line.startswith("$ archdsl ") for line in shown) >= 5
    assert max(len(line) for line in shown if not line.startswith("$ ") and "::" not in line and "&" not in line) <= 80


def _without_lengths(text: str) -> str:
    """The text without the length of emitted source, which its own tests hold."""
    return re.sub(r"\d+ lines, proved", "lines, proved", text)
