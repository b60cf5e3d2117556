"""Values that are used once are computed where they are used.

A value stands where a person would put it: within one statement of the text, around a short step, or as a branch of
a combinator; never so that random numbers are drawn in another order, and not beyond the length of a line that reads
well. `Hint` says how the text speaks of the value of a variable.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

from archdsl.emit.torch.lower.classir import ClassIR, with_body
from archdsl.emit.torch.lower.flow import Renamed, assigned, names_read
from archdsl.emit.torch.render import flat
from archdsl.program.hints import NO_HINT, Hint

LONGEST = 72
"""A nested expression is at most so long."""
DEEPEST = 3
"""Calls inside each other."""
LONGEST_ACROSS = 44
"""A normalization or activation goes with the layer of the statement before, if the whole is no longer."""
SHORT = 28
"""A step that is said inside the next one is at most so long."""
LONGEST_MERGE = 84
"""One that joins branches may be a little longer."""
LONGEST_PLAIN_MERGE = 110
"""And longer still, on two lines, if no branch is more than one call."""


def nested(cls: ClassIR) -> ClassIR:
    """A value that is used once is computed where it is used, if that reads well."""
    return replace(cls, methods=tuple(_Nesting(m, cls.hints.get(m.name, {})).method() for m in cls.methods))


class _Nesting:
    """Nests what one method computes."""

    def __init__(self, method: ast.FunctionDef, hints: Mapping[str, Hint]) -> None:
        self._method = method
        self._hints = hints
        self._reads = Counter(n for s in method.body for n in names_read(s))
        self._statements = [self._without_dead(s) for s in method.body]
        self._writes = Counter(n for s in self._statements for n in assigned(s))
        self._steps = Counter(h.statement for h in hints.values())
        self._heavy = Counter(h.statement for h in hints.values() if not h.is_light)
        self._random = {n for n, h in hints.items() if h.is_random}

    def method(self) -> ast.FunctionDef:
        return with_body(self._method, self._body(self._statements))

    def _body(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in statements:
            match statement:
                case ast.If(test=test, body=body, orelse=orelse):
                    statement = self._ternary(ast.If(test, self._body(body), self._body(orelse)))
                case ast.For(target=target, iter=iterable, body=body):
                    statement = ast.For(target, iterable, self._body(body), [])
            if isinstance(statement, ast.Assign | ast.Return):
                statement = self._filled(statement, out)
            out.append(statement)
        return out

    def _filled(self, line: ast.Assign | ast.Return, before: list[ast.stmt]) -> ast.stmt:
        """A line, with what earlier ones compute for it alone. What it reads last is tried first."""
        for variable in reversed(list(names_read(line))):
            place = self._maker(variable, before)
            maker = before[place] if place is not None else None
            if place is None or not isinstance(maker, ast.Assign) or line.value is None:
                continue
            value = Renamed({variable: maker.value}).visit(deepcopy(line.value))
            merged = ast.Return(value) if isinstance(line, ast.Return) else ast.Assign(line.targets, value)
            if self._keeps_order(maker, before[place + 1 :]) and self._reads_well(maker, line, merged):
                if variable in self._random:
                    self._random.update(assigned(line))
                line = merged
                del before[place]
        return line

    def _without_dead(self, statement: ast.stmt) -> ast.stmt:
        """A choice without ``x = None`` for what only the other arm reads."""
        if not isinstance(statement, ast.If):
            return statement
        inside = Counter(n for s in statement.body for n in names_read(s))
        dead = {n for n, reads in inside.items() if reads == self._reads[n]}
        return ast.If(statement.test, statement.body, [s for s in statement.orelse if _none(s) not in dead])

    def _ternary(self, choice: ast.If) -> ast.stmt:
        """``a if condition else b``, where both arms are but expressions."""
        match choice:
            case ast.If(
                test=test,
                body=[ast.Assign(targets=[ast.Name(id=target)], value=then)],
                orelse=[ast.Assign(targets=[ast.Name(id=other)], value=otherwise)],
            ) if target == other and not any(isinstance(v, ast.IfExp) for v in (then, otherwise)):
                value = ast.IfExp(test, then, otherwise)
                if self._length(value) <= LONGEST_MERGE:
                    self._writes[target] -= 1
                    return ast.Assign([ast.Name(target)], value)
        return choice

    def _length(self, node: ast.expr) -> int:
        """The length of an expression, nearly: variables have no names yet."""
        names = {v: ast.Name(next(iter(hint.names), "out")) for v, hint in self._hints.items()}
        return len(flat(Renamed(names).visit(deepcopy(node))))

    def _maker(self, variable: str, before: Sequence[ast.stmt]) -> int | None:
        """Where a variable is computed, if nothing else is there and nobody else wants it."""
        if self._reads[variable] != 1 or self._writes[variable] != 1 or self._hint(variable).is_named:
            return None
        places = (k for k, s in enumerate(before) if _target(s) == variable)
        return next(places, None)

    def _keeps_order(self, maker: ast.Assign, between: Sequence[ast.stmt]) -> bool:
        """Does the same happen if it moves behind these lines?"""
        changed = {n for s in between for n in assigned(s)}
        if not changed.isdisjoint(names_read(maker)):
            return False
        if not self._random.isdisjoint(assigned(maker)) and not self._random.isdisjoint(changed):
            return False
        return _modules(maker).isdisjoint(m for s in between for m in _modules(s))

    def _hint(self, variable: str | None) -> Hint:
        return self._hints.get(variable or "", NO_HINT)

    def _reads_well(self, maker: ast.Assign, line: ast.Assign | ast.Return, merged: ast.Assign | ast.Return) -> bool:
        first, second = self._hint(_target(maker)), self._hint(_target(line))
        assert line.value is not None
        assert merged.value is not None
        if isinstance(maker.value, ast.IfExp):
            return isinstance(line, ast.Return) and isinstance(line.value, ast.Name)
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Name):
            return True
        length, depth = self._length(merged.value), _depth(merged.value)
        if isinstance(line, ast.Return):
            return isinstance(line.value, ast.Name) or (not isinstance(line.value, ast.IfExp) and length <= LONGEST)
        if second.is_merged:
            return length <= (LONGEST_PLAIN_MERGE if depth <= 2 else LONGEST_MERGE)
        if length > LONGEST or depth > DEEPEST:
            return False
        if first.statement is None or first.statement == second.statement:
            return True
        if _is_same_line(first, second) and (first.is_light or not _calls_module(line.value)):
            return True
        is_all_light = second.statement is not None and not self._heavy[second.statement]
        if is_all_light and not first.is_merged and length <= LONGEST_ACROSS:
            return True
        if first.is_light and _depth(maker.value) == 1 and length <= LONGEST_ACROSS:
            return True
        return self._is_light(line.value, second) or self._is_short(maker.value, first)

    def _is_light(self, node: ast.expr, hint: Hint) -> bool:
        """A step that is one function of the stream alone: ``relu``."""
        if hint.statement is None or self._steps[hint.statement] != 1:
            return False
        return isinstance(node, ast.Call) and _is_function(node) and len(node.args) == 1 and not node.keywords

    def _is_short(self, node: ast.expr, hint: Hint) -> bool:
        """A step that is one function, of a variable: ``F.avg_pool2d(x, 2)``."""
        if self._steps[hint.statement] != 1 or hint.is_merged or not isinstance(node, ast.Call):
            return False
        is_nested = any(isinstance(inner, ast.Call) for arg in node.args for inner in ast.walk(arg))
        return _is_function(node) and not is_nested and self._length(node) <= SHORT


def _is_same_line(first: Hint, second: Hint) -> bool:
    """Do two statements stand on one line of the text, and in one turn?"""
    if first.statement is None or second.statement is None:
        return False
    return first.line == second.line and first.statement[1:] == second.statement[1:]


def _none(statement: ast.stmt) -> str | None:
    """The variable that is set to None."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=variable)], value=ast.Constant(value=None)):
            return variable
    return None


def _target(statement: ast.stmt) -> str | None:
    """The variable of an assignment to one variable."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=variable)]):
            return variable
    return None


def _depth(node: ast.AST) -> int:
    """How many calls stand inside each other; a chain of methods is one."""
    if not isinstance(node, ast.Call):
        return max(map(_depth, ast.iter_child_nodes(node)), default=0)
    inner = max(map(_depth, (*node.args, *node.keywords)), default=0)
    return max(inner + 1, _depth(node.func) if isinstance(node.func, ast.Attribute) else 0)


def _modules(statement: ast.stmt) -> set[str]:
    """The modules that a statement runs: one that runs again may hold a state."""
    calls = (n for n in ast.walk(statement) if isinstance(n, ast.Call))
    return {ast.dump(c.func) for c in calls if not _is_function(c) and not isinstance(c.func, ast.Name)}


def _calls_module(node: ast.expr) -> bool:
    """``self.conv1(…)``."""
    return isinstance(node, ast.Call) and not _is_function(node) and not isinstance(node.func, ast.Name)


def _is_function(node: ast.Call) -> bool:
    """``F.relu(…)``, ``torch.cat(…)``, ``drop_path(…)``; no module's call."""
    function = node.func
    if isinstance(function, ast.Name):
        return True
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id != "self"
