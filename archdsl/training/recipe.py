"""Recipes: settings of a run as TOML. Every key is a setting, and is overridden by the flag of its name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.diagnostics.files import CannotRead
from archdsl.diagnostics.nearest import did_you_mean, nearest
from archdsl.diagnostics.training import BadRecipe, BadRecipeValue, UnknownSetting
from archdsl.errors import SpecError
from archdsl.source import Source, Span
from archdsl.training.config import SETTINGS, Config

SHIPPED = Path(__file__).parent / "recipes"
MAX_BYTES = 1 << 20
"""No recipe is larger."""


def shipped() -> dict[str, Path]:
    """The recipes that come with archdsl, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def read(name: str) -> dict[str, Any]:
    """The settings in a recipe: a path, or the name of a shipped one.

    Raises: SpecError, with all that is wrong in it and where.
    """
    path = shipped().get(name, Path(name))
    source = Source(str(path), _text(path))
    try:
        table = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError([_syntax(source, error)]) from None
    values: dict[str, Any] = {}
    faults: list[Diagnostic] = []
    for key, value in table.items():
        found = _value(source, key, value)
        if isinstance(found, Diagnostic):
            faults.append(found)
        else:
            values[key.replace("-", "_")] = found[0]
    if faults:
        raise SpecError(faults)
    return values


def text(config: Config) -> str:
    """All settings of a run as a recipe; those that are None are left out."""
    import tomli_w

    values = {name: _plain(value) for name, value in asdict(config).items() if value is not None}
    return tomli_w.dumps(values)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(path: Path) -> str:
    try:
        found = path.stat()
        if found.st_size > MAX_BYTES:
            raise SpecError([CannotRead(span=None, path=str(path), reason="it is too large for a recipe")])
        if not (S_ISREG(found.st_mode) or S_ISDIR(found.st_mode)):
            raise SpecError([CannotRead(span=None, path=str(path), reason="it is a device or a pipe")])
        return path.read_text(encoding="utf-8")
    except OSError as error:
        advice = did_you_mean(str(path), shipped()) or f"shipped recipes: {', '.join(shipped())}"
        reason = error.strerror or str(error)
        raise SpecError([CannotRead(span=None, path=str(path), reason=reason, advice=advice)]) from None
    except UnicodeDecodeError:
        raise SpecError([CannotRead(span=None, path=str(path), reason="it is not UTF-8 text")]) from None


def _value(source: Source, key: str, value: Any) -> Diagnostic | tuple[Any]:
    place = _place(source, key)
    about = SETTINGS.get(key.replace("-", "_"))
    if about is None:
        meant = nearest(key.replace("-", "_"), SETTINGS)
        edits = (Edit(place, meant),) if meant and place.text == key else ()
        return UnknownSetting(span=place, name=key, advice=did_you_mean(key.replace("-", "_"), SETTINGS), edits=edits)
    try:
        if isinstance(value, str) and about.kind.metavar in ("N", "X"):
            raise ValueError  # a flag is text, a recipe has numbers
        return (about.kind.read(value),)
    except (ValueError, TypeError):
        return BadRecipeValue(span=place, name=key, wanted=about.kind.what)


def _place(source: Source, key: str) -> Span:
    """Where a key of the top level stands: as `key =`, in quotes, dotted, or as a table."""
    name = re.escape(key)
    found = re.search(rf"""^[ \t]*\[?[ \t]*(["']?)({name})\1[ \t]*[=.\]]""", source.text, re.MULTILINE)
    return Span(source, *found.span(2)) if found else Span(source, 0, 0)


def _syntax(source: Source, error: tomllib.TOMLDecodeError) -> Diagnostic:
    reason, _, _ = str(error).partition(" (at ")
    found = re.search(r"line (\d+), column (\d+)", str(error))
    offset = len(source.text)
    if found:
        lines = source.text.splitlines(keepends=True)
        offset = sum(map(len, lines[: int(found[1]) - 1])) + int(found[2]) - 1
    return BadRecipe(span=Span(source, min(offset, len(source.text)), offset + 1), reason=reason)


def resolved(recipe: str | None, given: Mapping[str, Any]) -> Config:
    """The settings of a new run: of the recipe, overridden by those ``given``.

    Raises: SpecError, where the recipe is wrong.
    """
    return Config(**{**(read(recipe) if recipe else {}), **given})
