"""Widths of texts, and how they are shortened and wrapped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.emit.diagram.text import SIZE, SMALL, TIE, plain, shorten, width, wrap
from archdsl.emit.diagram.theme import THEMES

PRINTED = "".join(map(chr, range(32, 127))) + "×—…±"
NARROW = "·–−²³°" + TIE


@pytest.mark.parametrize(("bold", "font"), [(False, "Helvetica"), (True, "Helvetica-Bold")])
def test_widths_are_helveticas(bold: bool, font: str) -> None:
    metrics = pytest.importorskip("reportlab.pdfbase.pdfmetrics")
    for letter in PRINTED:
        assert width(letter, 1000, bold) == pytest.approx(metrics.stringWidth(letter, font, 1000), abs=1), letter


def test_no_character_is_narrower_than_any_renderer_takes_it_to_be() -> None:
    metrics = pytest.importorskip("reportlab.pdfbase.pdfmetrics")
    for letter in NARROW:
        assert width(letter, 1000) >= metrics.stringWidth(letter.replace(TIE, " "), "Helvetica", 1000), letter
        assert width(letter, 1000) >= width(" ", 1000) * len(letter.encode()), letter


@given(st.text(), st.floats(1, 300))
def test_a_shortened_text_has_room(text: str, room: float) -> None:
    short = shorten(text, room)
    assert width(short) <= room or short == "…"
    assert short == text or short.endswith("…")


@given(
    st.lists(st.text(st.characters(exclude_characters=" "), min_size=1), min_size=1).map(" ".join), st.floats(50, 400)
)
def test_wrapping_keeps_every_word_and_the_room(text: str, room: float) -> None:
    lines = wrap(text, room, SMALL)
    assert " ".join(lines) == text
    assert all(width(line, SMALL) <= room for line in lines if " " in line)


def test_lines_are_of_about_the_same_length() -> None:
    lines = wrap("one two three four five six seven eight", 120, SIZE)
    assert len(lines) == 2
    assert abs(width(lines[0]) - width(lines[1])) < 40


def test_a_number_keeps_its_unit() -> None:
    assert wrap(f"about 4.09{TIE}GMACs", 40, SIZE) == ["about", f"4.09{TIE}GMACs"]


@given(st.text())
def test_plain_text_is_one_printable_line(text: str) -> None:
    assert plain(text).replace(TIE, " ").isprintable()
    assert len(plain(text)) == len(text)


# ---- colours -----------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_every_text_stands_out(theme) -> None:
    for paint in theme.cards.values():
        assert contrast(paint.text, paint.fill) >= 4.5
        assert contrast(theme.dim, paint.fill) >= 4.5
        assert contrast(theme.page, paint.stroke) >= 4.5  # the number in a badge
        assert contrast(paint.stroke, theme.page) >= 3  # an outline
    for ground in (theme.page, theme.cluster.fill):
        assert contrast(theme.skip, ground) >= 4.5
        assert contrast(theme.cards["io"].text, ground) >= 4.5
        assert contrast(theme.edge, ground) >= 4.5
    assert contrast(theme.dim, theme.page) >= 4.5


def test_themes_paint_the_same_kinds() -> None:
    light, dark = THEMES.values()
    assert light.cards.keys() == dark.cards.keys()
