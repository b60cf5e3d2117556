"""What is known of one symbol alone: residues modulo a number, and bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, islice
from math import gcd, lcm

from archdsl.dims.atoms import too_large
from archdsl.record import record

ALL_RESIDUES = frozenset((0,))
MAX_RESIDUES = 1 << 16
"""Most residues that one range may list."""


@record(slots=True)
class Range:
    """The integers x with ``x % m`` in ``residues`` and ``lo <= x``, and ``x <= hi`` where hi is given.

    Never empty and always in normal form (the least modulus, attained bounds) where `make_range` or
    `meet` made it; so equal ranges are equal sets.
    """

    m: int = 1
    residues: frozenset[int] = ALL_RESIDUES
    lo: int = 1
    hi: int | None = None

    def __contains__(self, value: int) -> bool:
        return value >= self.lo and (self.hi is None or value <= self.hi) and value % self.m in self.residues

    def values(self) -> Iterator[int]:
        """The members, in rising order."""
        residues = sorted(self.residues)
        for block in count(self.lo - self.lo % self.m, self.m):
            for residue in residues:
                if self.hi is not None and block + residue > self.hi:
                    return
                if block + residue >= self.lo:
                    yield block + residue

    def first(self, number: int) -> list[int]:
        """The least members, at most ``number`` of them."""
        return list(islice(self.values(), number))

    def count(self, limit: int) -> int:
        """How many members are at most ``limit``."""
        limit = limit if self.hi is None else min(limit, self.hi)
        firsts = (self.lo + (residue - self.lo) % self.m for residue in self.residues)
        return sum((limit - first) // self.m + 1 for first in firsts if first <= limit)

    def up_to(self, limit: int) -> list[int]:
        """The members that are at most ``limit``."""
        return self.first(self.count(limit))

    def meet(self, other: Range) -> Range | None:
        """The common members; None if there are none. Raises `TooLarge` for too many residues."""
        residues = _common_residues(self, other)
        bounds = [hi for hi in (self.hi, other.hi) if hi is not None]
        return make_range(lcm(self.m, other.m), residues, max(self.lo, other.lo), min(bounds, default=None))


ANY = Range()
"""Every size: all integers from 1."""


def make_range(m: int, residues: Iterable[int], lo: int, hi: int | None = None) -> Range | None:
    """The range in normal form; None if it is empty."""
    allowed = frozenset(residues)
    if not allowed:
        return None
    if m == 1 and hi is None:
        return Range(lo=lo)
    m, allowed = _least_modulus(m, allowed)
    lo += min((residue - lo) % m for residue in allowed)
    if hi is None:
        return Range(m, allowed, lo)
    hi -= min((hi - residue) % m for residue in allowed)
    if lo > hi:
        return None
    return Range(m, allowed, lo, hi) if lo < hi else Range(1, ALL_RESIDUES, lo, hi)


def _least_modulus(m: int, residues: frozenset[int]) -> tuple[int, frozenset[int]]:
    """The least modulus that describes the same set of residue classes."""
    for prime in _prime_divisors(m):
        while m % prime == 0:
            step = m // prime
            if not all((residue + step) % m in residues for residue in residues):
                break
            m, residues = step, frozenset(residue % step for residue in residues)
    return m, residues


def _prime_divisors(number: int) -> Iterator[int]:
    prime = 2
    while prime * prime <= number:
        if number % prime == 0:
            yield prime
            while number % prime == 0:
                number //= prime
        prime += 1
    if number > 1:
        yield number


def _common_residues(one: Range, other: Range) -> Iterable[int]:
    """The residues modulo the lcm that lie in both, by the Chinese remainder theorem."""
    if one.m == other.m:
        return one.residues & other.residues
    if len(one.residues) * len(other.residues) > MAX_RESIDUES:
        too_large(f"a range would have {len(one.residues) * len(other.residues)} residues")
    common = gcd(one.m, other.m)
    step = other.m // common
    inverse = pow(one.m // common, -1, step)
    return [
        first + one.m * ((second - first) // common * inverse % step)
        for first in one.residues
        for second in other.residues
        if (second - first) % common == 0
    ]
