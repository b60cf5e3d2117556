"""Functions of numbers, lists and sizes that the language has without a definition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from archdsl.dims import Dim, dmax, dmin

MAX_LIST = 400_000
"""No list is longer: the largest tables of networks, of pairs of positions in a window of 24, are shorter."""


def _fold(pick: Callable[[Any, Any], Any], plain: Callable[..., Any]) -> Callable[..., Any]:
    def run(*values: Any) -> Any:
        items = list(values[0] if len(values) == 1 and isinstance(values[0], Iterable) else values)
        if not any(isinstance(v, Dim) for v in items):
            return plain(items)
        best = items[0]
        for item in items[1:]:
            best = pick(best, item)
        return best

    return run


def _whole(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Rounding: a size is whole already, and a quotient of sizes becomes one."""

    def run(value: Any) -> Any:
        rounded = value if isinstance(value, Dim) else function(value)
        return rounded if isinstance(rounded, Dim) else int(rounded)

    return run


def _absolute(value: Any) -> Any:
    return dmax(value, -value) if isinstance(value, Dim) else abs(value)


def _enumerate(values: Any) -> list[list[Any]]:
    return [[i, v] for i, v in enumerate(values)]


def _zip(*lists: Any) -> list[list[Any]]:
    if len({len(items) for items in lists}) > 1:
        raise ValueError(f"the lists have {' and '.join(str(len(items)) for items in lists)} elements")
    return [list(row) for row in zip(*lists, strict=True)]


def _prod(values: Any) -> Any:
    result: Any = 1
    for value in values:
        result = result * value
    return result


def _sum(values: Any) -> Any:
    result: Any = 0
    for value in values:
        result = result + value
    return result


NUMERIC: dict[str, Callable[..., Any]] = {
    "int": _whole(int),
    "round": _whole(round),
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "abs": _absolute,
    "sign": lambda v: (v > 0) - (v < 0),
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "log2": math.log2,
    "sin": math.sin,
    "cos": math.cos,
    "max": _fold(dmax, max),
    "min": _fold(dmin, min),
}
"""On numbers; those that are also operators act on values too."""

LISTS: dict[str, Callable[..., Any]] = {
    "sum": _sum,
    "prod": _prod,
    "len": len,
    "enumerate": _enumerate,
    "reversed": lambda values: list(values)[::-1],
    "zip": _zip,
    "sorted": sorted,
}
