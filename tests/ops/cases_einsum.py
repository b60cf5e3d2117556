"""Cases of sums of products with named axes."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.ops.einsum import Einsum

from .harness import Case, case


@st.composite
def products(draw: st.DrawFn) -> Case:
    """Axes of both values that stay (n, m), of either alone (i, k and j, l), and summed (c, d)."""
    batch, left, right, summed = (names[: draw(st.integers(0, 2))] for names in ("nm", "ik", "jl", "cd"))
    sizes = {name: draw(st.integers(1, 4)) for name in batch + left + right + summed}
    sides = [draw(st.permutations([*batch, *alone, *summed])) for alone in (left, right)]
    out = draw(st.permutations([*batch, *left, *right]) | st.just([*batch, *left, *right]))
    pattern = f"{' '.join(sides[0])}, {' '.join(sides[1])} -> {' '.join(out)}"
    shapes = [[sizes[name] + draw(st.sampled_from([0] * 30 + [1])) for name in side] for side in sides]
    known = tuple((i, axis) for i, shape in enumerate(shapes) for axis, size in enumerate(shape) if size == 1)
    return case(Einsum(pattern), *shapes, known=known, is_stricter=True)  # torch broadcasts


CASES = {"einsum": products()}

TIGHT = [
    case(Einsum("n h i d, n h j d -> n h i j"), (2, 2, 3, 4), (2, 2, 5, 4)),
    case(Einsum("n w i c, d c -> n w i d"), (2, 3, 4, 5), (6, 5)),
    case(Einsum("n c, c -> n c"), (2, 3), (3,)),
]
