"""Expressions of the spec said in Python, in terms of a constructor's arguments or of what ``forward`` sees.

All rows are looked at at once: what has one value everywhere, and depends on nothing that varies, is said as that
value. What comes out is a candidate: it may be wrong, and whoever asks compares it with the graph in every row.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from archdsl.emit.torch.flow import Flow, Slot
from archdsl.emit.torch.names import identifier, snake
from archdsl.emit.torch.phrases import Phrases
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
from archdsl.emit.torch.terms import NoValue, Term, alike, all_same, evaluate, exact, is_plain, is_ugly, literal
from archdsl.emit.torch.writer import Writer
from archdsl.evaluate.values import MISSING as UNBOUND
from archdsl.evaluate.values import Builtin, Function, Layer, NoLayer, OpLayer
from archdsl.graph import Instance, Value
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.emit.torch.file import File
    from archdsl.evaluate.values import Env


@dataclass(frozen=True)
class View:
    """Rows, with the environment in which the expression stands in each, and where its Python will stand."""

    rows: tuple[Row, ...]
    envs: tuple[Env, ...]
    level: Level
    flow: Flow


class _Spoken(Phrases):
    """An expression in the rows of a view."""

    def __init__(self, speech: Speech, view: View) -> None:
        super().__init__()
        self._speech = speech
        self._view = view

    def name(self, node: tree.Name) -> ast.expr:
        return self._speech.say_name(node.text, self._view)

    def function(self, function: Function) -> Term:
        return self._speech.file.functions.term(function)

    def lookup(self, text: str) -> object:
        return self._view.envs[0].lookup(text)

    def whole(self, node: tree.Node) -> ast.expr | None:
        values = [_tuples(self._speech.plain_value(node, env)) for env in self._view.envs]
        if self._is_settled(node, values):
            return literal(values[0])
        match node:
            case tree.Index(value=tree.Attribute(value=inner, name=part), subscripts=[axis]) if part.text == "shape":
                return self._speech.say_size(inner, axis, self._view)
            case tree.Compare(left=tree.Name(text=text), op="==" | "!=" as op, right=tree.NoneLayer()):
                present = self._speech.at_level(self._speech.presence_of(text), self._view.level)
                return present if op == "!=" else ast.UnaryOp(ast.Not(), present)
            case tree.Ternary():
                return self._ternary(node)
            case tree.Call(callee=tree.Name(text="int" | "round" | "floor" | "ceil"), arguments=[argument]):
                return self._rounded(argument.value)
        return None

    def _is_settled(self, node: tree.Node, values: Sequence[Any]) -> bool:
        """Is it the same literal in all instances, whatever the rows at hand?"""
        if isinstance(node, tree.Range) or not is_plain(values[0]) or not all_same(values):
            return False
        if is_ugly(values[0]) and self._is_worked_out(node):
            return False
        return not self._speech.varies(node, self._view)

    def _is_worked_out(self, node: tree.Node) -> bool:
        """Is it computed by the text, or a name for what is?"""
        if isinstance(node, tree.Name):
            return isinstance(self._speech.state.bindings.get(node.text), Local)
        return isinstance(node, tree.Arithmetic | tree.Comprehension | tree.Call | tree.ListOf)

    def _ternary(self, node: tree.Ternary) -> ast.expr:
        """Each arm is looked at in the rows that take it."""
        test = self.say(node.condition)
        if isinstance(test, ast.Constant):
            return self.say(node.then if test.value else node.otherwise)
        takes = [bool(self._speech.file.value(node.condition, env)) for env in self._view.envs]
        then = _Spoken(self._speech, _some(self._view, takes)).say(node.then)
        return ast.IfExp(
            test, then, _Spoken(self._speech, _some(self._view, [not t for t in takes])).say(node.otherwise)
        )

    def _rounded(self, node: tree.Node) -> ast.expr | None:
        """A whole number needs no rounding."""
        said = self.say(node)
        rows = self._view.rows
        try:
            return said if all(type(evaluate(said, row)) is int for row in rows) else None
        except NoValue:
            return None


class Speech(Writer):
    """Says expressions."""

    def say(self, node: tree.Node, view: View) -> ast.expr:
        """The expression in Python.

        Raises:
            NoValue: it has no such form.
        """
        return _Spoken(self, view).say(node)

    def plain_value(self, node: tree.Node, env: Env) -> Any:
        """The value of an expression; a layer that takes no arguments is torch's class for it, ``none`` is None."""
        return self.file.plain_layer(self.file.value(node, env))

    # ---- names ----

    def say_name(self, text: str, view: View) -> ast.expr:
        binding = self.state.bindings.get(text)
        match binding:
            case Turned():
                if view.level == "forward" or binding.name == text:
                    return Turned(binding.name)
                raise NoValue
            case AxisSize(slot=slot, axis=axis):
                return self._axis_size(text, slot, axis, view)
            case Local():
                return self._local(binding, view)
        try:
            return self.at_level(self.parameter(text), view.level)
        except NoValue:
            return self._turn(text, view)

    @staticmethod
    def _turn(text: str, view: View) -> ast.expr:
        """The value that a variable of a loop has in the turn that is being written out."""
        values = [env.lookup(text) for env in view.envs]
        if not is_plain(values[0]) or not all_same(values):
            raise NoValue
        return literal(values[0])

    def _axis_size(self, text: str, slot: Slot, axis: int, view: View) -> ast.expr:
        try:
            return self.size_of(slot, axis, view.level)
        except NoValue:
            rows = [row for row in view.rows if slot.at(row) is not None]
            sizes = [v.shape[axis] for row in rows if (v := slot.at(row)) is not None]
            if len(rows) < len(view.rows) or not all(type(s) is int for s in sizes):
                raise
            return self.fill(sizes, rows, view.flow, name=snake(text), level=view.level)

    def at_level(self, parameter: Parameter, level: Level) -> ast.expr:
        return Given(parameter) if level == "init" else Held(self.attribute(parameter.name, Given(parameter)))

    def parameter(self, text: str) -> Parameter:
        """The argument of the constructor for a parameter of the definition, or for a name from around the scope."""
        if text not in self.state.parameters:
            values = {i: self._outer_value(text, i) for i in self.instances}
            if not all(is_plain(v) for v in values.values()):
                raise NoValue
            size = self._size_called(text, values)
            if size is not None:
                return size
            name = self.state.arguments.take(snake(identifier(text, "value")))
            default = self._default(text) if text in self._spec_parameters else MISSING
            if self.is_top:
                default = values[self.instances[0]]  # made without arguments, it is the network that was checked
            self.state.parameters[text] = Parameter(name, values, default, text)
        return self.state.parameters[text]

    def presence_of(self, text: str) -> Parameter:
        """The argument that says whether a layer is given under a name, and not ``none``.

        Raises:
            NoValue: no layer is.
        """
        key = ("present", text)
        if key not in self.state.parameters:
            values = {i: self._outer_layer(text, i) for i in self.instances}
            if text in self.state.parameters or not all(isinstance(v, Layer) for v in values.values()):
                raise NoValue
            present = {i: not isinstance(v, NoLayer) for i, v in values.items()}
            param = next((p for p in self.scope.params if p.name.text == text), None)
            default: Any = MISSING
            if param is not None and param.default is not None:
                default = not isinstance(self.file.value(param.default, self.instances[0].env), NoLayer)
            name = self.state.arguments.take(identifier(text, "has_layer"), "has_layer")
            self.state.parameters[key] = Parameter(name, present, default, text)
        return self.state.parameters[key]

    @staticmethod
    def _outer_layer(text: str, instance: Instance) -> Any:
        value = instance.arguments.get(text, UNBOUND)
        value = instance.env.lookup(text) if value is UNBOUND else value
        return OpLayer(op=value.op) if isinstance(value, Builtin) and value.op is not None else value

    def _size_called(self, text: str, values: dict[Instance, Any]) -> Parameter | None:
        """For a symbol from around the scope, the argument for the size of what arrives, if that is what it means."""
        if not text[0].isupper() or text in self._spec_parameters:
            return None
        for slot in self.state.imports:
            for axis in range(len(next(iter(slot.values.values())).shape)):
                if all(exact(v.shape[axis], values[row.instance]) for row, v in slot.values.items()):
                    found = self.size_of(slot, axis, "init")
                    return found.parameter if isinstance(found, Given) else None
        return None

    @property
    def _spec_parameters(self) -> set[str]:
        return {p.name.text for p in self.scope.params}

    def _outer_value(self, text: str, instance: Any) -> Any:
        value = instance.arguments.get(text, UNBOUND)
        if value is UNBOUND:
            value = instance.env.lookup(text)
        if value is UNBOUND or isinstance(value, Value):
            raise NoValue
        return _tuples(self.file.plain_layer(value))

    def _default(self, text: str) -> Any:
        param = next(p for p in self.scope.params if p.name.text == text)
        if param.default is None:
            return MISSING
        try:
            value = _tuples(self.plain_value(param.default, self.instances[0].env))
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

    def say_size(self, inner: tree.Expr, axis: tree.Expr | tree.Slice, view: View) -> ast.expr:
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
        match node:
            case tree.Index(value=tree.Attribute()) | tree.Attribute():
                return self._shape_varies(node, view)
            case tree.Name(text=text):
                return self._name_varies(text, view)
        return any(self.varies(child, view) for child in tree.children(node))

    def _name_varies(self, text: str, view: View) -> bool:
        match self.state.bindings.get(text):
            case Turned(turns=turns):
                return len(view.rows) < turns
            case AxisSize(slot=slot, axis=axis):
                sizes = [v.shape[axis] for v in slot.values.values()]
                return not is_plain(sizes[0]) or not all_same(sizes)
            case Local() as local:
                inner = replace(view, rows=tuple(local.envs), envs=tuple(local.envs.values()))
                return self.varies(local.value, inner)
        parameter = self.state.parameters.get(text)
        values = parameter.values.values() if parameter is not None else self._outer_values(text)
        return not all_same(list(values))

    def _outer_values(self, text: str) -> list[Any]:
        try:
            return [self._outer_value(text, i) for i in self.instances]
        except NoValue:
            return [None]

    def _shape_varies(self, node: tree.Node, view: View) -> bool:
        try:
            shapes = [_tuples(self.file.value(node, env)) for env in view.envs]
        except NoValue:
            return False
        return not all(is_plain(s) for s in shapes) or not all_same(shapes)


def plain_tuples(file: File, value: Any) -> Any:
    """A value of the spec as the source would hold it."""
    return _tuples(file.plain_layer(value))


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
