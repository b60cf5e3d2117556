"""Sizes as people write them: ``(H + 1) // 2``, ``18 * C**2``, ``max(H, 7)``.

The text is an expression of the language (and of Python) that reads back to the same size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from archdsl.dims.atoms import CONSTANT, Atom, Floor, Monomial, Pos, Terms, rank

if TYPE_CHECKING:
    from archdsl.dims.size import Size


def show(size: Size) -> str:
    """The text of a size."""
    return str(size) if isinstance(size, int) else _sum(size.terms)


def operand(size: Size) -> str:
    """The text of a size, in parentheses where it is more than a name, a number or a call."""
    text = show(size)
    return text if text.isidentifier() or text.isdecimal() or _is_call(text) else f"({text})"


def _is_call(text: str) -> bool:
    """Whether the text is one call of max or min and nothing after it."""
    if not text.startswith(("max(", "min(")):
        return False
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            return place == len(text) - 1
    return False


def _sum(terms: Terms) -> str:
    rest, phrases = _phrases_taken_out(terms)
    constant = rest.pop(CONSTANT, 0)
    parts = [(coefficient, _product(monomial, abs(coefficient))) for monomial, coefficient in _ordered(rest)]
    parts += phrases
    if constant or not parts:
        parts.append((constant, str(abs(constant))))
    first = next((place for place, (sign, _) in enumerate(parts) if sign > 0), 0)
    parts.insert(0, parts.pop(first))  # 4 - H, not -H + 4
    return _leading(*parts[0]) + "".join(f" + {text}" if sign > 0 else f" - {text}" for sign, text in parts[1:])


def _leading(sign: int, text: str) -> str:
    if sign >= 0:
        return text
    # A unary minus binds more tightly than //, % and *, but not than **.
    return f"-({text})" if "//" in text or "%" in text else f"-{text}"


def _ordered(terms: Terms) -> list[tuple[Monomial, int]]:
    """Terms by falling degree, then by their text."""
    return sorted(terms.items(), key=lambda term: (-len(term[0]), sorted(map(_atom, term[0]))))


def _product(monomial: Monomial, coefficient: int) -> str:
    powers = Counter(sorted(monomial, key=_atom))
    if coefficient == 1 and len(monomial) == 1:
        return _atom(monomial[0])
    factors = [str(coefficient)] if coefficient != 1 or not monomial else []
    return " * ".join(factors + [_power(atom, exponent) for atom, exponent in powers.items()])


def _power(atom: Atom, exponent: int) -> str:
    base = f"({_atom(atom)})" if isinstance(atom, Floor) else _atom(atom)
    return f"{base}**{exponent}" if exponent > 1 else base


def _atom(atom: Atom) -> str:
    if isinstance(atom, str):
        return atom
    if atom.text is None:  # kept: texts of shared parts are asked for again and again
        atom.text = _floor(atom) if isinstance(atom, Floor) else f"max({show(atom.arg)}, 0)"
    return atom.text


def _floor(atom: Floor) -> str:
    return f"{operand(atom.num)} // {operand(atom.den)}"


def _phrases_taken_out(terms: Terms) -> tuple[Terms, list[tuple[int, str]]]:
    """Split off what has a shorter way of saying: maxima, minima and remainders, each with its sign."""
    rest = dict(terms)
    phrases: list[tuple[int, str]] = []
    for monomial, coefficient in _ordered(terms):
        for phrase in _phrases(monomial, coefficient):
            if rest.get(monomial) == coefficient and _contains(rest, phrase.others, phrase.times):
                del rest[monomial]
                for other, count in phrase.others.items():
                    _subtract(rest, other, phrase.times * count)
                phrases.append((phrase.times, phrase.text()))
                break
    return rest, phrases


class _Phrase(NamedTuple):
    """``times`` over, it stands for one term and ``times`` these other terms."""

    times: int
    others: Terms
    words: Callable[[], str]
    """What to write; asked only of a phrase that is used, for it takes time."""

    def text(self) -> str:
        """The phrase with its factor, but not its sign."""
        words, factor = self.words(), abs(self.times)
        if factor == 1:
            return words
        return f"{factor} * {words}" if _is_call(words) else f"{factor} * ({words})"


def _phrases(monomial: Monomial, coefficient: int) -> Iterator[_Phrase]:
    """Ways of saying this term together with others."""
    for atom in monomial:
        if isinstance(atom, Pos) and len(monomial) == 1:
            left, right = _sides(atom.arg.terms)
            # b + max(a - b, 0) and a - max(a - b, 0)
            yield _Phrase(coefficient, right, partial(_extreme, "max", left, right))
            yield _Phrase(-coefficient, left, partial(_extreme, "min", left, right))
        elif isinstance(atom, Floor) and not isinstance(atom.num, int):
            times = _times_divided(atom, monomial, -coefficient)
            if times:  # a - m * (a // m)
                yield _Phrase(times, atom.num.terms, partial(_remainder, atom))


def _remainder(floor: Floor) -> str:
    return f"{operand(floor.num)} % {operand(floor.den)}"


def _sides(terms: Terms) -> tuple[Terms, Terms]:
    """``(a, b)`` with a - b the size, both without negative coefficients."""
    left = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient > 0}
    right = {monomial: -coefficient for monomial, coefficient in terms.items() if coefficient < 0}
    return left, right


def _extreme(name: str, left: Terms, right: Terms) -> str:
    return f"{name}({_sum(left)}, {_sum(right)})"


def _times_divided(floor: Floor, monomial: Monomial, coefficient: int) -> int:
    """How many times the term is ``den * (num // den)``, 0 if it is not."""
    divisor = {CONSTANT: floor.den} if isinstance(floor.den, int) else floor.den.terms
    if len(divisor) > 1:
        return 0
    ((factor, scale),) = divisor.items()
    if sorted(map(rank, monomial)) != sorted(map(rank, (floor, *factor))) or coefficient % scale:
        return 0
    return coefficient // scale


def _contains(terms: Terms, part: Terms, times: int) -> bool:
    """Whether ``times`` the part can be taken out of the terms, without a change of sign."""
    return bool(part) and all(
        abs(terms.get(monomial, 0)) >= abs(times * count) and terms.get(monomial, 0) * times * count > 0
        for monomial, count in part.items()
    )


def _subtract(terms: Terms, monomial: Monomial, count: int) -> None:
    terms[monomial] -= count
    if not terms[monomial]:
        del terms[monomial]
