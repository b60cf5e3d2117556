"""A small share of the survey of claims: see `tests.dims.claims_survey`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from .claims_survey import THEOREMS, Claim, Drawing, drawn, is_wrong, least_counterexample, outcomes, survey, truth

SHARE = 36
"""Claims of each stratum."""


@pytest.mark.parametrize("stratum", THEOREMS)
def test_no_verdict_is_wrong_and_what_can_be_settled_is(stratum: str) -> None:
    tally = survey(drawn(stratum, SHARE, seed=5))
    assert not tally.wrong
    assert tally.counts["true proved"] >= tally.counts["true"] - 1
    assert tally.counts["false refuted"] >= tally.counts["false"] - 1
    assert tally.counts["least"] >= tally.counts["false"] - 2


@pytest.mark.parametrize("stratum", THEOREMS)
def test_theorems_hold_by_brute_force(stratum: str) -> None:
    drawing = Drawing(seed=7)
    for claim in (drawing.theorem(stratum) for _ in range(60)):
        assert least_counterexample(claim) is None, claim.text


def test_brute_force_is_python_arithmetic() -> None:
    claim = Claim("", ("A", "B"), "(A - 5) // 2 + (0 - A) % B == max(A - B, 3 - A) or not A ** 2 > B", False)
    for a in range(1, 12):
        for b in range(1, 12):
            expected = (a - 5) // 2 + (0 - a) % b == max(a - b, 3 - a) or not a**2 > b
            assert truth(claim, np.array([[a, b]])).tolist() == [expected]


def test_the_least_counterexample_has_the_least_greatest_size() -> None:
    assert least_counterexample(Claim("", ("A", "B"), "A + B != 40", False)) == {"A": 20, "B": 20}
    assert least_counterexample(Claim("", ("A", "B"), "A >= 1", False)) is None


def test_a_wrong_proof_is_noticed() -> None:
    """Also a counterexample that is none."""
    (outcome,) = outcomes([Claim("", ("A",), "A >= 1", False)])
    assert outcome.judged == "proved"
    assert not is_wrong(outcome)
    false = Claim("", ("A",), "A >= 2", False)
    (refuted,) = outcomes([false])
    assert (refuted.judged, refuted.example, is_wrong(refuted)) == ("refuted", {"A": 1}, False)
    assert is_wrong(replace(refuted, judged="proved", example=None))
    assert is_wrong(replace(refuted, example={"A": 2}))
