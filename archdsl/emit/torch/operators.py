"""What emitted source may name: operators and functions of Python, names of torch, initializers. One table each.

The writer takes syntax from them, the interpreter functions, tracing methods, and the allowlist names. Operators of the
language are not listed: what they are in torch is their own (`archdsl.op.Torch`), and a file may name what the
operators of its graphs name.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

from archdsl import init
from archdsl.evaluate.builtins import NUMERIC

# ---- operators of Python -----------------------------------------------------------------------------------


class Binary(NamedTuple):
    """A binary operator: what computes it, its syntax, and the name of its method without underscores."""

    apply: Callable[[Any, Any], Any]
    syntax: type[ast.operator]
    method: str


class Comparison(NamedTuple):
    """A comparison: what computes it, its syntax, and the name of its method, if it has one."""

    apply: Callable[[Any, Any], Any]
    syntax: type[ast.cmpop]
    method: str | None


class Unary(NamedTuple):
    """A unary operator: what computes it, its syntax, and the name of its method, if it has one."""

    apply: Callable[[Any], Any]
    syntax: type[ast.unaryop]
    method: str | None


BINARY: Mapping[str, Binary] = {
    "+": Binary(operator.add, ast.Add, "add"),
    "-": Binary(operator.sub, ast.Sub, "sub"),
    "*": Binary(operator.mul, ast.Mult, "mul"),
    "/": Binary(operator.truediv, ast.Div, "truediv"),
    "//": Binary(operator.floordiv, ast.FloorDiv, "floordiv"),
    "%": Binary(operator.mod, ast.Mod, "mod"),
    "**": Binary(lambda a, b: a**b, ast.Pow, "pow"),
    "@": Binary(operator.matmul, ast.MatMult, "matmul"),
    "&": Binary(operator.and_, ast.BitAnd, "and"),
    "|": Binary(operator.or_, ast.BitOr, "or"),
    "^": Binary(operator.xor, ast.BitXor, "xor"),
}
COMPARISONS: Mapping[str, Comparison] = {
    "==": Comparison(operator.eq, ast.Eq, "eq"),
    "!=": Comparison(operator.ne, ast.NotEq, "ne"),
    "<": Comparison(operator.lt, ast.Lt, "lt"),
    "<=": Comparison(operator.le, ast.LtE, "le"),
    ">": Comparison(operator.gt, ast.Gt, "gt"),
    ">=": Comparison(operator.ge, ast.GtE, "ge"),
    "is": Comparison(operator.is_, ast.Is, None),
    "is not": Comparison(operator.is_not, ast.IsNot, None),
}
UNARY: Mapping[str, Unary] = {
    "-": Unary(operator.neg, ast.USub, "neg"),
    "+": Unary(operator.pos, ast.UAdd, "pos"),
    "~": Unary(operator.invert, ast.Invert, "invert"),
    "not": Unary(operator.not_, ast.Not, None),
}


def infix(op: str, left: Any, right: Any) -> Any:
    """The value of ``left op right``."""
    return (BINARY.get(op) or COMPARISONS[op]).apply(left, right)


# ---- names -------------------------------------------------------------------------------------------------

BUILTINS: Mapping[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (abs, enumerate, int, len, list, range, reversed, round, sorted, sum, tuple, zip)},
    **{name: NUMERIC[name] for name in ("max", "min")},
}
"""Functions of Python that emitted source may call on numbers, sizes and lists."""
OTHER_BUILTINS = ("super", "isinstance", "float", "bool", "str")
"""Other names of Python that emitted source may use as they are."""
ROOTS: Mapping[str, str] = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "Tensor": "torch.Tensor"}
"""The names that an emitted file may import, and what they mean."""


def import_statements(used: Container[str]) -> Iterator[str]:
    """The imports of a file that uses some of the ``ROOTS``."""
    if "torch" in used:
        yield "import torch"
    if "F" in used:
        yield "import torch.nn.functional as F"
    names = [name for name in ("Tensor", "nn") if name in used]
    if names:
        yield f"from torch import {', '.join(names)}"


IMPORTS = frozenset(
    statement for count in range(len(ROOTS) + 1) for used in combinations(ROOTS, count)
    for statement in import_statements(used)
)  # fmt: skip
"""All statements that may import something."""

# ---- torch -------------------------------------------------------------------------------------------------

CONSTRUCTION = frozenset({
    "Tensor", "nn.Module", "nn.Sequential", "nn.ModuleList", "nn.Identity", "nn.Parameter",
    "torch.Tensor", "torch.empty", "torch.zeros", "torch.ones", "torch.full", "torch.tensor",
})  # fmt: skip
"""Names of torch that any constructor may use, whatever the operators of its network are."""
EXITS = frozenset({"numpy", "storage", "typed_storage", "untyped_storage"})
"""Attributes of tensors that lead to files and memory: nothing in emitted source has such a name behind a dot."""
INNER_LAYERS: Mapping[str, Mapping[str, str]] = {"nn.MultiheadAttention": {"out_proj": "Linear"}}
"""The layers that a layer of torch's is made of: a loop over ``modules()`` meets them too."""

_WINDOWED = re.compile(r"nn\.(?:Conv|ConvTranspose|MaxPool|AvgPool)([123])d")


@lru_cache
def window_axes(callee: str) -> int:
    """The spatial axes of a layer that takes one size for all of them or one for each; 0 for anything else."""
    found = _WINDOWED.fullmatch(callee)
    return int(found[1]) if found else 0


# ---- initial values ----------------------------------------------------------------------------------------

Argument = float | str


@dataclass(frozen=True)
class Initializer:
    """A function of ``torch.nn.init``: its arguments behind the tensor with their defaults (None: required).

    ``fields`` gives torch's name of each of our arguments. Ours that are not there are given by position.
    """

    function: str
    arguments: Mapping[str, Argument | None]
    fields: Mapping[str, str]

    @property
    def callee(self) -> str:
        return f"nn.init.{self.function}"


_FANS: Mapping[str, Argument | None] = {"a": 0.0, "mode": "fan_in", "nonlinearity": "leaky_relu"}
_NORMAL: Mapping[str, Argument | None] = {"mean": 0.0, "std": 1.0}
INITIALIZERS: Mapping[type[init.Init], Initializer] = {
    init.Zeros: Initializer("zeros_", {}, {}),
    init.Ones: Initializer("ones_", {}, {}),
    init.Constant: Initializer("constant_", {"val": None}, {}),
    init.Normal: Initializer("normal_", _NORMAL, {"std": "std", "mean": "mean"}),
    init.TruncNormal: Initializer(
        "trunc_normal_", {**_NORMAL, "a": -2.0, "b": 2.0}, {"std": "std", "mean": "mean", "low": "a", "high": "b"}
    ),
    init.Uniform: Initializer("uniform_", {"a": 0.0, "b": 1.0}, {}),
    init.KaimingNormal: Initializer("kaiming_normal_", _FANS, {"mode": "mode", "slope": "a"}),
    init.KaimingUniform: Initializer("kaiming_uniform_", _FANS, {"mode": "mode", "slope": "a"}),
    init.XavierNormal: Initializer("xavier_normal_", {"gain": 1.0}, {}),
    init.XavierUniform: Initializer("xavier_uniform_", {"gain": 1.0}, {}),
}
"""How torch draws each distribution."""
BY_FUNCTION: Mapping[str, Initializer] = {entry.function: entry for entry in INITIALIZERS.values()}
"""The initializers by torch's name."""
