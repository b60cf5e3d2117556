"""What an operator says in torch (``archdsl.op.Torch``), done by real torch."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

from archdsl.dims import Dim, evaluate
from archdsl.emit.torch.helpers import HELPERS
from archdsl.op import (
    Arg,
    Attribute,
    Call,
    Cut,
    Hole,
    In,
    Infix,
    Item,
    Method,
    Own,
    Prefix,
    Several,
    This,
    Torch,
    TorchExpr,
    Training,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

PREFIX: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "~": operator.invert}
INFIX: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": operator.and_,
    "|": operator.or_,
}


@cache
def emitted_names() -> Mapping[str, Any]:
    """What the names in an emitted file mean, its own helpers included."""
    import torch
    from torch import nn
    from torch.nn import functional

    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional, "Tensor": torch.Tensor}
    for helper in HELPERS.values():
        exec(helper.source, names)  # ours: no text of a spec is in it
    return names


class Interpreter:
    """Evaluates expressions on given tensors.

    ``module`` is the layer's own module, ``own`` the tensors of the module around it, ``sizes`` the values of symbols.
    With ``drop``, arguments at torch's default are left out, as in emitted source.
    """

    def __init__(
        self,
        inputs: Sequence[Tensor] = (),
        *,
        module: nn.Module | None = None,
        own: Mapping[str, Tensor] | None = None,
        sizes: Mapping[str, int] | None = None,
        training: bool = False,
        drop: bool = True,
    ) -> None:
        self._inputs = inputs
        self._module = module
        self._own = own or {}
        self._sizes = sizes or {}
        self._training = training
        self._drop = drop

    def value(self, said: TorchExpr | Hole | Cut) -> Any:
        match said:
            case Hole(value=value):
                return self._plain(value)
            case In(index=index):
                return self._inputs[index]
            case Own(name=name):
                return self._own[name]
            case Training():
                return self._training
            case Call(callee=callee, args=args):
                return self._apply(self._module if isinstance(callee, This) else _named(callee), args)
            case Method(receiver=receiver, name=name, args=args):
                return self._apply(getattr(self.value(receiver), name), args)
            case Prefix(op=op, value=value):
                return PREFIX[op](self.value(value))
            case Infix(op=op, left=left, right=right):
                return INFIX[op](self.value(left), self.value(right))
            case Attribute(value=value, name=name):
                return getattr(self.value(value), name)
            case Item(value=value, subscripts=subscripts):
                found = [self.value(subscript) for subscript in subscripts]
                return self.value(value)[tuple(found) if len(found) > 1 else found[0]]
            case Cut(start=start, stop=stop, step=step):
                return slice(*(None if end is None else self.value(end) for end in (start, stop, step)))
            case Several(items=items, is_tuple=is_tuple):
                return (tuple if is_tuple else list)(map(self.value, items))

    def _apply(self, function: Any, args: Sequence[Arg]) -> Any:
        kept = [(arg.keyword, self.value(arg.value)) for arg in args if not (self._drop and _is_default(arg))]
        positional = [value for keyword, value in kept if keyword is None]
        return function(*positional, **{keyword: value for keyword, value in kept if keyword is not None})

    def _plain(self, value: Any) -> Any:
        """What is in a hole, sizes as numbers."""
        if isinstance(value, Dim):
            return evaluate(value, self._sizes)
        if isinstance(value, tuple | list):
            return type(value)(map(self._plain, value))
        return value


def make_module(said: Torch, *, drop: bool = True) -> nn.Module:
    """The module of an operator that has one."""
    assert said.module is not None
    return Interpreter(drop=drop).value(said.module)


def run_module(said: Torch, module: nn.Module, inputs: Sequence[Tensor]) -> Any:
    """The operator in its module form."""
    if said.run is None:
        return module(*inputs)
    return Interpreter(inputs, module=module, training=module.training).value(said.run)


def run_function(said: Torch, inputs: Sequence[Tensor], *, training: bool = False, drop: bool = True) -> Any:
    """The operator in its form without a module."""
    assert said.function is not None
    return Interpreter(inputs, training=training, drop=drop).value(said.function)


def _is_default(arg: Arg) -> bool:
    return isinstance(arg.value, Hole) and arg.value.value == arg.default


def _named(name: str) -> Any:
    first, *rest = name.split(".")
    return reduce(getattr, rest, emitted_names()[first])
