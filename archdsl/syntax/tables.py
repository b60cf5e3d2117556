"""The grammar's LALR tables, made by Lark; ``python -m archdsl.syntax.tables`` writes them to ``grammar.json``."""

from __future__ import annotations

import json
from collections.abc import Container
from importlib.resources import files
from pathlib import Path
from typing import Any

STARTS = ["start", "expr"]


def grammar_text() -> str:
    return files("archdsl.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")


def saved_tables() -> dict[str, Any]:
    """What ``grammar.json`` holds, or should: tables of another grammar than the one beside it are made anew."""
    file = files("archdsl.syntax").joinpath("grammar.json")
    saved: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return saved if saved.get("grammar") == grammar_text() else make_tables()


def make_tables() -> dict[str, Any]:
    """The tables as data that JSON can hold (see `archdsl.syntax.lalr.tables_of`)."""
    from lark import Lark
    from lark.lexer import BasicLexer

    text = grammar_text()
    lark = Lark(text, parser="lalr", lexer="basic", start=STARTS, maybe_placeholders=True, keep_all_tokens=True)
    table: Any = lark.parser.parser._parse_table  # pyright: ignore[reportAttributeAccessIssue]
    lexer = lark._build_lexer()
    assert isinstance(lexer, BasicLexer)
    matched = lexer.scanner.terminals
    names = {t.name for t in matched}
    rules = {rule: number for number, rule in enumerate(lark.rules)}
    place = _places(table, rules)
    symbols: dict[str, int] = {}
    rows = []
    for state in place:
        row: list[int] = []
        for symbol, (_, to) in sorted(table.states[state].items()):
            row += [symbols.setdefault(symbol, len(symbols)), ~rules[to] if to in rules else place[to]]
        rows.append(row)
    return {
        "grammar": text,
        "terminals": [(t.name, t.pattern.to_regexp()) for t in matched if t.name not in lark.ignore_tokens],
        "ignored": [t.pattern.to_regexp() for t in matched if t.name in lark.ignore_tokens],
        "keywords": {t.pattern.value: t.name for t in lark.terminals if t.name not in names},
        "rules": [_rule(rule) for rule in rules],
        "symbols": list(symbols),
        "states": rows,
        "starts": {start: place[table.start_states[start]] for start in STARTS},
        "ends": {start: place[table.end_states[start]] for start in STARTS},
    }


def _rule(rule: Any) -> list[Any]:
    """A rule as `archdsl.syntax.lalr.Rule` has it."""
    spread = [not symbol.is_term and symbol.name.startswith("_") for symbol in rule.expansion]
    gaps = "".join(str(int(is_absent)) for is_absent in rule.options.empty_indices).split("0")
    absent = [len(gap) for gap in gaps]
    name = rule.alias or rule.origin.name
    return [
        rule.origin.name,
        len(rule.expansion),
        None if name.startswith("_") else name,
        spread if any(spread) else [],
        absent if any(absent) else [],
        rule.options.expand1 and rule.alias is None,
    ]


def _places(table: Any, rules: Container[Any]) -> dict[Any, int]:
    """Numbers of the states, in the order in which they are reached: the starts first, to which nothing leads."""
    place: dict[Any, int] = {}
    reached = [table.start_states[start] for start in STARTS]
    for state in reached:
        if state not in place:
            place[state] = len(place)
            reached += [to for _, (_, to) in sorted(table.states[state].items()) if to not in rules]
    return place


if __name__ == "__main__":
    made = json.dumps(make_tables(), separators=(",", ":"))
    Path(__file__).with_name("grammar.json").write_text(made, encoding="utf-8")
