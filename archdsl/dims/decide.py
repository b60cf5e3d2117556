"""Questions about sizes: is this equal to that, at least that, for all values of the symbols?

The order of the methods stands in `_decide`, `_decide_single` and `_decide_several`: cheap rules first, then
what is complete (one symbol; equality), then proofs that may fail, then examples. A method that would cost
more than the budget allows is passed over, so the answer may become `Unknown`, but never wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from archdsl.dims.atoms import Floor, TooLarge, lone_atom
from archdsl.dims.budget import QUESTION, Budget, Exhausted
from archdsl.dims.evaluate import evaluate, substitute, symbols
from archdsl.dims.facts import (
    NOTHING,
    Condition,
    Facts,
    Member,
    Operator,
    Relation,
    Sign,
    difference,
    is_internal,
    relation,
)
from archdsl.dims.identity import decide_box, decide_separate
from archdsl.dims.ranges import Range, make_range
from archdsl.dims.search import Witnesses, completed, least, witnesses
from archdsl.dims.several import disproves, proves
from archdsl.dims.single import decide_single
from archdsl.dims.size import Size, constant_term, lead, shared_symbol, symbol, without_symbol
from archdsl.dims.threshold import threshold
from archdsl.dims.verdict import PROVED, UNKNOWN, Proved, Refuted, Values, Verdict, When

_T = TypeVar("_T")
_GLANCE = 64
"""Points of a first look for examples."""
_THRESHOLD = QUESTION >> 3
"""Steps that the search for a threshold may cost: it is not worth more."""


def equal(a: Size, b: Size, facts: Facts = NOTHING) -> Verdict:
    """Whether ``a == b`` for all sizes that the facts allow."""
    return PROVED if a is b else decide(a - b, "==", facts)


def at_least(a: Size, b: Size, facts: Facts = NOTHING) -> Verdict:
    """Whether ``a >= b`` for all sizes that the facts allow."""
    return decide(a - b, ">=", facts)


def truth(a: Size, operator: Operator, b: Size, facts: Facts = NOTHING) -> bool | None:
    """Whether ``a operator b`` for all sizes that the facts allow (True) or for none (False).

    None where it depends on the sizes, or could not be decided: `witness` may then give examples.
    """
    match decide(*difference(a, operator, b), facts):
        case Proved():
            return True
        case Refuted():
            return False
        case _:
            return None


def depends(a: Size, operator: Operator, b: Size, facts: Facts = NOTHING) -> bool:
    """Whether small sizes that the facts allow show at once that ``a operator b`` holds for some and not for others."""
    if facts.substitutions:
        return False
    fact = relation(*difference(a, operator, b))
    if isinstance(fact, bool):
        return False
    found = _attempt(lambda: witnesses(fact, facts, Budget(), grid=_GLANCE))
    return found is not None and found.failing is not None and found.holding is not None


def witness(a: Size, operator: Operator, b: Size, facts: Facts = NOTHING) -> Values | None:
    """Allowed sizes at which ``a operator b`` holds, small ones if any are; None if none were found."""
    return _attempt(lambda: _witness(*difference(a, operator, b), symbols(a) | symbols(b), facts))


def _witness(size: Size, sign: Sign, names: frozenset[str], facts: Facts) -> Values | None:
    fact = relation(substitute(size, facts.substitutions), sign)
    if isinstance(fact, bool):
        return _in_terms_of(names, {}, facts) if fact else None
    found = witnesses(fact, facts, Budget()).holding
    return None if found is None else _in_terms_of(names, found, facts)


def decide(size: Size, sign: Sign, facts: Facts = NOTHING, budget: Budget | None = None) -> Verdict:
    """Whether ``size sign 0`` for all sizes that the facts allow."""
    budget = budget or Budget()
    method = _decide_substituted if facts.substitutions else _decide
    return _attempt(lambda: method(size, sign, facts, budget)) or UNKNOWN


def _decide_substituted(size: Size, sign: Sign, facts: Facts, budget: Budget) -> Verdict:
    reduced = substitute(size, facts.substitutions)
    if len(symbols(size)) == 1 < len(symbols(reduced)):  # by itself it may be easier
        verdict = _decide(size, sign, NOTHING, budget)
        if isinstance(verdict, (Proved, Refuted)):
            return verdict
    return _unsubstituted(_decide(reduced, sign, facts, budget), size, sign, facts, budget)


def _decide(size: Size, sign: Sign, facts: Facts, budget: Budget) -> Verdict:
    fact = relation(size, sign)
    while isinstance(fact, Relation):
        simpler = _simpler(fact)
        if simpler is None:
            break
        fact = simpler
    if isinstance(fact, bool):
        return PROVED if fact else Refuted(least(symbols(size), facts))
    if _is_known(fact, facts):
        return PROVED
    if _is_known_not(fact, facts):
        return completed(Refuted(_any_failing(fact, facts, budget)), symbols(size), facts)
    names = sorted(symbols(fact.size))
    verdict = _decide_single(fact, names[0], facts, budget) if len(names) == 1 else None
    return completed(verdict or _decide_several(fact, facts, budget), symbols(size), facts)


def _attempt(method: Callable[[], _T]) -> _T | None:
    """What the method finds; None where it would cost or grow too much, or divide by what became 0."""
    try:
        return method()
    except (Exhausted, TooLarge, ZeroDivisionError):
        return None


def _simpler(fact: Relation) -> Relation | bool | None:
    """An equivalent relation with one floor or one factor less, if there is one."""
    size, constant = fact.size, constant_term(fact.size)
    factor = None if constant else shared_symbol(size)
    if factor is not None:  # at least 1: it does not matter
        return relation(without_symbol(size, factor), fact.sign)
    floor = lone_atom(lead(size))
    if fact.sign != ">=" or len(size.terms) > 1 + bool(constant) or not isinstance(floor, Floor):
        return None
    num, den, times = floor.num, floor.den, size.terms[floor,]
    if times > 0:  # num // den >= bound iff num >= bound * den
        return relation(num - den * -(constant // times), ">=")
    return relation(den * (constant // -times) + (den - 1) - num, ">=")


def _is_known(fact: Relation, facts: Facts) -> bool:
    if not facts.relations:
        return False
    return fact in facts.relations or (fact.sign == ">=" and relation(fact.size, "==") in facts.relations)


def _is_known_not(fact: Relation, facts: Facts) -> bool:
    return fact.sign == "==" and Relation(fact.size, "!=") in facts.relations


def _decide_single(fact: Relation, name: str, facts: Facts, budget: Budget) -> Verdict | None:
    """The verdict for one symbol; None where its theory does not apply."""
    known = facts.range_of(name)
    verdict = _decide_linear(fact, name, known) or _attempt(lambda: decide_single(fact, name, known, budget))
    if not isinstance(verdict, When) or not facts.about(frozenset((name,))):
        return verdict
    return PROVED if _attempt(lambda: proves(fact, facts, budget)) else verdict


def _decide_linear(fact: Relation, name: str, known: Range) -> Verdict | None:
    """``x + c >= 0``: what every convolution asks, so its own short way."""
    if fact.sign != ">=" or fact.size - constant_term(fact.size) != symbol(name):
        return None
    bound = -constant_term(fact.size)
    if known.lo >= bound:
        return PROVED
    met = make_range(known.m, known.residues, bound, known.hi)
    return When((Member(name, met),), True, {name: known.lo}) if met else Refuted({name: known.lo})


def _decide_several(fact: Relation, facts: Facts, budget: Budget) -> Verdict:
    if _holds_at_a_glance(fact, facts):
        return PROVED
    exact = _decide_equality(fact, facts, budget) if fact.sign != ">=" else None
    if exact is not None and not _is_raw(exact):
        return exact
    glance = _attempt(lambda: witnesses(fact, facts, budget, grid=_GLANCE)) or Witnesses(None, None)
    if exact is None and glance.failing is None and _attempt(lambda: proves(fact, facts, budget)):
        return PROVED
    if glance.holding is None and _attempt(lambda: disproves(fact, facts, budget)):
        return Refuted(glance.failing or _any_failing(fact, facts, budget))
    return exact or _decide_by_example(fact, glance.failing, facts, budget)


def _any_failing(fact: Relation, facts: Facts, budget: Budget) -> Values:
    """An example for what holds nowhere: one that the relations allow, if one is found."""
    for known in (facts, replace(facts, relations=())):
        found = _attempt(lambda known=known: witnesses(fact, known, budget))
        if found and found.failing:
            return found.failing
    return least(symbols(fact.size), facts)


def _holds_at_a_glance(fact: Relation, facts: Facts) -> bool:
    """A sum of positive terms is least where its symbols are."""
    if fact.sign != ">=":
        return False
    total = 0
    for monomial, coefficient in fact.size.terms.items():
        for atom in monomial:
            if coefficient < 0 or not isinstance(atom, str):
                return False
            coefficient *= facts.range_of(atom).lo
        total += coefficient
    return total >= 0


def _decide_equality(fact: Relation, facts: Facts, budget: Budget) -> Verdict | None:
    """The verdict on ``==`` or ``!=`` that complete methods give."""
    equation = Relation(fact.size, "==")
    verdict = _attempt(lambda: decide_separate(fact.size, facts, budget, _decide_zero)) or _attempt(
        lambda: decide_box(equation, facts, budget)
    )
    if fact.sign == "==" or verdict is None:
        return verdict
    match verdict:
        case Proved():
            return Refuted(least(symbols(fact.size), facts))
        case Refuted():
            return PROVED
        case _:
            return None


def _decide_zero(size: Size, facts: Facts, budget: Budget) -> Verdict:
    return _decide(size, "==", facts, budget)


def _is_raw(verdict: Verdict) -> bool:
    """Whether all that it says is: where it holds, it holds."""
    return isinstance(verdict, When) and any(isinstance(condition, Relation) for condition in verdict.conditions)


def _decide_by_example(fact: Relation, failing: Values | None, facts: Facts, budget: Budget) -> Verdict:
    found = _attempt(lambda: witnesses(fact, facts, budget))
    failing = (found.failing if found else None) or failing
    if failing is None:
        return UNKNOWN
    if fact.sign == ">=":
        with budget.part(_THRESHOLD) as part:
            verdict = _attempt(lambda: threshold(fact, failing, facts, part))
        if verdict is not None:
            return verdict
    return When((fact,), True, failing)


def _in_terms_of(names: frozenset[str], values: Values, facts: Facts) -> Values:
    """Values of these symbols, given values of those that are left after substitution."""
    found: dict[str, int] = {}
    for name in sorted(names):
        solved = facts.substitutions.get(name)
        if solved is None:
            found[name] = values.get(name, facts.range_of(name).lo)
            continue
        value = _attempt(lambda solved=solved: evaluate(solved, {**least(symbols(solved), facts), **values}))
        if value is not None:
            found[name] = value
    return found


def _unsubstituted(verdict: Verdict, size: Size, sign: Sign, facts: Facts, budget: Budget) -> Verdict:
    """A verdict on the substituted size as one on the size that was asked about."""
    match verdict:
        case Refuted(example):
            return Refuted(_in_terms_of(symbols(size), example, facts))
        case When(conditions, exact, example, finite):
            if any(map(_is_internal, conditions)):
                conditions, exact = _conditions_of_its_own(size, sign, budget), True
            return When(conditions, exact, _in_terms_of(symbols(size), example, facts), finite)
        case _:
            return verdict


def _conditions_of_its_own(size: Size, sign: Sign, budget: Budget) -> tuple[Condition, ...]:
    """Exact conditions for the question as it was asked: ranges where there are such, else itself."""
    match _decide(size, sign, NOTHING, budget):
        case When(conditions=conditions, exact=True):
            return conditions
        case _:
            original = relation(size, sign)
            return (original,) if isinstance(original, Relation) else ()


def _is_internal(condition: Condition) -> bool:
    """Whether a condition is about a symbol that only a substitution has brought in."""
    names = {condition.symbol} if isinstance(condition, Member) else symbols(condition.size)
    return any(map(is_internal, names))
