"""The preconditions of a model: what is adopted, what is refused, how it reads, who required it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.dims import (
    Adopted,
    Facts,
    Holds,
    Member,
    Needs,
    Operator,
    Precondition,
    Range,
    Relation,
    TooLarge,
    Violated,
    assume,
    describe,
    dmax,
    symbol,
)

from .expressions import examples, on_numbers, on_sizes, texts

C, D, G, H, K, N, W = (symbol(name) for name in "CDGHKNW")
ZERO = frozenset({0})


def texts_of(needs: Needs) -> list[str]:
    return [found.text for found in needs.preconditions()]


def test_plain_numbers() -> None:
    needs = Needs()
    assert needs.require(3, "==", 3) == Holds()
    assert needs.require(4, ">=", 3, "conv") == Holds()
    assert needs.require(4, "==", 3, "add") == Violated({})
    assert needs.require(2, ">", 2) == Violated({})
    assert needs.require(2, "!=", 3) == Holds()
    assert needs.require_multiple(64, 32) == Holds()
    assert needs.require_multiple(65, 32) == Violated({})
    assert needs.preconditions() == []
    assert needs.require_multiple(64, 0) == Violated({})
    assert needs.require_multiple(64, -4) == Violated({})


def test_what_is_proved_holds_and_is_no_precondition() -> None:
    needs = Needs()
    assert needs.require(H, "==", H) == Holds()
    assert needs.require((H - 1) // 2 + 1, "==", (H + 1) // 2) == Holds()
    assert needs.require(H * W, ">=", 1) == Holds()
    assert needs.require(H - W, "==", H - W) == Holds()
    assert needs.preconditions() == []
    assert needs.facts == Facts()


def test_a_condition_is_adopted_once_and_then_holds() -> None:
    needs = Needs()
    multiple = Member("H", Range(16, ZERO, 16))
    assert needs.require(16 * (H // 16), "==", H, "skip4") == Adopted((multiple,), {"H": 1})
    assert needs.require(16 * (H // 16), "==", H, "again") == Holds()
    assert needs.require(8 * (H // 8), "==", H, "skip3") == Holds()
    assert needs.require(H, ">=", 16, "pool") == Holds()
    assert needs.facts.range_of("H") == multiple.range
    assert needs.preconditions() == [Precondition((multiple,), ("skip4",))]


def test_conditions_of_symbols_are_put_together() -> None:
    needs = Needs()
    for name, size in (("h", H), ("w", W)):
        needs.require(8 * (size // 8), "==", size, f"skip {name}")
        needs.require(size, ">=", 90, f"conv {name}")
        needs.require(32 * (size // 32), "==", size, f"stem {name}")
    (found,) = needs.preconditions()
    assert found.text == "H and W must be multiples of 32, at least 96"
    assert found.symbols == {"H", "W"}
    # Not skip: a multiple of 32 is one of 8.
    assert found.origins == ("conv h", "stem h", "conv w", "stem w")


def test_only_what_binds_is_an_origin() -> None:
    needs = Needs()
    h = H
    for layer in range(100):
        needs.require(h - 3, ">=", 0, layer)
        h = h - 2
    (found,) = needs.preconditions()
    assert found.text == "H must be at least 201"
    assert found.origins == (99,)


def test_origins_may_be_anything() -> None:
    needs = Needs()
    span: list[int] = [3, 4]
    needs.require_multiple(H, 4, span)
    needs.require_multiple(W, 4, span)
    needs.require_multiple(D, 4)
    (found,) = needs.preconditions()
    assert found.text == "H, W and D must be multiples of 4"
    assert found.origins == (span,)


@pytest.mark.parametrize(
    ("requirements", "text"),
    [
        ([(H % 2, "==", 0)], "H must be even"),
        ([(H % 2, "==", 1)], "H must be odd"),
        ([(H % 2, "==", 0), (H, ">=", 5)], "H must be even, at least 6"),
        ([(H, ">=", 5), (W, ">=", 5)], "H and W must be at least 5"),
        ([(H % 16, "==", 12), (H, ">=", 188)], "H % 16 must be 12, at least 188"),
        ([(H % 7, "<=", 3)], "H % 7 must be at most 3"),
        ([(H % 7, ">=", 3)], "H % 7 must be at least 3"),
        ([(H % 9, ">=", 3), (H % 9, "<=", 6)], "H % 9 must be between 3 and 6"),
        ([((H % 9) * (H % 9 - 4), "==", 0)], "H % 9 must be 0 or 4"),
        ([(H % 36 % 10, "==", 3)], "H % 36 must be 3, 13, 23 or 33"),
        ([(H % 360 % 10 % 6, "==", 2)], "H % 10 must be 2 or 8"),
        ([(H % 400 % 9, "==", 2)], "H % 400 must be one of 45 values (2, 11, 20, 29, 38, 47, 56, 65, ...)"),
        ([((H + W) % 2, "==", 0)], "H + W must be even"),
        ([((H + W + 1) % 2, "==", 0)], "H + W must be odd"),
        ([((H * W) % 4, "==", 0)], "H * W must be a multiple of 4"),
        ([((H + W) % 6, "==", 5)], "(H + W) % 6 must be 5"),
        ([((2 * H + 4 * W) % 3, "==", 0)], "H + 2 * W must be a multiple of 3"),
        ([(C % G, "==", 0)], "C must be a multiple of G"),
        ([(C % (2 * G), "==", 0)], "C must be a multiple of 2 * G"),
        ([(C, "==", K)], "C must be equal to K"),
        ([(C * H, "==", 2 * K + 1)], "C * H must be equal to 2 * K + 1"),
        ([(H * W, "==", 49)], "H * W must be equal to 49"),
        ([(H * W, ">=", 49)], "H * W must be at least 49"),
        ([(H, ">=", W)], "H must be at least W"),
        ([(W + 3, ">=", H)], "W + 3 must be at least H"),
        ([(H * W, "<=", K)], "K must be at least H * W"),
        ([(100, ">=", H * W)], "H * W must be at most 100"),
        ([(H, "!=", W)], "H must be different from W"),
        ([(H, "!=", 7)], "H must be different from 7"),
    ],
)
def test_preconditions_read_well(requirements: list[tuple[object, Operator, object]], text: str) -> None:
    needs = Needs()
    for a, operator, b in requirements:
        assert isinstance(needs.require(a, operator, b), Adopted)  # type: ignore[arg-type]
    assert texts_of(needs) == [text]


def test_what_an_author_states_may_be_finite() -> None:
    needs = Needs()
    assert needs.require(H, "<=", 512, "some layer") == Violated({"H": 513}, finite=True)
    assert texts_of(needs) == []
    assert isinstance(needs.assume(H, "<=", 512, "assert"), Adopted)
    assert texts_of(needs) == ["H must be at most 512"]
    assert needs.require(600, ">=", H) == Holds()
    assert isinstance(needs.assume(H, ">=", 32), Adopted)
    assert texts_of(needs) == ["H must be between 32 and 512"]
    assert isinstance(needs.assume(W, "==", 7), Adopted)
    assert texts_of(needs) == ["H must be between 32 and 512", "W must be 7"]
    assert isinstance(needs.assume(W, "==", 8), Violated)


def test_what_cannot_be_is_violated() -> None:
    needs = Needs()
    assert needs.require(H, "==", H + 1, "add") == Violated({"H": 1})
    assert needs.require(H, "==", 7, "add") == Violated({"H": 1}, finite=True)
    assert needs.require((H - 3) * (H - 8), "==", 0) == Violated({"H": 1}, finite=True)
    assert needs.preconditions() == []


def test_what_contradicts_earlier_preconditions_names_them() -> None:
    needs = Needs()
    needs.require_multiple(H, 32, "stem")
    needs.require_multiple(W, 32, "stem")
    outcome = needs.require(H % 2, "==", 1, "late")
    assert isinstance(outcome, Violated)
    assert outcome.example == {"H": 32}
    assert [found.text for found in outcome.against] == ["H and W must be multiples of 32"]
    assert needs.require(H % 2, "==", 1, "later") == outcome
    assert needs.require(H, "==", H - 1) == Violated({"H": 32})


def test_equalities_are_used_from_then_on() -> None:
    needs = Needs()
    assert needs.require(H, "==", W, "add") == Adopted((Relation(H - W, "=="),), {"H": 1, "W": 2})  # type: ignore[arg-type]
    assert needs.require(2 * H * C, "==", 2 * W * C) == Holds()
    assert needs.require((H - 1) // 2, "==", (W - 1) // 2) == Holds()
    assert needs.require(H, ">", W) != Holds()
    assert isinstance(needs.require_multiple(H, 8, "pool"), Adopted)
    assert needs.require_multiple(W, 4) == Holds()
    assert texts_of(needs) == ["H must be a multiple of 8", "H must be equal to W"]


def test_divisibility_by_a_symbol() -> None:
    needs = Needs()
    assert isinstance(needs.require_multiple(C, G, "groups"), Adopted)
    assert needs.require(G * (C // G), "==", C) == Holds()
    assert needs.require(C, ">=", G) == Holds()
    assert isinstance(needs.require_multiple(H, W - 3, "odd divisor"), Adopted)
    assert texts_of(needs) == [
        "W must be at least 4",
        "C must be a multiple of G",
        "H must be a multiple of W - 3",
    ]
    relation = needs.preconditions()[-1].conditions[0]
    assert relation.holds({"H": 6, "W": 5})
    assert not relation.holds({"H": 7, "W": 5})
    assert not relation.holds({"H": 6, "W": 2})
    assert describe(relation) == "H must be a multiple of W - 3"
    assert describe(Member("H", Range(2, ZERO, 2))) == "H must be even"


def test_what_cannot_be_decided_is_kept_and_said() -> None:
    needs = Needs()
    size = (H // C) * C + (W // C) * C - (H + W) // C * C + C
    outcome = needs.require(size, ">=", 0, "strange")
    if isinstance(outcome, Adopted):
        assert outcome.example is None
        (found,) = needs.preconditions()
        assert found.undecided
        assert found.origins == ("strange",)


def test_what_is_decided_is_not_said_to_be_undecided() -> None:
    needs = Needs()
    assert needs.require(H * W, ">=", C) == Adopted(needs.preconditions()[0].conditions, {"C": 2, "H": 1, "W": 1})
    assert [found.undecided for found in needs.preconditions()] == [False]


def test_facts_from_outside_are_known_but_not_required() -> None:
    needs = Needs(assume(Facts(), H % 32, "==", 0))
    assert needs.require_multiple(H, 16) == Holds()
    assert isinstance(needs.require(H, ">=", 100, "conv"), Adopted)
    assert texts_of(needs) == ["H must be at least 100"]
    assert needs.facts.range_of("H") == Range(32, ZERO, 128)


def test_sizes_too_large_are_the_callers_business() -> None:
    with pytest.raises(TooLarge):
        Needs().require_multiple(sum(symbol(f"x{i}") for i in range(300)) ** 2, H)  # type: ignore[arg-type]


def test_the_work_of_a_model_is_bounded() -> None:
    """When the steps are spent, what is not plain to see is kept as it stands."""
    needs = Needs()
    for i in range(60):
        vast = H // (99991 + i) + (H * W) // (1009 + i) + dmax(H - i, W) // 7
        needs.require(vast, ">=", W // 5 + i)
    assert needs._budget.left >= 0
    assert all(isinstance(found, Precondition) for found in needs.preconditions())


@examples(120)
@given(
    st.lists(
        st.tuples(texts(["H"], 3), st.sampled_from(["0", "1", "2", "H % 2", "2 * (H // 2)"]), st.booleans()),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_accepted_is_what_all_requirements_accept(
    requirements: list[tuple[str, str, bool]],
) -> None:
    needs, accepted = Needs(), list(range(1, 400))
    for a, b, is_equality in requirements:
        operator: Operator = "==" if is_equality else ">="
        holds = on_numbers(f"({a}) {operator} ({b})", ["H"])
        outcome = needs.require(on_sizes(a), operator, on_sizes(b), (a, operator, b))
        match outcome:
            case Holds():
                assert all(map(holds, accepted))
            case Violated(example, finite):
                assert not holds(example.get("H", 1))
                assert finite or not any(map(holds, accepted))
                continue
            case Adopted(conditions, example):
                assert example is None or not holds(example["H"])
                met = [h for h in accepted if all(c.holds({"H": h}) for c in conditions)]
                assert met == [h for h in accepted if holds(h)]
        accepted = [h for h in accepted if holds(h)]
    conditions = [c for found in needs.preconditions() for c in found.conditions]
    assert [h for h in range(1, 400) if all(c.holds({"H": h}) for c in conditions)] == accepted
    assert all(found.text for found in needs.preconditions())
