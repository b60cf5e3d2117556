"""What is assumed is used, and never more than it says."""

from __future__ import annotations

import operator as operators
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import (
    Contradiction,
    Facts,
    Operator,
    Proved,
    Range,
    Refuted,
    Relation,
    When,
    assume,
    at_least,
    equal,
    evaluate,
    sample,
    symbol,
    truth,
    witness,
)
from archdsl.dims.budget import Budget
from archdsl.dims.decide import decide
from archdsl.dims.facts import relation

from .expressions import examples, on_numbers, on_sizes, texts

C, G, H, K, W = (symbol(name) for name in "CGHKW")
NAMES = ["H", "W"]
POINTS = [{"H": h, "W": w} for h in range(1, 70) for w in range(1, 35)]
COMPARE: dict[str, Any] = {
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}

ASSUMPTIONS: list[tuple[str, Operator, str]] = [
    ("H % 2", "==", "0"),
    ("H % 6", "==", "3"),
    ("W % 5", "==", "1"),
    ("H", ">=", "17"),
    ("H", "<=", "60"),
    ("H", "!=", "4"),
    ("H", ">=", "W"),
    ("H", "!=", "W"),
    ("(H + W) % 2", "==", "0"),
    ("H", "==", "W"),
    ("H", "==", "2 * W"),
    ("H", "==", "2 * W + 3"),
    ("H", "==", "80 - 2 * W"),
    ("H + W", "==", "31"),
    ("H % W", "==", "0"),
    ("W % H", "==", "0"),
    ("H * W", "==", "48"),
    ("W", ">=", "H // 2"),
    ("max(H, W)", "==", "W"),
    ("H // W + W // H", ">=", "3"),
    ("H // W + H", ">=", "2 * W"),
    ("W // (H + 1)", "==", "H % 3"),
]
QUESTIONS = [
    ("16 * (H // 16)", "H"),
    ("W * (H // W)", "H"),
    ("2 * ((H + W) // 2)", "H + W"),
    ("H - W", "0"),
    ("H", "7"),
    ("2 * W", "H"),
    ("H + W", "50"),
    ("max(H, W)", "H"),
    ("H // W", "2"),
    ("H + W // H", "W"),
    ("H // W * W + max(W - H, 0)", "H"),
]


@st.composite
def question(draw: st.DrawFn) -> tuple[str, str]:
    if draw(st.booleans()):
        return draw(st.sampled_from(QUESTIONS))
    names = draw(st.sampled_from([["H"], ["W"], NAMES]))
    return draw(texts(names, 3)), draw(texts(names, 1))


@examples(150, long_factor=60)
@given(
    st.lists(st.sampled_from(ASSUMPTIONS), min_size=1, max_size=3),
    st.lists(st.tuples(question(), st.sampled_from(list(COMPARE))), min_size=3, max_size=3),
)
def test_answers_under_assumptions_are_so(
    assumptions: list[tuple[str, Operator, str]], questions: list[tuple[tuple[str, str], Operator]]
) -> None:
    tests = [on_numbers(f"({a}) {op} ({b})", NAMES) for a, op, b in assumptions]
    left = [point for point in POINTS if all(test(**point) for test in tests)]
    facts = Facts()
    try:
        for a, op, b in assumptions:
            facts = assume(facts, on_sizes(a), op, on_sizes(b))
    except Contradiction:
        assert not left
        return
    for (a, b), op in questions:
        holds = on_numbers(f"({a}) {op} ({b})", NAMES)
        seen = {bool(holds(**point)) for point in left}
        answer = truth(on_sizes(a), op, on_sizes(b), facts)
        assert answer is None or seen <= {answer}
        found = witness(on_sizes(a), op, on_sizes(b), facts)
        assert found is None or holds(**{"H": 1, "W": 1, **found})
        if op not in ("==", ">="):
            continue
        match equal(on_sizes(a), on_sizes(b), facts) if op == "==" else at_least(on_sizes(a), on_sizes(b), facts):
            case When(conditions, exact, example):
                assert not holds(**{"H": 1, "W": 1, **example})
                for point in left:
                    met = all(condition.holds(point) for condition in conditions)
                    assert holds(**point) or not met
                    assert met or not exact or not holds(**point)
            case Refuted(example):
                assert not holds(**{"H": 1, "W": 1, **example})


def test_a_range_is_learnt() -> None:
    facts = assume(assume(Facts(), H % 32, "==", 0), H, ">", 70)
    assert facts.range_of("H") == Range(32, frozenset({0}), 96)
    assert equal(16 * (H // 16), H, facts) == Proved()
    assert truth(H, ">=", 96, facts) is True
    assert truth(H, "==", 100, facts) is False
    assert truth(H, "<", 97, facts) is None
    assert witness(H, "<", 97, facts) == {"H": 96}


def test_an_upper_bound_is_learnt() -> None:
    facts = assume(Facts(), H, "<=", 512)
    assert facts.range_of("H") == Range(hi=512)
    assert truth(H * H, "<", 2**20, facts) is True
    assert equal((H // 513) * W, 0, facts) == Proved()
    assert at_least(H, 512, facts) == When(
        equal(H, 512).conditions if isinstance(equal(H, 512), When) else (), True, {"H": 1}
    )


def test_equations_are_solved() -> None:
    facts = assume(Facts(), H, "==", 2 * W)
    assert equal(H * C, 2 * W * C, facts) == Proved()
    assert truth(H, ">", W, facts) is True
    assert truth(H % 2, "==", 0, facts) is True
    assert equal(H, 8, facts) == When(equal(W, 4).conditions, True, {"H": 2}, finite=True)  # type: ignore[union-attr]


def test_a_range_goes_over_to_what_the_symbol_equals() -> None:
    facts = assume(assume(assume(Facts(), H % 32, "==", 0), H, "<=", 640), H, "==", 2 * W + 4)
    assert truth(W % 16, "==", 14, facts) is True
    assert truth(W, ">=", 14, facts) is True
    assert truth(W, "<=", 318, facts) is True
    assert truth(W, "<=", 317, facts) is None


@pytest.mark.parametrize("times", [1, 2, 3, -1, -2])
@pytest.mark.parametrize("constant", [-5, -1, 0, 1, 4, 9])
@pytest.mark.parametrize(("lo", "hi"), [(1, 30), (7, 30), (10, 31)])
def test_bounds_go_over_to_what_the_symbol_equals(times: int, constant: int, lo: int, hi: int) -> None:
    """By brute force: which W there are where lo <= H <= hi and H == times * W + constant."""
    left = [w for w in range(1, 100) if lo <= times * w + constant <= hi]
    bounded = assume(assume(Facts(), H, ">=", lo), H, "<=", hi)
    if not left:
        with pytest.raises(Contradiction):
            assume(bounded, H, "==", times * W + constant)
        return
    facts = assume(bounded, H, "==", times * W + constant)
    assert facts.range_of("W") == Range(lo=left[0], hi=left[-1])


def test_a_relation_that_cannot_be_computed_does_not_hold() -> None:
    fact = relation(H // W - 3, ">=")
    assert isinstance(fact, Relation)
    assert fact.holds({"H": 6, "W": 2}) is True
    assert fact.holds({"H": 5, "W": 2}) is False
    assert fact.holds({"H": 5, "W": 0}) is False


def test_a_contradiction_of_what_is_known_needs_no_work() -> None:
    facts = assume(Facts(), H * W, "!=", 7)
    assert decide(H * W - 7, "==", facts, Budget(0)) == Refuted({"H": 1, "W": 1})


@pytest.mark.parametrize("least", [1, 2, 12, 13, 17, 30])
def test_the_sample_is_the_least_by_its_greatest_size(least: int) -> None:
    facts = assume(Facts(), H * W, ">=", least)
    allowed = [(h, w) for h in range(1, 32) for w in range(1, 32) if h * w >= least]
    h, w = min(allowed, key=lambda point: (max(point), sum(point), point))
    assert sample(facts, ["H", "W"]) == {"H": h, "W": w}


def test_divisibility_by_a_symbol_is_learnt() -> None:
    facts = assume(Facts(), C % G, "==", 0)
    assert equal(G * (C // G), C, facts) == Proved()
    assert truth(C, ">=", G, facts) is True
    assert equal((C // G) * K * G, C * K, facts) == Proved()
    match at_least(C, 8, facts):
        case When(conditions, True, example):
            assert conditions == at_least(C, 8).conditions  # type: ignore[union-attr]
            assert evaluate(C, example) < 8
        case verdict:
            pytest.fail(str(verdict))


def test_relations_are_combined() -> None:
    facts = assume(assume(Facts(), H, ">=", W), W, ">=", K)
    assert truth(H, ">=", K, facts) is True
    assert truth(3 * H, ">=", 2 * W + K, facts) is True
    assert truth(H, ">", K, facts) is None
    assert truth(H, "<", K, facts) is False


def test_a_known_relation_is_recognised_in_other_words() -> None:
    facts = assume(Facts(), (H + W) % 2, "==", 0)
    assert truth(2 * ((H + W) // 2), "==", H + W, facts) is True
    assert truth(4 * ((H + W) // 2), "==", 2 * H + 2 * W, facts) is True
    assert truth((W - H) % 2, "==", 0, facts) in (True, None)
    facts = assume(Facts(), H, "!=", W)
    assert truth(2 * W, "!=", 2 * H, facts) is True
    assert equal(W, H, facts) == Refuted({"H": 1, "W": 2})


@pytest.mark.parametrize(
    "assumptions",
    [
        [(H, "==", H + 1)],
        [(H % 2, "==", 0), (H % 4, "==", 1)],
        [(H, ">=", 9), (H, "<", 9)],
        [(H, "==", W), (H, ">", W)],
        [(H, "==", 2 * W), (H, "==", 7)],
        [(H % 4, "==", 0), (H, "==", 2 * W), (W, "==", 3)],
        [(H, "<=", 0)],
        [(3, ">", 4)],
    ],
)
def test_contradictions_are_raised(assumptions: list[tuple[Any, Operator, Any]]) -> None:
    facts = Facts()
    for a, op, b in assumptions[:-1]:
        facts = assume(facts, a, op, b)
    with pytest.raises(Contradiction):
        assume(facts, *assumptions[-1])


def test_what_is_known_already_changes_nothing() -> None:
    facts = assume(Facts(), H % 32, "==", 0)
    assert assume(facts, H % 8, "==", 0) is facts
    assert assume(facts, H * W, ">=", 0) is facts
    assert assume(facts, 3, "<", 4) is facts


def test_facts_are_data() -> None:
    facts = assume(Facts(), H * W, ">=", 49)
    assert facts == assume(Facts(), W * H, ">", 48)
    assert facts.relations == (Relation(H * W - 49, ">="),)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        facts.relations = ()  # type: ignore[misc]


@pytest.mark.parametrize("lo", range(1, 14))
@pytest.mark.parametrize("hi", [None, 20, 23])
def test_the_members_of_a_range_are_listed_and_counted(lo: int, hi: int | None) -> None:
    known = Range(4, frozenset({1, 3}), lo, hi)
    members = [x for x in range(lo, 60) if x % 4 in (1, 3) and (hi is None or x <= hi)]
    assert known.first(5) == members[:5]
    for limit in (0, lo, 15, 22):
        assert known.up_to(limit) == [x for x in members if x <= limit]
        assert known.count(limit) == len(known.up_to(limit))
