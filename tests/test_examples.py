"""The examples do what they say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from archdsl.checks.report import check
from archdsl.compiler import Spec, open_spec

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.arch")), ids=lambda p: p.stem)
def test_every_claim_holds(path: Path) -> None:
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    report = check(spec)
    assert report.ok, report.diagnostics
    assert report.claims


@pytest.mark.parametrize("path", sorted((EXAMPLES / "lessons").rglob("*.arch")), ids=lambda p: p.stem)
def test_the_specs_of_the_lessons_are_right(path: Path) -> None:
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    report = check(spec)
    assert not report.diagnostics


def test_widths_needs_no_torch(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "widths.py"), run_name="__main__")
    assert "4,231,976    568,740,352" in capsys.readouterr().out


def test_a_torchvision_checkpoint_loads(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torchvision")
    runpy.run_path(str(EXAMPLES / "torchvision_checkpoint.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert out.startswith("25,557,032 parameters")
    assert float(out.rsplit(" ", 1)[1]) <= 1e-4
