"""Every code has its page, the page is current, its wrong example gets exactly that message and its fixed one none."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from archdsl.diagnostics.catalogue import catalogue

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import diagnostic_pages  # noqa: E402

SHOWN = re.compile(r"^(?:archdsl\.errors\.SpecError: )?(?:error|warning)\[(A\d{4})\]", re.MULTILINE)


@pytest.mark.parametrize("code", catalogue())
def test_a_page_is_current_and_its_example_gets_exactly_this_message(code: str) -> None:
    written = (DOCS / "diagnostics" / f"{code}.md").read_text(encoding="utf-8")
    assert diagnostic_pages.page(code) == written, "run: python docs/generate.py"
    assert SHOWN.findall(written) == [code]


def test_every_page_is_of_a_code() -> None:
    assert {p.name for p in (DOCS / "diagnostics").glob("*.md")} == {*(f"{c}.md" for c in catalogue()), "README.md"}
    assert (DOCS / "diagnostics" / "README.md").read_text(encoding="utf-8") == diagnostic_pages.index()


@pytest.mark.parametrize("code", catalogue())
def test_a_diagnostic_says_what_it_means(code: str) -> None:
    assert diagnostic_pages.summary(catalogue()[code])
    assert re.fullmatch(r"A0[1-8]\d\d", code)
