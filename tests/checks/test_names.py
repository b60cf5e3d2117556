"""Names that nothing binds, and names that nothing reads, where names are computed."""

from __future__ import annotations

import pytest

from archdsl.checks.report import check
from archdsl.compiler import from_text

STAGES = """arch 1
model M {{
  input x: [N, 3, H, W]
  {body}
  output out
}}
"""


def codes(body: str) -> list[str]:
    return [d.code for d in check(from_text(STAGES.format(body=body))).diagnostics]


@pytest.mark.parametrize(
    "body",
    [
        "for i in 0..3 { relu as c{i} }\n [c1, c2] -> add",
        "relu as c1\n sigmoid as c2\n [c{i} for i in 1..3] -> add",
        "for i in 0..3 { relu as c{i} }\n [c{i + 1} for i in 0..2] -> add",
        "relu as y: [N, C, H, W]\n it * C",
    ],
    ids=["written out", "computed when read", "computed twice", "stating a shape is a use"],
)
def test_names_that_are_read(body: str) -> None:
    assert codes(body) == []


@pytest.mark.parametrize(
    "body",
    ["for i in 0..3 { relu as c{i} }\n [d1] -> add", "for i in 0..3 { relu as c{i} }", "relu as y"],
)
def test_names_that_are_not(body: str) -> None:
    assert "A0211" in codes(body)


def test_a_name_outside_the_family_is_unknown() -> None:
    assert "A0201" in codes("for i in 0..3 { relu as c{i} }\n [c1, d1] -> add")


def test_values_of_a_file_are_unpacked_and_checked_though_nothing_reads_them() -> None:
    good = "let [a, [b, c]] = [8, [16, 32]]\nmodel M { input x: [N, a, b]; relu -> it * c; output y }\n"
    assert check(from_text(good)).ok
    assert [d.code for d in check(from_text("arch 1\nlet [a, b] = [1, 2, 3]\n")).diagnostics] == ["A0215"]
