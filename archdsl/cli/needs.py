"""Packages of an extra that are missing are told as what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from archdsl.diagnostics.files import MissingExtra
from archdsl.errors import SpecError


@contextmanager
def training_extra(what: str) -> Iterator[None]:
    """Raises: SpecError, where something of the extra ``train`` cannot be imported in here."""
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "archdsl"):
            raise
        raise SpecError([MissingExtra(span=None, what=what, package=package, extra="train")]) from None
