"""Sizes at values: for numbers, for whole columns of numbers at once, and for other sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archdsl.dims.atoms import Atom, Floor, Pos, atom_symbols, atoms_of
from archdsl.dims.size import Dim, Size, floordiv, pos, symbol

Column = Sequence[int]


def symbols(size: Size) -> frozenset[str]:
    """The names of the symbols that a size depends on."""
    return frozenset[str]().union(*map(atom_symbols, atoms_of(size)))


def compounds(size: Size) -> Iterable[Floor | Pos]:
    """Every floor and maximum in a size, each once, the outer ones before those inside them."""
    seen: set[Atom] = set()
    waiting = [size]
    while waiting:
        for atom in atoms_of(waiting.pop()):
            if isinstance(atom, str) or atom in seen:
                continue
            seen.add(atom)
            yield atom
            waiting += [atom.arg] if isinstance(atom, Pos) else [atom.num, atom.den]


def has_max(size: Size) -> bool:
    """Whether a maximum occurs in the size."""
    return any(atom.has_max for atom in atoms_of(size) if not isinstance(atom, str))


def has_symbolic_divisor(size: Size) -> bool:
    """Whether a floor with a symbolic divisor occurs in the size."""
    return any(atom.has_symbolic_divisor for atom in atoms_of(size) if not isinstance(atom, str))


def weight(size: Size) -> int:
    """What one evaluation costs at most, in nodes."""
    if isinstance(size, int):
        return 1
    return sum(1 + sum(1 if isinstance(atom, str) else atom.rank[0] for atom in monomial) for monomial in size.terms)


def evaluate(size: Size, values: Mapping[str, int]) -> int:
    """The number a size is when its symbols have these values.

    Raises `KeyError` for a symbol without a value, `ZeroDivisionError` where a symbolic divisor is not
    at least 1.
    """
    return column(size, {name: (value,) for name, value in values.items()}, 1)[0]


def column(size: Size, values: Mapping[str, Column], count: int) -> list[int]:
    """The values of a size at ``count`` points at once; ``values`` has one column for each symbol."""
    defined = [True] * count
    result = _column(size, values, count, {}, defined)
    if not all(defined):
        raise ZeroDivisionError(f"a divisor in {size} is not at least 1")
    return result


def column_where_defined(size: Size, values: Mapping[str, Column], count: int) -> list[int | None]:
    """Like `column`, with None at the points where a symbolic divisor is not at least 1."""
    if not has_symbolic_divisor(size):
        return list(column(size, values, count))
    defined = [True] * count
    result = _column(size, values, count, {}, defined)
    return [value if is_defined else None for value, is_defined in zip(result, defined, strict=True)]


def _column(
    size: Size, values: Mapping[str, Column], count: int, known: dict[Atom, Column], defined: list[bool]
) -> list[int]:
    """The column, of atoms that are ``known`` or become so; where a divisor is not at least 1, not ``defined``."""
    if isinstance(size, int):
        return [size] * count
    total = [0] * count
    for monomial, coefficient in size.terms.items():
        if not monomial:
            total = [x + coefficient for x in total]
            continue
        product, *others = (_atom_column(atom, values, count, known, defined) for atom in monomial)
        for other in others:
            product = [x * y for x, y in zip(product, other, strict=True)]
        total = [x + coefficient * y for x, y in zip(total, product, strict=True)]
    return total


def _atom_column(
    atom: Atom, values: Mapping[str, Column], count: int, known: dict[Atom, Column], defined: list[bool]
) -> Column:
    if isinstance(atom, str):
        return values[atom]
    if atom not in known:
        known[atom] = _compound_column(atom, values, count, known, defined)
    return known[atom]


def _compound_column(
    atom: Floor | Pos, values: Mapping[str, Column], count: int, known: dict[Atom, Column], defined: list[bool]
) -> Column:
    if isinstance(atom, Pos):
        return [max(x, 0) for x in _column(atom.arg, values, count, known, defined)]
    num = _column(atom.num, values, count, known, defined)
    if isinstance(atom.den, int):
        divisor = atom.den
        return [x // divisor for x in num]
    den = _column(atom.den, values, count, known, defined)
    if min(den, default=1) < 1:
        for place, divisor in enumerate(den):
            defined[place] &= divisor >= 1
        den = [max(divisor, 1) for divisor in den]
    return [x // y for x, y in zip(num, den, strict=True)]


def substitute(size: Size, replacements: Mapping[str, Size]) -> Size:
    """The size with symbols replaced by sizes, all at once."""
    return replace(size, {**replacements})


def replace(size: Size, replacements: dict[Atom, Size]) -> Size:
    """The size with atoms, compound ones too, replaced by sizes. Adds to ``replacements`` what it finds."""
    if isinstance(size, int):
        return size
    total: Size = 0
    for monomial, coefficient in size.terms.items():
        product: Size = coefficient
        for atom in monomial:
            product = product * _replaced(atom, replacements)
        total = total + product
    return total


def _replaced(atom: Atom, replacements: dict[Atom, Size]) -> Size:
    if atom in replacements:
        return replacements[atom]
    match atom:
        case str():
            result: Size = symbol(atom)
        case Pos(arg=arg):
            result = pos(replace(arg, replacements))
        case Floor(num=num, den=den):
            result = floordiv(replace(num, replacements), replace(den, replacements))
    replacements[atom] = result
    return result


def is_polynomial(size: Size) -> bool:
    """Whether no floor and no maximum stands in the size."""
    return all(isinstance(atom, str) for atom in atoms_of(size))


def linear_symbols(size: Dim) -> list[str]:
    """The symbols that occur once only, alone, with coefficient 1 or -1, in the order of their names."""
    alone = [m[0] for m, c in size.terms.items() if len(m) == 1 and abs(c) == 1 and isinstance(m[0], str)]
    return sorted(name for name in alone if sum(name in atom_symbols(atom) for atom in atoms_of(size)) == 1)
