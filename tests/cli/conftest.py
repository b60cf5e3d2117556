"""Commands, run in this process as a user would type them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from archdsl.cli import main


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def archdsl(capsys: pytest.CaptureFixture[str]):
    """``archdsl("check", "lenet5")``: its exit code and what it printed."""

    def run(*argv: str | Path) -> Ran:
        capsys.readouterr()
        try:
            code = main([str(a) for a in argv])
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else 2
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def spec(tmp_path: Path):
    """Writes a spec into the test's folder."""

    def write(text: str, name: str = "net.arch") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
