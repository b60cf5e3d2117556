"""The grammar, run by Lark: from text to what callbacks make of each rule and token.

Making Lark's tables takes longer than reading most specs, so they are saved in ``grammar.pickle``, which is part of the
package. ``python -m archdsl.syntax`` writes it. If it was made of another grammar or by another version of Lark, the
tables are made in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from pkgutil import get_data
from typing import Any, Literal, TypeAlias

import lark
from lark import Lark, Token, Transformer

from archdsl.syntax.faults import IllegalCharacter, MisplacedToken
from archdsl.syntax.lines import significant

Start: TypeAlias = Literal["start", "expr"]
STARTS: tuple[Start, ...] = ("start", "expr")
Parts: TypeAlias = list[Any]
"""What callbacks made of the parts of a rule; tokens that stay, and None for what was left out."""
END = "$END"
"""The type of the token behind the last."""
VALUES = frozenset({"NAME", "COMPUTED", "INT", "FLOAT", "STRING", "TRUE", "FALSE", "NONE"})
"""Terminals whose tokens the callbacks may replace."""

_GRAMMAR = "grammar.lark"
_TABLES = "grammar.pickle"
_DIGEST_LENGTH = 64


def parse(source: str, start: Start, callbacks: object) -> Any:
    """Returns what ``callbacks`` make of a text.

    Their method with the name of a rule gets the rule's parts, one with the name of a terminal of `VALUES` gets a
    token. Each rule needs a method; a token without one stays as it is.

    Raises:
        Fault: it cannot be read.
    """
    before = _CALLBACKS.set(callbacks)
    try:
        return parser().parse(source, start=start)
    except lark.UnexpectedCharacters as fault:
        raise IllegalCharacter(fault.pos_in_stream) from None
    except lark.UnexpectedToken as fault:
        raise MisplacedToken(fault.token, frozenset(fault.accepts)) from None
    finally:
        _CALLBACKS.reset(before)


_CALLBACKS: ContextVar[object] = ContextVar("callbacks")
"""Those of the parse under way: each thread has its own, and a parse within a parse too."""


class Dispatch(Transformer[Token, Any]):
    """Lark's transformer: hands each rule and token on to the callbacks of the parse under way.

    Lark binds one transformer when it loads the tables. This one has no state, so that one parser serves all threads
    and callbacks, and it is saved with the tables as no more than its name.
    """

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name.startswith("_"):  # helper rules, whose parts become those of the rule around them
            raise AttributeError(name)
        if name in VALUES:
            return lambda token: getattr(_CALLBACKS.get(), name, _unchanged)(token)
        if name.isupper():
            raise AttributeError(name)
        return lambda parts: getattr(_CALLBACKS.get(), name)(parts)


def _unchanged(token: Token) -> Token:
    return token


class Significant:
    """Lark's step between lexer and parser."""

    always_accept: Iterable[str] = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return significant(stream)


def text() -> str:
    """The grammar, as the manual shows it."""
    return _packaged(_GRAMMAR).decode()


@cache
def parser() -> Lark:
    """Lark for the grammar of this package."""
    return load(_packaged(_GRAMMAR), _packaged(_TABLES))


def _packaged(name: str) -> bytes:
    data = get_data("archdsl.syntax", name)
    assert data is not None
    return data


def load(grammar: bytes, saved: bytes) -> Lark:
    """Lark with saved tables, or with tables made now if those belong to another grammar or version of Lark.

    Args:
        saved: the digest and tables that `save` wrote. Tables are a pickle: they must come from the package itself.
    """
    tables = saved[_DIGEST_LENGTH:]
    if saved[:_DIGEST_LENGTH] != _digest(grammar, tables):
        return make(grammar)
    return Lark.load(BytesIO(tables))


def make(grammar: bytes) -> Lark:
    """Lark with tables made of a grammar."""
    return Lark(
        grammar.decode(),
        parser="lalr",
        lexer="basic",
        start=list(STARTS),
        maybe_placeholders=True,
        keep_all_tokens=True,
        transformer=Dispatch(),
        postlex=Significant(),
    )


def save(grammar: bytes) -> bytes:
    """Tables of a grammar, after a digest of them, the grammar and the version of Lark that made them."""
    file = BytesIO()
    make(grammar).save(file)
    return _digest(grammar, file.getvalue()) + file.getvalue()


def _digest(grammar: bytes, tables: bytes) -> bytes:
    digest = sha256(lark.__version__.encode())
    for part in (grammar, tables):
        digest.update(b"\0" + part)
    return digest.hexdigest().encode()


def write_tables() -> None:
    """Write the tables of the grammar beside it."""
    Path(__file__).with_name(_TABLES).write_bytes(save(_packaged(_GRAMMAR)))
