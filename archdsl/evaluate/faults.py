"""How faults travel: as exceptions, from where they are found to the statement that reports them.

One fault gives one message: the names that the statement would have bound become ``ERROR``, and whatever touches those
is left out in silence.
"""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic


class Fault(Exception):
    """A diagnostic on its way to the statement that catches it."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class UsesErrorValue(Exception):
    """Something that is ``ERROR`` was touched: its fault is reported already."""


class Abort(Exception):
    """The spec is beyond what is built; its diagnostic is reported already."""
