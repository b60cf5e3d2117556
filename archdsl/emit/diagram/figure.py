"""What a figure shows, as data: panels of cards, junctions and bars, joined by edges. It knows no renderer.

Lengths are points. Every item has an ``id`` that is unique in the figure: the module's path, where it has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from archdsl.dims import Size
from archdsl.emit.diagram.text import TIE
from archdsl.emit.diagram.theme import Kind

PAD = 5.76
"""Margin around a figure."""
LINE, MORE = 17.0, 9.0
"""Height of a card with one line, and of each further line."""
BORDER = 4.0
"""What a double outline adds on each side."""
SIDE = 6.0
"""Room between a card's edge and its text."""
GAP = 14.0
"""Between rows: whole points, as Graphviz counts them."""
BESIDE = 14.4
"""Between neighbours in a row."""
LANE = 84.0
"""Width of an item beside the main branch of an opened residual."""
CIRCLE = 13.7
"""Diameter of a junction."""
ADDS, LAYS = "+x", "x,…"
"""Marks of folded cards: an addition to the input in them, a concatenation with it."""
BAR = 2.0
"""Thickness of the bar from which branches fork."""


@dataclass(frozen=True)
class Card:
    """A layer, a run of equal layers (``count``), or a folded block (``is_folded``).

    ``params`` counts the parameters of all that the card represents, each parameter of the model at the first card
    that owns it. ``residuals`` counts the shortcuts folded in it; ``mark`` states what kind they are. ``is_aside`` is a
    card on a shortcut: its texts in the middle.
    """

    id: str
    kind: Kind
    title: str
    details: tuple[str, ...] = ()
    shape: str = ""
    params: Size = 0
    params_text: str = ""
    count: int = 1
    letters: tuple[str, ...] = ()
    is_folded: bool = False
    mark: str = ""
    is_aside: bool = False
    residuals: int = 0
    tooltip: str = ""
    width: float = LANE

    @property
    def height(self) -> float:
        """Height of the outermost outline."""
        right = 0 if self.is_aside else bool(self.shape) + bool(self.params_text)
        lines = LINE + MORE * (max(1 + len(self.details), right) - 1)
        return lines + (2 * BORDER if self.is_folded else 0)


@dataclass(frozen=True)
class Junction:
    """A circle where branches meet: ``+`` or ``×``. ``residuals`` is 1 where a shortcut ends in it."""

    id: str
    sign: str
    residuals: int = 0
    params: Size = 0
    tooltip: str = ""
    width: ClassVar[float] = CIRCLE
    height: ClassVar[float] = CIRCLE


@dataclass(frozen=True)
class Fork:
    """The bar from which ``branches`` part."""

    id: str
    branches: int
    width: float
    height: ClassVar[float] = BAR


@dataclass(frozen=True)
class Join:
    """The bar in which ``branches`` meet side by side."""

    id: str
    branches: int
    title: str
    shape: str
    width: float
    params: Size = 0
    tooltip: str = ""
    height: ClassVar[float] = LINE


@dataclass(frozen=True)
class Passage:
    """The word on a shortcut that passes its value on unchanged: it leads the line round the main branch."""

    id: str
    text: str = "identity"
    width: ClassVar[float] = LANE
    height: ClassVar[float] = 11.5


@dataclass(frozen=True)
class Link:
    """A number in a circle, at the foot of one column and at the head of the next."""

    id: str
    number: int
    width: ClassVar[float] = CIRCLE
    height: ClassVar[float] = CIRCLE


Item: TypeAlias = Card | Junction | Fork | Join | Passage | Link


@dataclass(frozen=True)
class Edge:
    """From ``tail`` to ``head``, ids of items. ``tail_branch`` and ``head_branch`` number the parts of bars.

    ``weight`` says how much it is to be straight: most on the main chain. ``is_upward`` turns the layout round (the
    data flows up the page); ``is_flat`` joins two items of one row.
    """

    tail: str
    head: str
    kind: Literal["flow", "skip"] = "flow"
    tail_branch: int | None = None
    head_branch: int | None = None
    weight: int = 1
    is_upward: bool = False
    is_flat: bool = False
    lines: int = 1

    @property
    def ids(self) -> list[str]:
        """One id for each of the ``lines`` that are drawn: one for each value that flows."""
        return [f"{self.tail}--{self.head}" + (f"-{n}" if n else "") for n in range(self.lines)]


@dataclass(frozen=True)
class Panel:
    """A connected part of the figure: the model, or one opened block with its ``letter`` and ``title``.

    ``chain`` are the ids of the main chain, from the first to the last. ``rows`` are items side by side.
    """

    id: str
    items: tuple[Item, ...]
    edges: tuple[Edge, ...]
    chain: tuple[str, ...]
    letter: str = ""
    title: str = ""
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def heading(self) -> str:
        """The heading of an opened block."""
        return f"{self.letter}  {self.title}"


def apart(row: Sequence[str]) -> int:
    """How far the neighbours in one of a panel's rows are apart, in steps of ``BESIDE``."""
    return 3 if len(row) == 2 else 2


@dataclass(frozen=True)
class Foot:
    """Which parts of the foot are drawn."""

    caption: bool = True
    key: bool = True


@dataclass(frozen=True)
class Caption:
    """The foot of a figure: the bold title and the lines after it; ``legend`` explains the marks, ``key`` the colors.

    Where it is not shown it still describes the figure to those who cannot see it.
    """

    title: str
    facts: tuple[str, ...]
    legend: tuple[str, ...]
    key: tuple[tuple[Kind, ...], ...] = ()
    is_shown: bool = True

    @property
    def statement(self) -> str:
        """The title and the facts on one line."""
        return " ".join((self.title, *self.facts)).replace(TIE, " ")

    @property
    def text(self) -> str:
        return " ".join((self.statement, *self.legend))


@dataclass(frozen=True)
class Figure:
    """A figure: the main panel first, then the insets, beside it (``columns`` 2) or below it (1)."""

    name: str
    panels: tuple[Panel, ...]
    caption: Caption
    gap: float = GAP
    columns: int = 2
    size: tuple[float, float] | None = None
    """The width and height to which it is scaled down, where it is larger; None: it stays as large as it is."""

    def items(self) -> Iterator[Item]:
        for panel in self.panels:
            yield from panel.items
