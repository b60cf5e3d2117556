"""What the verdicts say is so: against brute force, and for the questions that matter."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import (
    Facts,
    Member,
    Operator,
    Proved,
    Range,
    Refuted,
    Relation,
    Size,
    Unknown,
    Verdict,
    When,
    at_least,
    equal,
    symbol,
    truth,
    witness,
)
from archdsl.dims.budget import Budget
from archdsl.dims.decide import decide
from archdsl.dims.facts import NOTHING, difference

from .brute_force import check
from .expressions import examples, on_numbers, on_sizes, texts

C, G, H, K, N, W = (symbol(name) for name in "CGHKNW")
ZERO = frozenset({0})


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[str], str, str, Operator]:
    """Symbols, two expressions over them, and a relation."""
    names = draw(st.sampled_from([["H"], ["H"], ["H", "W"], ["C", "H", "W"]]))
    rare = draw(st.sampled_from(["", "", "", "maxima", "products", "products", "divisors", "all"]))
    kinds = {
        "maxima": rare in ("maxima", "all"),
        "products": rare in ("products", "all"),
        "symbolic_divisors": rare in ("divisors", "all"),
    }
    a = draw(texts(names, 4, **kinds))
    b = draw(st.just("0") | texts(names, 3, **kinds))
    return names, a, b, draw(st.sampled_from(["==", ">=", "!=", "<", ">", "<="]))


@examples(350, long_factor=60)
@given(questions())
def test_verdicts_are_so(question: tuple[list[str], str, str, Operator]) -> None:
    names, a, b, operator = question
    verdict = decide(*difference(on_sizes(a), operator, on_sizes(b)))
    holds = on_numbers(f"({a}) {operator} ({b})", names)
    check(verdict, lambda values: bool(holds(**values)), names)


def test_few_questions_of_one_symbol_stay_unknown() -> None:
    """One symbol is decided completely, unless its divisors are symbolic or its periods are vast."""
    seen: Counter[type[Verdict]] = Counter()

    @examples(150)
    @given(texts(["H"], 4, maxima=True), texts(["H"], 3))
    def ask(a: str, b: str) -> None:
        for operator in ("==", ">="):
            seen[type(decide(*difference(on_sizes(a), operator, on_sizes(b))))] += 1

    ask()
    assert seen[Unknown] <= 3
    assert min(seen[Proved], seen[Refuted], seen[When]) >= 10


def multiple(name: str, m: int) -> Member:
    return Member(name, Range(m, ZERO, m))


def from_on(name: str, lo: int) -> Member:
    return Member(name, Range(lo=lo))


PADDED = 7 * ((H + 6) // 7)

PROVED_EQUAL = [
    ((H - 1) // 2 + 1, (H + 1) // 2),
    (H // 2 + (H + 1) // 2, H),
    (H // 3 + (H + 1) // 3 + (H + 2) // 3, H),
    (H * (H + 1) // 2 * 2, H * H + H),
    ((H + W) // 2 + (H + W + 1) // 2, H + W),
    (H * (H + 1) * (H + 2) % 6, 0),
    ((H**3 - H) % 6 + W, W),
    (H % 2 * (1 - H % 2), 0),
    (N * (H // 2) * W * 2 + N * (H % 2) * W, N * H * W),
    (G * (C // G) + C % G, C),
    (PADDED % 7, 0),
    (PADDED - (PADDED - H), H),
]


@pytest.mark.parametrize(("a", "b"), PROVED_EQUAL)
def test_equal_for_every_size(a: Size, b: Size) -> None:
    assert equal(a, b) == Proved()
    assert truth(a, "==", b) is True
    assert truth(a, "!=", b) is False


PROVED_AT_LEAST = [
    (25 * C**2 - 1, 18 * C**2),
    (25 * C**2 + C - 1, 18 * C**2 + 2 * C),
    (9 * C**2, 9 * C * (C // G)),
    (PADDED, H),
    (H + 6, PADDED),
    (H * H + W * W, 2 * H * W),
    ((H + W) ** 2, 4 * H * W),
    (H * W, H + W - 1),
    (H, H // W),
    (H * W, (H // 2) * (W // 2) * 4),
    (H // 2 * 2 + 1, H),
]


@pytest.mark.parametrize(("a", "b"), PROVED_AT_LEAST)
def test_at_least_for_every_size(a: Size, b: Size) -> None:
    assert at_least(a, b) == Proved()
    assert truth(a, ">=", b) is True
    assert truth(a, "<", b) is False


EXACT_CONDITIONS = [
    (16 * (H // 16), "==", H, multiple("H", 16), {"H": 1}),
    ((H - 1) // 2 + 1, "==", H // 2, multiple("H", 2), {"H": 1}),
    (9 * C + C * K, "<", 9 * C * K, from_on("K", 2), {"C": 1, "K": 1}),
    (H - 3, ">=", 0, from_on("H", 3), {"H": 1}),
    ((H - 7) // 2, ">=", 3, from_on("H", 13), {"H": 1}),
    (N * (H - 7), ">=", 0, from_on("H", 7), {"H": 1, "N": 1}),
    (H * H, ">=", 50, from_on("H", 8), {"H": 1}),
    (H % 4, ">=", 2, Member("H", Range(4, frozenset({2, 3}), 2)), {"H": 1}),
]


@pytest.mark.parametrize(("a", "operator", "b", "condition", "example"), EXACT_CONDITIONS)
def test_exact_conditions(a: Size, operator: Operator, b: Size, condition: Member, example: dict[str, int]) -> None:
    assert decide(*difference(a, operator, b)) == When((condition,), True, example)
    assert truth(a, operator, b) is None


def test_exact_conditions_on_two_symbols() -> None:
    verdict = equal((H // 32) * (W // 32) * 1024, H * W)
    assert verdict == When((multiple("H", 32), multiple("W", 32)), True, {"H": 1, "W": 1})


def test_a_raw_relation_is_kept_where_no_range_says_the_same() -> None:
    """H * W >= 49 is not H >= 49."""
    match at_least(H * W, 49):
        case When(conditions, exact=False):
            assert conditions == (from_on("H", 49),)
        case verdict:
            pytest.fail(str(verdict))
    match equal((H + W) % 2, 0):
        case When((Relation() as fact,), True, {"H": 1, "W": 2}):
            assert fact.holds({"H": 3, "W": 5})
            assert not fact.holds({"H": 3, "W": 4})
        case verdict:
            pytest.fail(str(verdict))


def test_true_for_finitely_many_sizes_is_said() -> None:
    assert equal(H, 7) == When((Member("H", Range(lo=7, hi=7)),), True, {"H": 1}, finite=True)
    assert at_least(10 * H, H * H + 9) == When((Member("H", Range(lo=1, hi=9)),), True, {"H": 10}, finite=True)
    assert equal((H - 3) * (H - 8) * (H - 5), 0) == When(
        (Relation((H - 3) * (H - 8) * (H - 5), "=="),), True, {"H": 1}, finite=True
    )  # type: ignore[arg-type]


def test_never_true_is_refuted() -> None:
    assert equal(2 * H, 2 * W + 1) == Refuted({"H": 1, "W": 1})
    assert equal(H + W, 0) == Refuted({"H": 1, "W": 1})
    assert at_least(H, H * W + 1) == Refuted({"H": 1, "W": 1})
    assert at_least(-H, 0) == Refuted({"H": 1})
    assert equal(3, 4) == Refuted({})
    assert truth(H, "==", H + 1) is False


def test_what_cannot_be_decided_is_unknown() -> None:
    """There is no counterexample, but that takes number theory: a sum of two squares is never 3 modulo 4."""
    assert at_least((H * H * W + C) * (K * K + 1) * 9, (H * W * K * C) // (G + N) - 7) in (Unknown(), Proved())
    assert truth((H // C) * C + (W // C) * C, "<=", (H + W) // C * C) in (None, True)


def test_a_budget_of_nothing_answers_unknown_not_wrong() -> None:
    for a, b in PROVED_EQUAL + PROVED_AT_LEAST:
        for sign in ("==", ">="):
            size = a - b
            verdict = decide(size, sign, NOTHING, Budget(0))
            assert isinstance(verdict, (Unknown, type(decide(size, sign))))


def test_work_is_bounded() -> None:
    """Periods far beyond what can be tried, and polynomials of many symbols."""
    vast = H // 99991 + H // 99989 + (H * H) // 65537
    wide = sum((symbol(f"x{i}") * symbol(f"x{i + 1}") for i in range(12)), -H)
    for size in (vast - W, vast - H, wide, (vast * W) // 1009, wide // 7 - W):
        for sign in ("==", ">=", "!="):
            budget = Budget(1 << 18)
            decide(size, sign, NOTHING, budget)
            assert 0 <= budget.left <= 1 << 18


def test_deep_roots_are_found() -> None:
    """The least counterexample may be far away."""
    far = 10**12
    assert at_least(H * H + far * far, 2 * far * H - 1) == Proved()
    match at_least((H - far) ** 2, 1):
        case When(example=example):
            assert example == {"H": far}
        case verdict:
            pytest.fail(str(verdict))


def test_witnesses_of_each_side() -> None:
    assert witness(H % 32, "==", 0) == {"H": 32}
    assert witness(H % 32, "!=", 0) == {"H": 1}
    assert witness(H, "<", H) is None
    assert witness(2 * H, ">", W, Facts({"W": Range(lo=9)})) == {"H": 5, "W": 9}
