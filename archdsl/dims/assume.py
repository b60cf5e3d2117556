"""Learning a fact: as a range where it is one, as a solved equation where it can be, else as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from archdsl.dims.atoms import Floor, TooLarge
from archdsl.dims.budget import Budget
from archdsl.dims.decide import decide
from archdsl.dims.evaluate import compounds, linear_symbols, substitute, symbols
from archdsl.dims.facts import (
    Condition,
    Contradiction,
    Facts,
    Member,
    Operator,
    Relation,
    Sign,
    difference,
    relation,
)
from archdsl.dims.ranges import ANY, Range, make_range
from archdsl.dims.size import Dim, Size, constant_term, from_atom, symbol
from archdsl.dims.verdict import Proved, Refuted, When

MAX_MODULUS = 4096
"""Greatest modulus of a range that is carried over to another symbol."""


def assume(facts: Facts, a: Size, operator: Operator, b: Size) -> Facts:
    """The facts and ``a operator b``. Raises `Contradiction` where that cannot be, given the facts."""
    return learn(facts, *difference(a, operator, b))


def learn(facts: Facts, size: Size, sign: Sign, budget: Budget | None = None) -> Facts:
    """The facts and ``size sign 0``. Raises `Contradiction`."""
    try:
        reduced = substitute(size, facts.substitutions)
    except (TooLarge, ZeroDivisionError):  # to know less is never wrong
        return facts
    match decide(reduced, sign, replace(facts, substitutions={}), budget):
        case Proved():
            return facts
        case Refuted():
            raise Contradiction(f"{size} {sign} 0 contradicts what is known")
        case When(conditions=conditions, exact=True):
            return adopt(facts, conditions)
        case _:
            fact = relation(reduced, sign)
            return adopt(facts, [fact]) if isinstance(fact, Relation) else facts


def adopt(facts: Facts, conditions: Iterable[Condition]) -> Facts:
    """The facts and all these conditions, which are free of substituted symbols. Raises `Contradiction`."""
    for condition in conditions:
        match condition:
            case Member(symbol=name, range=known):
                facts = _with_range(facts, name, known)
            case Relation(size=size, sign="=="):
                facts = _with_equation(facts, size) or facts.with_relation(condition)
            case Relation():
                facts = facts.with_relation(condition)
    return facts


def _with_range(facts: Facts, name: str, known: Range) -> Facts:
    try:
        return facts.with_range(name, known)
    except TooLarge:  # to know less is never wrong
        return facts


def _with_equation(facts: Facts, size: Dim) -> Facts | None:
    """The facts with a symbol replaced for good, where ``size == 0`` can be solved for one."""
    for name, value in _solutions(size):
        carried = _carried_over(facts.range_of(name), value)
        if carried is None:
            continue
        try:
            return adopt(_substituted(facts, name, value), carried)
        except (TooLarge, ZeroDivisionError):
            continue
    return None


def _solutions(size: Dim) -> Iterator[tuple[str, Size]]:
    """Symbols for which the equation can be solved, with what they equal."""
    for atom in compounds(size):  # C % g == 0: C is g times a symbol of its own
        if isinstance(atom, Floor) and isinstance(atom.den, Dim) and isinstance(atom.num, Dim):
            rest = atom.num - atom.den * from_atom(atom)
            if size in (rest, -rest) and atom.num in map(symbol, symbols(atom.num) - symbols(atom.den)):
                yield str(atom.num), atom.den * symbol(f"{atom.num}/{atom.den}")
    for name in linear_symbols(size):
        yield name, size.terms[name,] * (symbol(name) * size.terms[name,] - size)


def _carried_over(known: Range, value: Size) -> list[Condition] | None:
    """What a range of a symbol says of the symbol in ``value``, to which it is equal; None if unclear."""
    if known == ANY:
        return []
    if isinstance(value, int) or known.m > MAX_MODULUS:
        return None
    (name, *others) = sorted(symbols(value))
    times, constant = value.terms.get((name,), 0), constant_term(value)
    if others or value != times * symbol(name) + constant:
        return None
    residues = [x for x in range(known.m) if (times * x + constant) % known.m in known.residues]
    if times < 0:  # the upper bound becomes the lower one
        lo = 1 if known.hi is None else -((known.hi - constant) // -times)
        carried = make_range(known.m, residues, max(lo, 1), (known.lo - constant) // times)
    else:
        lo = -((constant - known.lo) // times)
        carried = make_range(known.m, residues, max(lo, 1), known.hi and (known.hi - constant) // times)
    if carried is None:
        raise Contradiction(f"no value of {name} is left")
    return [Member(name, carried)]


def _substituted(facts: Facts, name: str, value: Size) -> Facts:
    """The facts in terms of the symbols that are left. Raises `Contradiction` and `TooLarge`."""
    solved = {name: value}
    kept = [fact for fact in facts.relations if name not in symbols(fact.size)]
    others = {known: substitute(size, solved) for known, size in facts.substitutions.items()}
    ranges = {known: found for known, found in facts.ranges.items() if known != name}
    facts, changed = Facts(ranges, tuple(kept), {**others, **solved}), facts.about(frozenset(solved))
    facts = learn(facts, value - 1, ">=")
    for fact in changed:
        facts = learn(facts, fact.size, fact.sign)
    return facts
