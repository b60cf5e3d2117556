"""``archdsl explain``."""

from __future__ import annotations


def test_a_page_is_shown(archdsl) -> None:
    ran = archdsl("explain", "a0312")
    assert ran.code == 0
    assert ran.out.startswith("# A0312: Branches with incompatible shapes")
    assert "Fixed:" in ran.out


def test_a_code_that_does_not_exist(archdsl) -> None:
    ran = archdsl("explain", "A0132")
    assert ran.code == 1
    assert "error[A0610]: unknown code or lint `A0132`" in ran.err


def test_a_lint_is_named_as_a_comment_allows_it(archdsl) -> None:
    for name in ("dense-head", "Dense_Head", "A0416"):
        assert archdsl("explain", name).out.startswith("# A0416: A dense layer with most of the parameters")
    assert archdsl("explain", "unused").out.startswith("# A0211")


def test_a_lint_one_slip_away(archdsl) -> None:
    ran = archdsl("explain", "dense-hed")
    assert ran.code == 1
    assert "did you mean `dense-head`?" in ran.err
