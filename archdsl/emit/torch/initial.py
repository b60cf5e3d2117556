"""Initial values in torch: ``nn.init`` calls."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from archdsl.emit.torch.operators import INITIALIZERS
from archdsl.emit.torch.terms import call, literal
from archdsl.init import Constant, Init, Ones, Uniform, Zeros

Arguments = Mapping[str, ast.expr]
"""Arguments of a distribution by our name; those at our default are left out."""


def init_call(init: type[Init], target: ast.expr, args: Arguments) -> ast.expr:
    """``nn.init.normal_(self.weight, std=0.02)``."""
    entry = INITIALIZERS[init]
    result = call(entry.callee, target)
    if init is Uniform:
        bound = args["bound"]
        result.args += [_minus(bound), bound]
        return result
    for name, value in args.items():
        keyword = entry.fields.get(name)
        if keyword is None:
            result.args.append(value)
        elif not (isinstance(value, ast.Constant) and value.value == entry.arguments[keyword]):
            result.keywords.append(ast.keyword(keyword, value))
    return result


def _minus(value: ast.expr) -> ast.expr:
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
        return literal(-value.value)
    if isinstance(value, ast.BinOp) and isinstance(value.left, ast.Constant) and isinstance(value.op, ast.Div):
        return ast.BinOp(_minus(value.left), value.op, value.right)
    return ast.UnaryOp(ast.USub(), value)


def direct_tensor(init: type[Init], sizes: Sequence[ast.expr], args: Arguments) -> ast.expr | None:
    """A tensor that is made with its values: ``torch.zeros(1, 64)``; None for what is drawn."""
    if init is Zeros:
        return call("torch.zeros", *shape_of(sizes))
    if init is Ones:
        return call("torch.ones", *shape_of(sizes))
    number = _float(args["value"]) if init is Constant else None
    return call("torch.full", ast.Tuple(list(sizes)), number) if number is not None else None


def shape_of(sizes: Sequence[ast.expr]) -> Sequence[ast.expr]:
    """The arguments that ``torch.zeros`` takes for a shape: the sizes, or ``()`` for a single number."""
    return sizes or [ast.Tuple([])]


def _float(value: ast.expr) -> ast.expr | None:
    """A number with a point, which ``torch.full`` needs to make floats; None where it is no plain number."""
    try:
        number = ast.literal_eval(value)
    except ValueError:
        return None
    return literal(float(number))
