"""Functions of the spec (``fn``) as functions of the emitted file."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from archdsl.build.env import MISSING
from archdsl.build.values import Function
from archdsl.emit.torch.docs import doc_above
from archdsl.emit.torch.names import Names, identifier, snake
from archdsl.emit.torch.rows import Row
from archdsl.emit.torch.terms import BUILTINS, NoValue, Term, call, evaluate, is_plain, literal
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.emit.torch.file import File


class Called(Term):
    """A function of the emitted file, by its name."""

    def __init__(self, said: Said) -> None:
        super().__init__()
        self.said = said

    def value(self, row: Row) -> Callable[..., Any]:
        return lambda *args: self.said.run(row, args)

    def final(self) -> ast.expr:
        self.said.is_used = True
        return ast.Name(self.said.name)

    def key(self) -> object:
        return self.said


class Said:
    """A ``fn`` in Python. What it was called with, and gave, tells the types."""

    def __init__(self, name: str, params: list[str], body: ast.expr, defaults: list[Any], doc: str | None) -> None:
        self.name = name
        self.params = params
        self.body = body
        self.defaults = defaults
        self.doc = doc
        self.is_used = False
        self._seen: list[set[str]] = [set() for _ in params]
        self._gave: set[str] = set()

    def run(self, row: Row, args: tuple[Any, ...]) -> Any:
        values = [*args, *self.defaults[len(self.defaults) - (len(self.params) - len(args)) :]]
        if len(values) != len(self.params):
            raise NoValue
        for seen, value in zip(self._seen, values, strict=True):
            seen.add(annotation([value]))
        result = evaluate(self.body, row, dict(zip(self.params, values, strict=True)))
        self._gave.add(annotation([result]))
        return result

    def definition(self) -> ast.FunctionDef:
        args = [ast.arg(n, _either(seen)) for n, seen in zip(self.params, self._seen, strict=True)]
        arguments = ast.arguments([], args, None, [], [], None, [literal(d) for d in self.defaults])
        body: list[ast.stmt] = [ast.Expr(literal(self.doc))] if self.doc else []
        return ast.FunctionDef(self.name, arguments, [*body, ast.Return(self.body)], [], _either(self._gave))


class Functions:
    """The functions of the spec that the emitted file needs."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._said: dict[tree.Fn, Said | None] = {}

    def term(self, function: Function) -> Term:
        """A function by its name.

        Raises:
            NoValue: it has no form in Python.
        """
        definition = function.definition
        if definition not in self._said:
            self._said[definition] = None  # while it is translated
            self._said[definition] = self._translate(function)
        said = self._said[definition]
        if said is None:
            raise NoValue
        return Called(said)

    def _translate(self, function: Function) -> Said | None:
        definition = function.definition
        names = Names()
        params = {p.name.text: names.take(snake(identifier(p.name.text, "value"))) for p in definition.params}
        try:
            given = [p.default for p in definition.params if p.default is not None]
            defaults = [self._file.value(d, function.file.env) for d in given]
            if not all(map(is_plain, defaults)):
                return None
            body = _Body(self, function, params).say(definition.value)
        except NoValue:
            return None
        name = self._file.names.take(snake(identifier(definition.name.text, "function")), f"{definition.name.text}_of")
        return Said(name, list(params.values()), body, defaults, doc_above(definition.span))

    def definitions(self) -> list[ast.stmt]:
        """Those that are used, callees first; called when all else has its text."""
        from archdsl.emit.torch.terms import settle

        for said in reversed(list(self._said.values())):
            if said is not None and said.is_used:
                said.body = settle(said.body)
        return [said.definition() for said in self._said.values() if said is not None and said.is_used]


class _Body:
    """Says the body of a function in terms of its parameters."""

    def __init__(self, functions: Functions, function: Function, names: dict[str, str]) -> None:
        self._functions = functions
        self._function = function
        self._names = names

    def say(self, node: tree.Node) -> ast.expr:
        from archdsl.emit.torch.speech import _ARITHMETIC, _COMPARISON

        match node:
            case tree.Name(text=text):
                return self._name(text)
            case tree.Number(value=value) | tree.String(value=value):
                return literal(value)
            case tree.Arithmetic(first=first, rest=rest):
                result = self.say(first)
                for op, term in rest:
                    result = ast.BinOp(result, _ARITHMETIC[op](), self.say(term))
                return result
            case tree.Power(base=base, exponent=exponent):
                return ast.BinOp(self.say(base), ast.Pow(), self.say(exponent))
            case tree.Negative(operand=operand):
                return ast.UnaryOp(ast.USub(), self.say(operand))
            case tree.Not(operand=operand):
                return ast.UnaryOp(ast.Not(), self.say(operand))
            case tree.Compare(left=left, op=op, right=right):
                return ast.Compare(self.say(left), [_COMPARISON[op]()], [self.say(right)])
            case tree.Logic(op=op, terms=terms):
                return ast.BoolOp(ast.And() if op == "and" else ast.Or(), [self.say(t) for t in terms])
            case tree.Ternary(then=then, condition=condition, otherwise=otherwise):
                return ast.IfExp(self.say(condition), self.say(then), self.say(otherwise))
            case tree.ListOf(items=items):
                return ast.List([self.say(i) for i in items])
            case tree.Range(start=start, stop=stop):
                is_zero = isinstance(start, tree.Number) and start.value == 0
                return call("range", *([] if is_zero else [self.say(start)]), self.say(stop))
            case tree.Index(value=value, subscripts=[index]) if not isinstance(index, tree.Slice):
                return ast.Subscript(self.say(value), self.say(index))
            case tree.Comprehension():
                return self._comprehension(node)
            case tree.Call():
                return self._call(node)
        raise NoValue

    def _name(self, text: str) -> ast.expr:
        if text in self._names:
            return ast.Name(self._names[text])
        value = self._functions._file.value(tree.Name(self._function.definition.span, text), self._function.file.env)
        if not is_plain(value):
            raise NoValue
        return literal(value)

    def _comprehension(self, node: tree.Comprehension) -> ast.expr:
        inner = _Body(self._functions, self._function, dict(self._names))
        clauses = [inner._clause(clause) for clause in node.clauses]
        return ast.ListComp(inner.say(node.element), clauses)

    def _clause(self, clause: tree.Clause) -> ast.comprehension:
        iterable = self.say(clause.iterable)
        targets: list[ast.expr] = []
        for pattern in clause.patterns:
            if not isinstance(pattern, tree.Name):
                raise NoValue
            self._names[pattern.text] = snake(identifier(pattern.text, "value"))
            targets.append(ast.Name(self._names[pattern.text]))
        target = targets[0] if len(targets) == 1 else ast.Tuple(targets)
        conditions = [self.say(clause.condition)] if clause.condition is not None else []
        return ast.comprehension(target, iterable, conditions, 0)

    def _call(self, node: tree.Call) -> ast.expr:
        if any(a.name is not None for a in node.arguments) or not isinstance(node.callee, tree.Name):
            raise NoValue
        text = node.callee.text
        found = self._function.file.env.lookup(text)
        args = [self.say(a.value) for a in node.arguments]
        if text in self._names:
            raise NoValue
        if isinstance(found, Function):
            return call(self._functions.term(found), *args)
        if found is MISSING and text in BUILTINS:
            return call(text, *args)
        if found is MISSING and text == "sqrt":
            return ast.BinOp(args[0], ast.Pow(), literal(0.5))
        raise NoValue


def annotation(values: list[Any]) -> str:
    """The type of some values: ``int``, ``float | None``, ``tuple[int, int]``."""
    kinds = dict.fromkeys(_kind(v) for v in values)
    if "float" in kinds:
        kinds.pop("int", None)
    rest = [k for k in kinds if k != "None"]
    return " | ".join([*rest, *(["None"] if "None" in kinds else [])])


def _kind(value: Any) -> str:
    match value:
        case None:
            return "None"
        case tuple() | list() | range():
            kinds = [_kind(v) for v in value]
            if len(kinds) > 4 and len(set(kinds)) == 1:
                return f"tuple[{kinds[0]}, ...]"
            return f"tuple[{', '.join(kinds)}]" if kinds else "tuple[()]"
        case _:
            return type(value).__name__


def _either(kinds: set[str]) -> ast.expr:
    """A union of types; a float takes ints too."""
    ordered = sorted(kinds - ({"int"} if "float" in kinds else set()))
    return ast.parse(" | ".join(ordered) or "float", mode="eval").body
