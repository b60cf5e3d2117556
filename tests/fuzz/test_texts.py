"""A small share of the long run, and every text that was ever found to do harm."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from .survive import survive
from .texts import KINDS

COUNTS = {"valid": 8, "nearly valid": 40, "mutated": 250, "derived": 500}
FOUND = sorted((Path(__file__).parent / "found").glob("*.arch"))


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_does_harm(kind: str) -> None:
    for number in range(COUNTS[kind]):
        text = KINDS[kind](Random(f"{kind} {number}"))
        try:
            survive(text, emits=number % 20 == 0)
        except Exception as error:
            raise AssertionError(text) from error


@pytest.mark.parametrize("path", FOUND, ids=lambda p: p.stem)
def test_what_was_found_is_mended(path: Path) -> None:
    survive(path.read_text(encoding="utf-8"), emits=True)
