"""Diagrams fit for a paper: a figure is planned from the graph, written as DOT, and drawn by Graphviz."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.diagnostics.diagrams import UnknownPictureFormat, UnknownTheme
from archdsl.emit.diagram.figure import Figure, Foot
from archdsl.emit.diagram.plan import A4, SMALLEST, Choice, Page, plan
from archdsl.emit.diagram.text import FONT, SIZE, SMALL
from archdsl.emit.diagram.theme import THEMES, Theme
from archdsl.errors import SpecError
from archdsl.files import write_whole
from archdsl.graph import Graph

if TYPE_CHECKING:
    from archdsl.emit.diagram.render import Format

__all__ = ["FORMATS", "Diagram", "diagram"]

FORMATS = ("svg", "png", "pdf", "eps", "tex", "dot")
"""Formats of images, by the ending of the file; ``tex`` is TikZ."""


def diagram(
    graph: Graph,
    *,
    theme: str = "light",
    open: Sequence[str] = (),
    fold: Collection[str] = (),
    depth: int | None = None,
    caption: bool = True,
    key: bool = True,
    width: float | None = None,
    font: str = FONT,
    font_size: float | None = None,
) -> Diagram:
    """The diagram of a network.

    Args:
        theme: ``light`` or ``dark``.
        open: modules shown from within, beside the model: paths, or names of blocks.
        fold: paths of modules shown as one card.
        depth: levels of the module tree that are shown; by default, what fits a page.
        caption: whether the totals and an explanation of the marks are drawn.
        key: whether the meaning of the colors is drawn.
        width: points that the figure may be wide; by default, what the margins of A4 leave. It is planned for that
            width, and no text in it is smaller than 6 pt.
        font: the family of the texts.
        font_size: size of the titles of cards in points, 7.2 at least; by default 9, or less where the figure has to
            be scaled down.

    Raises:
        SpecError: there is no such theme or module.
    """
    if theme not in THEMES:
        raise SpecError([UnknownTheme(name=theme, known=", ".join(THEMES))])
    scale = 1.0 if font_size is None else font_size / SIZE
    smallest = SMALLEST if font_size is None else SMALL * scale
    page = Page((width or A4.width) / scale, A4.height / scale, smallest / scale)
    return Diagram(plan(graph, Choice(open, fold, depth, Foot(caption, key), page)), THEMES[theme], font, scale)


@dataclass(frozen=True)
class Diagram:
    """A figure in its colors. Shows itself in a notebook."""

    figure: Figure
    theme: Theme
    font: str = FONT
    scale: float = 1.0
    """By how much the figure and its texts are enlarged."""

    @cached_property
    def dot(self) -> str:
        """The figure in Graphviz's language."""
        from archdsl.emit.diagram.dot import dot

        return dot(self.figure, self.theme, self.font)

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
        return self._render("png", dpi)

    def pdf(self) -> bytes:
        """
        Raises:
            SpecError: nothing here can write it.
        """
        return self._render("pdf")

    def tikz(self) -> str:
        """A ``tikzpicture``, its texts in the font of the LaTeX document.

        Raises:
            SpecError: nothing here can lay it out.
        """
        return self._render("tex").decode()

    def save(self, path: str | PathLike[str]) -> Path:
        """Write a file; its ending names the format, one of `FORMATS`; ``.tex`` is TikZ.

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
            case "svg" | "png" | "pdf" | "eps" | "tex":
                return self._render(format)
        raise SpecError([UnknownPictureFormat(path=path or format)])

    def _render(self, format: Format, dpi: int | None = None) -> bytes:
        from archdsl.emit.diagram.render import PRINT_DPI, Output, render

        title = f"{self.figure.name}: architecture diagram"
        output = Output(dpi or PRINT_DPI, self.font, self.scale, title, self.figure.caption.text)
        return render(self.dot if format in ("png", "pdf") else self._layout, format, output)

    @property
    def _layout(self) -> str:
        """The DOT in the font whose metrics are known: an SVG fits the texts of another font to their places."""
        from archdsl.emit.diagram.dot import dot

        return dot(self.figure, self.theme)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<diagram of {self.figure.caption.statement}>"
