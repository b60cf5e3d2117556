"""Functions of the spec (``fn``) as functions of the emitted file."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from archdsl.emit.torch.docs import doc_above
from archdsl.emit.torch.names import Names, identifier, snake
from archdsl.emit.torch.phrases import Phrases
from archdsl.emit.torch.rows import Row
from archdsl.emit.torch.terms import NoValue, Symbol, Term, evaluate, is_plain, literal, settle
from archdsl.evaluate.values import Function
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
        self._results: dict[Hashable, Any] = {}

    def run(self, row: Row, args: tuple[Any, ...]) -> Any:
        """What it gives, which depends on its arguments alone."""
        key = (*map(type, args), *args)
        if key not in self._results:
            self._results[key] = self._run(row, args)
        return self._results[key]

    def _run(self, row: Row, args: tuple[Any, ...]) -> Any:
        values = [*args, *self.defaults[len(self.defaults) - (len(self.params) - len(args)) :]]
        if len(values) != len(self.params):
            raise NoValue
        for seen, value in zip(self._seen, values, strict=True):
            seen.add(annotation([value]))
        result = evaluate(self.body, row, dict(zip(self.params, values, strict=True)))
        self._gave.add(_result_type(self.body, result))
        return result

    def definition(self) -> ast.FunctionDef:
        args = [ast.arg(n, _either(seen)) for n, seen in zip(self.params, self._seen, strict=True)]
        arguments = ast.arguments([], args, None, [], [], None, [literal(d) for d in self.defaults])
        body: list[ast.stmt] = [ast.Expr(literal(self.doc))] if self.doc else []
        return ast.FunctionDef(self.name, arguments, [*body, ast.Return(self.body)], [], _either(self._gave))


class Functions:
    """The functions of the spec that the emitted file needs."""

    def __init__(self, file: File) -> None:
        self.file = file
        self._said: dict[tree.Fn, Said | None] = {}

    def term(self, function: Function) -> Term:
        """A function by its name.

        Raises:
            NoValue: it has no form in Python.
        """
        definition = function.definition
        if definition not in self._said:
            self._said[definition] = None  # while it is translated
            said = self._translate(function)
            del self._said[definition]  # behind those that it calls
            self._said[definition] = said
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
            defaults = [self.file.value(d, function.file.env) for d in given]
            if not all(map(is_plain, defaults)):
                return None
            body = _Body(self, function, params).say(definition.value)
        except NoValue:
            return None
        wish = identifier(definition.name.text, "function")
        name = self.file.names.take(snake(wish), f"{wish}_of")
        return Said(name, list(params.values()), body, defaults, doc_above(definition.span))

    def definitions(self) -> list[ast.stmt]:
        """Those that are used, callees first; called when all else has its text."""
        for said in reversed(list(self._said.values())):
            if said is not None and said.is_used:
                said.body = settle(said.body)
        return [said.definition() for said in self._said.values() if said is not None and said.is_used]


class _Body(Phrases):
    """Says the body of a function in terms of its parameters."""

    def __init__(self, functions: Functions, function: Function, params: dict[str, str]) -> None:
        super().__init__()
        self._functions = functions
        self._file_env = function.file.env
        self._bound = dict(params)

    def name(self, node: tree.Name) -> ast.expr:
        value = self._functions.file.value(node, self._file_env)
        if not is_plain(value):
            raise NoValue
        return literal(value)

    def function(self, function: Function) -> Term:
        return self._functions.term(function)

    def lookup(self, text: str) -> object:
        return self._file_env.lookup(text)


def _result_type(body: ast.expr, value: Any) -> str:
    """The type of what a function gives: a comprehension gives a list."""
    if isinstance(body, ast.ListComp) and value:
        return f"list[{_result_type(body.elt, value[0])}]"
    return annotation([value])


def annotation(values: list[Any]) -> str:
    """The type of some values: ``int``, ``float | None``, ``tuple[int, int]``."""
    kinds = dict.fromkeys(_kind(v) for v in values)
    if "float" in kinds:
        kinds.pop("int", None)
    lists = [k for k in kinds if k.startswith("tuple[")]
    elements = {e for k in lists for e in k[6:-1].split(", ") if e != "..."}
    if len(lists) > 1 and len(elements) == 1:
        kinds = {k: None for k in kinds if k not in lists} | {f"tuple[{elements.pop()}, ...]": None}
    rest = [k for k in kinds if k != "None"]
    return " | ".join([*rest, *(["None"] if "None" in kinds else [])])


def _kind(value: Any) -> str:
    match value:
        case None:
            return "None"
        case Symbol():
            return "type[nn.Module]"
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
