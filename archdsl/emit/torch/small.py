"""Small classes for members of a chain that torch has no class for: ``Permute``, a layer norm over the channels."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from archdsl.emit.torch.names import class_name
from archdsl.emit.torch.terms import NoValue, assign, call, literal, name, own
from archdsl.graph import Node
from archdsl.op import Arg, Attribute, Call, Cut, Hole, In, Item, Method, Several, This, TorchExpr

if TYPE_CHECKING:
    from archdsl.emit.torch.file import File

SUBCLASSES = {"nn.LayerNorm": "LayerNorm2d"}
"""Layers that may be derived from, and what is then their name: over the channels of a map."""


class SmallClasses:
    """Writes them, one for each form that they take."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._made: dict[object, ast.ClassDef] = {}

    @property
    def definitions(self) -> list[ast.ClassDef]:
        return list(self._made.values())

    def can_say(self, node: Node) -> bool:
        """Is there a class for an operator as a member?"""
        said = node.torch
        if said.module is not None:
            if said.run is None or is_simple(said.run):
                return True
            return str(said.module.callee) in SUBCLASSES and _is_fixed(said.run)
        return said.function is not None and len(node.inputs) == 1 and _is_fixed(said.function)

    def layer_class(self, node: Node) -> str | None:
        """The class for a layer that is not simply called; None if it is."""
        said = node.torch
        if said.module is None or said.run is None or is_simple(said.run):
            return None
        callee = str(said.module.callee)
        if said.run not in self._made:
            label = self._file.names.take(SUBCLASSES[callee])
            forward = _forward(_fixed(said.run, "input"), "input")
            self._made[said.run] = ast.ClassDef(label, [name(callee)], [], [forward], [])
        return self._made[said.run].name

    def function_call(self, node: Node) -> ast.Call:
        """The constructor's call for an operator that is a function of one value."""
        function = node.torch.function
        assert function is not None
        dims = _dims(function)
        if dims is not None:
            return call(self._method_class(function.name), *map(literal, dims))  # type: ignore[union-attr]
        if function not in self._made:
            label = self._file.names.take(class_name(node.op.name))
            forward = _forward(_fixed(function, "x"), "x")
            self._made[function] = ast.ClassDef(label, [name("nn.Module")], [], [forward], [])
        return call(self._made[function].name)

    def _method_class(self, method: str) -> str:
        """``Permute(0, 2, 3, 1)``."""
        if method not in self._made:
            label = self._file.names.take(class_name(method))
            stored = ast.arguments([], [ast.arg("self")], ast.arg("dims", name("int")), [], [], None, [])
            start = ast.Expr(call(ast.Attribute(call("super"), "__init__")))
            body: list[ast.stmt] = [start, assign(own("dims"), name("dims"))]
            init = ast.FunctionDef("__init__", stored, body, [], literal(None))
            applied = call(ast.Attribute(ast.Name("x"), method), ast.Starred(own("dims")))
            self._made[method] = ast.ClassDef(label, [name("nn.Module")], [], [init, _forward(applied, "x")], [])
        return self._made[method].name


def is_simple(run: TorchExpr) -> bool:
    """Is a layer simply called on what arrives?"""
    return run == Call(This(), (Arg(In()),))


def _forward(result: ast.expr, given: str) -> ast.FunctionDef:
    args = ast.arguments([], [ast.arg("self"), ast.arg(given, name("Tensor"))], None, [], [], None, [])
    return ast.FunctionDef("forward", args, [ast.Return(result)], [], name("Tensor"))


def _dims(function: TorchExpr) -> list[int] | None:
    """The numbers of ``x.permute(0, 2, 3, 1)``; None for another form."""
    if not isinstance(function, Method) or not isinstance(function.receiver, In):
        return None
    values = [a.value.value for a in function.args if isinstance(a.value, Hole) and a.keyword is None]
    is_plain = len(values) == len(function.args) and all(type(v) is int for v in values)
    return values if is_plain and values else None


def _is_fixed(said: TorchExpr) -> bool:
    """Does an expression hold nothing but what can be written into a class?"""
    try:
        _fixed(said, "x")
    except NoValue:
        return False
    return True


def _fixed(said: Any, given: str) -> ast.expr:
    """An expression of one input whose numbers are written out.

    Raises:
        NoValue: it holds something else.
    """
    match said:
        case Hole(value=value):
            return literal(value)
        case In(index=0):
            return ast.Name(given)
        case Call(callee=callee, args=args):
            function = ast.Attribute(call("super"), "forward") if isinstance(callee, This) else name(callee)
            return _with_arguments(function, args, given)
        case Method(receiver=receiver, name=method, args=args):
            return _with_arguments(ast.Attribute(_fixed(receiver, given), method), args, given)
        case Attribute(value=value, name=attribute):
            return ast.Attribute(_fixed(value, given), attribute)
        case Item(value=value, subscripts=subscripts):
            parts = [_fixed(s, given) for s in subscripts]
            return ast.Subscript(_fixed(value, given), parts[0] if len(parts) == 1 else ast.Tuple(parts))
        case Cut(start=start, stop=stop, step=step):
            return ast.Slice(*(None if end is None else _fixed(end, given) for end in (start, stop, step)))
        case Several(items=items, is_tuple=is_tuple):
            parts = [_fixed(i, given) for i in items]
            return ast.Tuple(parts) if is_tuple else ast.List(parts)
    raise NoValue


def _with_arguments(function: ast.expr, args: tuple[Arg, ...], given: str) -> ast.Call:
    result = call(function)
    for arg in args:
        if isinstance(arg.value, Hole) and arg.value.value == arg.default:
            continue
        value = _fixed(arg.value, given)
        if arg.keyword is None:
            result.args.append(value)
        else:
            result.keywords.append(ast.keyword(arg.keyword, value))
    return result
