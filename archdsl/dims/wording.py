"""Conditions as people write them: "H and W must be multiples of 32, at least 96"."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.dims.atoms import CONSTANT, Floor
from archdsl.dims.evaluate import compounds
from archdsl.dims.facts import Condition, Member, Relation
from archdsl.dims.ranges import Range
from archdsl.dims.show import operand, show
from archdsl.dims.size import Dim, Size, from_atom, from_terms

MAX_LISTED = 8
"""Most residues that a text lists."""


def describe(condition: Condition) -> str:
    """What the condition demands."""
    match condition:
        case Member():
            return describe_range([condition.symbol], condition.range)
        case Relation():
            return describe_relation(condition)


def describe_range(names: Sequence[str], known: Range) -> str:
    """What the range demands of these symbols."""
    residues, bounds = _residues(names, known), _bounds(known)
    if not residues:
        return f"{listed(names)} must be {bounds or 'at least 1'}"
    return f"{residues}, {bounds}" if bounds else residues


def describe_relation(fact: Relation) -> str:
    """What the relation demands."""
    if fact.sign == "==":
        for atom in compounds(fact.size):
            text = _divisibility(fact.size, atom) if isinstance(atom, Floor) else None
            if text is not None:
                return text
    left = from_terms({monomial: c for monomial, c in fact.size.terms.items() if c > 0})
    right = -from_terms({monomial: c for monomial, c in fact.size.terms.items() if c < 0})
    match fact.sign:
        case "==":
            return _compared(left, "equal to", "equal to", right)
        case "!=":
            return _compared(left, "different from", "different from", right)
        case ">=":
            return _compared(left, "at least", "at most", right)


def _compared(left: Size, words: str, swapped: str, right: Size) -> str:
    """``left words right``, with a number always on the right."""
    if isinstance(left, int):
        return f"{show(right)} must be {swapped} {left}"
    return f"{show(left)} must be {words} {show(right)}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """``H``, ``H and W``, ``D, H and W``."""
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def _bounds(known: Range) -> str:
    """The bounds, where they say more than the residues do."""
    least_of_all = min(residue or known.m for residue in known.residues)
    if known.lo == known.hi:
        return str(known.lo)
    if known.hi is None:
        return f"at least {known.lo}" if known.lo > least_of_all else ""
    return f"between {known.lo} and {known.hi}" if known.lo > least_of_all else f"at most {known.hi}"


def _residues(names: Sequence[str], known: Range) -> str:
    residues, m = sorted(known.residues), known.m
    if m == 1:
        return ""
    if m == 2:
        return f"{listed(names)} must be {'odd' if residues[0] else 'even'}"
    if residues == [0]:
        return f"{listed(names)} must be {'a multiple' if len(names) == 1 else 'multiples'} of {m}"
    return f"{listed([f'{name} % {m}' for name in names])} must be {_choice(residues, m)}"


def _choice(residues: list[int], m: int) -> str:
    """One of these residues."""
    first, last = residues[0], residues[-1]
    if last - first + 1 == len(residues) > 2:
        if first == 0:
            return f"at most {last}"
        return f"at least {first}" if last == m - 1 else f"between {first} and {last}"
    texts = [str(residue) for residue in residues]
    if len(texts) <= MAX_LISTED:
        return listed(texts, "or")
    return f"one of {len(texts)} values ({', '.join(texts[:MAX_LISTED])}, ...)"


def _divisibility(size: Dim, atom: Floor) -> str | None:
    """``num - den * (num // den) - c == 0`` says that ``num % den`` is c."""
    whole = from_atom(atom) * atom.den
    for rest in (size + whole - atom.num, -size + whole - atom.num):
        if isinstance(rest, int):
            return _remainder(atom, -rest)
    return None


def _remainder(atom: Floor, remainder: int) -> str:
    num, den = atom.num, atom.den
    if isinstance(den, int) and isinstance(num, Dim):  # the constant goes to the other side
        constant = num.terms.get(CONSTANT, 0)
        num, remainder = num - constant, (remainder - constant) % den
        if den == 2:
            return f"{show(num)} must be {'odd' if remainder else 'even'}"
    if remainder == 0:
        return f"{show(num)} must be a multiple of {show(den)}"
    return f"{operand(num)} % {operand(den)} must be {remainder}"
