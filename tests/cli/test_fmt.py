"""``archdsl fmt``."""

from __future__ import annotations

import io
import sys

import pytest

UGLY = "block A( n=2 ){conv(n,3)->relu}\nblock B {\n  relu\n}\n"
NEAT = "block A(n = 2) { conv(n, 3) -> relu }\n\nblock B {\n  relu\n}\n"


def test_specs_are_written_in_their_layout(archdsl, spec) -> None:
    path, neat = spec(UGLY, "folder/a.arch"), spec(NEAT, "folder/deeper/b.arch")
    before = neat.stat().st_mtime_ns
    ran = archdsl("fmt", path.parent)
    assert ran.code == 0
    assert path.read_text() == NEAT
    assert neat.stat().st_mtime_ns == before
    assert ran.out.splitlines() == [f"formatted {path}", "1 spec formatted, 1 spec already formatted"]


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_nothing_is_written(archdsl, spec, option: str) -> None:
    path, neat = spec(UGLY, "a.arch"), spec(NEAT, "b.arch")
    ran = archdsl("fmt", option, path, neat)
    assert ran.code == 1
    assert path.read_text() == UGLY
    assert "1 spec would be formatted, 1 spec already formatted" in ran.out
    assert archdsl("fmt", option, neat).code == 0


def test_the_difference(archdsl, spec) -> None:
    ran = archdsl("fmt", "--diff", spec(UGLY))
    assert "-block A( n=2 ){conv(n,3)->relu}" in ran.out
    assert "+block A(n = 2) { conv(n, 3) -> relu }" in ran.out


def test_a_spec_that_is_wrong_is_left_alone_and_the_others_are_formatted(archdsl, spec) -> None:
    wrong, path = spec("model A { x: }", "wrong.arch"), spec(UGLY, "a.arch")
    ran = archdsl("fmt", wrong, path, "nowhere.arch")
    assert ran.code == 1
    assert wrong.read_text() == "model A { x: }"
    assert path.read_text() == NEAT
    assert "A0102" in ran.err
    assert "cannot read `nowhere.arch`" in ran.err


def test_a_folder_without_specs(archdsl, tmp_path) -> None:
    ran = archdsl("fmt", tmp_path)
    assert ran.code == 1
    assert "no `.arch` file" in ran.err


def test_standard_input(archdsl, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UGLY.encode())))
    ran = archdsl("fmt", "-")
    assert (ran.code, ran.out) == (0, NEAT)


def test_line_ends_and_permissions_are_kept(archdsl, spec) -> None:
    path = spec("")
    path.write_bytes(UGLY.replace("\n", "\r\n").encode())
    path.chmod(0o600)
    assert archdsl("fmt", path).code == 0
    assert path.read_bytes() == NEAT.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o600
    assert archdsl("fmt", "--check", path).code == 0
