"""Runs the tables that Lark makes of the grammar: from text to tokens, and from these to what callbacks make of them.

Lark itself is needed only to make the tables (`tables.py`). That keeps it out of every start, where importing it would
take as long as reading a spec; and rules that hand on their only part, of which the grammar of expressions has a dozen
one within the other, are passed in one step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

END = "$END"
"""The type of the token behind the last."""


class Token(str):
    """A word of a text, from ``start_pos`` up to ``end_pos``; ``type`` is its terminal in the grammar."""

    __slots__ = ("end_pos", "start_pos", "type")

    type: str
    start_pos: int
    end_pos: int

    def __new__(cls, type: str, text: str, start: int, end: int) -> Token:
        token = str.__new__(cls, text)
        token.type = type
        token.start_pos = start
        token.end_pos = end
        return token


class IllegalCharacter(Exception):
    """No token begins at ``position``."""

    def __init__(self, position: int) -> None:
        super().__init__(f"illegal character at {position}")
        self.position = position


class MisplacedToken(Exception):
    """No text goes on with ``token`` here, but with tokens of the types ``accepted``."""

    def __init__(self, token: Token, accepted: frozenset[str]) -> None:
        super().__init__(f"misplaced {token.type}")
        self.token = token
        self.accepted = accepted


class Rule(NamedTuple):
    """``origin: expansion``. ``callback`` names what makes its value; None: its parts are those of the rule around.

    ``spread`` says of which symbols the parts take their place, ``absent`` how many optional parts are left out before
    each symbol and at the end; each is empty if that is none. ``is_single``: a single part stands for itself.
    """

    origin: str
    size: int
    callback: str | None
    spread: list[bool]
    absent: list[int]
    is_single: bool

    @property
    def hands_on(self) -> bool:
        """Its value is that of its only symbol."""
        return self.is_single and self.size == 1 and not self.spread and not self.absent


class Tables(NamedTuple):
    """A grammar. In the row of a state, a symbol leads to state n; or, if negative, ends rule ~n."""

    terminals: list[tuple[str, str]]
    """Names and regular expressions, in the order in which they are tried."""
    ignored: list[str]
    """Regular expressions of what stands between tokens."""
    keywords: dict[str, str]
    """Types of those names that are words of the language."""
    rules: list[Rule]
    states: list[dict[str, int]]
    starts: dict[str, int]
    ends: dict[str, int]


class Lexer:
    """Cuts text into tokens."""

    def __init__(self, tables: Tables) -> None:
        between = f"(?:{'|'.join(tables.ignored)})*"
        alternatives = "|".join(f"(?P<{name}>{pattern})" for name, pattern in tables.terminals)
        self._between = re.compile(between)
        self._next = re.compile(rf"{between}(?:{alternatives}|(?P<{_LAST}>\Z))")
        self._keywords = tables.keywords

    def tokens(self, text: str) -> Iterator[Token]:
        """The tokens of a text.

        Raises:
            IllegalCharacter: something else stands there.
        """
        match, keyword = self._next.match, self._keywords.get
        position = 0
        while True:
            found = match(text, position)
            if found is None:
                skipped = self._between.match(text, position)
                raise IllegalCharacter(skipped.end() if skipped else position)
            kind = found.lastgroup
            assert kind is not None
            if kind == _LAST:
                return
            start, position = found.span(kind)
            word = text[start:position]
            yield Token(keyword(word, kind) if kind == "NAME" else kind, word, start, position)


_LAST = "LAST"


class Parser:
    """Calls back for each token and rule that it recognises, by a method of that name, if there is one for the token.

    ``filter`` stands between lexer and parser.
    """

    def __init__(self, tables: Tables, callbacks: object, filter: Callable[[Iterable[Token]], Iterator[Token]]) -> None:
        self._tables = tables
        self._lexer = Lexer(tables)
        self._filter = filter
        self._of_token: dict[str, Callable[[Token], Any]] = {
            name: getattr(callbacks, name)
            for name in {*(n for n, _ in tables.terminals), *tables.keywords.values()}
            if hasattr(callbacks, name)
        }
        self._of_rule = [_maker(rule, callbacks) for rule in tables.rules]
        self._hands_on = [rule.hands_on for rule in tables.rules]
        self._passed: dict[tuple[int, int, str], int] = {}
        """Where rules that hand on their only part lead: by the state below, the state, and the next token."""

    def parse(self, text: str, start: str) -> Any:
        """What the callbacks make of a text.

        Raises:
            IllegalCharacter: it holds what is no token.
            MisplacedToken: it does not follow the grammar.
        """
        states, rules, hands_on = self._tables.states, self._tables.rules, self._hands_on
        make, of_token = self._of_rule, self._of_token
        path = [self._tables.starts[start]]
        values: list[Any] = []
        last = Token(END, "", len(text), len(text))
        for token in chain(self._filter(self._lexer.tokens(text)), (last,)):
            kind = token.type
            while (action := states[path[-1]].get(kind, 0)) < 0:
                if hands_on[~action]:
                    path[-1] = self._pass_on(path[-2], path[-1], kind)
                    continue
                rule = rules[~action]
                first = len(values) - rule.size
                value = make[~action](values[first:])
                del values[first:], path[first + 1 :]
                values.append(value)
                path.append(states[path[-1]][rule.origin])
            if action == 0:
                if token is last and path[-1] == self._tables.ends[start]:
                    break
                raise MisplacedToken(token, self._accepted(path))
            path.append(action)
            values.append(of_token[kind](token) if kind in of_token else token)
        return values[-1]

    def _pass_on(self, below: int, state: int, kind: str) -> int:
        """The state after all rules that hand on their only part, before a token of a type."""
        key = (below, state, kind)
        found = self._passed.get(key)
        if found is None:
            found = state
            while (action := self._tables.states[found].get(kind, 0)) < 0 and self._hands_on[~action]:
                found = self._tables.states[below][self._tables.rules[~action].origin]
            self._passed[key] = found
        return found

    def _accepted(self, path: list[int]) -> frozenset[str]:
        """The types of the tokens with which a text can go on."""
        offered = [symbol for symbol in self._tables.states[path[-1]] if symbol.isupper()]
        return frozenset(kind for kind in offered if self._accepts(list(path), kind))

    def _accepts(self, path: list[int], kind: str) -> bool:
        while (action := self._tables.states[path[-1]].get(kind, 0)) < 0:
            rule = self._tables.rules[~action]
            del path[len(path) - rule.size :]
            path.append(self._tables.states[path[-1]][rule.origin])
        return action > 0 or (kind == END and path[-1] in self._tables.ends.values())


def _maker(rule: Rule, callbacks: object) -> Callable[[list[Any]], Any]:
    """What makes a value of the values of a rule's symbols."""
    if rule.hands_on:
        return _only
    make: Callable[[list[Any]], Any] = _all if rule.callback is None else getattr(callbacks, rule.callback)
    if not rule.spread and not rule.absent and not rule.is_single:
        return make
    spread = rule.spread or [False] * rule.size
    absent = rule.absent or [0] * (rule.size + 1)
    return lambda values: _made(values, spread, absent, make, rule.is_single)


def _only(values: list[Any]) -> Any:
    return values[0]


def _all(values: list[Any]) -> list[Any]:
    return values


def _made(
    values: list[Any], spread: list[bool], absent: list[int], make: Callable[[list[Any]], Any], is_single: bool
) -> Any:
    # a long list grows by one in each step: its first part is taken over, not copied
    takes_over = bool(spread) and spread[0] and not absent[0]
    parts: list[Any] = values[0] if takes_over else [None] * absent[0]
    for place, value in enumerate(values):
        if not spread[place]:
            parts.append(value)
        elif place or not takes_over:
            parts += value
        parts += [None] * absent[place + 1]
    return parts[0] if is_single and len(parts) == 1 else make(parts)


def tables_of(saved: Mapping[str, Any]) -> Tables:
    """Tables from their form in JSON."""
    symbols = saved["symbols"]
    states = [{symbols[s]: action for s, action in zip(row[::2], row[1::2], strict=True)} for row in saved["states"]]
    return Tables(
        saved["terminals"],
        saved["ignored"],
        saved["keywords"],
        [Rule(*rule) for rule in saved["rules"]],
        states,
        saved["starts"],
        saved["ends"],
    )
