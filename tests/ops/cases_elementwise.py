"""Cases of arithmetic and comparisons between values, and between values and numbers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from archdsl.op import DType, Operand, Tensor
from archdsl.ops.elementwise import Arithmetic, Maximum, Minimum, Negative

from .drawing import shapes
from .harness import Case, case

DTYPES: st.SearchStrategy[DType] = st.sampled_from(["float32", "float32", "float32", "int64", "bool"])
NUMBERS = st.sampled_from([1, 2, -3, 0, 2.5, -0.5, 1.0, True])
OPERATORS = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="])


def ones(*inputs: Tensor) -> tuple[tuple[int, int], ...]:
    """Axes of size 1: they are stretched only where this is known."""
    return tuple((i, axis) for i, tensor in enumerate(inputs) for axis, size in enumerate(tensor.shape) if size == 1)


@st.composite
def stretched(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts to another, or nearly."""
    kept = tuple(draw(st.sampled_from([size, size, 1])) for size in shape)
    off = draw(st.sampled_from([0] * 9 + [1]))
    return tuple(size + off for size in kept[draw(st.integers(0, len(kept))) :])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Two values of any element types that broadcast, or nearly."""
    shape = draw(shapes(1, 4))
    found = Tensor(shape, draw(DTYPES)), Tensor(draw(stretched(shape)), draw(DTYPES))
    return found[:: draw(st.sampled_from([1, -1]))]


def binary(op: Any, inputs: tuple[Tensor, ...], is_stricter: bool = False) -> Case:
    """Whole numbers are drawn above 0, since torch divides by them; bools are ours to count."""
    low = 1.0 if any(t.dtype == "int64" for t in inputs) or getattr(op, "op", "") == "**" else -2.0
    is_stricter = is_stricter or any(t.dtype == "bool" for t in inputs)
    return Case(op, inputs, low, 4.0, known=ones(*inputs), is_stricter=is_stricter)


@st.composite
def arithmetic(draw: st.DrawFn) -> Case:
    op = draw(OPERATORS)
    if draw(st.booleans()):
        left, right = draw(pairs())
        return binary(Arithmetic(op), (left, right))
    sides = [object(), draw(NUMBERS)][:: draw(st.sampled_from([1, -1]))]
    return binary(Arithmetic.of(op, *sides), (Tensor(draw(shapes(0, 4)), draw(DTYPES)),), is_stricter=op == "%")


@st.composite
def extrema(draw: st.DrawFn, op: type[Maximum | Minimum]) -> Case:
    if draw(st.booleans()):
        return binary(op(Operand(1)), draw(pairs()))
    return binary(op(draw(st.sampled_from([0, 1, 0.5]))), (Tensor(draw(shapes(0, 4)), draw(DTYPES)),))


CASES = {
    "arithmetic": arithmetic(),
    "negative": st.builds(lambda shape, dtype: Case(Negative(), (Tensor(shape, dtype),)), shapes(0, 4), DTYPES),
    "maximum": extrema(Maximum),
    "minimum": extrema(Minimum),
}

TIGHT = [
    case(Arithmetic("+"), (2, 3, 4), (3, 1)),
    case(Arithmetic("*"), (3, 4), (2, 3, 4)),
    case(Maximum(Operand(1)), (3, 4), (3, 4)),
]
