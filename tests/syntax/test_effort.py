"""Long texts and texts full of errors: what reading them takes is bounded, in words, errors and characters read."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.checks.report import check
from archdsl.compiler import from_text
from archdsl.source import Source
from archdsl.syntax import grammar, recover
from archdsl.syntax import parse as parsing
from archdsl.syntax.lines import MAX_WORDS
from archdsl.syntax.parse import parse, word_beyond_limit
from archdsl.syntax.recover import MOST_OF_FILE, MOST_READ

ROOT = Path(__file__).parents[2]
STOPPED = "too many errors: syntax errors after this one are not reported"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all texts that Lark reads."""
    lengths: list[int] = []
    lark = grammar.parse

    def counted(text: str, start: grammar.Start, callbacks: object) -> object:
        lengths.append(len(text))
        return lark(text, start, callbacks)

    monkeypatch.setattr(grammar, "parse", counted)
    return lengths


def test_a_file_of_too_many_words_is_not_read_at_all(read: list[int]) -> None:
    text = "# comment\n" + "let v = 1\n" * (MAX_WORDS // 4 + 1)
    file, [problem] = parse(Source("net.arch", text))
    assert (file.definitions, read) == ((), [])
    assert (problem.code, problem.message) == ("A0107", "this file has more than 250,000 words")
    assert str(problem.span) == f"net.arch:{MAX_WORDS // 4 + 2}:1"  # each line has four words


def test_a_file_may_have_as_many_words_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MAX_WORDS", 4)
    assert parse(Source("net.arch", "let v = 1  # comment\n"))[1] == []
    assert [d.code for d in parse(Source("net.arch", "let v = 1\nlet"))[1]] == ["A0107"]


@pytest.mark.parametrize("spec", ["specs/resnet.arch", "specs/torchvision/swin.arch", "specs/unet.arch"])
def test_words_are_what_the_lexer_finds(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the ends of lines; a computed name is several words."""
    text = (ROOT / spec).read_text(encoding="utf-8")
    tokens = [t for t in grammar.parser().lex(text, dont_ignore=False) if t.type not in ("_NL", "COMPUTED")]
    monkeypatch.setattr(parsing, "MAX_WORDS", len(tokens) - 1)
    beyond = word_beyond_limit(Source(spec, text))
    assert beyond is not None
    assert beyond.start <= (tokens[-1].start_pos or 0)


def test_reading_stops_after_many_errors_and_says_so(read: list[int]) -> None:
    text = "".join(f"fn f{i}(a) = a\nlet = {i}\n" for i in range(3_000)) + "model M { input x: [N]; f2999(1) * it }\n"
    report = check(from_text(text))
    assert [d.code for d in report.diagnostics] == ["A0102"] * MOST_OF_FILE  # `f2999` is known, though not read
    assert len(read) < 5 * MOST_OF_FILE
    assert [label.text for d in report.diagnostics for label in d.labels] == [STOPPED]
    assert [label.text for label in report.diagnostics[-1].labels] == [STOPPED]


def test_a_long_definition_is_read_again_only_so_often(read: list[int]) -> None:
    """Each error of one definition makes all of it be read once more."""
    lines = "  assert 1 == 1\n" * 5_000 + "  let = 3\n" * recover.MOST
    text = f"model M {{\n  input x: [N]\n{lines}  it\n}}\n"
    problems = parse(Source("net.arch", text))[1]
    assert 1 <= len(problems) < recover.MOST
    assert sum(read) < MOST_READ + 3 * len(text)
    assert problems[-1].labels[-1].text == STOPPED


def test_a_short_definition_shows_all_its_errors(read: list[int]) -> None:
    lines = "  assert 1 == 1\n" * 50 + "  let = 3\n" * recover.MOST
    problems = parse(Source("net.arch", f"model M {{\n  input x: [N]\n{lines}  it\n}}\n"))[1]
    assert len(problems) == recover.MOST
    assert STOPPED not in {label.text for d in problems for label in d.labels}
