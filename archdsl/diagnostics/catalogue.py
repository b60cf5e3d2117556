"""All kinds of diagnostics by their codes."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import archdsl.diagnostics
from archdsl.diagnostics.base import Diagnostic


@cache
def catalogue() -> dict[str, type[Diagnostic]]:
    """Every class that has a code, in order of code.

    Raises:
        ValueError: two have the same.
    """
    for module in iter_modules(archdsl.diagnostics.__path__):
        import_module(f"archdsl.diagnostics.{module.name}")
    found: dict[str, type[Diagnostic]] = {}
    for kind in _below(Diagnostic):
        if "code" in kind.__dict__ and found.setdefault(kind.code, kind) is not kind:
            raise ValueError(f"{kind.code} is both {found[kind.code].__name__} and {kind.__name__}")
    return dict(sorted(found.items()))


def _below(kind: type[Diagnostic]) -> list[type[Diagnostic]]:
    return [k for child in kind.__subclasses__() for k in (child, *_below(child))]
