"""Proofs that a size of several symbols is never negative: sound, not complete.

Maxima are decided case by case. Known relations are subtracted. A floor with a symbolic divisor is
eliminated, and the rest split into residue classes, on each of which a polynomial is left to prove.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archdsl.dims.atoms import Pos
from archdsl.dims.budget import Budget
from archdsl.dims.classes import Eliminated, class_polynomials, eliminate
from archdsl.dims.evaluate import compounds, has_max, has_symbolic_divisor, replace, symbols, weight
from archdsl.dims.facts import Facts, Member, Relation, relation
from archdsl.dims.polynomial import never_negative, never_zero
from archdsl.dims.relaxation import is_certain
from archdsl.dims.single import decide_single
from archdsl.dims.size import Dim, Size
from archdsl.dims.verdict import Proved, Refuted, Verdict, When

MAX_CASES = 4
"""Maxima that one proof may split on, one after the other."""
MAX_FACTS = 2
"""Known relations that one proof may subtract, one after the other."""


def proves(fact: Relation, facts: Facts, budget: Budget) -> bool:
    """Whether the relation could be proved for all sizes that the facts allow. Raises `Exhausted`."""
    size = fact.size
    match fact.sign:
        case ">=":
            return proves_nonnegative(size, facts, budget)
        case "==":
            return _proves_zero(size, facts, budget)
        case "!=":
            return proves_nonzero(size, facts, budget)


def disproves(fact: Relation, facts: Facts, budget: Budget) -> bool:
    """Whether the relation could be shown to hold nowhere that the facts allow. Raises `Exhausted`."""
    match fact.sign:
        case ">=":
            return proves_nonnegative(-fact.size - 1, facts, budget)
        case "==":
            return proves(Relation(fact.size, "!="), facts, budget)
        case "!=":
            return proves(Relation(fact.size, "=="), facts, budget)


def proves_nonnegative(size: Size, facts: Facts, budget: Budget, cases: int = MAX_CASES) -> bool:
    """Whether ``size >= 0`` could be proved. Raises `Exhausted`."""
    if isinstance(size, int):
        return size >= 0
    verdict = _verdict_of_one(Relation(size, ">="), facts, budget)
    if isinstance(verdict, Proved):
        return True
    if verdict is not None and not facts.about(symbols(size)):
        return False
    if is_certain(size, facts, budget):
        return True
    if has_max(size):
        return cases > 0 and _by_cases(size, facts, budget, cases, proves_nonnegative)
    return _from_facts(size, facts, budget, MAX_FACTS)


def proves_nonzero(size: Size, facts: Facts, budget: Budget, cases: int = MAX_CASES) -> bool:
    """Whether ``size != 0`` could be proved. Raises `Exhausted`."""
    if isinstance(size, int):
        return size != 0
    if proves_nonnegative(size - 1, facts, budget) or proves_nonnegative(-size - 1, facts, budget):
        return True
    if has_max(size):
        return cases > 0 and _by_cases(size, facts, budget, cases, proves_nonzero)
    parts = None if has_symbolic_divisor(size) else class_polynomials(Eliminated(size, frozenset(), 0), facts, budget)
    return parts is not None and all(never_zero(part, budget) for part in parts)


def _proves_zero(size: Dim, facts: Facts, budget: Budget) -> bool:
    eliminated = None if has_max(size) else eliminate(size)
    if eliminated is not None:
        parts = class_polynomials(eliminated, facts, budget)
        if parts is not None and all(isinstance(part, int) and part == 0 for part in parts):
            return True
    return proves_nonnegative(size, facts, budget) and proves_nonnegative(-size, facts, budget)


def _verdict_of_one(fact: Relation, facts: Facts, budget: Budget) -> Verdict | None:
    """The verdict where there is one symbol only and its theory applies."""
    names = symbols(fact.size)
    if len(names) > 1:
        return None
    (name,) = names
    return decide_single(fact, name, facts.range_of(name), budget)


def _by_cases(
    size: Dim, facts: Facts, budget: Budget, cases: int, proof: Callable[[Size, Facts, Budget, int], bool]
) -> bool:
    """Decide an innermost maximum either way."""
    maxima = [atom for atom in compounds(size) if isinstance(atom, Pos) and not has_max(atom.arg)]
    atom = min(maxima, key=lambda atom: atom.rank)
    for side, value in ((atom.arg, atom.arg), (-atom.arg, 0)):
        budget.spend(weight(size))
        narrowed = _narrowed(facts, side, budget)
        if narrowed is not None and not proof(replace(size, {atom: value}), narrowed, budget, cases - 1):
            return False
    return True


def _narrowed(facts: Facts, size: Dim, budget: Budget) -> Facts | None:
    """The facts and ``size >= 0``; None where that cannot be."""
    fact = relation(size, ">=")
    if isinstance(fact, bool):
        return facts if fact else None
    match _verdict_of_one(fact, facts, budget):
        case Refuted():
            return None
        case When(conditions=(Member(symbol=name, range=known),), exact=True):
            return facts.with_range(name, known)
        case _:
            return facts.with_relation(fact)


def _from_facts(size: Dim, facts: Facts, budget: Budget, depth: int) -> bool:
    """Prove it alone, or as a multiple of a known relation and a rest that can be proved."""
    return _by_classes(size, facts, budget, depth) or (
        depth > 0
        and any(
            rest >= 0 if isinstance(rest, int) else _from_facts(rest, facts, budget, depth - 1)
            for rest in _less_facts(size, facts, budget)
        )
    )


def _by_classes(size: Dim, facts: Facts, budget: Budget, depth: int) -> bool:
    """Prove it on every residue class, as a polynomial."""
    eliminated = eliminate(size)
    if eliminated is None:
        return False
    num = eliminated.num  # a polynomial: at depth 0 nothing is left to eliminate, and the recursion ends
    if num < 0 if isinstance(num, int) else not _from_facts(num, facts, budget, max(depth - 1, 0)):
        return False
    parts = class_polynomials(eliminated, facts, budget)
    return parts is not None and all(never_negative(part, budget) for part in parts)


def _less_facts(size: Dim, facts: Facts, budget: Budget) -> Iterator[Size]:
    """The size less multiples of what is known not to be negative."""
    for known in _known_nonnegative(size, facts):
        for times in _multiples(size, known):
            budget.spend(weight(size))
            rest = size - times * known
            if not has_max(rest):
                yield rest


def _known_nonnegative(size: Dim, facts: Facts) -> Iterator[Dim]:
    for fact in facts.about(symbols(size)):
        if fact.sign == ">=":
            yield fact.size
        elif fact.sign == "==":
            yield fact.size
            yield -fact.size


def _multiples(size: Dim, known: Dim) -> list[int]:
    """How many times a known relation may be worth subtracting: once, or so as to cancel a term."""
    ratios = {size.terms.get(monomial, 0) // times for monomial, times in known.terms.items()}
    return sorted(ratio for ratio in ratios | {1} if ratio > 0)
