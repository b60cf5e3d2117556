"""The step between lexer and parser: which newlines end a statement, and which words are labels.

A newline (or ``;``) ends a statement, except inside ``()`` or ``[]`` (a ``{`` inside them restores it), after
``-> , =``, and before a token that cannot begin a statement. A reserved word before ``:`` is a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lark import Token

from archdsl.syntax.faults import BracketError, LongName, MisplacedToken, TooDeep, TooLong

_WORDS = """
    ARCH USE FROM BLOCK MODEL FN LET CLAIM AS INPUT OUTPUT PARAM BUFFER WITH ASSERT FOR IN IF ELSE OR AND NOT RESIDUAL
    SHORTCUT SEQ COMBINE TRUE FALSE NONE
"""
KEYWORDS = frozenset(_WORDS.split())
NAMES = frozenset({"NAME", "COMPUTED"})
OPENING = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
CLOSING = frozenset(OPENING.values())
CONTINUES_AFTER = frozenset({"LBRACE", "ARROW", "COMMA", "EQUAL"})
CONTINUES_BEFORE = frozenset({"RBRACE", "ARROW", "ELSE", "SHORTCUT"})
BINDING = frozenset({"LET", "AS", "FOR", "INPUT", "PARAM", "BUFFER", "BLOCK", "MODEL", "FN"})
"""Words before a name that they define."""

MAX_DEPTH = 100
"""Brackets may nest this deep: deeper text is no network, and the passes below recurse over the tree."""

MAX_STATEMENT = 20_000
"""Words of one statement: brackets apart, operators and chains nest too."""
MAX_WORDS = 250_000
"""Words of a file: 30,000 layers, one below the other. Lark reads some 100,000 words a second."""
MAX_NAME = 1_000
"""Characters of a name."""


def significant(tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens that the grammar is about.

    Raises:
        BracketError, TooDeep, TooLong, LongName: these need no grammar.
        MisplacedToken: a definition of `it`, which means the stream everywhere.
    """
    open_brackets: list[Token] = []
    last: Token | None = None
    newline: Token | None = None
    words = 0
    for token, following in _pairs(tokens):
        kind = token.type
        if kind == "_NL":
            newline = newline or token
            continue
        in_body = not open_brackets or open_brackets[-1].type == "LBRACE"
        if kind in KEYWORDS and in_body and following is not None and following.type == "COLON":
            token = token.update(type="NAME")
        if newline is not None:
            if in_body and last is not None and last.type not in CONTINUES_AFTER and kind not in CONTINUES_BEFORE:
                yield newline
                words = 0
            newline = None
        words += 1
        if words > MAX_STATEMENT:
            raise TooLong(token)
        if kind in NAMES:
            _check_name(token, last)
        elif kind in OPENING or kind in CLOSING:
            _bracket(token, open_brackets)
        yield token
        last = token
    if open_brackets:
        raise BracketError(open_brackets[-1], None)


def _check_name(token: Token, last: Token | None) -> None:
    if len(token) > MAX_NAME:
        raise LongName(token)
    if last is not None and last.type in BINDING and token == "it":
        raise MisplacedToken(token, frozenset({"NAME"}))


def _bracket(token: Token, open_brackets: list[Token]) -> None:
    if token.type in OPENING:
        open_brackets.append(token)
        if len(open_brackets) > MAX_DEPTH:
            raise TooDeep(token)
        return
    opened = open_brackets.pop() if open_brackets else None
    if opened is None or OPENING[opened.type] != token.type:
        raise BracketError(opened, token)


def _pairs(stream: Iterable[Token]) -> Iterator[tuple[Token, Token | None]]:
    """Each token with the one that follows it (a newline counts: a label's ``:`` stands on its line)."""
    previous: Token | None = None
    for token in stream:
        if previous is not None:
            yield previous, token
        previous = token
    if previous is not None:
        yield previous, None
