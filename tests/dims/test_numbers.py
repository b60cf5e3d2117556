"""What decides, piece by piece: Newton's form, periods and degrees, ranges."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import dmax, evaluate, symbol
from archdsl.dims.budget import Budget
from archdsl.dims.newton import newton_form, sign_runs, value_at
from archdsl.dims.polynomial import never_negative, never_zero
from archdsl.dims.profile import profile, samples
from archdsl.dims.ranges import make_range

from .expressions import examples, on_sizes, texts

H, W = symbol("H"), symbol("W")
polynomials = st.lists(st.integers(-60, 60), min_size=1, max_size=6)
sets = st.tuples(
    st.integers(1, 12),
    st.sets(st.integers(0, 11), min_size=1),
    st.integers(-5, 30),
    st.none() | st.integers(20, 90),
)


@examples(300)
@given(polynomials)
def test_newton_form_has_the_values(values: list[int]) -> None:
    form = newton_form(values)
    assert [value_at(form, q) for q in range(len(values))] == values


@examples(400)
@given(polynomials)
def test_sign_runs_are_the_signs(form: list[int]) -> None:
    pieces = sign_runs(form)
    assert [piece.start for piece in pieces] == sorted({piece.start for piece in pieces})
    ends = [*(piece.start for piece in pieces[1:]), pieces[-1].start + 60]
    for piece, end in zip(pieces, ends, strict=True):
        for q in {*range(piece.start, min(end, piece.start + 80)), *range(max(piece.start, end - 80), end)}:
            value = value_at(form, q)
            assert (value > 0) - (value < 0) == piece.sign


def test_sign_runs_find_a_root_far_away() -> None:
    form = newton_form([(q - 10**30) * (q - 3) for q in range(3)])
    assert sign_runs(form) == [(0, 1), (3, 0), (4, -1), (10**30, 0), (10**30 + 1, 1)]


@examples(300)
@given(
    st.lists(st.tuples(st.integers(-2, 8), st.integers(0, 2)), min_size=1, max_size=2),
    st.sampled_from([-1, 1, "H + 1"]),
    st.sampled_from([0, 0, 0, -1, 1, 40]),
)
def test_polynomials_of_one_symbol_are_decided(roots: list[tuple[int, int]], factor: int | str, more: int) -> None:
    """Exact, by brute force up to where the leading term outweighs all others: many touch 0, or pass it at once."""
    size = on_sizes(str(factor))
    for root, apart in roots:
        size = size * (H - root) * (H - root - apart)
    size = size + more
    values = [evaluate(size, {"H": q}) for q in range(400)]
    assert never_negative(size, Budget()) == (min(values) >= 0 and values[-1] >= values[-2])
    if never_zero(size, Budget()):
        assert 0 not in values
    elif min(values) > 0 and values[-1] >= values[-2]:
        raise AssertionError("a positive polynomial of one symbol is 0 nowhere")


def test_what_does_not_depend_on_a_symbol_is_steady_in_it() -> None:
    for size in (7, W, W * W // 3, dmax(W, 3) // 2):
        assert profile(size, "H") == (1, 0, 0)


@examples(300)
@given(texts(["H", "W"], 3), st.integers(1, 40), st.integers(-40, 40))
def test_a_profile_predicts_all_values_from_the_first(text: str, w: int, start: int) -> None:
    size = on_sizes(text)
    shape = profile(size, "H")
    assert shape is not None
    if shape.period > 2_000:
        return
    count = samples(shape.period, shape.degree)
    values = [evaluate(size, {"H": start + i, "W": w}) for i in range(count)]
    for offset in range(0, shape.period, max(1, shape.period // 7)):
        form = newton_form(values[offset :: shape.period])
        for q in (shape.degree + 1, shape.degree + 2, 50):
            there = {"H": start + offset + shape.period * q, "W": w}
            assert value_at(form, q) == evaluate(size, there)
    if shape.growth is not None:
        later = {"H": start + shape.period, "W": w}
        assert evaluate(size, later) - values[0] == shape.growth


@examples(300)
@given(sets, sets)
def test_ranges_are_sets(
    one: tuple[int, set[int], int, int | None], other: tuple[int, set[int], int, int | None]
) -> None:
    listed = []
    for m, residues, lo, hi in (one, other):
        residues = {residue % m for residue in residues}
        members = {x for x in range(-10, 400) if x >= lo and x % m in residues and (hi is None or x <= hi)}
        known = make_range(m, residues, lo, hi)
        assert (known is None) == (not members)
        if known is not None:
            assert {x for x in range(-10, 400) if x in known} == members
            assert known.first(5) == sorted(members)[:5]
            assert known.lo == min(members)
            assert hi is None or known.hi == max(members)
        listed.append((known, members))
    (a, members), (b, others) = listed
    if a is not None and b is not None:
        met = a.meet(b)
        assert met == b.meet(a)
        assert ({x for x in range(-10, 400) if x in met} if met else set()) == members & others


@examples(200)
@given(st.integers(1, 6), st.sets(st.integers(0, 5), min_size=1), st.integers(1, 4))
def test_equal_ranges_are_written_the_same(m: int, residues: set[int], times: int) -> None:
    residues = {residue % m for residue in residues}
    spread = {residue + m * i for residue in residues for i in range(times)}
    assert make_range(m, residues, 1) == make_range(m * times, spread, 1)
    assert make_range(m, (), 1) is None
