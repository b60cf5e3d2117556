"""``archdsl compare``."""

from __future__ import annotations

import json


def test_totals_side_by_side_with_ratios(archdsl) -> None:
    ran = archdsl("compare", "inception_naive", "inception_reduced")
    assert ran.code == 0
    assert "854 M" in ran.out
    assert "271 M" in ran.out
    assert "×0.318" in ran.out


def test_as_json(archdsl) -> None:
    facts = json.loads(archdsl("compare", "lenet5", "lenet5", "--set", "classes=3", "--format", "json").out)
    assert facts["ok"]
    assert [n["totals"]["params"] for n in facts["networks"]] == [61_111, 61_111]
    assert facts["networks"][1]["ratios"]["macs"] == 1.0


def test_what_is_wrong_with_one_is_said(archdsl) -> None:
    ran = archdsl("compare", "lenet5", "lenet6")
    assert ran.code == 1
    assert "did you mean `lenet5`?" in ran.err
    assert archdsl("compare", "lenet5").code == 2
