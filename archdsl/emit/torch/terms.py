"""Pieces of the Python that is being written: expressions whose value is known in every row.

An expression is a tree of Python's ``ast``. Where its text depends on what the class will look like when it is done
(the name of an argument, of a variable), a `Term` stands for it; `evaluate` gives the value of an expression in a row
at any time, and `settle` puts the final text in the place of the terms.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archdsl.dims import Dim
from archdsl.emit.torch.operators import BUILTINS, BY_SYNTAX

if TYPE_CHECKING:
    from archdsl.emit.torch.rows import Row


class NoValue(Exception):
    """An expression has no value (in this row)."""


@dataclass(frozen=True)
class Symbol:
    """A dotted name as a value: ``nn.ReLU`` where a class takes what it builds as an argument."""

    text: str


class Term(ast.expr):
    """Stands in an expression for what gets its text later."""

    _fields = ()

    def value(self, row: Row) -> Any:
        """Its value in a row.

        Raises:
            NoValue: it has none.
        """
        raise NoValue

    def final(self) -> ast.expr:
        """What takes its place."""
        raise NotImplementedError

    def key(self) -> object:
        """What tells it from other terms of its class."""
        return self


# ---- building ----------------------------------------------------------------------------------------------


def name(text: str) -> ast.expr:
    """A name, perhaps dotted: ``nn.Conv2d``."""
    first, *rest = text.split(".")
    node: ast.expr = ast.Name(first)
    for part in rest:
        node = ast.Attribute(node, part)
    return node


def call(function: ast.expr | str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    function = name(function) if isinstance(function, str) else function
    return ast.Call(function, list(args), [ast.keyword(k, v) for k, v in keywords.items()])


def own(attribute: str) -> ast.expr:
    """``self.attribute``."""
    return ast.Attribute(ast.Name("self"), attribute)


def dotted(node: ast.expr, path: str) -> ast.expr:
    """``node.path``, the path perhaps of several names."""
    for part in path.split("."):
        node = ast.Attribute(node, part)
    return node


def literal(value: Any) -> ast.expr:
    """A value as Python writes it.

    Raises:
        NoValue: it has no literal.
    """
    match value:
        case bool() | int() | float() | str() | None:
            return ast.Constant(value)
        case _ if value is ...:
            return ast.Constant(value)
        case tuple():
            return ast.Tuple([literal(v) for v in value])
        case list() | range():
            return ast.List([literal(v) for v in value])
        case Symbol(text=text):
            return name(text)
    raise NoValue


def assign(target: ast.expr, value: ast.expr) -> ast.Assign:
    return ast.Assign([target], value)


def negated(test: ast.expr) -> ast.expr:
    """The contrary of a condition, as a person writes it."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Compare(left=left, ops=[op], comparators=others) if type(op) in _CONTRARY:
            return ast.Compare(left, [_CONTRARY[type(op)]()], others)
    return ast.UnaryOp(ast.Not(), test)


_CONTRARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}

# ---- values ------------------------------------------------------------------------------------------------


def exact(left: Any, right: Any) -> bool:
    """The same value of the same type; a list is as good as a tuple."""
    if isinstance(left, list | tuple | range) and isinstance(right, list | tuple | range):
        return len(left) == len(right) and all(map(exact, left, right))
    return type(left) is type(right) and left == right


def all_same(values: Sequence[Any]) -> bool:
    return all(exact(values[0], v) for v in values[1:])


def is_plain(value: Any) -> bool:
    """Can it stand in source as a literal?"""
    if isinstance(value, list | tuple | range):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float | str | Symbol)


def is_ugly(value: Any) -> bool:
    """A number whose digits say less than the arithmetic it comes from, or a long table."""
    if isinstance(value, list | tuple | range):
        return _leaves(value) > LONGEST_TABLE
    return isinstance(value, float) and len(repr(value)) > 8


LONGEST_TABLE = 16
"""Longer ones are computed by the emitted source, where it can."""


def _leaves(value: Any) -> int:
    return sum(map(_leaves, value)) if isinstance(value, list | tuple | range) else 1


Names = Mapping[str, Any]
NO_NAMES: Names = {}


def evaluate(node: ast.expr, row: Row, names: Names = NO_NAMES) -> Any:
    """The value of an expression in a row. ``names`` are the variables of comprehensions and functions around it.

    Raises:
        NoValue: it has none.
    """
    try:
        return _evaluate(node, row, names)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise NoValue from error


def _evaluate(node: ast.expr, row: Row, names: Names) -> Any:
    def of(inner: ast.expr) -> Any:
        return _evaluate(inner, row, names)

    match node:
        case Term():
            return node.value(row)
        case ast.Constant(value=value):
            return value
        case ast.Name(id=text) if text in names:
            return names[text]
        case ast.Name() | ast.Attribute():
            return Symbol(_dotted(node))
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(map(of, items))
        case ast.BinOp(left=left, op=op, right=right):
            return BY_SYNTAX[type(op)](of(left), of(right))
        case ast.UnaryOp(op=op, operand=operand):
            return BY_SYNTAX[type(op)](of(operand))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return of(body) if of(test) else of(orelse)
        case ast.BoolOp(op=op, values=terms):
            stops = isinstance(op, ast.Or)
            return stops if any(bool(of(t)) is stops for t in terms) else not stops
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return BY_SYNTAX[type(op)](of(left), of(right))
        case ast.Subscript(value=value, slice=index):
            return of(value)[_slice(index, of)]
        case ast.Call(func=function, args=args):
            return _called(function, [of(a) for a in args], row)
        case ast.JoinedStr(values=parts):
            return "".join(str(of(p.value if isinstance(p, ast.FormattedValue) else p)) for p in parts)
        case ast.ListComp(elt=element, generators=clauses) | ast.GeneratorExp(elt=element, generators=clauses):
            return tuple(_evaluate(element, row, inner) for inner in _turns(clauses, row, names))
    raise NoValue


def _slice(index: ast.expr, of: Callable[[ast.expr], Any]) -> Any:
    if isinstance(index, ast.Slice):
        return slice(*(None if end is None else of(end) for end in (index.lower, index.upper, index.step)))
    return of(index)


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=text):
            return text
        case ast.Attribute(value=value, attr=attribute):
            return f"{_dotted(value)}.{attribute}"
    raise NoValue


def _called(function: ast.expr, args: list[Any], row: Row) -> Any:
    if isinstance(function, Term):
        return function.value(row)(*args)
    if isinstance(function, ast.Name) and function.id in BUILTINS:
        result = BUILTINS[function.id](*args)
        return result if isinstance(result, int | float | Dim) else tuple(result)
    raise NoValue


def _turns(clauses: Sequence[ast.comprehension], row: Row, names: Names) -> Iterable[Names]:
    if not clauses:
        yield names
        return
    first, *rest = clauses
    for item in _evaluate(first.iter, row, names):
        inner = {**names, **_bound(first.target, item)}
        if all(_evaluate(c, row, inner) for c in first.ifs):
            yield from _turns(rest, row, inner)


def _bound(target: ast.expr, item: Any) -> dict[str, Any]:
    match target:
        case ast.Name(id=text):
            return {text: item}
        case ast.Tuple(elts=targets):
            return {n: v for t, i in zip(targets, item, strict=True) for n, v in _bound(t, i).items()}
    raise NoValue


def holds(node: ast.expr, rows: Sequence[Row], values: Sequence[Any]) -> bool:
    """Has the expression, in every row, exactly this value?"""
    try:
        return all(exact(evaluate(node, row), value) for row, value in zip(rows, values, strict=True))
    except NoValue:
        return False


def has_symbols(value: Any) -> bool:
    """Does a value depend on the symbols of the input's sizes?"""
    if isinstance(value, list | tuple):
        return any(map(has_symbols, value))
    return isinstance(value, Dim)


def copied(node: Any, others: Mapping[ast.AST, ast.AST] | None = None) -> Any:
    """A copy of a tree that shares its terms; ``others`` stand in the place of some nodes."""
    if isinstance(node, list):
        return [copied(n, others) for n in node]
    if others and isinstance(node, ast.AST) and node in others:
        return others[node]
    if isinstance(node, Term) or not isinstance(node, ast.AST):
        return node
    copy = type(node)(**{f: copied(getattr(node, f, None), others) for f in node._fields})
    copy.__dict__.update({k: v for k, v in node.__dict__.items() if k not in node._fields})
    return copy


def alike(left: ast.AST, right: ast.AST) -> bool:
    """Will two expressions have the same text?"""
    if type(left) is not type(right):
        return False
    if isinstance(left, Term) and isinstance(right, Term):
        return left.key() == right.key()
    if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        return exact(left.value, right.value)
    return all(_fields_alike(getattr(left, f, None), getattr(right, f, None)) for f in left._fields)


def _fields_alike(left: Any, right: Any) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_fields_alike, left, right))
    if isinstance(left, ast.AST) and isinstance(right, ast.AST):
        return alike(left, right)
    return left == right


# ---- at the end --------------------------------------------------------------------------------------------


class _Settler(ast.NodeTransformer):
    def visit(self, node: ast.AST) -> Any:
        while isinstance(node, Term):
            node = node.final()
        if hasattr(node, "oriented"):
            node = node.oriented()  # type: ignore[attr-defined]
        return super().generic_visit(node)


def settle(node: ast.AST) -> Any:
    """The tree with final text in place of its terms."""
    return _Settler().visit(node)
