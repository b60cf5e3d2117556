"""The parser that runs the tables, beside Lark, which made them: the same trees, and the same faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lark import Lark, Tree
from lark import Token as LarkToken
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from archdsl.syntax.lalr import IllegalCharacter, MisplacedToken, Parser, Token, tables_of
from archdsl.syntax.lines import BracketError, significant
from archdsl.syntax.tables import STARTS, grammar_text, saved_tables

SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.arch"))


class Trees:
    """Callbacks that make of each rule its name with its parts."""

    def __getattr__(self, name: str) -> Callable[[list], tuple]:
        if name.isupper():
            raise AttributeError(name)
        return lambda parts: (name, tuple(parts))


class Postlex:
    always_accept = ()

    def process(self, stream: Iterable[LarkToken]) -> Iterator[LarkToken]:
        tokens = (Token(t.type, t, t.start_pos or 0, t.end_pos or 0) for t in stream)
        return (LarkToken(t.type, str(t), t.start_pos, end_pos=t.end_pos) for t in significant(tokens))


@cache
def lark() -> Lark:
    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="basic",
        start=STARTS,
        maybe_placeholders=True,
        keep_all_tokens=True,
        postlex=Postlex(),
    )


@cache
def ours() -> Parser:
    return Parser(tables_of(saved_tables()), Trees(), significant)


def by_lark(text: str) -> Any:
    try:
        return plain(lark().parse(text, start="start"))
    except UnexpectedCharacters as fault:
        return "character", fault.pos_in_stream
    except UnexpectedToken as fault:
        at = len(text) if fault.token.type == "$END" else fault.token.start_pos
        return "token", fault.token.type, at, fault.accepts
    except BracketError:
        return "bracket"


def by_us(text: str) -> Any:
    try:
        return plain(ours().parse(text, start="start"))
    except IllegalCharacter as fault:
        return "character", fault.position
    except MisplacedToken as fault:
        return "token", fault.token.type, fault.token.start_pos, fault.accepted
    except BracketError:
        return "bracket"


def plain(parsed: Any) -> Any:
    match parsed:
        case Tree(data=name, children=parts) | (str(name), tuple(parts)):
            return str(name), [plain(part) for part in parts]
        case Token() | LarkToken():
            return parsed.type, str(parsed), parsed.start_pos, parsed.end_pos
    return parsed


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_a_shipped_spec_is_read_as_lark_reads_it(spec: Path) -> None:
    text = spec.read_text(encoding="utf-8")
    assert by_us(text) == by_lark(text)


@pytest.mark.parametrize("seed", range(100))
def test_a_fault_is_where_lark_finds_it(seed: int) -> None:
    """A stretch of a spec is left out, doubled, or replaced by another or by what no spec holds."""
    random = Random(seed)
    text = random.choice(SPECS).read_text(encoding="utf-8")[:3000]
    start = random.randrange(len(text))
    end = min(len(text), start + random.randint(1, 8))
    other = random.randrange(len(text))
    instead = random.choice(["", text[start:end] * 2, text[other : other + 8], "$", "?", "\n", "= ", "-> ", "if "])
    broken = text[:start] + instead + text[end:]
    assert by_us(broken) == by_lark(broken)
