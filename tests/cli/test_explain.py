"""``archdsl explain``."""

from __future__ import annotations


def test_a_page_is_shown(archdsl) -> None:
    ran = archdsl("explain", "a0312")
    assert ran.code == 0
    assert ran.out.startswith("# A0312: Branches that do not fit together")
    assert "Mended:" in ran.out


def test_a_code_that_does_not_exist(archdsl) -> None:
    ran = archdsl("explain", "A0132")
    assert ran.code == 1
    assert "error[A0610]: there is no code `A0132`" in ran.err
