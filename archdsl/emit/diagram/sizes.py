"""Sizes, shapes and counts as a figure writes them: ``64×H/8×W/8``, ``25.6 M``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from archdsl.dims import Facts, Floor, Pos, Size, symbol
from archdsl.dims.atoms import CONSTANT
from archdsl.dims.evaluate import compounds, replace, substitute, symbols
from archdsl.emit.diagram.text import ELLIPSIS, SMALL, width

EXACT_BELOW = 100_000
"""A model with fewer parameters has them written out at each layer."""
_UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))

# ---- one size ----------------------------------------------------------------------------------------------


def size_text(size: Size) -> str:
    """A size as a figure writes it: ``64``, ``H/8``; the caption states which way division rounds."""
    text = typeset(str(size))
    return f"({text})" if _is_sum(text) else text


def typeset(text: str) -> str:
    """Arithmetic of the language with the signs and spaces of a figure."""
    text = re.sub(r"(?<=\d) \* \(", "(", text.replace("**2", "²").replace("**3", "³"))
    for written, drawn in ((" // ", "/"), (" * ", "·")):
        text = text.replace(written, drawn)
    return re.sub(r" ([-+]) ", r"\1", text)


def _is_sum(text: str) -> bool:
    """Does a plus or minus stand between two terms outside parentheses?"""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter in "+-" and depth == 0 and place:
            return True
    return False


def rounded_up(atom: Floor | Pos) -> Size | None:
    """What ``atom`` is the quotient of, rounded up: H where it is ``(H + 7) // 8``. None where it is no such thing."""
    if not isinstance(atom, Floor) or not isinstance(atom.den, int):
        return None
    whole = atom.num - (atom.den - 1)
    return None if isinstance(whole, int) or CONSTANT in whole.terms or any(compounds(whole)) else whole


def in_quotients(size: Size) -> Size:
    """The size with ``H // 8`` in place of H / 8 rounded up: to be read as rounded up."""
    atoms = [atom for atom in compounds(size) if isinstance(atom, Floor)]
    return replace(size, {atom: whole // atom.den for atom in atoms if (whole := rounded_up(atom)) is not None})


def multiples(facts: Facts) -> dict[str, int]:
    """Symbols that must be multiples of a number above 1."""
    return {name: known.m for name, known in facts.ranges.items() if known.residues == {0} and known.m > 1}


def exact_text(size: Size, factors: Mapping[str, int]) -> str | None:
    """The text of a size all of whose divisions are exact since symbols are multiples; None where one may round.

    With H a multiple of 16, ``2 * (H // 16)`` is ``H/8``: H is replaced by 16·h, which leaves a polynomial in h.
    """
    known = {name: factors[name] for name in symbols(size) if name in factors}
    if isinstance(size, int) or not known or not any(compounds(size)):
        return None
    whole = substitute(size, {name: factor * symbol(name) for name, factor in known.items()})
    if isinstance(whole, int) or any(compounds(whole)):
        return None
    terms: list[tuple[Fraction, str]] = []
    for monomial, coefficient in whole.terms.items():
        names = [str(atom) for atom in monomial]
        share = Fraction(coefficient)
        for name in names:
            share /= known.get(name, 1)
        terms.append((share, "·".join(_power(n, count) for n, count in sorted(Counter(names).items()))))
    terms.sort(key=lambda term: (not term[1], term[0] < 0))
    text = "".join(f"{'-' if share < 0 else '+'}{_quotient(abs(share), name)}" for share, name in terms)
    text = text.removeprefix("+")
    return f"({text})" if _is_sum(text) else text


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}{'²' if exponent == 2 else f'^{exponent}'}"


def _quotient(share: Fraction, name: str) -> str:
    """``H/8``, ``3·H/2``, ``2·H``."""
    if not name:
        return str(share)
    above = name if share.numerator == 1 else f"{share.numerator}·{name}"
    return above if share.denominator == 1 else f"{above}/{share.denominator}"


# ---- shapes ------------------------------------------------------------------------------------------------


def joined(sizes: Sequence[str]) -> str:
    """``64×56×56``; a value of one number is ``1``."""
    return "×".join(sizes) or "1"


def short_shape(shape: str, room: float) -> str:
    """The text of a shape within ``room`` points: each size in full, or left out."""
    sizes = shape.split("×")
    while width("×".join(sizes), SMALL) > room and any(size != ELLIPSIS for size in sizes):
        longest = max(range(len(sizes)), key=lambda i: (sizes[i] != ELLIPSIS, width(sizes[i], SMALL)))
        sizes[longest] = ELLIPSIS
    text = "×".join(sizes)
    return text if width(text, SMALL) <= room else f"{ELLIPSIS} ({len(sizes)} axes)"


# ---- counts ------------------------------------------------------------------------------------------------


def count_text(count: Size, exact: bool = False) -> str:
    """A number of parameters: 156, 9.54 k, 25.6 M; ``exact`` writes it out. Empty for none."""
    if not isinstance(count, int):
        return typeset(str(count))
    if exact or count < 1000:
        return f"{count:,}" if count else ""
    return rounded(count)


def rounded(count: int, space: str = " ") -> str:
    """Three digits and a unit: ``4.09 G``."""
    unit, name = next((u, n) for u, n in _UNITS if count >= 0.9995 * u)
    value = count / unit
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}{space}{name}"
