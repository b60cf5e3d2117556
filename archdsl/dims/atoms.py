"""The atoms of symbolic sizes: symbols (plain strings), `Floor` and `Pos`; their stable order and caps.

An atom holds sizes and sizes hold atoms. Here a size is only looked at through its ``terms``, so that
this module can stand below the one that gives sizes their arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn, TypeAlias, final

from archdsl.dims.order import Rank, reduce, scramble, symbol_digest, symbol_rank

if TYPE_CHECKING:
    from archdsl.dims.size import Dim, Size

MAX_TREE = 4_000
"""Most nodes in the expression tree of one atom, shared parts counted each time."""
MAX_DEPTH = 40
"""Deepest nesting of floors and maxima; keeps every recursion far from Python's limit."""
MAX_BITS = 1_024
"""Most bits of a divisor, and of a coefficient that a multiplication gives."""


class TooLarge(OverflowError):
    """A symbolic size outgrew the caps. Nothing that a network needs comes near them."""


class Compound:
    """What `Floor` and `Pos` share: what is to be known of the tree below, gathered once."""

    __slots__ = ("depth", "digest", "has_max", "has_symbolic_divisor", "rank", "symbols", "text")

    depth: int
    digest: int
    rank: Rank
    symbols: frozenset[str]
    has_max: bool
    has_symbolic_divisor: bool
    text: str | None
    """What it reads as, once someone asked."""

    def _survey(self, kind: int, left: Size, right: Size) -> None:
        """Fill the slots from the operands. Raises `TooLarge` beyond the caps."""
        tree, depth, symbols = 1, 0, set[str]()
        self.has_max = self.has_symbolic_divisor = False
        for atom in (*atoms_of(left), *atoms_of(right)):
            if isinstance(atom, str):
                tree += 1
                symbols.add(atom)
                continue
            tree += atom.rank[0]
            depth = max(depth, atom.depth)
            symbols |= atom.symbols
            self.has_max |= atom.has_max
            self.has_symbolic_divisor |= atom.has_symbolic_divisor
        if tree > MAX_TREE:
            too_large(f"a floor or maximum in it has {tree} parts")
        if depth >= MAX_DEPTH:
            too_large(f"floors and maxima nest {depth} deep in it")
        self.depth, self.symbols = depth + 1, frozenset(symbols)
        self.digest = scramble(kind, digest(left), digest(right))
        self.rank = tree, self.digest
        self.text = None

    def __hash__(self) -> int:
        return self.digest


@final
class Floor(Compound):
    """The atom ``num // den``; ``den`` is an int above 1, or a `Dim` taken to be at least 1."""

    __slots__ = ("den", "num")

    num: Size
    den: Size

    def __init__(self, num: Size, den: Size) -> None:
        if isinstance(den, int) and den.bit_length() > MAX_BITS:
            too_large(f"a divisor has {den.bit_length()} bits")
        self.num, self.den = num, den
        self._survey(2, num, den)
        if not isinstance(den, int):
            self.has_symbolic_divisor: bool = True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Floor):
            return False
        return self is other or (self.rank == other.rank and self.den == other.den and self.num == other.num)

    def __hash__(self) -> int:
        return self.digest

    def __repr__(self) -> str:
        return f"Floor({self.num!r}, {self.den!r})"


@final
class Pos(Compound):
    """The atom ``max(arg, 0)``."""

    __slots__ = ("arg",)

    arg: Dim

    def __init__(self, arg: Dim) -> None:
        self.arg = arg
        self._survey(3, arg, 0)
        self.has_max = True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pos):
            return False
        return self is other or (self.rank == other.rank and self.arg == other.arg)

    def __hash__(self) -> int:
        return self.digest

    def __repr__(self) -> str:
        return f"Pos({self.arg!r})"


Atom: TypeAlias = str | Floor | Pos
Monomial: TypeAlias = tuple[Atom, ...]
Terms: TypeAlias = dict[Monomial, int]

CONSTANT: Monomial = ()
"""The monomial of the constant term."""


def too_large(reason: str) -> NoReturn:
    """Raise `TooLarge`."""
    raise TooLarge(f"this symbolic size is too large: {reason}")


def atoms_of(size: Size) -> Iterable[Atom]:
    """The atoms of a size, each as often as it stands there; not those inside them."""
    if not isinstance(size, int):
        for monomial in size.terms:
            yield from monomial


def lone_atom(monomial: Monomial) -> Atom | None:
    """The atom of a monomial that is but one."""
    return monomial[0] if len(monomial) == 1 else None


def atom_symbols(atom: Atom) -> frozenset[str]:
    """The symbols that an atom depends on."""
    return frozenset((atom,)) if isinstance(atom, str) else atom.symbols


def digest(size: Size) -> int:
    """The value of the polynomial at a fixed pseudo-random point: see `archdsl.dims.order`."""
    if isinstance(size, int):
        return reduce(size)
    total = 0
    for monomial, value in size.terms.items():
        for atom in monomial:
            value = reduce(value * (symbol_digest(atom) if isinstance(atom, str) else atom.digest))
        total += value
    return reduce(total)


def rank(atom: Atom) -> Rank:
    """The place of an atom in the stable order."""
    return symbol_rank(atom) if isinstance(atom, str) else atom.rank


def monomial_rank(monomial: Monomial) -> list[Rank]:
    """The place of a monomial in the stable order."""
    return [rank(atom) for atom in monomial]
