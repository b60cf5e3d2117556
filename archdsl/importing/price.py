"""The length of a text in words: what is shortest is written."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from archdsl.importing.calls import Value
from archdsl.importing.tree import Body, Do, For, If, Literal


def price(part: Any) -> float:
    """About how many words a part of a text has."""
    match part:
        case Literal(value=tuple() as items):
            return 1 + len(items)
        case Literal():
            return 1
        case str():
            return 1
        case tuple():
            return sum(map(price, part))
        case Do() | Body() | For() | If():
            return 1 + sum(price(getattr(part, f.name)) for f in fields(part) if f.name != "starts")
        case _ if is_dataclass(part) and not isinstance(part, Value | type):
            return sum(price(getattr(part, f.name)) for f in fields(part))
    return 0
