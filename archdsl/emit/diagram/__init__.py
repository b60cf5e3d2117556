"""Diagrams fit for a paper: a figure is planned from the graph, written as DOT, and drawn by Graphviz."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from archdsl.diagnostics.diagrams import UnknownPictureFormat, UnknownTheme
from archdsl.emit.diagram.figure import Figure, Foot
from archdsl.emit.diagram.plan import Choice, plan
from archdsl.emit.diagram.theme import THEMES, Theme
from archdsl.errors import SpecError
from archdsl.files import write_whole
from archdsl.graph import Graph

__all__ = ["FORMATS", "Diagram", "diagram"]

FORMATS = ("svg", "png", "pdf", "dot")
"""What a diagram is saved as, by the file's ending."""


def diagram(
    graph: Graph,
    *,
    theme: str = "light",
    open: Sequence[str] = (),
    fold: Collection[str] = (),
    depth: int | None = None,
    caption: bool = True,
    key: bool = True,
) -> Diagram:
    """The diagram of a network.

    Args:
        theme: ``light`` or ``dark``.
        open: paths of modules shown from within, beside the model.
        fold: paths of modules shown as one card.
        depth: how many levels of the module tree are shown; by default, what fits a page.

    Raises:
        SpecError: there is no such theme or module.
    """
    if theme not in THEMES:
        raise SpecError([UnknownTheme(name=theme, known=", ".join(THEMES))])
    choice = Choice(open, fold, depth, Foot(caption, key))
    return Diagram(plan(graph, choice), THEMES[theme])


@dataclass(frozen=True)
class Diagram:
    """A figure in its colours. Shows itself in a notebook."""

    figure: Figure
    theme: Theme

    @cached_property
    def dot(self) -> str:
        """The figure in Graphviz's language."""
        from archdsl.emit.diagram.dot import dot

        return dot(self.figure, self.theme)

    def svg(self) -> str:
        """
        Raises:
            SpecError: nothing here can draw it.
        """
        return self._render("svg").decode()

    def png(self, dpi: int | None = None) -> bytes:
        """At 300 dots an inch unless stated.

        Raises:
            SpecError: nothing here can draw it.
        """
        from archdsl.emit.diagram.render import PRINT_DPI

        return self._render("png", dpi or PRINT_DPI)

    def pdf(self) -> bytes:
        """
        Raises:
            SpecError: nothing here can write it.
        """
        return self._render("pdf")

    def save(self, path: str | PathLike[str]) -> Path:
        """Write a file; its ending says what: ``.svg``, ``.png``, ``.pdf`` or ``.dot``.

        Raises:
            SpecError: the ending is another, nothing here can draw it, or the file cannot be written.
        """
        target = Path(path)
        write_whole(target, self.encoded(target.suffix.lower().removeprefix("."), str(path)))
        return target

    def encoded(self, format: str, path: str = "") -> bytes:
        """The contents of a file of a format, one of `FORMATS`.

        Raises:
            SpecError: there is no such format, or nothing here can draw it.
        """
        match format:
            case "dot":
                return self.dot.encode()
            case "svg" | "png" | "pdf":
                return self._render(format)
        raise SpecError([UnknownPictureFormat(path=path or format)])

    def _render(self, format: Literal["svg", "png", "pdf"], dpi: int = 0) -> bytes:
        from archdsl.emit.diagram.render import PRINT_DPI, render

        title = f"{self.figure.name}: architecture diagram"
        return render(self.dot, format, dpi or PRINT_DPI, title, self.figure.caption.text)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<diagram of {self.figure.caption.statement}>"
