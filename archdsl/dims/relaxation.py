"""Sizes as polynomials in variables that are at least 0, with what is known of the variables beside them.

A symbol is its least value and a variable; a floor ``n // d`` is a variable q with ``0 <= n - d * q <= d - 1``, a
maximum one that is at least both of its sides. What holds for all values of the variables holds for the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice

from archdsl.dims.atoms import Atom, Floor, Pos, Terms, TooLarge
from archdsl.dims.budget import QUESTION, Budget, Exhausted
from archdsl.dims.evaluate import compounds, replace, substitute, symbols, weight
from archdsl.dims.facts import Facts
from archdsl.dims.linear import follows
from archdsl.dims.ranges import Range
from archdsl.dims.size import Dim, Size, constant_term, from_terms, quotient, symbol
from archdsl.record import record

MAX_STEPS = QUESTION >> 3
"""Steps that one proof may cost."""
MAX_PRODUCTS = 160
"""Products of what is known that one proof may use."""
MAX_SPLITS = 2
"""Variables that one proof may split on, one after the other."""
MAX_SPLIT_VARIABLES = 6
"""Variables of which each split takes one."""
MAX_DEGREE = 6
"""Most variables of one product."""


@record
class Relaxation:
    """The question whether ``target`` is at least 0 where all of ``known`` are."""

    target: Size
    known: tuple[Size, ...]
    unbounded: frozenset[str]
    """Variables that may be negative; all others are at least 0."""

    def with_value(self, name: str, value: Size, budget: Budget) -> Relaxation:
        """The question where a variable has this value. Raises `Exhausted`."""
        budget.spend(8 * sum(map(weight, (self.target, *self.known))))
        values = {name: value}
        return Relaxation(
            substitute(self.target, values), tuple(substitute(size, values) for size in self.known), self.unbounded
        )

    def variables(self) -> list[str]:
        """The variables that are at least 0, those of the target first."""
        found = [*sorted(symbols(self.target)), *sorted(frozenset[str]().union(*map(symbols, self.known)))]
        return [name for name in dict.fromkeys(found) if name not in self.unbounded]


def relax(size: Dim, facts: Facts, budget: Budget) -> Relaxation:
    """The question whether a size is at least 0. Raises `Exhausted`."""
    relations = facts.about(symbols(size))
    names = symbols(size).union(*(symbols(fact.size) for fact in relations))
    ranges = {name: facts.range_of(name) for name in sorted(names)}
    least = {name: _from_least(name, known) for name, known in ranges.items()}
    target = substitute(size, least)
    known: list[Size] = [known.hi - least[name] for name, known in ranges.items() if known.hi is not None]
    for fact in relations:
        if fact.sign != "!=":
            told = substitute(fact.size, least)
            known += [told, -told] if fact.sign == "==" else [told]
    found = {atom: None for part in (target, *known) for atom in compounds(part)}
    unbounded: set[str] = set()
    variables: dict[Atom, Size] = {}
    for number, atom in enumerate(sorted(found, key=lambda atom: atom.rank)):  # the inner ones first
        budget.spend(atom.rank[0])
        known += _variable(atom, f"{number}/", variables, unbounded)
    known = [replace(part, dict(variables)) for part in known]
    return Relaxation(replace(target, dict(variables)), tuple(known), frozenset(unbounded))


def _from_least(name: str, known: Range) -> Size:
    """The symbol as its least value and, in steps of its period, a variable from 0 on."""
    step = known.m if len(known.residues) == 1 else 1
    return symbol(name) * step + known.lo


def _variable(atom: Floor | Pos, name: str, variables: dict[Atom, Size], unbounded: set[str]) -> list[Size]:
    """Make the atom a variable; returns what is known of it."""
    variable = symbol(name)
    if isinstance(atom, Pos):
        variables[atom] = variable
        argument = replace(atom.arg, dict(variables))
        return [variable - argument, variable * (variable - argument), variable * (argument - variable)]
    num, den = replace(atom.num, dict(variables)), replace(atom.den, dict(variables))
    least = _least(num, unbounded)
    if least is None or (least < 0 and isinstance(den, Dim)):
        unbounded.add(name)
    else:
        variable = variable + (least // den if isinstance(den, int) else 0)
    variables[atom] = variable
    rest = num - den * variable
    return [rest, den - 1 - rest, den - 1]


def _least(size: Size, unbounded: set[str]) -> int | None:
    """A bound below a polynomial, if all its terms grow."""
    if isinstance(size, int):
        return size
    constant = constant_term(size)
    grows = all(c > 0 for monomial, c in size.terms.items() if monomial) and unbounded.isdisjoint(symbols(size))
    return constant if grows else None


def is_certain(size: Dim, facts: Facts, budget: Budget) -> bool:
    """Whether ``size >= 0`` could be proved by a combination of what is known. Costs a part of the budget at most."""
    with budget.part(MAX_STEPS) as part:
        try:
            question = relax(size, facts, part)
            return any(_follows_by_cases(question, part, depth) for depth in range(MAX_SPLITS + 1))
        except (Exhausted, TooLarge):
            return False


def _follows_by_cases(question: Relaxation, budget: Budget, depth: int) -> bool:
    """Whether it follows where some variable is 0, and where it is not; then where it is at least another, or less."""
    if _follows(question, budget):
        return True
    if depth == 0:
        return False
    return any(
        all(_follows_by_cases(question.with_value(name, value, budget), budget, depth - 1) for name, value in split)
        for split in _splits(question.variables()[:MAX_SPLIT_VARIABLES])
    )


def _splits(names: list[str]) -> Iterator[tuple[tuple[str, Size], tuple[str, Size]]]:
    for name in names:
        yield (name, 0), (name, symbol(name) + 1)
    for one, other in combinations(names, 2):
        yield (one, symbol(one) + symbol(other)), (other, symbol(other) + symbol(one) + 1)


def _follows(question: Relaxation, budget: Budget) -> bool:
    """Whether the target, an integer, is at least 0: the contrary is taken for known, and may contradict the rest."""
    target = question.target
    if isinstance(target, int) and target >= 0:
        return True
    if any(isinstance(size, int) and size < 0 for size in question.known):
        return True  # there are no such values
    if isinstance(target, int):
        return False
    known = [size for size in (*question.known, -target - 1) if isinstance(size, Dim)]
    return follows(target, _with_products(target, known, question.unbounded, budget), budget)


def _with_products(target: Dim, known: list[Dim], unbounded: frozenset[str], budget: Budget) -> list[Dim]:
    """What is known, with products of it and of variables that share a term with the target or with each other."""
    wanted: Terms = {monomial: 1 for monomial in target.terms if monomial}
    found: dict[Dim, None] = dict.fromkeys(known)
    for _ in range(2):
        budget.spend(len(wanted) * sum(len(size.terms) for size in known))
        products = list(islice(_products(wanted, known, unbounded), MAX_PRODUCTS - min(len(found), MAX_PRODUCTS)))
        budget.spend(4 * sum(map(weight, products)))
        found |= dict.fromkeys(products)
        wanted |= {monomial: 1 for size in found for monomial in size.terms if monomial}
    bounded = [monomial for monomial in wanted if unbounded.isdisjoint(map(str, monomial))]
    return [*found, *(Dim({monomial: 1}) for monomial in bounded)]


def _products(wanted: Terms, known: list[Dim], unbounded: frozenset[str]) -> Iterator[Dim]:
    """Each known size times variables, so that one of its terms becomes one that is wanted."""
    for monomial in sorted(wanted, key=lambda monomial: (len(monomial), list(map(str, monomial)))):
        for size in known:
            for own in size.terms:
                rest = quotient(monomial, own) if own else None
                if not rest or not unbounded.isdisjoint(map(str, rest)):
                    continue
                product = size * from_terms({rest: 1})
                if isinstance(product, Dim) and max(map(len, product.terms)) <= MAX_DEGREE:
                    yield product
