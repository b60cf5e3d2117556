"""Names of variables in the methods of a class.

A variable is used again when what it held is no longer wanted, as a person would write ``x = …`` line after line. Names
that the text gives (`Hint`) come first.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from archdsl.emit.torch.lower.classir import ClassIR, with_body
from archdsl.emit.torch.lower.flow import Liveness, Renamed, assigned, names_in, names_read
from archdsl.emit.torch.names import RESERVED, is_identifier
from archdsl.emit.torch.terms import negated
from archdsl.program.hints import Hint

WISHES = ("x", "out", "y", "z", "u", "v")
"""Names for values that the author gave none."""
MAX_SIZE_READS = 2
"""A size that is read more often has a variable."""


def sizes_in_place(cls: ClassIR) -> ClassIR:
    """A size of an input that is read once or twice is read off the input there."""
    return replace(cls, methods=tuple(map(_sizes_in_place, cls.methods)))


def named(cls: ClassIR) -> ClassIR:
    """Variables have the names that the text gives them, or one of `WISHES`."""
    return replace(cls, methods=tuple(_Variables(m, cls.hints.get(m.name, {})).method() for m in cls.methods))


def _sizes_in_place(method: ast.FunctionDef) -> ast.FunctionDef:
    reads = Counter(n for s in method.body for n in names_read(s))
    writes = Counter(n for s in method.body for n in assigned(s))
    values: dict[str, ast.expr] = {}
    body: list[ast.stmt] = []
    for statement in method.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=variable)], value=value) if _is_size(value):
                if reads[variable] <= MAX_SIZE_READS and writes[variable] == 1:
                    values[variable] = value
                    continue
        body.append(statement)
    return with_body(method, [Renamed(values).visit(s) for s in body])


def _is_size(node: ast.expr) -> bool:
    """``x.shape[1]``, or arithmetic on it."""
    match node:
        case ast.BinOp(left=left, right=ast.Constant()):
            return _is_size(left)
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return True
    return False


class _Variables:
    """Gives the variables of one method their names. Those with a hint may have another name."""

    def __init__(self, method: ast.FunctionDef, hints: Mapping[str, Hint]) -> None:
        self._method = method
        self._same: dict[str, str] = {}
        self._wishes = {variable: list(hint.names) for variable, hint in hints.items()}
        live = Liveness(method.body)
        self._apart = live.interference()
        self._reads = Counter(n for s in method.body for n in names_read(s))
        self._inputs = {a.arg for a in method.args.args}
        names = {n for s in method.body for n in names_in(s)}
        self._fixed = RESERVED | (names - self._wishes.keys() - self._inputs)

    def method(self) -> ast.FunctionDef:
        self._join(self._method.body)
        names: dict[str, str] = {n: n for n in self._inputs}
        for variable in dict.fromkeys(n for s in self._method.body for n in assigned(s)):
            first = self._first(variable)
            if first in self._wishes and first not in names:
                names[first] = self._chosen(first, names)
            names[variable] = names.get(first, variable)
            if variable in self._wishes and not self._reads[variable]:
                names[variable] = "_"
        renamed = {variable: ast.Name(name) for variable, name in names.items()}
        body = [Renamed(renamed).visit(s) for s in self._method.body]
        return with_body(self._method, list(_without_copies(body)))

    def _first(self, variable: str) -> str:
        """The variable that stands for those that are one."""
        while variable in self._same:
            variable = self._same[variable]
        return variable

    def _join(self, body: Iterable[ast.stmt]) -> None:
        """Make one variable of two, where one is copied to the other and neither is wanted behind."""
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=target)], value=ast.Name(id=source)):
                    self._unite(self._first(target), self._first(source))
                case ast.If(body=inner, orelse=orelse):
                    self._join([*inner, *orelse])
                case ast.For(body=inner):
                    self._join(inner)

    def _unite(self, target: str, source: str) -> None:
        if target == source or not {target, source} <= self._wishes.keys():
            return
        if source in self._apart.get(target, set()):
            return
        self._same[source] = target
        self._wishes[target] += self._wishes[source]
        others = self._apart.get(source, set())
        self._apart.setdefault(target, set()).update(others)
        for other in others:
            self._apart[other].add(target)

    def _chosen(self, variable: str, names: Mapping[str, str]) -> str:
        """The first name that no variable has which holds another value meanwhile."""
        taken = {names.get(self._first(other), other) for other in self._apart.get(variable, ())} | self._fixed
        free = (n for n in (*self._wishes[variable], *WISHES) if is_identifier(n) and n not in taken)
        numbered = (f"x{n}" for n in range(2, 10**6) if f"x{n}" not in taken)
        return next(free, None) or next(numbered)


def _without_copies(body: Sequence[ast.stmt]) -> Iterable[ast.stmt]:
    """Statements without ``x = x``, and without choices and loops that do nothing."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Name(id=source)) if target == source:
                continue
            case ast.If(test=test, body=then, orelse=otherwise):
                arms = list(_without_copies(then)), list(_without_copies(otherwise))
                if arms[0]:
                    yield ast.If(test, *arms)
                elif arms[1]:
                    yield ast.If(negated(test), arms[1], [])
            case ast.For(target=target, iter=iterable, body=turn):
                if inner := list(_without_copies(turn)):
                    yield ast.For(target, iterable, inner, [])
            case _:
                yield statement
