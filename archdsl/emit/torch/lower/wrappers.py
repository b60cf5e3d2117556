"""Wrapper modules: classes for members of a chain that torch has no class for (``Permute``, ``LayerNorm2d``)."""

from __future__ import annotations

import ast

from archdsl.emit.torch.lower.expressions import Scope, Unsupported, translate
from archdsl.emit.torch.names import Names, class_name
from archdsl.emit.torch.terms import assign, call, literal, name, own
from archdsl.op import Arg, Call, Facets, Hole, Input, Method, SelfModule, TorchExpr

SUBCLASSES = {"nn.LayerNorm": "LayerNorm2d"}
"""Layers that may be derived from, and the name of the derived class: over the channels of a map."""


class Wrappers:
    """Writes them, one for each form that they take."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._made: dict[object, ast.ClassDef] = {}

    @property
    def definitions(self) -> list[ast.ClassDef]:
        return list(self._made.values())

    def can_wrap(self, facets: Facets) -> bool:
        """Is there a class for an operator as a member?"""
        torch = facets.torch
        if torch.module is not None:
            if torch.run is None or is_simple(torch.run):
                return True
            return str(torch.module.callee) in SUBCLASSES and _is_fixed(torch.run)
        return torch.function is not None and len(facets.inputs) == 1 and _is_fixed(torch.function)

    def layer_class(self, facets: Facets) -> str | None:
        """The class for a layer that is not simply called; None if it is."""
        torch = facets.torch
        if torch.module is None or torch.run is None or is_simple(torch.run):
            return None
        callee = str(torch.module.callee)
        if torch.run not in self._made:
            label = self._names.take(SUBCLASSES[callee])
            self._made[torch.run] = ast.ClassDef(label, [name(callee)], [], [_forward(torch.run, "input")], [])
        return self._made[torch.run].name

    def function_call(self, facets: Facets) -> ast.Call:
        """The constructor's call for an operator that is a function of one value."""
        function = facets.torch.function
        assert function is not None
        dims = _dims(function)
        if dims is not None:
            method, numbers = dims
            return call(self._method_class(method), *map(literal, numbers))
        if function not in self._made:
            label = self._names.take(class_name(facets.op.name))
            self._made[function] = ast.ClassDef(label, [name("nn.Module")], [], [_forward(function, "x")], [])
        return call(self._made[function].name)

    def _method_class(self, method: str) -> str:
        """``Permute(0, 2, 3, 1)``."""
        if method not in self._made:
            label = self._names.take(class_name(method))
            stored = ast.arguments([], [ast.arg("self")], ast.arg("dims", name("int")), [], [], None, [])
            start = ast.Expr(call(ast.Attribute(call("super"), "__init__")))
            body: list[ast.stmt] = [start, assign(own("dims"), name("dims"))]
            init = ast.FunctionDef("__init__", stored, body, [], literal(None))
            result = call(ast.Attribute(ast.Name("x"), method), ast.Starred(own("dims")))
            self._made[method] = ast.ClassDef(label, [name("nn.Module")], [], [init, _method(result, "x")], [])
        return self._made[method].name


def is_simple(run: TorchExpr) -> bool:
    """Is a layer simply called on its input?"""
    return run == Call(SelfModule(), (Arg(Input()),))


def _forward(result: TorchExpr, given: str) -> ast.FunctionDef:
    return _method(translate(result, _scope(given)), given)


def _method(result: ast.expr, given: str) -> ast.FunctionDef:
    args = ast.arguments([], [ast.arg("self"), ast.arg(given, name("Tensor"))], None, [], [], None, [])
    return ast.FunctionDef("forward", args, [ast.Return(result)], [], name("Tensor"))


def _scope(given: str) -> Scope:
    return Scope((ast.Name(given),), ast.Attribute(call("super"), "forward"))


def _dims(function: TorchExpr) -> tuple[str, list[int]] | None:
    """The method and the numbers of ``x.permute(0, 2, 3, 1)``; None for another form."""
    if not isinstance(function, Method) or not isinstance(function.receiver, Input):
        return None
    values = [a.value.value for a in function.args if isinstance(a.value, Hole) and a.keyword is None]
    is_plain = len(values) == len(function.args) and all(type(v) is int for v in values)
    return (function.name, values) if is_plain and values else None


def _is_fixed(expression: TorchExpr) -> bool:
    """Does an expression hold only constants and its input?"""

    def refuse(callee: str) -> None:
        if "." not in callee:
            raise Unsupported(f"the helper {callee}")

    try:
        scope = _scope("x")
        translate(expression, Scope(scope.inputs, scope.this, use=refuse))
    except Unsupported:
        return False
    return True
