"""Messages on terminals of several widths: snapshots, and what holds of every line whatever is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from archdsl.checks.report import check
from archdsl.compiler import Spec, open_spec
from archdsl.diagnostics.layout import columns, printable, window, wrap
from archdsl.diagnostics.render import render

HERE = Path(__file__).parent
WIDTHS = (60, 80, 120)


def rendered(path: Path, width: int, colour: bool = False) -> str:
    spec = open_spec(path.name)
    assert isinstance(spec, Spec)
    return render(check(spec).diagnostics, colour, width) + "\n"


@pytest.mark.parametrize("width", WIDTHS)
def test_messages_read_as_written(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "widths")
    shown = rendered(Path("wide.arch"), width)
    golden = Path(f"wide.{width}.err")
    if os.environ.get("ARCHDSL_UPDATE"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["residual", "newcomer", "deep", "characters", "traps"])
@pytest.mark.parametrize("width", [40, *WIDTHS])
def test_no_line_is_wider_than_the_terminal(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "cases")
    for line in rendered(Path(f"{name}.arch"), width).splitlines():
        longest = max(map(len, line.split()), default=0)
        assert cell_len(line) <= width or longest + 8 > width, line  # a path has no place to be broken at


def test_colour_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    import re

    monkeypatch.chdir(HERE / "widths")
    coloured = rendered(Path("wide.arch"), 60, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == rendered(Path("wide.arch"), 60)


LINES = st.text(st.sampled_from("ab ->(){},\t深層é\u0301\u200b\x07"), max_size=80)


@given(LINES, st.integers(0, 80), st.integers(0, 80), st.integers(20, 60))
def test_what_is_underlined_stands_above_its_underline(line: str, at: int, length: int, room: int) -> None:
    start = min(at, len(line))
    end = min(start + length, len(line))
    excerpt = window(line, start, end, room)
    assert cell_len(excerpt.text) <= room
    offset, wide = excerpt.columns_of(start, end)
    before, shown, after = excerpt.parts(start, end)
    assert before + shown + after == excerpt.text
    assert (offset, wide) == (cell_len(before), max(1, cell_len(shown)))
    assert printable(line[start:end]).startswith(shown)
    assert shown or start == end or cell_len(printable(line[start:end])) == 0


@given(st.text(st.sampled_from("ab 深é\u0301"), max_size=120), st.integers(20, 60), st.integers(0, 10))
def test_wrapping_loses_nothing(text: str, width: int, indent: int) -> None:
    lines = wrap(text, width, indent, 4)
    assert " ".join(lines) == text
    for number, line in enumerate(lines):
        room = width - (indent if number == 0 else 4)
        assert columns(line) <= room or " " not in line.strip(" ")
