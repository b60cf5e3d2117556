"""Patterns with named axes: ``n c (h p) (w q) -> n (h w) (p q) c`` (the notation of einops, Rogozhnikov, 2022)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, TypeAlias

from archdsl.op import Reject

Group: TypeAlias = tuple[str, ...]
"""The axes that one axis is split into or merged from, outermost first. None: an axis of size 1."""


class Pattern(NamedTuple):
    """Axes of the input and of the output."""

    left: tuple[Group, ...]
    right: tuple[Group, ...]

    @property
    def left_names(self) -> tuple[str, ...]:
        return tuple(chain.from_iterable(self.left))

    @property
    def right_names(self) -> tuple[str, ...]:
        return tuple(chain.from_iterable(self.right))

    @property
    def kept(self) -> tuple[str, ...]:
        """Names on both sides, in the order of the output."""
        return tuple(name for name in self.right_names if name in self.left_names)

    @property
    def gone(self) -> tuple[str, ...]:
        """Names that only the input has."""
        return tuple(name for name in self.left_names if name not in self.right_names)

    @property
    def new(self) -> tuple[str, ...]:
        """Names that only the output has."""
        return tuple(name for name in self.right_names if name not in self.left_names)


MAX_NAMES = 52
"""Most axes that a pattern may name: einsum has a letter for each."""

_TOKEN = re.compile(r"\s*(?:([A-Za-z_]\w*)|(1\b)|([()]))")


@lru_cache(maxsize=1024)
def parse(text: str) -> Pattern:
    """A pattern with one side for the input and one for the output.

    Raises:
        Reject: it is not one.
    """
    left, right = split_sides(text)
    pattern = Pattern(tuple(_groups(left)), tuple(_groups(right)))
    for groups in pattern:
        if len(flat(groups)) > MAX_NAMES:
            raise Reject(f"one side of the pattern has more than {MAX_NAMES} axes", arg="pattern")
        unique(chain.from_iterable(groups))
    return pattern


def split_sides(text: str) -> tuple[str, str]:
    """What stands before and after the arrow."""
    sides = text.split("->")
    if len(sides) != 2:
        raise Reject("a pattern needs one `->` between the axes of the input and the output", arg="pattern")
    return sides[0], sides[1]


def unique(names: Iterable[str]) -> None:
    """Raises:
    Reject: a name stands there twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Reject(f"the axis `{name}` occurs twice on one side of the pattern", arg="pattern")
        seen.add(name)


def _groups(side: str) -> list[Group]:
    """The axes of one side."""
    groups: list[Group] = []
    inside: list[str] | None = None
    side, position = side.rstrip(), 0
    while position < len(side):
        found = _TOKEN.match(side, position)
        if found is None:
            rest = side[position:].split()[0]
            raise Reject(f"`{rest}`: a pattern consists of names, 1, ( and )", arg="pattern")
        position = found.end()
        name, one, paren = found.groups()
        if paren and (paren == "(") is (inside is not None):
            raise Reject(f"unexpected `{paren}`", arg="pattern")
        if paren == "(":
            inside = []
        elif paren:
            groups.append(tuple(inside or ()))
            inside = None
        elif inside is None:
            groups.append(() if one else (name,))
        elif name:
            inside.append(name)
    if inside is not None:
        raise Reject("unclosed `(`", arg="pattern")
    return groups


Axis: TypeAlias = str | None
"""One axis while a pattern is carried out: a name, or None for one of size 1."""


def flat(groups: Iterable[Group]) -> tuple[Axis, ...]:
    """Every axis for itself, before they are merged or after they are split."""
    return tuple(chain.from_iterable(group or (None,) for group in groups))


class Fit(NamedTuple):
    """How axes become those of a target, apart from their order.

    ``spare`` are axes of size 1 to drop, by their place; ``missing`` are places in the target that lack one.
    """

    spare: tuple[int, ...]
    missing: tuple[int, ...]


def fit(axes: tuple[Axis, ...], target: tuple[Axis, ...], kept: tuple[str, ...]) -> Fit:
    """Axes of size 1 stay where the target has one (or a new name) between the same ``kept`` axes."""
    have, want = _between(axes, kept), _between(target, kept)
    if [name for name in axes if name in kept] != list(kept):  # they move, so no two places are the same
        have, want = [list(chain(*have)), []], [[], list(chain(*want))]
    spare = (axis for h, w in zip(have, want, strict=True) for axis in h[len(w) :])
    missing = (axis for h, w in zip(have, want, strict=True) for axis in w[len(h) :])
    return Fit(tuple(spare), tuple(missing))


def _between(axes: tuple[Axis, ...], kept: tuple[str, ...]) -> list[list[int]]:
    """The places of the other axes: before the first of ``kept``, between the first and the second, and so on."""
    runs: list[list[int]] = [[]]
    for place, axis in enumerate(axes):
        if axis in kept:
            runs.append([])
        else:
            runs[-1].append(place)
    return runs
