"""Types of settings: values are read from an option or from a recipe's TOML by the same rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """``read`` takes text or a TOML value, and raises ValueError if it is not ``what``."""

    what: str
    read: Callable[[Any], Any]
    metavar: str
    choices: tuple[str, ...] = ()


def _number(value: Any, kind: type[int] | type[float]) -> float:
    if isinstance(value, bool) or (kind is int and isinstance(value, float)):
        raise ValueError
    if isinstance(value, str) and not value.isascii():  # Python reads digits of every script
        raise ValueError
    return kind(value)


def number(kind: type[int] | type[float], what: str, holds: Callable[[float], bool], metavar: str = "N") -> Kind:
    def read(value: Any) -> float:
        found = _number(value, kind)
        if not (math.isfinite(found) and holds(found)):
            raise ValueError
        return found

    return Kind(what, read, metavar)


def choice(*names: str) -> Kind:
    return Kind("one of " + ", ".join(names), lambda value: names[names.index(value)], "", names)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(v) for v in ([value] if isinstance(value, str) else value))


MOST = 2**31
"""Integers must be below this, because some libraries store them in 32 bits."""
POSITIVE = number(int, "an integer from 1 and below 2^31", lambda n: 1 <= n < MOST)
NATURAL = number(int, "an integer from 0 and below 2^31", lambda n: 0 <= n < MOST)
SEED = number(int, "an integer from 0 and below 2^63", lambda n: 0 <= n < 2**63)
ABOVE_ZERO = number(float, "a number above 0", lambda x: x > 0, "X")
FROM_ZERO = number(float, "a number from 0", lambda x: x >= 0, "X")
SHARE = number(float, "a number from 0 and below 1", lambda x: 0 <= x < 1, "X")
PART = number(float, "a number above 0 and up to 1", lambda x: 0 < x <= 1, "X")
TEXT = Kind("text", _text, "TEXT")
COUNT_OR_NAMES = Kind(
    "a number or text", lambda value: _text(str(value) if type(value) is int else value), "N or NAMES"
)
TEXTS = Kind("a list of texts", _texts, "TEXT")
SWITCH = Kind("true or false", _switch, "")


def _rates(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ValueError
    return {_text(selector): ABOVE_ZERO.read(rate) for selector, rate in value.items()}


RATES = Kind("a table of learning rates above 0 by selector", _rates, "RATE")


@dataclass(frozen=True)
class Setting:
    """Kind and help of a field of ``Config``. ``metavar`` and ``default`` are shown in the help."""

    kind: Kind
    group: str
    help: str
    metavar: str
    default: str


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return f"default: {'on' if value else 'off'}"
    return "" if value is None else f"default: {value}"


def setting(
    default: Any, kind: Kind, group: str, help: str, *, metavar: str | None = None, shown: str | None = None
) -> Any:
    """Declares a field of ``Config``. ``shown``: text of a default that depends on other settings."""
    text = shown if shown is not None else _default(default)
    about = Setting(kind, group, help, metavar or kind.metavar, text)
    if isinstance(default, dict):
        return field(default_factory=dict, metadata={"setting": about})
    return field(default=default, metadata={"setting": about})
