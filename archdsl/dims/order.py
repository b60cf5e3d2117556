"""A total, stable order of the atoms that symbolic sizes are made of.

Atoms are compared by the size of their expression tree, then by a digest. Neither depends on the hash
seed or on the order in which an expression was built, so the same size always has the same normal form
and the same text. Comparing printed text instead would be exponential on shared graphs.

The digest of a size is its value, as a polynomial, at a fixed pseudo-random point modulo a prime. Equal
sizes therefore have equal digests, whatever the order of their terms; by Schwartz and Zippel, different
ones hardly ever share one. Nothing but the order of terms rests on it: equality compares structure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

Rank: TypeAlias = tuple[int, int]

_PRIME = (1 << 127) - 1  # a Mersenne prime
_SPREAD = 0x5D588B656C0789650D6C9B1F2F4A7C15
_OFFSET = 0x1B873593CC9E2D51A0761D6478BD642F


def reduce(value: int) -> int:
    """The residue in which digests are computed."""
    return value % _PRIME


def scramble(kind: int, left: int, right: int) -> int:
    """A pseudo-random function of three numbers: the digest of an operation that is not polynomial."""
    mixed = ((left * _SPREAD + right) ^ _OFFSET) % _PRIME
    mixed = (mixed * mixed + kind * _OFFSET + _SPREAD) % _PRIME
    return mixed * mixed % _PRIME


@lru_cache(maxsize=4096)
def symbol_rank(name: str) -> Rank:
    """Rank of a symbol; before every compound atom, whose tree is larger than 1."""
    return 1, int.from_bytes(name.encode(), "big")


@lru_cache(maxsize=4096)
def symbol_digest(name: str) -> int:
    """Digest of a symbol."""
    return scramble(1, int.from_bytes(name.encode(), "big"), len(name))
