"""Cases of axes by name."""

from __future__ import annotations

from math import prod

from hypothesis import strategies as st

from archdsl.op import Tensor
from archdsl.ops.einops import METHODS, Rearrange, Reduce

from .harness import Case, case

NAMES = ["n", "c", "h", "w", "p"]
REPEATED = ["r", "s"]


@st.composite
def grouped(draw: st.DrawFn, names: list[str]) -> list[list[str]]:
    """Neighbours merged, axes of size 1 strewn in."""
    groups: list[list[str]] = []
    for name in names:
        if groups and draw(st.integers(0, 2)) == 0:
            groups[-1].append(name)
        else:
            groups.append([name])
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        groups.insert(draw(st.integers(0, len(groups))), [])
    return groups


def text(groups: list[list[str]]) -> str:
    return " ".join("1" if not group else group[0] if len(group) == 1 else f"({' '.join(group)})" for group in groups)


@st.composite
def named(draw: st.DrawFn, gone: int, new: int) -> tuple[str, tuple[tuple[str, int], ...], tuple[int, ...], tuple]:
    """A pattern whose output lacks up to ``gone`` axes and has up to ``new`` ones; its sizes; a shape; known axes."""
    names = NAMES[: draw(st.integers(1, 5))]
    sizes = {name: draw(st.integers(1, 4)) for name in [*names, *REPEATED]}
    left = draw(grouped(names))
    kept = draw(st.permutations(names) | st.just(names))
    kept = kept[draw(st.integers(0, min(gone, len(kept)))) :] + REPEATED[: draw(st.integers(0, new))]
    pattern = f"{text(left)} -> {text(draw(grouped(draw(st.permutations(kept) | st.just(kept)))))}"
    given = {name: sizes[name] for name in kept if name in REPEATED}
    for group in left:
        inferred = draw(st.sampled_from(group)) if group else None
        given |= {name: sizes[name] for name in group if name != inferred or draw(st.integers(0, 4)) == 0}
    off = draw(st.sampled_from([0] * 12 + [1]))
    shape = tuple(prod(sizes[name] for name in group) + off for group in left)
    known = [
        axis for axis, group in enumerate(left) if set(group) <= given.keys() or any(sizes[name] == 1 for name in group)
    ]
    return pattern, tuple(given.items()), shape, tuple((0, axis) for axis in known)


@st.composite
def rearrangements(draw: st.DrawFn) -> Case:
    pattern, given, shape, known = draw(named(0, 2))
    dtype = draw(st.sampled_from(["float32", "float32", "int64", "bool"]))
    return Case(Rearrange(pattern, axes=given), (Tensor(shape, dtype),), known=known, is_stricter=True)


@st.composite
def reductions(draw: st.DrawFn) -> Case:
    pattern, given, shape, known = draw(named(3, 0))
    dtype = draw(st.sampled_from(["float32", "float32", "float32", "int64", "bool"]))
    op = Reduce(pattern, draw(st.sampled_from(list(METHODS))), axes=given)
    return Case(op, (Tensor(shape, dtype),), known=known, is_stricter=True)


CASES = {"rearrange": rearrangements(), "reduce": reductions()}

TIGHT = [
    case(Rearrange("n (h p) (w q) c -> n (h w) (p q) c", axes=(("p", 2), ("q", 3))), (1, 4, 6, 2)),
    case(Rearrange("n c (h p) -> n h 1 (p c) r", axes=(("p", 2), ("r", 2))), (2, 3, 4)),
    case(Reduce("n (h p) c -> n h c", "mean", axes=(("p", 3),)), (2, 6, 2)),
    case(Reduce("n (h p) c -> n p", "sum", axes=(("p", 3),)), (2, 6, 2)),
]
