"""Sizes as people write them: ``(H + 1) // 2``, ``18 * C**2``, ``max(H, 7)``.

The text is an expression of the language (and of Python) that reads back to the same size.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from archdsl.dims.atoms import CONSTANT, Atom, Floor, Monomial, Pos, Terms

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
    terms, extremes = _maxima_taken_out(terms)
    parts = [(coefficient, _product(monomial, abs(coefficient))) for monomial, coefficient in _ordered(terms)]
    parts += extremes
    first = next((place for place, (sign, _) in enumerate(parts) if sign > 0), 0)
    parts.insert(0, parts.pop(first))  # 4 - H, not -H + 4
    return _leading(*parts[0]) + "".join(f" + {text}" if sign > 0 else f" - {text}" for sign, text in parts[1:])


def _leading(sign: int, text: str) -> str:
    if sign > 0:
        return text
    # A unary minus binds more tightly than // and *, but not than **.
    return f"-({text})" if "//" in text else f"-{text}"


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


def _sides(terms: Terms) -> tuple[Terms, Terms]:
    """``(a, b)`` with a - b the size, both without negative coefficients."""
    left = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient > 0}
    right = {monomial: -coefficient for monomial, coefficient in terms.items() if coefficient < 0}
    return left, right


def _extreme(name: str, left: Terms, right: Terms) -> str:
    return f"{name}({_sum_or_zero(left)}, {_sum_or_zero(right)})"


def _sum_or_zero(terms: Terms) -> str:
    if set(terms) <= {CONSTANT}:
        return str(terms.get(CONSTANT, 0))
    return _sum(terms)


def _maxima_taken_out(terms: Terms) -> tuple[Terms, list[tuple[int, str]]]:
    """Split off ``b + max(a - b, 0)``, which is max(a, b), and ``a - max(a - b, 0)``, which is min(a, b)."""
    rest, extremes = dict(terms), []
    for monomial, times in _ordered(terms):
        if len(monomial) != 1 or not isinstance(monomial[0], Pos):
            continue
        left, right = _sides(monomial[0].arg.terms)
        taken = right if times > 0 else left
        if taken and all(rest.get(key, 0) >= abs(times) * count for key, count in taken.items()):
            del rest[monomial]
            for key, count in taken.items():
                _subtract(rest, key, abs(times) * count)
            text = _extreme("max" if times > 0 else "min", left, right)
            extremes.append((1, text if abs(times) == 1 else f"{abs(times)} * {text}"))
    return rest, extremes


def _subtract(terms: Terms, monomial: Monomial, count: int) -> None:
    terms[monomial] -= count
    if not terms[monomial]:
        del terms[monomial]
