"""The expressions of the language in Python, form by form."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence

from archdsl.emit.torch.names import identifier, snake
from archdsl.emit.torch.operators import BINARY, BUILTINS, COMPARISONS
from archdsl.emit.torch.terms import NoValue, Term, call, literal
from archdsl.evaluate.values import MISSING, Function
from archdsl.syntax import tree


class Phrases(ABC):
    """Says expressions. Names, and what may be said shorter, are left to subclasses."""

    def __init__(self) -> None:
        self._bound: dict[str, str] = {}
        """Variables of the comprehensions around, by their names in the spec."""

    @abstractmethod
    def name(self, node: tree.Name) -> ast.expr:
        """A name that no comprehension around binds.

        Raises:
            NoValue: it has no form in Python.
        """

    @abstractmethod
    def function(self, function: Function) -> Term:
        """A function of the spec.

        Raises:
            NoValue: it has no form in Python.
        """

    @abstractmethod
    def lookup(self, text: str) -> object:
        """What a name means in the spec; MISSING for the language's own functions."""

    def whole(self, node: tree.Node) -> ast.expr | None:
        """An expression that no comprehension's variable stands in, where it is not to be said part by part."""
        return None

    def say(self, node: tree.Node) -> ast.expr:
        """An expression.

        Raises:
            NoValue: it has no form in Python.
        """
        if isinstance(node, tree.Name) and node.text in self._bound:
            return ast.Name(self._bound[node.text])
        if not self._is_bound(node):
            found = self.whole(node)
            if found is not None:
                return found
        match node:
            case tree.Name():
                return self.name(node)
            case tree.Number(value=value) | tree.String(value=value):
                return literal(value)
            case tree.ListOf(items=items):
                return ast.Tuple([self.say(item) for item in items])
            case tree.Range(start=start, stop=stop):
                return call("range", *([] if _is_zero(start) else [self.say(start)]), self.say(stop))
            case tree.Index(value=value, subscripts=[index]):
                return ast.Subscript(self.say(value), self._subscript(index))
            case tree.Comprehension():
                return self._comprehension(node)
            case tree.Call():
                return self._call(node)
        return self._operation(node)

    def _is_bound(self, node: tree.Node) -> bool:
        """Does a variable of a comprehension around stand in it?"""
        if not self._bound:
            return False
        return any(isinstance(n, tree.Name) and n.text in self._bound for n in tree.walk(node))

    def _operation(self, node: tree.Node) -> ast.expr:
        match node:
            case tree.Arithmetic(first=first, rest=rest):
                result = self.say(first)
                for op, term in rest:
                    result = combined(result, op, self.say(term))
                return result
            case tree.Power(base=base, exponent=exponent):
                return ast.BinOp(self.say(base), ast.Pow(), self.say(exponent))
            case tree.Negative(operand=operand):
                return ast.UnaryOp(ast.USub(), self.say(operand))
            case tree.Not(operand=operand):
                return ast.UnaryOp(ast.Not(), self.say(operand))
            case tree.Compare(left=left, op=op, right=right):
                return ast.Compare(self.say(left), [COMPARISONS[op].syntax()], [self.say(right)])
            case tree.Logic(op=op, terms=terms):
                return joined(op, [self.say(term) for term in terms])
            case tree.Ternary(then=then, condition=condition, otherwise=otherwise):
                return ast.IfExp(self.say(condition), self.say(then), self.say(otherwise))
        raise NoValue

    def _subscript(self, node: tree.Expr | tree.Slice) -> ast.expr:
        if not isinstance(node, tree.Slice):
            return self.say(node)
        return ast.Slice(*(None if end is None else self.say(end) for end in (node.start, node.stop, node.step)))

    # ---- comprehensions ----

    def _comprehension(self, node: tree.Comprehension) -> ast.expr:
        outer = dict(self._bound)
        clauses = [self._clause(clause) for clause in node.clauses]
        element = self.say(node.element)
        self._bound = outer
        match clauses, element:
            case [ast.comprehension(ast.Name(target), iterable, [])], ast.Name(name) if name == target:
                return call("list", iterable)
        return ast.ListComp(element, clauses)

    def _clause(self, clause: tree.Clause) -> ast.comprehension:
        iterable = self.say(clause.iterable)
        targets: list[ast.expr] = []
        for pattern in clause.patterns:
            if not isinstance(pattern, tree.Name):
                raise NoValue
            self._bound[pattern.text] = snake(identifier(pattern.text, "value"))
            targets.append(ast.Name(self._bound[pattern.text]))
        target = targets[0] if len(targets) == 1 else ast.Tuple(targets)
        conditions = [self.say(clause.condition)] if clause.condition is not None else []
        return ast.comprehension(target, iterable, conditions, 0)

    # ---- calls ----

    def _call(self, node: tree.Call) -> ast.expr:
        if any(a.name is not None for a in node.arguments) or not isinstance(node.callee, tree.Name):
            raise NoValue
        text = node.callee.text
        args = [self.say(a.value) for a in node.arguments]
        found = MISSING if text in self._bound else self.lookup(text)
        if isinstance(found, Function):
            return call(self.function(found), *args)
        if found is not MISSING or text in self._bound:
            raise NoValue
        return built_in(text, args)


def built_in(text: str, args: Sequence[ast.expr]) -> ast.expr:
    """A call of one of the language's own functions.

    Raises:
        NoValue: Python has none like it without an import.
    """
    match text, args:
        case "int", [ast.Call(func=ast.Name(id="round")) as rounded]:
            return rounded  # rounds to an int already
        case "sqrt", [value]:
            return ast.BinOp(value, ast.Pow(), literal(0.5))
        case _ if text in BUILTINS:
            return call(text, *args)
    raise NoValue


def combined(left: ast.expr, op: str, right: ast.expr) -> ast.expr:
    """``left op right``, but for a 1 or a 0 that changes nothing."""
    first, last = (e.value if isinstance(e, ast.Constant) else None for e in (left, right))
    if (op in ("*", "/", "//") and last == 1 and last is not True) or (op in ("+", "-") and last == 0):
        return left
    if (op == "*" and first == 1 and first is not True) or (op == "+" and first == 0):
        return right
    return ast.BinOp(left, BINARY[op].syntax(), right)


def joined(op: str, terms: Sequence[ast.expr]) -> ast.expr:
    """``a and b``; terms that are settled and change nothing are left out."""
    neutral = op == "and"
    kept = [t for t in terms if not (isinstance(t, ast.Constant) and bool(t.value) is neutral)]
    if not kept:
        return literal(neutral)
    return kept[0] if len(kept) == 1 else ast.BoolOp(ast.And() if neutral else ast.Or(), kept)


def _is_zero(node: tree.Node) -> bool:
    return isinstance(node, tree.Number) and node.value == 0
