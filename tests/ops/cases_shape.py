"""Cases of indexing, splitting and flattening."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.op import Tensor
from archdsl.ops.shape import Flatten, Gather, Select, Split, Unbind

from .cases_elementwise import DTYPES
from .drawing import shapes
from .harness import Case, case

ENDS = st.sampled_from([None, None, 0, 1, 2, 3, 5, -1, -2, -3])


@st.composite
def flattened(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    axes = st.integers(-len(shape), len(shape) - 1)
    return case(Flatten(draw(st.just(1) | axes), draw(st.just(-1) | axes)), shape)


SUBSCRIPTS = st.one_of(
    st.just(slice(None)),
    st.integers(-3, 3),
    st.builds(slice, ENDS, ENDS, st.sampled_from([None, None, 1, 2, 3])),
)


@st.composite
def selections(draw: st.DrawFn) -> Case:
    """A bound beyond the axis and a part without cells are errors in our language, not in torch."""
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple))
    subscripts = draw(st.lists(SUBSCRIPTS, min_size=1, max_size=len(shape)))
    known = tuple((0, axis) for axis, subscript in enumerate(subscripts) if bounds_size(subscript))
    return Case(Select.of(tuple(subscripts)), (Tensor(shape, draw(DTYPES)),), known=known, is_stricter=True)


def bounds_size(subscript: int | slice) -> bool:
    """From the end to a place counted from the front: true of finitely many sizes only, so one must be known."""
    if not isinstance(subscript, slice) or subscript.start is None or subscript.stop is None:
        return False
    return subscript.start < 0 <= subscript.stop


@st.composite
def gathers(draw: st.DrawFn) -> Case:
    shape = draw(shapes(1, 3))
    axis = draw(st.integers(0, len(shape) - 1))
    index = Tensor(draw(shapes(0, 3)), draw(st.sampled_from(["int64"] * 9 + ["float32"])))
    return Case(Gather(axis), (Tensor(shape, draw(DTYPES)), index), -shape[axis], shape[axis] - 1, is_stricter=True)


@st.composite
def unbound(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    count = shape[0] + draw(st.sampled_from([0, 0, 0, 1]))
    return case(Unbind(count), shape, known=((0, 0),), is_stricter=count != shape[0])


@st.composite
def splits(draw: st.DrawFn) -> Case:
    shape = draw(shapes())
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    if draw(st.booleans()):
        parts = draw(st.integers(1, 3))
        size = parts * draw(st.integers(1, 3)) + draw(st.sampled_from([0, 0, 0, 1]))
    else:
        parts = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
        size = sum(parts) + draw(st.sampled_from([0, 0, 0, 1]))
    sized = tuple(size if at == axis % len(shape) else other for at, other in enumerate(shape))
    known = () if isinstance(parts, int) else ((0, axis % len(shape)),)
    return Case(Split(parts, axis), (Tensor(sized, draw(DTYPES)),), known=known, is_stricter=isinstance(parts, int))


CASES = {
    "flatten": flattened(),
    "select": selections(),
    "gather": gathers(),
    "unbind": unbound(),
    "split": splits(),
}

TIGHT = [
    case(Flatten(), (2, 3, 4)),
    case(Select.of((slice(None), 1, slice(1, None, 2))), (2, 3, 6)),
    case(Split(2), (2, 6)),
]
