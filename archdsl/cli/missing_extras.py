"""Missing packages of an extra, reported with the command that installs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from archdsl.diagnostics.files import MissingExtra
from archdsl.errors import SpecError


@contextmanager
def training_extra(what: str) -> Iterator[None]:
    """Raises: SpecError if a package of the extra ``train`` cannot be imported."""
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "archdsl"):
            raise
        raise SpecError([MissingExtra(span=None, what=what, package=package, extra="train")]) from None
