"""Formulas of tables in Python, and the functions of the spec (``fn``) that they call."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping

from archdsl.dims import Dim
from archdsl.emit.torch.docs import doc_above
from archdsl.emit.torch.names import Names, identifier, snake
from archdsl.emit.torch.operators import BINARY, BUILTINS, COMPARISONS
from archdsl.emit.torch.terms import call, literal
from archdsl.evaluate.values import Function
from archdsl.program.formulas import Formula, Meaning, free_names
from archdsl.program.numbers import OpenFloat
from archdsl.syntax import tree

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _comparison(left: ast.expr, op: str, right: ast.expr) -> ast.Compare:
    """A comparison; a number stands on its right."""
    if isinstance(left, ast.Constant) and not isinstance(right, ast.Constant):
        left, op, right = right, MIRRORED.get(op, op), left
    return ast.Compare(left, [COMPARISONS[op].syntax()], [right])


class NoFormula(Exception):
    """An expression has no form in Python without more imports."""


class Functions:
    """Writes the functions of the spec that formulas call, each once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._made: dict[tree.Fn, ast.FunctionDef] = {}

    @property
    def definitions(self) -> list[ast.FunctionDef]:
        """Each behind those that it calls."""
        return list(self._made.values())

    def name(self, function: Function, given: Iterable[str]) -> str:
        """The name of a function that is called with arguments of these types.

        Raises:
            NoFormula: it has no form in Python.
        """
        definition = function.definition
        if definition not in self._made:
            made = self._definition(function, list(given))
            self._made[definition] = made
        return self._made[definition].name

    def result(self, function: Function) -> str:
        """The type of what a function gives."""
        returns = self._made[function.definition].returns
        assert returns is not None
        return ast.unparse(returns)

    def _definition(self, function: Function, given: list[str]) -> ast.FunctionDef:
        definition = function.definition
        defaults = [p.default.value for p in definition.params if isinstance(p.default, tree.Number)]
        if len(defaults) < sum(p.default is not None for p in definition.params):
            raise NoFormula
        left = len(definition.params) - len(given)
        given += [type(default).__name__ for default in defaults[len(defaults) - left :]]
        if len(given) != len(definition.params):
            raise NoFormula
        names = Names()
        said = [names.take(snake(identifier(p.name.text, "value"))) for p in definition.params]
        bound = dict(zip((p.name.text for p in definition.params), said, strict=True))
        types = dict(zip(said, given, strict=True))
        meanings: dict[str, Meaning] = {}
        for text in free_names(definition.value):
            found = function.file.env.lookup(text)
            if text not in bound and isinstance(found, int | float | Function):
                meanings[text] = found
        phrase = Phrase(self, meanings, bound, dict(types))
        body = phrase.say(definition.value)
        doc = doc_above(definition.span)
        start: list[ast.stmt] = [ast.Expr(literal(doc))] if doc else []
        args = [ast.arg(n, ast.Name(kind)) for n, kind in types.items()]
        arguments = ast.arguments([], args, None, [], [], None, [literal(d) for d in defaults])
        wish = identifier(definition.name.text, "function")
        label = self._names.take(snake(wish), f"{wish}_of")
        returns = ast.parse(phrase.kind(body), mode="eval").body
        return ast.FunctionDef(label, arguments, [*start, ast.Return(body)], [], returns)


def said(formula: Formula, functions: Functions, number: Callable[[Dim | OpenFloat], ast.expr]) -> ast.expr | None:
    """A formula in Python, None if it has no form there; ``number`` gives an open number."""
    try:
        return Phrase(functions, dict(formula.names), {}, {}, number).say(formula.node)
    except NoFormula:
        return None


def _closed(number: Dim | OpenFloat) -> ast.expr:
    raise NoFormula


class Phrase:
    """Says one expression. ``bound`` are the variables of Python for names, ``types`` those of variables."""

    def __init__(
        self,
        functions: Functions,
        meanings: Mapping[str, Meaning],
        bound: dict[str, str],
        types: dict[str, str],
        number: Callable[[Dim | OpenFloat], ast.expr] = _closed,
    ) -> None:
        self._functions = functions
        self._meanings = meanings
        self._bound = bound
        self._types = types
        self._number = number
        self._results: dict[str, str] = {}

    def say(self, node: tree.Node) -> ast.expr:
        """The expression."""
        match node:
            case tree.Name(text=text) if text in self._bound:
                return ast.Name(self._bound[text])
            case tree.Name(text=text) if text in self._meanings:
                return self._meant(self._meanings[text])
            case tree.Number(value=value) | tree.String(value=value):
                return literal(value)
            case tree.ListOf(items=items):
                return ast.List([self.say(item) for item in items])
            case tree.Range(start=start, stop=stop):
                is_zero = isinstance(start, tree.Number) and start.value == 0
                return call("range", *([] if is_zero else [self.say(start)]), self.say(stop))
            case tree.Index(value=tree.Name(text=text), subscripts=[tree.Number(value=int() as place)]) if isinstance(
                items := self._meanings.get(text) if text not in self._bound else None, tuple
            ):
                return self._meant(items[place])
            case tree.Index(value=value, subscripts=[index]):
                return ast.Subscript(self.say(value), self._subscript(index))
            case tree.Comprehension():
                return self._comprehension(node)
            case tree.Call(callee=tree.Name(text=text), arguments=arguments):
                if any(a.name is not None for a in arguments):
                    raise NoFormula
                return self._call(text, [self.say(a.value) for a in arguments])
        return self._operation(node)

    def _meant(self, meaning: Meaning) -> ast.expr:
        match meaning:
            case Dim() | OpenFloat():
                return self._number(meaning)
            case Formula():
                return Phrase(self._functions, dict(meaning.names), {}, {}, self._number).say(meaning.node)
            case tuple():
                return ast.List([self._meant(m) for m in meaning])
            case Function():
                raise NoFormula
        return literal(meaning)

    def _operation(self, node: tree.Node) -> ast.expr:
        match node:
            case tree.Arithmetic(first=first, rest=rest):
                result = self.say(first)
                for op, term in rest:
                    result = ast.BinOp(result, BINARY[op].syntax(), self.say(term))
                return result
            case tree.Power(base=base, exponent=exponent):
                return ast.BinOp(self.say(base), ast.Pow(), self.say(exponent))
            case tree.Negative(operand=operand):
                return ast.UnaryOp(ast.USub(), self.say(operand))
            case tree.Not(operand=operand):
                return ast.UnaryOp(ast.Not(), self.say(operand))
            case tree.Compare(left=left, op=op, right=right):
                return _comparison(self.say(left), op, self.say(right))
            case tree.Logic(op=op, terms=terms):
                return ast.BoolOp(ast.And() if op == "and" else ast.Or(), [self.say(term) for term in terms])
            case tree.Ternary(then=then, condition=condition, otherwise=otherwise):
                return ast.IfExp(self.say(condition), self.say(then), self.say(otherwise))
        raise NoFormula

    def _subscript(self, node: tree.Expr | tree.Slice) -> ast.expr:
        if not isinstance(node, tree.Slice):
            return self.say(node)
        return ast.Slice(*(None if end is None else self.say(end) for end in (node.start, node.stop, node.step)))

    def _comprehension(self, node: tree.Comprehension) -> ast.expr:
        outer = dict(self._bound)
        clauses = [self._clause(clause) for clause in node.clauses]
        element = self.say(node.element)
        self._bound = outer
        match clauses, element:
            case [ast.comprehension(ast.Name(target), iterable, [])], ast.Name(text) if text == target:
                return call("list", iterable)
        return ast.ListComp(element, clauses)

    def _clause(self, clause: tree.Clause) -> ast.comprehension:
        iterable = self.say(clause.iterable)
        targets: list[ast.expr] = []
        for pattern in clause.patterns:
            if not isinstance(pattern, tree.Name):
                raise NoFormula
            self._bound = {**self._bound, pattern.text: snake(identifier(pattern.text, "value"))}
            targets.append(ast.Name(self._bound[pattern.text]))
            self._types[self._bound[pattern.text]] = element_of(self.kind(iterable))
        target = targets[0] if len(targets) == 1 else ast.Tuple(targets)
        conditions = [self.say(clause.condition)] if clause.condition is not None else []
        return ast.comprehension(target, iterable, conditions, 0)

    def _call(self, text: str, args: list[ast.expr]) -> ast.expr:
        meaning = None if text in self._bound else self._meanings.get(text)
        if isinstance(meaning, Function):
            label = self._functions.name(meaning, map(self.kind, args))
            self._results[label] = self._functions.result(meaning)
            return call(label, *args)
        match text, args:
            case "int", [ast.Call(func=ast.Name(id="round")) as rounded]:
                return rounded  # rounds to an int already
            case "sqrt", [value]:
                return ast.BinOp(value, ast.Pow(), literal(0.5))
        if text not in BUILTINS or text in self._bound or meaning is not None:
            raise NoFormula
        return call(text, *args)

    # ---- types ----

    def kind(self, node: ast.expr) -> str:
        """The type of an expression, as an annotation says it; numbers that are not known are ints."""
        match node:
            case ast.Constant(value=value):
                return type(value).__name__
            case ast.Name(id=text):
                return self._types.get(text, "int")
            case ast.List(elts=[first, *_]) | ast.ListComp(elt=first):
                return f"list[{self.kind(first)}]"
            case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.BoolOp():
                return "bool"
            case ast.BinOp(left=left, op=op, right=right):
                kinds = {self.kind(left), self.kind(right)}
                return "float" if isinstance(op, ast.Div) or "float" in kinds else "int"
            case ast.IfExp(body=body, orelse=orelse):
                kinds = {self.kind(body), self.kind(orelse)}
                return kinds.pop() if len(kinds) == 1 else "float"
            case ast.UnaryOp(operand=operand):
                return self.kind(operand)
            case ast.Subscript(value=value, slice=index):
                return self.kind(value) if isinstance(index, ast.Slice) else element_of(self.kind(value))
            case ast.Call(func=ast.Name(id="range" | "list")):
                return "list[int]"
            case ast.Call(func=ast.Name(id=text), args=args) if text not in self._results:
                kinds = {self.kind(a) for a in args}
                return "int" if text in ("int", "len", "round") or "float" not in kinds else "float"
            case ast.Call(func=ast.Name(id=text)):
                return self._results[text]
        return "int"


def element_of(kind: str) -> str:
    """The type of the elements of a list."""
    return kind[5:-1] if kind.startswith("list[") else "int"
