"""Why a text cannot be read, each with its place; ``parse.py`` explains them."""

from __future__ import annotations

from lark import Token


class Fault(Exception):
    """The text cannot be read. ``base``: offset of the text in the piece that is explained."""

    def __init__(self) -> None:
        super().__init__(type(self).__name__)
        self.base = 0


class IllegalCharacter(Fault):
    """No token begins at ``position``."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


class TokenFault(Fault):
    """A fault at ``token``."""

    def __init__(self, token: Token) -> None:
        super().__init__()
        self.token = token


class MisplacedToken(TokenFault):
    """The text does not continue with ``token`` here, but with tokens of the types ``accepted``."""

    def __init__(self, token: Token, accepted: frozenset[str]) -> None:
        super().__init__(token)
        self.accepted = accepted


class TooDeep(TokenFault):
    """Brackets nested deeper than ``MAX_DEPTH``."""


class TooLong(TokenFault):
    """A statement of more than ``MAX_STATEMENT`` words."""


class LongName(TokenFault):
    """A name of more than ``MAX_NAME`` characters."""


class BadNumber(TokenFault):
    """A literal that is not a number archdsl reads: ``problem`` and ``limit`` say why."""

    def __init__(self, token: Token, problem: str, limit: str) -> None:
        super().__init__(token)
        self.problem = problem
        self.limit = limit


class BracketError(Fault):
    """Brackets that do not pair: ``opened`` is the open one at that point, ``closed`` closes it wrongly."""

    def __init__(self, opened: Token | None, closed: Token | None) -> None:
        super().__init__()
        self.opened = opened
        self.closed = closed


def start_of(token: Token) -> int:
    """Offset of a token's first character."""
    assert token.start_pos is not None
    return token.start_pos


def end_of(token: Token) -> int:
    """Offset behind a token's last character."""
    assert token.end_pos is not None
    return token.end_pos
