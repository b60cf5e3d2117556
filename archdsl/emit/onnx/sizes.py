"""Symbolic sizes as int64 arithmetic in the exported model, each computed once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TypeAlias

import numpy as np

from archdsl.diagnostics.lowering import SizeBeyond64Bits, UnreadableSize
from archdsl.dims import Dim, Floor, Pos, Size
from archdsl.emit.onnx.writer import Writer
from archdsl.errors import SpecError
from archdsl.graph import GraphInput

INT64 = np.iinfo(np.int64)

Vector: TypeAlias = str
"""The name of an int64 tensor of one axis."""


class Sizes:
    """Writes sizes into a model: plain ones as constants, the others computed from the shapes of its inputs."""

    def __init__(self, writer: Writer, inputs: Sequence[GraphInput]) -> None:
        self._writer = writer
        self._lineage = (("", writer.graph.name), ("sizes", "sizes"))
        self._known: dict[Size, Vector] = {}
        self._lists: dict[tuple[Size, ...], Vector] = {}
        self._axes: dict[Size, tuple[str, int]] = {}
        for given in inputs:
            for axis, size in enumerate(given.value.shape):
                self._axes.setdefault(size, (given.name, axis))

    def vector(self, sizes: tuple[Size, ...]) -> Vector:
        """The tensor that holds these sizes."""
        if all(isinstance(size, int) for size in sizes):
            return self._constant(sizes)
        if len(sizes) == 1:
            return self._one(sizes[0])
        if sizes not in self._lists:
            runs = [tuple(run) for _, run in groupby(sizes, key=lambda size: isinstance(size, int))]
            parts = [part for run in runs for part in self._run(run)]
            self._lists[sizes] = self._node("Concat", parts, f"[{','.join(map(str, sizes))}]", axis=0)
        return self._lists[sizes]

    def _run(self, sizes: tuple[Size, ...]) -> list[Vector]:
        """Plain sizes that stand together as one constant, symbolic ones each by itself."""
        return [self._constant(sizes)] if isinstance(sizes[0], int) else [self._one(size) for size in sizes]

    def _constant(self, sizes: Iterable[Size]) -> Vector:
        numbers = [size for size in sizes if isinstance(size, int)]
        for number in numbers:
            if not INT64.min <= number <= INT64.max:
                raise SpecError([SizeBeyond64Bits(span=None, size=str(number))])
        return self._writer.constant(np.array(numbers, np.int64))

    def _one(self, size: Size) -> Vector:
        """A tensor of one element."""
        if size not in self._known:
            self._known[size] = self._computed(size) if isinstance(size, Dim) else self._constant([size])
        return self._known[size]

    def _computed(self, size: Dim) -> Vector:
        if size in self._axes:
            name, axis = self._axes[size]
            return self._node("Shape", [name], str(size), start=axis, end=axis + 1)
        if len(size.terms) > 1:
            return self._sum(size)
        ((monomial, coefficient),) = size.terms.items()
        if coefficient != 1:
            return self._node("Mul", [self._constant([coefficient]), self._one(Dim({monomial: 1}))], str(size))
        match monomial:
            case (Floor(num=num, den=den),):
                return self._floor(num, den, str(size))
            case (Pos(arg=inner),):
                return self._node("Max", [self._one(inner), self._constant([0])], str(size))
            case (str(),):
                raise SpecError([UnreadableSize(span=None, symbol=str(size))])
        first, rest = Dim({monomial[:1]: 1}), Dim({monomial[1:]: 1})
        return self._node("Mul", [self._one(first), self._one(rest)], str(size))

    def _sum(self, size: Dim) -> Vector:
        terms = [Dim({monomial: factor}) if monomial else factor for monomial, factor in size.terms.items()]
        partial, total = terms[0], self._one(terms[0])
        for term in terms[1:]:
            partial += term
            total = self._node("Add", [total, self._one(term)], str(partial))
        return total

    def _floor(self, num: Size, den: Size, text: str) -> Vector:
        """``num // den``. ONNX divides towards zero, so what may be negative is first made a multiple of ``den``.

        ``Mod`` of integers has the sign of the divisor, as in Python. A dividend of 1 is made one too: ONNX Runtime
        takes ``1 / x * y`` for ``y / x``, of integers as well (its DivMulFusion).
        """
        dividend, divisor = self._one(num), self._one(den)
        if num == 1 or not is_nonnegative(num):
            rest = self._node("Mod", [dividend, divisor], f"({num})%({den})")
            dividend = self._node("Sub", [dividend, rest], f"{num}-({num})%({den})")
        return self._node("Div", [dividend, divisor], text)

    def _node(self, type: str, inputs: Sequence[Vector], text: str, **attributes: int) -> Vector:
        name = self._writer.fresh(f"sizes/{text.replace(' ', '')}")
        self._writer.node(type, inputs, [name], name=name, lineage=self._lineage, attributes=attributes)
        return name


def is_nonnegative(size: Size) -> bool:
    """Whether a size can be seen to be at least 0, its symbols being at least 1: a sum of such terms."""
    if isinstance(size, int):
        return size >= 0
    return all(factor > 0 for factor in size.terms.values()) and all(
        is_nonnegative(atom.num) for monomial in size.terms for atom in monomial if isinstance(atom, Floor)
    )
