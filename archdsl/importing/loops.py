"""Loops of repeated statements: numbers that follow the turn by a formula, or stand in rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from archdsl.importing.price import price
from archdsl.importing.tree import (
    Apply,
    Body,
    Chain,
    Code,
    Do,
    For,
    Group,
    If,
    Labelled,
    Literal,
    Merge,
    Open,
    Range,
    Residual,
    Rows,
    Statement,
    literal,
    mapped,
    value_text,
    walk,
)
from archdsl.importing.unify import Apart, Blocks, Unifier

LONGEST_PERIOD = 8
MOST_COLUMNS = 8
FEWEST_ROWS = 3
"""Two rows of numbers read worse than two statements."""
PRICE_OF_ROWS = 8
VARIABLES = "ijkmn"


def looped(blocks: Blocks, statements: tuple[Statement, ...], exact: bool = False) -> tuple[Statement, ...]:
    """Statements with loops where they are shorter. ``exact``: only for turns that differ in their labels alone."""
    inner = tuple(_within(blocks, s, exact) for s in statements)
    found: list[Statement] = []
    start = 0
    while start < len(inner):
        best = _best(blocks, inner, start, exact)
        if best is None:
            found.append(inner[start])
            start += 1
        else:
            found.append(best[0])
            start += best[1]
    return tuple(found)


def _within(blocks: Blocks, part: Any, exact: bool) -> Any:
    def change(inner: Any) -> Any:
        return Body(looped(blocks, inner.statements, exact)) if isinstance(inner, Body) else None

    return mapped(part, change)


def _best(blocks: Blocks, statements: tuple[Statement, ...], start: int, exact: bool) -> tuple[For, int] | None:
    """The loop from a statement on that saves most, and how many statements it replaces."""
    best: tuple[float, For, int] | None = None
    bonus = 20 if exact else 0
    for period in range(1, min(LONGEST_PERIOD, (len(statements) - start) // 2) + 1):
        window = statements[start : start + period]
        if not all(map(_is_free, window)):
            break
        for loop, turns in (_equal_turns(statements, start, period), _turns(blocks, statements, start, period, exact)):
            if loop is None:
                continue
            replaced = statements[start : start + period * turns]
            gain = price(replaced) - price(loop) + bonus
            if isinstance(loop.source, Rows):
                gain -= PRICE_OF_ROWS
                if turns < FEWEST_ROWS or not any(map(_is_heavy, window)):
                    gain = -1.0
            if best is None or gain > best[0]:
                best = (gain, loop, period * turns)
    return best[1:] if best is not None and best[0] > 0 else None


def _is_free(statement: Statement) -> bool:
    """May a statement be one of a loop? One that names a value or declares may not."""
    return isinstance(statement, For | If) or (isinstance(statement, Do) and not statement.names)


def _is_heavy(statement: Statement) -> bool:
    """Is it more than a bare operator?"""
    item = statement.item if isinstance(statement, Do) else None
    item = item.item if isinstance(item, Labelled) else item
    is_block = isinstance(item, Apply) and isinstance(item.name, str) and item.name[:1].isupper()
    return is_block or isinstance(item, Chain | Group | Residual | Merge)


def _equal_turns(statements: Sequence[Statement], start: int, period: int) -> tuple[For | None, int]:
    first = tuple(statements[start : start + period])
    turns = 1
    while tuple(statements[start + period * turns : start + period * (turns + 1)]) == first:
        turns += 1
    return (For(("_",), Range(literal(turns)), Body(first)) if turns > 1 else None), turns


def _turns(
    blocks: Blocks, statements: Sequence[Statement], start: int, period: int, exact: bool
) -> tuple[For | None, int]:
    """The loop over the most turns."""
    found: tuple[For | None, int] = (None, 0)
    turns = 2
    while start + period * turns <= len(statements):
        windows = [tuple(statements[start + period * t : start + period * (t + 1)]) for t in range(turns)]
        if not all(map(_is_free, windows[-1])):
            break
        unifier = Unifier(blocks, turns, strict=True)
        try:
            body = Body(unifier.align(windows, list(range(turns))))
        except Apart:
            break
        if exact and any(purpose != "label" for _, purpose in unifier.holes):
            break
        loop = _rendered(unifier, body, turns)
        if loop is None:
            break
        found = (loop, turns)
        turns += 1
    return found


def _rendered(unifier: Unifier, body: Body, turns: int) -> For | None:
    """A loop whose open numbers are formulas of the turn or columns of rows; None if it cannot be written."""
    taken = _bound(body)
    variable = next(v for v in VARIABLES if v not in taken)
    codes: list[Code] = []
    columns: list[tuple[str, Sequence[Literal]]] = []
    for vector, purpose in unifier.holes:
        values = [v for v in vector if v is not None]
        formula = formula_of(values, variable) if len(values) == turns else None
        if formula is None and (purpose == "label" or len(values) < turns):
            return None
        if formula is None:
            name, number = purpose, 1
            while name in taken or any(name == c for c, _ in columns):
                number += 1
                name = f"{purpose}{number}"
            columns.append((name, values))
            formula = name
        codes.append(Code(formula))
    if len(columns) > MOST_COLUMNS:
        return None
    filled = mapped(body, lambda part: codes[part.index] if isinstance(part, Open) else None)
    counts = any(re.search(rf"\b{variable}\b", code.text) for code in codes)
    if not columns:
        return For((variable if counts else "_",), Range(literal(turns)), filled)
    rows = tuple(tuple(values[t].value for _, values in columns) for t in range(turns))
    names = [name for name, _ in columns]
    pattern = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    source = Rows(literal(tuple(row[0] for row in rows) if len(names) == 1 else rows))
    return For((variable, pattern) if counts else (pattern,), source, filled)


def _bound(body: Body) -> set[str]:
    """The names that loops within bind, and those in expressions."""
    found: set[str] = set()
    for part in walk(body):
        if isinstance(part, For):
            found |= {name for v in part.variables for name in re.findall(r"\w+", v)}
        elif isinstance(part, Code):
            found |= set(re.findall(r"[A-Za-z_]\w*", part.text))
    return found


# ---- formulas ----------------------------------------------------------------------------------------------


def formula_of(values: Sequence[Literal], variable: str) -> str | None:
    """Numbers of the turns as an expression of the turn's number, from 0; None if none is found."""
    numbers, kinds, turns = [v.value for v in values], {v.kind for v in values}, len(values)
    if kinds == {"int"} and (found := _of_integers(numbers, variable)) is not None:
        return found
    if kinds == {"float"} and turns >= 4 and (found := _linear(numbers, variable)) is not None:
        return found
    if turns >= 3 and all(v == values[1] for v in values[1:]):
        return f"{value_text(numbers[0])} if {variable} == 0 else {value_text(numbers[1])}"
    if turns >= 4 and all(v == values[i % 2] for i, v in enumerate(values)):
        return f"{value_text(numbers[0])} if {variable} % 2 == 0 else {value_text(numbers[1])}"
    return None


def _of_integers(numbers: Sequence[int], variable: str) -> str | None:
    steps = {b - a for a, b in pairwise(numbers)}
    first, turns = numbers[0], len(numbers)
    if len(steps) == 1 and (turns >= 3 or steps == {1}):
        step = steps.pop()
        term = variable if step == 1 else f"{step} * {variable}"
        return term if first == 0 else f"{variable} + {first}" if step == 1 else f"{first} + {term}"
    is_positive = turns >= 3 and all(n > 0 for n in numbers) and numbers[1] % first == 0
    if is_positive and all(b * first == a * numbers[1] for a, b in pairwise(numbers)):
        return f"{first} * {numbers[1] // first} ** {variable}"
    return None


def _linear(numbers: Sequence[float], variable: str) -> str | None:
    """Numbers that are exactly a formula of the turn, in the arithmetic of floats."""
    last = len(numbers) - 1
    first, end = numbers[0], numbers[-1]
    if first == 0 and all(end * i / last == n for i, n in enumerate(numbers)):
        return f"{end!r} * {variable} / {last}"
    span = round(end - first, 9)
    if all(first + span * i / last == n for i, n in enumerate(numbers)):
        return f"{first!r} + {span!r} * {variable} / {last}"
    return None
