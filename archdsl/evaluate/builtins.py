"""Functions of numbers, lists and sizes that the language has without a definition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from archdsl.dims import Dim, Size, dmax, dmin
from archdsl.evaluate.quotient import Quotient
from archdsl.evaluate.values import Builtin, Number, OpLayer, SpecList, SpecValue
from archdsl.init import INITS
from archdsl.ops import OPS_BY_NAME
from archdsl.syntax import tree

MAX_LIST = 400_000
"""No list is longer: the largest tables of networks, of pairs of positions in a window of 24, are shorter."""


def _fold(pick: Callable[[Any, Any], Size], plain: Callable[[Any], SpecValue]) -> Callable[..., SpecValue]:
    def run(*values: Any) -> SpecValue:
        items: list[Any] = [*values[0]] if len(values) == 1 and isinstance(values[0], Iterable) else [*values]
        if not any(isinstance(v, Dim) for v in items):
            return plain(items)
        best = items[0]
        for item in items[1:]:
            best = pick(best, item)
        return best

    return run


def _whole(function: Callable[[Any], Size]) -> Callable[[Any], Size]:
    """Rounding: a size is whole already, and a quotient of sizes becomes one."""

    def run(value: Number | Quotient) -> Size:
        rounded = value if isinstance(value, Dim) else function(value)
        return rounded if isinstance(rounded, Dim) else int(rounded)

    return run


def _absolute(value: Number) -> Number:
    return dmax(value, -value) if isinstance(value, Dim) else abs(value)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _enumerate(values: SpecList) -> SpecList:
    return [[i, v] for i, v in enumerate(values)]


def _reversed(values: SpecList) -> SpecList:
    return [*values][::-1]


def _sorted(values: Iterable[Any]) -> SpecList:
    return sorted(values)


def _zip(*lists: SpecList) -> SpecList:
    if len({len(items) for items in lists}) > 1:
        raise ValueError(f"the lists have {' and '.join(str(len(items)) for items in lists)} elements")
    return [list(row) for row in zip(*lists, strict=True)]


def _prod(values: Sequence[Any]) -> Number:
    result: Number = 1
    for value in values:
        result = result * value
    return result


def _sum(values: Sequence[Any]) -> Number:
    result: Number = 0
    for value in values:
        result = result + value
    return result


NUMERIC: dict[str, Callable[..., SpecValue]] = {
    "int": _whole(int),
    "float": float,
    "round": _whole(round),
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "abs": _absolute,
    "sign": _sign,
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

LISTS: dict[str, Callable[..., SpecValue]] = {
    "sum": _sum,
    "prod": _prod,
    "len": len,
    "enumerate": _enumerate,
    "reversed": _reversed,
    "zip": _zip,
    "sorted": _sorted,
}

BUILTINS: dict[str, SpecValue] = {
    **{name: OpLayer(op=op) for name, op in OPS_BY_NAME.items() if not op.is_internal},
    **{name: Builtin(name, run, OPS_BY_NAME.get(name)) for name, run in {**NUMERIC, **LISTS}.items()},
    **INITS,
}
"""What every file sees without defining it: operators, functions, initial values."""

WORDS = frozenset({"true", "false", "none", "it", "add", "mul", "concat", "stack", "residual"})
"""Words of the language that stand where a name could."""


def as_layer(value: SpecValue) -> SpecValue:
    """A function that is also an operator (``exp``) is that operator where a layer stands."""
    if isinstance(value, Builtin) and value.op is not None:
        return OpLayer(op=value.op)
    return value


def hidden(node: tree.Node, value: SpecValue) -> str | None:
    """The way out where a name of the spec's own hides an operator or function of the language."""
    if not isinstance(node, tree.Name) or BUILTINS.get(node.text, value) is value:
        return None
    return f"rename the `{node.text}` of this spec: it hides the operator `{node.text}`"
