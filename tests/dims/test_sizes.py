"""Arithmetic of sizes: what is built evaluates as Python evaluates, and has one normal form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import (
    Dim,
    Floor,
    Pos,
    Size,
    TooLarge,
    dmax,
    dmin,
    evaluate,
    substitute,
    symbol,
    symbols,
)
from archdsl.dims.evaluate import column_where_defined

from .expressions import evaluate_text, examples, on_numbers, on_sizes, texts

H, W, C = symbol("H"), symbol("W"), symbol("C")
NAMES = ["C", "H", "W"]
integers = st.integers(-300, 600)
positive = st.integers(1, 600)
small = st.integers(-3, 4)


@examples(600)
@given(texts(NAMES, maxima=True), st.lists(st.tuples(integers, integers, integers), min_size=8, max_size=8))
def test_evaluates_as_python_does_negative_numbers_too(text: str, values: list[tuple[int, int, int]]) -> None:
    size, expected = on_sizes(text), on_numbers(text, NAMES)
    for point in values:
        assert evaluate(size, dict(zip(NAMES, point, strict=True))) == expected(*point)


@examples(300)
@given(
    texts(NAMES, symbolic_divisors=True, maxima=True),
    st.lists(st.tuples(positive, positive, positive), min_size=8, max_size=8),
)
def test_evaluates_as_python_does_with_symbolic_divisors(text: str, values: list[tuple[int, int, int]]) -> None:
    size, expected = on_sizes(text), on_numbers(text, NAMES)
    for point in values:
        assert evaluate(size, dict(zip(NAMES, point, strict=True))) == expected(*point)


@examples(200)
@given(texts(NAMES, maxima=True), texts(["C", "W"], 2, maxima=True), integers, integers)
def test_substitution_commutes_with_evaluation(text: str, inner: str, c: int, w: int) -> None:
    substituted = substitute(on_sizes(text), {"H": on_sizes(inner)})
    h = on_numbers(inner, ["C", "W"])(c, w)
    assert evaluate(substituted, {"C": c, "W": w}) == on_numbers(text, NAMES)(c, h, w)
    assert symbols(substituted) <= {"C", "W"}


@examples(200)
@given(texts(NAMES, maxima=True, symbolic_divisors=True), positive, positive, positive)
def test_what_is_constant_is_an_int(text: str, c: int, h: int, w: int) -> None:
    constant = substitute(on_sizes(text), {"C": c, "H": h, "W": w})
    assert type(constant) is int
    assert constant == on_numbers(text, NAMES)(c, h, w)


@examples(400)
@given(texts(NAMES, maxima=True, symbolic_divisors=True))
def test_the_text_reads_back_as_the_same_size(text: str) -> None:
    size = on_sizes(text)
    assert evaluate_text(str(size), {"C": C, "H": H, "W": W}) == size


@examples(200)
@given(texts(NAMES, 3, maxima=True), texts(NAMES, 3, maxima=True))
def test_the_order_of_building_does_not_matter(one: str, other: str) -> None:
    a, b = on_sizes(one), on_sizes(other)
    same: list[tuple[Size, Size]] = [(a + b, b + a), (a * b, b * a), (a - b, -b + a)]
    same += [((a + b) // 6, (b + a) // 6), (dmax(a, b) + dmin(a, b), b + a)]
    for left, right in same:
        assert left == right
        assert str(left) == str(right)
        assert hash(left) == hash(right)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ((H - 1) // 2 + 1, "(H + 1) // 2"),
        ((((H + 1) // 2 - 1) // 2 + 1) // 2, "(H + 3) // 8"),
        (18 * C**2, "18 * C**2"),
        (9 * C + C * W, "C * W + 9 * C"),
        (4 - H, "4 - H"),
        (-H - 2, "-H - 2"),
        (-(H // 2), "-(H // 2)"),
        (7 - H // 2, "7 - H // 2"),
        (3 * (H // 2), "3 * (H // 2)"),
        ((H // 2) ** 2 * W, "(H // 2)**2 * W"),
        (H + -H % 7, "7 * ((H + 6) // 7)"),
        (H + H % 2, "H + H % 2"),
        ((H + H % 2) // 2 * 2, "2 * ((H + 1) // 2)"),
        (3 * (H - 2 * (H // 2)) + W, "W + 3 * (H % 2)"),
        (C % symbol("g") + 1, "C % g + 1"),
        (1 - H % 2, "1 - H % 2"),
        (-(H % 2), "-(H % 2)"),
        (-dmax(H, W), "-max(H, W)"),
        (C * W % (2 * H), "(C * W) % (2 * H)"),
        (dmax(H, 7), "max(H, 7)"),
        (dmin(H, W) * 2, "2 * min(H, W)"),
        (dmax(H - W, 0), "max(H - W, 0)"),
        (dmax(H, W) * C, "C * W + C * max(H - W, 0)"),
        (C // symbol("groups"), "C // groups"),
        ((H * W) // (2 * C), "(H * W) // (2 * C)"),
        (dmax(H, W) // C, "max(H, W) // C"),
    ],
)
def test_sizes_read_as_people_write_them(size: Size, text: str) -> None:
    assert str(size) == text
    names = {name: symbol(name) for name in symbols(size)}
    assert evaluate_text(text, names) == size


def test_a_deep_chain_is_one_floor() -> None:
    h: Size = H
    for _ in range(200):
        h = (h + 2 - 3) // 2 + 1
    assert h == Dim({(Floor(H + (2**200 - 1), 2**200),): 1})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (H // 6, H // 2 // 3),
        ((2 * H + 3) // 4, (H + 1) // 2),
        ((H + 8) // 4, H // 4 + 2),
        (-(H // 3), (2 - H) // 3),
        ((2 * H) // 3, H - (H + 2) // 3),
        (H // -3, -H // 3),
        ((H * W) // W, H),
        ((H * W + 3) // (H * W), 1 + 3 // (H * W)),
        ((H * C) // (W * C), H // W),
        ((2 * H) // (2 * W), H // W),
        ((-H) // W, -1 - (H - 1) // W),
        (-1 // H, -1),
        (((H + W) * C) // (H + W), C),
        (H // W // C, H // (W * C)),
        (dmax(2 * H, 2 * W), 2 * dmax(W, H)),
        (dmax(H, W), -dmin(-H, -W)),
    ],
)
def test_normal_form(left: Size, right: Size) -> None:
    assert left == right


def test_a_whole_size_is_an_int() -> None:
    assert type(H - H) is int
    assert type((2 * H + 5) // 2 - H) is int
    assert type(H * 0) is int
    assert type(5 // symbol("g") - 5 // symbol("g")) is int
    assert (2 * H + 5) // 2 - H == 2
    assert H**0 == 1


def test_no_truth_value_and_no_order() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(H)
    for compare in (
        lambda: H < 7,  # type: ignore[operator]
        lambda: H >= W,  # type: ignore[operator]
        lambda: sorted([H, W]),  # type: ignore[type-var]
    ):
        with pytest.raises(TypeError):
            compare()


def test_no_true_division() -> None:
    for divide in (lambda: H / 2, lambda: 2 / H, lambda: H + 0.5, lambda: 0.5 * H, lambda: 2**H):  # type: ignore
        with pytest.raises(TypeError):
            divide()


def test_division_by_nothing() -> None:
    with pytest.raises(ZeroDivisionError):
        H // 0
    with pytest.raises(ZeroDivisionError):
        H % 0
    with pytest.raises(ZeroDivisionError):
        evaluate(H // (W - 3), {"H": 5, "W": 2})
    with pytest.raises(ValueError, match="negative"):
        H**-1


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        evaluate(H * W, {"H": 3})


@examples(100)
@given(texts(["H", "W"], symbolic_divisors=True), st.lists(st.tuples(small, small), min_size=1, max_size=20))
def test_a_column_has_no_value_just_where_a_divisor_is_less_than_one(text: str, points: list[tuple[int, int]]) -> None:
    size = on_sizes(f"({text}) + H // (W - 1) + (W // (H + 2))")
    found = column_where_defined(size, {"H": [h for h, _ in points], "W": [w for _, w in points]}, len(points))
    for value, (h, w) in zip(found, points, strict=True):
        try:
            assert value == evaluate(size, {"H": h, "W": w})
        except ZeroDivisionError:
            assert value is None


def test_equality_is_structural() -> None:
    assert H != W
    assert H != 1
    assert H + 1 != "H + 1"
    assert {H // 2: "half"}[symbol("H") // 2] == "half"
    assert Floor(H, 2) != Pos(H)
    assert Pos(H) == Pos(symbol("H"))


def step_by_three_halves(x: Any) -> Any:
    return (3 * x + 1) // 2


GROWTHS = [
    step_by_three_halves,
    lambda x: x + x // 3,
    lambda x: (x * W) // 3,
    lambda x: x * x,
    lambda x: x + W // (x + 1),
    lambda x: x * (x // 2),
    lambda x: dmax(x, W) * 2 // 3,
    lambda x: x // W + x,
    lambda x: (x + W + 1) * (x + H + C + 1),
    lambda x: (x + W) * (x // 3),
    lambda x: dmax(x * 2, W) + x,
    lambda x: x // 2**100 + x,
    lambda x: x // 2**100,
    lambda x: x * 2**100,
]


@pytest.mark.parametrize("step", GROWTHS)
def test_growth_ends_at_a_cap(step: Any) -> None:
    """In few steps; before that no size is larger than the caps allow, so that neither is the work."""
    sizes: list[Size] = [H]

    def grow() -> None:
        for _ in range(60):
            sizes.append(step(sizes[-1]))

    with pytest.raises(TooLarge, match="too large"):
        grow()
    x = sizes[-1]
    assert isinstance(x, Dim)
    assert len(x.terms) <= 2_000
    assert all(len(monomial) <= 64 for monomial in x.terms)
    assert sum(atom.rank[0] for m in x.terms for atom in m if not isinstance(atom, str)) < 20_000
    assert len(str(x)) < 400_000


def test_growth_by_terms_ends_at_a_cap() -> None:
    with pytest.raises(TooLarge, match="terms"):
        sum((symbol(f"x{i}") for i in range(2_100)), 0)
    with pytest.raises(TooLarge, match="degree"):
        H**65
    with pytest.raises(TooLarge, match="product"):
        sum((symbol(f"x{i}") for i in range(101)), 0) * sum((symbol(f"y{i}") for i in range(100)), 0)
