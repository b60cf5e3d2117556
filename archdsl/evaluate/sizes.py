"""Questions of operators about sizes, answered by ``archdsl.dims`` and remembered with their place."""

from __future__ import annotations

from typing import Literal

from archdsl.diagnostics.base import Frame
from archdsl.dims import Needs, Size, Violated
from archdsl.op import Reject
from archdsl.syntax import tree


class Questions:
    """What an operator at ``site`` asks: see ``archdsl.op.Needs``."""

    __slots__ = ("_frames", "_needs", "_site", "is_open")

    def __init__(self, needs: Needs, site: tree.Node, frames: list[Frame]) -> None:
        self._needs = needs
        self._site = site
        self._frames = frames
        self.is_open = False
        """Something was asked that numbers alone do not answer."""

    def require(
        self, left: Size, op: Literal["==", ">="], right: Size, message: str, *, arg: str | None = None,
        help: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(left, int) and isinstance(right, int):  # the common case: no origin need be made
            if not (left == right if op == "==" else left >= right):
                raise Reject(message, arg=arg, help=help)
            return
        self._answer(self._needs.require(left, op, right, self._origin()), message, arg, help)

    def multiple(self, size: Size, of: Size, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        if isinstance(size, int) and isinstance(of, int):
            if size % of:
                raise Reject(message, arg=arg, help=help)
            return
        self._answer(self._needs.require_multiple(size, of, self._origin()), message, arg, help)

    def _origin(self) -> Origin:
        self.is_open: bool = True
        return Origin(self._site, tuple(self._frames))

    def _answer(self, outcome: object, message: str, arg: str | None, help: str | None) -> None:
        if isinstance(outcome, Violated):
            example = ", ".join(f"{name} = {value}" for name, value in sorted(outcome.example.items()))
            raise Reject(f"{message} (at {example})" if example else message, arg=arg, help=help)


class Origin:
    """Where a precondition comes from."""

    __slots__ = ("frames", "site")

    def __init__(self, site: tree.Node, frames: tuple[Frame, ...]) -> None:
        self.site: tree.Node = site
        self.frames: tuple[Frame, ...] = frames

    def __str__(self) -> str:
        path = next((f.path for f in reversed(self.frames) if f.path), "")
        return f"{path}: {self.site.span.text}" if path else self.site.span.text
