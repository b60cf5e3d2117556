"""What an operator may ask about sizes, and how it refuses an input."""

from __future__ import annotations

from typing import Literal, Protocol

from archdsl.dims import Size


class Reject(Exception):
    """An operator cannot take these arguments or this input. ``arg`` names the argument at fault, if any."""

    def __init__(self, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.arg = arg
        self.help = help


class Needs(Protocol):
    """Questions about sizes that an operator may ask while it infers its shape. The builder answers them."""

    def require(
        self,
        left: Size,
        op: Literal["==", ">="],
        right: Size,
        message: str,
        *,
        arg: str | None = None,
        help: str | None = None,
    ) -> None:
        """Hold ``left op right`` for every size that the model accepts; else raise ``Reject(message, …)``.

        On plain integers it is a comparison. On symbolic sizes it is proved, or adopted as a precondition of
        the model, or rejected with the least size at which it fails appended to the message.
        """
        ...

    def multiple(self, size: Size, of: Size, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        """Hold ``size % of == 0``, likewise."""
        ...  # fmt: skip
