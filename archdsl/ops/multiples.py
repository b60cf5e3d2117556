"""What to do about a size that is no multiple of another: words for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.dims import Dim

if TYPE_CHECKING:
    from archdsl.dims import Size

MAX_SHOWN = 8
"""Divisors that are listed."""
MAX_SIZE = 100_000
"""The largest number whose divisors are looked for."""


def divided_by(size: Size, by: Size) -> str | None:
    """``16 is divisible by 1, 2, 4, 8, 16``; None where it is divisible by this number, or not known."""
    if isinstance(size, Dim) or isinstance(by, Dim) or size % by == 0 or size > MAX_SIZE:
        return None
    found = [n for n in range(1, size + 1) if size % n == 0]
    more = ", …" if len(found) > MAX_SHOWN else ""
    return f"{size} is divisible by {', '.join(map(str, found[:MAX_SHOWN]))}{more}"


def padded_to(axis: int, size: Size, of: Size) -> str | None:
    """The layer that pads an axis to the next multiple, and the multiples nearby; None where they are not known."""
    if isinstance(of, Dim) or (isinstance(size, int) and size % of == 0):
        return None
    if isinstance(size, Dim):
        return f"`pad(axis={axis}, after=-{size} % {of})` makes it a multiple" if str(size).isidentifier() else None
    below, above = size - size % of, size + -size % of
    near = f"{below} or {above}" if below else f"{above}"
    return f"`pad(axis={axis}, after={-size % of})` makes it a multiple; multiples nearby: {near}"
