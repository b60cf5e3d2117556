"""How a fault reaches a caller of the Python API."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.render import render


class SpecError(Exception):
    """A spec, or what is to be done with it, is wrong. Its text is the diagnostics, as a terminal shows them."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return render(self.diagnostics)
