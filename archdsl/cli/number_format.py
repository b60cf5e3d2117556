"""Figures as the terminal shows them: sizes, counts and bytes, exact or short, symbolic ones as text."""

from __future__ import annotations

import re

from archdsl.dims import Size, show

_UNITS = ("", "K", "M", "G", "T", "P", "E")


def exact(size: Size) -> str:
    """``25,557,032``; ``36,864 * H * W``."""
    if isinstance(size, int):
        return f"{size:,}"
    return re.sub(r"\d{4,}", lambda number: f"{int(number.group()):,}", show(size))


def short(size: Size, unit: str = "") -> str:
    """Three digits and a unit: ``4.09 G``, ``602 KB``; nothing for 0."""
    if not isinstance(size, int):
        text = exact(size)
        return text if not unit else f"({text}) {unit}" if len(size.terms) > 1 else f"{text} {unit}"
    if size == 0:
        return ""
    value, power = float(size), 0
    while value >= 999.5 and power < len(_UNITS) - 1:
        value, power = value / 1000, power + 1
    digits = 0 if power == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {_UNITS[power]}{unit}".rstrip()


def in_bytes(size: Size) -> str:
    """Bytes, in powers of 1,000: ``3.21 MB``."""
    return short(size, "B") or "0 B"
