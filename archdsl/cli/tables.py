"""Tables on a terminal, by rich: as wide as needed, at most as wide as the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from archdsl.cli.common import wants_color, width_of

if TYPE_CHECKING:
    from rich.console import RenderableType

UNLIMITED = 1_000
"""Columns if the output is not a terminal."""


def terminal_width() -> int:
    return width_of(sys.stdout) or UNLIMITED


def show(*parts: RenderableType, width: int) -> None:
    """Print tables and text, each from a new line, in so many columns."""
    from rich.console import Console

    color = wants_color(sys.stdout)
    console = Console(width=width, no_color=not color, force_terminal=color, highlight=False)
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    for line in captured.get().splitlines():
        print(line.rstrip())
