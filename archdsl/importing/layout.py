"""Views, permutations and expansions of a tensor as one pattern of named axes.

An axis is a list of *atoms*, numbered sizes; a reshape that cuts an axis splits an atom. A chain of steps on the
atoms is one pattern: ``n (c two) h -> n two c h``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

from archdsl.dims import Size, evaluate
from archdsl.importing.calls import BATCH, Unsupported

Move: TypeAlias = tuple[Literal["reshape", "permute", "expand"], tuple[Any, ...]]
Monomial: TypeAlias = tuple[int, int]
"""A number, and how often the batch size is a factor."""
USUAL = {2: "nc", 3: "nlc", 4: "nchw", 5: "ntchw"}
"""Names of axes by rank."""
FREE = "abcdefghijklmopqrstuvwxyz"


class Irregular(Exception):
    """A reshape that no pattern of axes is."""


def monomial(size: Size) -> Monomial:
    """A size as a number and a power of the batch size."""
    if isinstance(size, int):
        return size, 0
    at_one, at_two = (evaluate(size, {"N": n}) for n in (1, 2))
    if not isinstance(at_one, int) or at_two != 2 * at_one:
        raise Irregular
    return at_one, 1


class Layout:
    """The axes of a tensor before and after some moves."""

    def __init__(self, shape: Iterable[Size]) -> None:
        self.sizes: list[Monomial] = []
        self.before: list[list[int]] = [[] if size == 1 else [self._atom(monomial(size))] for size in shape]
        self.after = [list(axis) for axis in self.before]

    @classmethod
    def of(cls, shape: Iterable[Size], moves: Iterable[Move]) -> Layout:
        """The layout after these moves.

        Raises:
            Irregular: one of them is no pattern.
        """
        made = cls(shape)
        for kind, argument in moves:
            getattr(made, f"_{kind}")(argument)
        return made

    def _atom(self, size: Monomial) -> int:
        self.sizes.append(size)
        return len(self.sizes) - 1

    # ---- moves ----

    def _permute(self, order: Sequence[int]) -> None:
        self.after = [self.after[i] for i in order]

    def _expand(self, shape: Sequence[Size]) -> None:
        self.after = [[] for _ in range(len(shape) - len(self.after))] + self.after
        for axis, size in zip(self.after, shape, strict=True):
            if not axis and size not in (1, -1):
                axis.append(self._atom(monomial(size)))

    def _reshape(self, shape: Sequence[Size]) -> None:
        atoms = [a for axis in self.after for a in axis]
        made: list[list[int]] = []
        position = 0
        for size in shape:
            axis, position = self._gather(atoms, position, monomial(size))
            made.append(axis)
        if position != len(atoms):
            raise Irregular
        self.after = made

    def _gather(self, atoms: list[int], position: int, wanted: Monomial) -> tuple[list[int], int]:
        """The atoms of an axis of a size, from a position on; one may be split."""
        axis: list[int] = []
        number, batches = 1, 0
        while (number, batches) != wanted:
            if position >= len(atoms) or wanted[0] % number:
                raise Irregular
            atom = atoms[position]
            size, n = self.sizes[atom]
            if wanted[0] % (number * size) == 0 and batches + n <= wanted[1]:
                number, batches = number * size, batches + n
            else:
                outer = wanted[0] // number, wanted[1] - batches
                if size % outer[0] or n < outer[1]:
                    raise Irregular
                atoms.insert(position + 1, self._split(atom, outer))
                number, batches = wanted
            axis.append(atom)
            position += 1
        return axis, position

    def _split(self, atom: int, outer: Monomial) -> int:
        size, n = self.sizes[atom]
        inner = self._atom((size // outer[0], n - outer[1]))
        self.sizes[atom] = outer
        for side in (self.before, self.after):
            for axis in side:
                if atom in axis:
                    axis.insert(axis.index(atom) + 1, inner)
        return inner

    # ---- what it is ----

    @property
    def is_identity(self) -> bool:
        return self.before == self.after

    @property
    def shuffled_groups(self) -> int | None:
        """The number of groups, if this is a channel shuffle."""
        is_image = len(self.before) == 4 and [len(axis) for axis in self.before] == [1, 2, 1, 1]
        if is_image and self.after == [self.before[0], self.before[1][::-1], *self.before[2:]]:
            return self.sizes[self.before[1][0]][0]
        return None

    @property
    def is_squeeze(self) -> bool:
        """Does it only drop axes of size 1 behind the second?"""
        return len(self.before) > 2 and self.before[:2] == self.after and not any(self.before[2:])

    def pattern(self) -> tuple[str, dict[str, Size]]:
        """The pattern of ``rearrange`` and the sizes that it needs."""
        names = self._names()
        sizes: dict[str, Size] = {}
        inside = {a for axis in self.before for a in axis}
        for axis in self.before:
            if len(axis) > 1:
                inferred = next((a for a in axis if self.sizes[a][1]), axis[0])
                sizes |= {names[a]: self._size(a) for a in axis if a != inferred}
        sizes |= {names[a]: self._size(a) for axis in self.after for a in axis if a not in inside}
        return f"{_side(self.before, names)} -> {_side(self.after, names)}", sizes

    def _size(self, atom: int) -> Size:
        number, batches = self.sizes[atom]
        return number * BATCH if batches else number

    def _names(self) -> dict[int, str]:
        names: dict[int, str] = {}
        usual = USUAL.get(len(self.before))
        if usual == "nchw" and self.after == [self.before[i] for i in (0, 3, 1, 2)]:
            usual = "nhwc"
        if usual is not None and all(len(axis) <= 1 for axis in self.before):
            names = {axis[0]: name for axis, name in zip(self.before, usual, strict=True) if axis}
        free = iter(FREE)
        for atom in [a for axis in (*self.before, *self.after) for a in axis]:
            if atom not in names:
                is_batch = self.sizes[atom] == (1, 1) and "n" not in names.values()
                names[atom] = "n" if is_batch else next(c for c in free if c not in names.values())
        return names


def _side(axes: Iterable[Sequence[int]], names: dict[int, str]) -> str:
    def one(axis: Sequence[int]) -> str:
        letters = " ".join(names[a] for a in axis)
        return f"({letters})" if len(axis) > 1 else letters or "1"

    return " ".join(map(one, axes))


def refused(name: str, path: str) -> Unsupported:
    """Why a reshape cannot be imported."""
    return Unsupported("its axes are cut and joined in a way that no pattern of axes is", name, path)
