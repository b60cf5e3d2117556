"""What an operator is in torch (`archdsl.op.Torch`), evaluated: by torch on tensors, or without it on traced ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from archdsl.dims import Dim, evaluate
from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.operators import ROOTS, UNARY, infix
from archdsl.op import (
    Arg,
    Attribute,
    BinaryOp,
    Call,
    Conditional,
    Hole,
    Input,
    Item,
    ListExpr,
    Method,
    Own,
    SelfModule,
    SliceExpr,
    Torch,
    TorchExpr,
    Training,
    UnaryOp,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

Expression: TypeAlias = TorchExpr | SelfModule | Hole | SliceExpr
Arguments: TypeAlias = tuple[list[Any], dict[str, Any]]
"""Arguments by position and by keyword."""


def subexpressions(expression: Expression) -> Iterator[Expression]:
    """An expression and all those that it is made of, outer ones first."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += reversed(_parts(part))


def _parts(expression: Expression) -> Sequence[Expression]:
    match expression:
        case Call(callee=callee, args=args):
            function = (callee,) if isinstance(callee, SelfModule) else ()
            return [*function, *(arg.value for arg in args)]
        case Method(receiver=receiver, args=args):
            return [receiver, *(arg.value for arg in args)]
        case UnaryOp(value=value) | Attribute(value=value):
            return [value]
        case BinaryOp(left=left, right=right):
            return [left, right]
        case Conditional(condition=condition, value=value, otherwise=otherwise):
            return [condition, value, otherwise]
        case Item(value=value, subscripts=subscripts):
            return [value, *subscripts]
        case SliceExpr(start=start, stop=stop, step=step):
            return [end for end in (start, stop, step) if end is not None]
        case ListExpr(items=items):
            return items
        case _:
            return ()


def forms(said: Torch) -> Iterator[TorchExpr]:
    """The expressions of an operator: how its module is made and run, and its form without one."""
    return (form for form in (said.module, said.run, said.function) if form is not None)


@cache
def torch_names() -> Mapping[str, Any]:
    """What the names in an emitted file mean in torch, its helpers included."""
    names: dict[str, Any] = {}
    for name, path in ROOTS.items():
        package, _, attribute = path.rpartition(".")
        names[name] = getattr(import_module(package), attribute) if package else import_module(path)
    for helper in HELPERS.values():
        exec(helper.source, names)  # ours: no text of a spec is in it
    return names


def _none(name: str) -> Any:
    raise LookupError(f"the expression has no tensor {name} of the module around it")


@dataclass(frozen=True)
class Interpreter:
    """Evaluates expressions.

    Args:
        inputs: the operator's.
        module: the layer's own module.
        own: a tensor of the module around it, by its name.
        size: the value of a symbolic size.
        training: whether the network is in training.
        drop: leave arguments at torch's default out, as emitted source does.
        names: what the names of emitted source mean; torch's own without it.
    """

    inputs: Sequence[Any] = ()
    module: Any = None
    own: Callable[[str], Any] = _none
    size: Callable[[Dim], Any] = lambda size: evaluate(size, {})
    training: bool = False
    drop: bool = True
    names: Mapping[str, Any] | None = None

    def value(self, expression: Expression) -> Any:
        """The value of an expression."""
        match expression:
            case Hole(value=value):
                return self._constant(value)
            case Input(index=index):
                return self.inputs[index]
            case Own(name=name):
                return self.own(name)
            case SelfModule():
                return self.module
            case Training():
                return self.training
            case Conditional(condition=condition, value=value, otherwise=otherwise):
                return self.value(value if self.value(condition) else otherwise)
            case Call(callee=callee, args=args):
                return self._apply(self._named(callee) if isinstance(callee, str) else self.module, args)
            case Method(receiver=receiver, name=name, args=args):
                return self._apply(getattr(self.value(receiver), name), args)
            case UnaryOp(op=op, value=value):
                return UNARY[op].apply(self.value(value))
            case BinaryOp(op=op, left=left, right=right):
                return infix(op, self.value(left), self.value(right))
            case Attribute(value=value, name=name):
                return getattr(self.value(value), name)
            case Item(value=value, subscripts=subscripts):
                found = [self.value(subscript) for subscript in subscripts]
                return self.value(value)[tuple(found) if len(found) > 1 else found[0]]
            case SliceExpr(start=start, stop=stop, step=step):
                return slice(*(None if end is None else self.value(end) for end in (start, stop, step)))
            case ListExpr(items=items, is_tuple=is_tuple):
                return (tuple if is_tuple else list)(map(self.value, items))

    def arguments(self, args: Sequence[Arg]) -> Arguments:
        """The values of a call's arguments."""
        kept = [(arg.keyword, self.value(arg.value)) for arg in args if not (self.drop and _is_default(arg))]
        return [v for keyword, v in kept if keyword is None], {keyword: v for keyword, v in kept if keyword is not None}

    def _apply(self, function: Callable[..., Any], args: Sequence[Arg]) -> Any:
        positional, keywords = self.arguments(args)
        return function(*positional, **keywords)

    def _named(self, callee: str) -> Any:
        first, *rest = callee.split(".")
        return reduce(getattr, rest, (torch_names() if self.names is None else self.names)[first])

    def _constant(self, value: object) -> object:
        if isinstance(value, Dim):
            return self.size(value)
        if isinstance(value, tuple):
            return tuple(map(self._constant, cast("tuple[object, ...]", value)))
        if isinstance(value, list):
            return list(map(self._constant, cast("list[object]", value)))
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
