"""What a person sees: every spec in `cases/` with the diagnostics beside it, to the letter.

ARCHDSL_UPDATE=1 writes them anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archdsl.checks.report import check
from archdsl.compiler import Spec, open_spec
from archdsl.diagnostics.render import render

CASES = sorted((Path(__file__).parent / "cases").glob("*.arch"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_diagnostics_read_as_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    spec = open_spec(path.name)
    assert isinstance(spec, Spec)
    shown = render(check(spec).diagnostics) + "\n"
    golden = path.with_suffix(".err")
    if os.environ.get("ARCHDSL_UPDATE"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")
