"""Expressions of the spec said in Python, in terms of a constructor's arguments or of what ``forward`` sees.

All rows are looked at at once: what has one value everywhere, and depends on nothing that varies, is said as that
value. What comes out is a candidate: it may be wrong, and whoever asks compares it with the graph in every row.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from archdsl.build.env import MISSING as UNBOUND
from archdsl.build.values import Function
from archdsl.emit.torch.flow import Flow
from archdsl.emit.torch.names import identifier, snake
from archdsl.emit.torch.rows import Row
from archdsl.emit.torch.state import (
    MISSING,
    Attribute,
    AxisSize,
    Given,
    Held,
    Level,
    Local,
    Parameter,
    Turned,
    Used,
)
from archdsl.emit.torch.terms import BUILTINS, NoValue, alike, all_same, call, is_plain, is_ugly, literal
from archdsl.emit.torch.writer import Writer
from archdsl.graph import Value
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.build.env import Env

_ARITHMETIC: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
}
_COMPARISON: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}


@dataclass(frozen=True)
class View:
    """Rows, with the environment in which the expression stands in each, and where its Python will stand."""

    rows: tuple[Row, ...]
    envs: tuple[Env, ...]
    level: Level
    flow: Flow


class Speech(Writer):
    """Says expressions."""

    def say(self, node: tree.Node, view: View) -> ast.expr:
        """The expression in Python.

        Raises:
            NoValue: it has no such form.
        """
        values = [self.file.value(node, env) for env in view.envs]
        if self._is_settled(node, values, view):
            return literal(_rows_first(values))
        match node:
            case tree.Name(text=text):
                return self._name(text, view)
            case tree.Number(value=value) | tree.String(value=value):
                return literal(value)
            case tree.Index(value=tree.Attribute(value=inner, name=part), subscripts=[axis]) if part.text == "shape":
                return self._size(inner, axis, view)
            case _:
                return self._compound(node, view)

    def _is_settled(self, node: tree.Node, values: Sequence[Any], view: View) -> bool:
        """Is it the same literal in all instances, whatever the rows at hand?"""
        if not values or not is_plain(values[0]) or not all_same(values) or self.varies(node, view):
            return False
        return not (isinstance(node, tree.Arithmetic) and is_ugly(values[0]))

    def _compound(self, node: tree.Node, view: View) -> ast.expr:
        match node:
            case tree.Arithmetic(first=first, rest=rest):
                result = self.say(first, view)
                for op, term in rest:
                    result = ast.BinOp(result, _ARITHMETIC[op](), self.say(term, view))
                return result
            case tree.Power(base=base, exponent=exponent):
                return ast.BinOp(self.say(base, view), ast.Pow(), self.say(exponent, view))
            case tree.Negative(operand=operand):
                return ast.UnaryOp(ast.USub(), self.say(operand, view))
            case tree.Not(operand=operand):
                return ast.UnaryOp(ast.Not(), self.say(operand, view))
            case tree.Compare(left=left, op=op, right=right):
                return ast.Compare(self.say(left, view), [_COMPARISON[op]()], [self.say(right, view)])
            case tree.Logic():
                return self._logic(node, view)
            case tree.Ternary():
                return self._ternary(node, view)
            case tree.ListOf(items=items):
                return ast.Tuple([self.say(item, view) for item in items])
            case tree.Index(value=value, subscripts=[index]):
                return ast.Subscript(self.say(value, view), self._subscript(index, view))
            case tree.Call():
                return self._call_of(node, view)
        raise NoValue

    def _logic(self, node: tree.Logic, view: View) -> ast.expr:
        """Terms that are settled and change nothing are left out."""
        neutral = node.op == "and"
        terms = [self.say(term, view) for term in node.terms]
        kept = [t for t in terms if not (isinstance(t, ast.Constant) and bool(t.value) is neutral)]
        if not kept:
            return literal(neutral)
        return kept[0] if len(kept) == 1 else ast.BoolOp(ast.And() if neutral else ast.Or(), kept)

    def _ternary(self, node: tree.Ternary, view: View) -> ast.expr:
        test = self.say(node.condition, view)
        if isinstance(test, ast.Constant):
            return self.say(node.then if test.value else node.otherwise, view)
        sides = []
        for wanted, arm in ((True, node.then), (False, node.otherwise)):
            picked = [bool(self.file.value(node.condition, env)) is wanted for env in view.envs]
            sides.append(self.say(arm, _some(view, picked)))
        return ast.IfExp(test, *sides)

    def _subscript(self, node: tree.Expr | tree.Slice, view: View) -> ast.expr:
        if not isinstance(node, tree.Slice):
            return self.say(node, view)
        return ast.Slice(*(None if end is None else self.say(end, view) for end in (node.start, node.stop, node.step)))

    def _call_of(self, node: tree.Call, view: View) -> ast.expr:
        if any(a.name is not None for a in node.arguments) or not isinstance(node.callee, tree.Name):
            raise NoValue
        args = [self.say(a.value, view) for a in node.arguments]
        callee = node.callee.text
        found = view.envs[0].lookup(callee)
        if isinstance(found, Function):
            return call(self.file.functions.term(found), *args)
        if found is UNBOUND and callee in BUILTINS:
            return call(callee, *args)
        if found is UNBOUND and callee == "sqrt":
            return ast.BinOp(args[0], ast.Pow(), literal(0.5))
        raise NoValue

    # ---- names ----

    def _name(self, text: str, view: View) -> ast.expr:
        binding = self.state.bindings.get(text)
        match binding:
            case Turned():
                if view.level == "forward" or binding.name == text:
                    return Turned(binding.name)
                raise NoValue
            case AxisSize(slot=slot, axis=axis):
                return self.size_of(slot, axis, view.level)
            case Local():
                return self._local(binding, view)
        return self.at_level(self.parameter(text), view.level)

    def at_level(self, parameter: Parameter, level: Level) -> ast.expr:
        return Given(parameter) if level == "init" else Held(self.attribute(parameter.name, Given(parameter)))

    def parameter(self, text: str) -> Parameter:
        """The argument of the constructor for a parameter of the definition, or for a name from around the scope."""
        if text not in self.state.parameters:
            values = {i: self._outer_value(text, i) for i in self.instances}
            if not all(is_plain(v) for v in values.values()):
                raise NoValue
            name = self.state.arguments.take(snake(identifier(text, "value")))
            default = self._default(text) if text in self._spec_parameters else MISSING
            self.state.parameters[text] = Parameter(name, values, default, text)
        return self.state.parameters[text]

    @property
    def _spec_parameters(self) -> set[str]:
        return {p.name.text for p in self.scope.params}

    def _outer_value(self, text: str, instance: Any) -> Any:
        value = instance.arguments.get(text, UNBOUND)
        if value is UNBOUND:
            value = instance.env.lookup(text)
        if value is UNBOUND or isinstance(value, Value):
            raise NoValue
        return _tuples(value)

    def _default(self, text: str) -> Any:
        param = next(p for p in self.scope.params if p.name.text == text)
        if param.default is None:
            return MISSING
        try:
            value = _tuples(self.file.value(param.default, self.instances[0].env))
        except NoValue:
            return MISSING
        return value if is_plain(value) else MISSING

    def _local(self, local: Local, view: View) -> ast.expr:
        try:
            if local.expression is None:
                rows = tuple(local.envs)
                inner = View(rows, tuple(local.envs.values()), "init", view.flow)
                local.expression = self.say(local.value, inner)
        except NoValue:
            return self.say(local.value, _moved(view, local))
        if view.level == "init":
            return Used(local)
        return Held(self.attribute(local.name, Used(local)))

    def attribute(self, name: str, expression: ast.expr) -> Attribute:
        """``self.name``; one with the same expression is used again."""
        for found in self.state.attributes.values():
            if alike(found.expression, expression):
                return found
        free = self.state.members.take(name, f"{name}_value")
        self.state.attributes[free] = Attribute(free, expression)
        return self.state.attributes[free]

    # ---- sizes ----

    def _size(self, inner: tree.Expr, axis: tree.Expr | tree.Slice, view: View) -> ast.expr:
        if isinstance(axis, tree.Slice):
            raise NoValue
        values = [self.file.value(inner, env) for env in view.envs]
        places = [self.file.value(axis, env) for env in view.envs]
        if not all(isinstance(v, Value) for v in values) or not all_same(places):
            raise NoValue
        slot = self.look(list(zip(view.rows, values, strict=True)), view.flow)
        return self.size_of(slot, places[0] % len(values[0].shape), view.level)

    # ---- what varies ----

    def varies(self, node: tree.Node, view: View) -> bool:
        """Does it read anything that differs between the instances of the class, or between turns of a loop?"""
        return any(self._name_varies(n, view) for n in tree.walk(node) if isinstance(n, tree.Name | tree.Attribute))

    def _name_varies(self, node: tree.Name | tree.Attribute, view: View) -> bool:
        if isinstance(node, tree.Attribute):
            return self._shape_varies(node, view)
        match self.state.bindings.get(node.text):
            case Turned():
                return True
            case AxisSize(slot=slot, axis=axis):
                sizes = [v.shape[axis] for v in slot.values.values()]
                return not is_plain(sizes[0]) or not all_same(sizes)
            case Local() as local:
                inner = replace(view, rows=tuple(local.envs), envs=tuple(local.envs.values()))
                return self.varies(local.value, inner)
        parameter = self.state.parameters.get(node.text)
        values = parameter.values.values() if parameter is not None else self._outer_values(node.text)
        return not all_same(list(values))

    def _outer_values(self, text: str) -> list[Any]:
        try:
            return [self._outer_value(text, i) for i in self.instances]
        except NoValue:
            return [None]

    def _shape_varies(self, node: tree.Attribute, view: View) -> bool:
        try:
            shapes = [self.file.value(node, env) for env in view.envs]
        except NoValue:
            return False
        return not all(is_plain(s) for s in shapes) or not all_same(shapes)


def _rows_first(values: Sequence[Any]) -> Any:
    return _tuples(values[0])


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | range) else value


def _some(view: View, picked: Sequence[bool]) -> View:
    """The rows that were picked; all, if none was."""
    if not any(picked):
        return view
    rows = tuple(r for r, p in zip(view.rows, picked, strict=True) if p)
    return replace(view, rows=rows, envs=tuple(e for e, p in zip(view.envs, picked, strict=True) if p))


def _moved(view: View, local: Local) -> View:
    """The same rows, where the ``let`` stands."""
    envs = []
    for row in view.rows:
        env = next((local.envs[r] for r in row.lineage() if r in local.envs), None)
        if env is None:
            raise NoValue
        envs.append(env)
    return replace(view, envs=tuple(envs))
