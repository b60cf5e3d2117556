"""Cases of the combinators' operators."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import Tensor
from archdsl.ops.merge import Add, Concat, Mul, Stack

from .cases_elementwise import DTYPES, ones, stretched
from .drawing import shapes
from .harness import Case, case

OFF = st.sampled_from([0] * 9 + [1])


@st.composite
def concats(draw: st.DrawFn) -> Case:
    shape, dtype = draw(shapes()), draw(DTYPES)
    axis = draw(st.integers(-len(shape), len(shape) - draw(st.sampled_from([0, 1, 1, 1]))))
    inputs = []
    for _ in range(draw(st.integers(1, 4))):
        sizes = [size + draw(OFF) for size in shape] if draw(OFF) else list(shape)
        sizes[axis % len(shape)] = draw(st.integers(1, 4))
        inputs.append(Tensor(tuple(sizes), draw(st.sampled_from([dtype, dtype, dtype, "float32"]))))
    return Case(Concat(axis), tuple(inputs), is_stricter=len({t.dtype for t in inputs}) > 1)


@st.composite
def stacks(draw: st.DrawFn) -> Case:
    shape, dtype = draw(shapes(0, 4)), draw(DTYPES)
    axis = draw(st.integers(-len(shape) - 1, len(shape) + draw(OFF)))
    inputs = [Tensor(tuple(size + draw(OFF) for size in shape), dtype) for _ in range(draw(st.integers(1, 3)))]
    return Case(Stack(axis), tuple(inputs))


@st.composite
def folds(draw: st.DrawFn, op: type[Add | Mul]) -> Case:
    shape, dtype = draw(shapes(1, 4)), draw(DTYPES)
    inputs = tuple(Tensor(draw(stretched(shape)), dtype) for _ in range(draw(st.integers(1, 4))))
    inputs = (*inputs, *((Tensor((), "float32"),) if draw(OFF) else ()))
    return Case(op(), inputs, known=ones(*inputs), is_stricter=any(t.dtype != "float32" for t in inputs))


CASES = {"concat": concats(), "stack": stacks(), "add": folds(Add), "mul": folds(Mul)}

TIGHT = [
    case(Concat(), (2, 3, 4), (2, 2, 4)),
    case(Stack(1), (2, 3), (2, 3)),
    case(Mul(), (2, 3, 4), (3, 1), (2, 1, 4)),
]
