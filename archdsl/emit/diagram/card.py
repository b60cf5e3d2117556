"""Labels of cards and bars: HTML-like tables of Graphviz, each cell with its measured width."""

from __future__ import annotations

from html import escape
from math import ceil

from archdsl.emit.diagram.figure import BAR, BORDER, SIDE, Card, Fork, Join
from archdsl.emit.diagram.text import SIZE, SMALL, plain, shorten, width
from archdsl.emit.diagram.theme import Theme

BETWEEN = 6.0
"""Least room between the columns of a card."""
BADGE_SIDE = 4.0
BEFORE_BADGE = 3.0
MARK_SIDE = 3.0
TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'


def escaped(text: str) -> str:
    """Text for an HTML-like label."""
    return escape(plain(text), quote=True)


def html(content: str) -> str:
    """An HTML-like label; there is none without content."""
    return f"<{content or ' '}>"


def sized(text: str, size: float, color: str = "", bold: bool = False) -> str:
    """A text in its size (Graphviz takes whole numbers; 7.5 is the node's own) and color."""
    if not text:
        return ""  # Graphviz takes no empty element
    attributes = f' POINT-SIZE="{size:g}"' if size != SMALL else ""
    attributes += f' COLOR="{color}"' if color else ""
    inner = f"<B>{escaped(text)}</B>" if bold else escaped(text)
    return f"<FONT{attributes}>{inner}</FONT>" if attributes else inner


# ---- measures ----------------------------------------------------------------------------------------------


def full_title(card: Card) -> str:
    return card.title + (f"  ({', '.join(card.letters)})" if card.letters else "")


def right_width(card: Card) -> int:
    """Of the column of shape and parameters, in whole points, as Graphviz counts cells."""
    return ceil(max(width(card.shape, SMALL), width(card.params_text, SMALL)))


def badge_width(card: Card) -> int:
    return ceil(width(f"×{card.count}", SIZE) + 2 * BADGE_SIDE) if card.count > 1 else 0


def mark_width(card: Card) -> int:
    """Of the mark for shortcuts in a folded card."""
    return ceil(width(card.mark, SMALL) + 2 * MARK_SIDE) if card.mark else 0


def least_width(card: Card) -> float:
    """The width that a card needs to show everything in full."""
    texts = [width(full_title(card), SIZE, card.is_folded), *(width(line, SMALL) for line in card.details)]
    around = 2 * SIDE if card.is_aside else besides(card)
    return ceil(max(texts)) + around


def besides(card: Card) -> float:
    """The part of a card's width that its left column does not get."""
    columns = [BETWEEN + right_width(card) if right_width(card) else 0.0]
    columns += [BEFORE_BADGE + cell for cell in (mark_width(card), badge_width(card)) if cell]
    return sum(columns) + 2 * SIDE + (2 * BORDER if card.is_folded else 0)


# ---- labels ------------------------------------------------------------------------------------------------


def card_label(card: Card, theme: Theme) -> str:
    """The label of a card: names at the left, shape and parameters at the right, marks after them."""
    if card.is_aside:
        lines = _left_lines(card, card.width - SIDE, theme)
        return html("<BR/>".join(lines))
    right = right_width(card)
    room = int(card.width - besides(card))
    cells = [_cell("LEFT", room + (int(BETWEEN) if right else 0), _left_lines(card, room, theme))]
    if right:
        cells.append(_cell("RIGHT", right, _right_lines(card, theme)))
    if card.mark:
        cells.append(_gap() + _mark(card, theme))
    if card.count > 1:
        cells.append(_gap() + _badge(card, theme))
    return html(f"{TABLE}<TR>{''.join(cells)}</TR></TABLE>")


def _left_lines(card: Card, room: float, theme: Theme) -> list[str]:
    title = shorten(full_title(card), room, SIZE, card.is_folded)
    details = (sized(shorten(line, room, SMALL), SMALL, theme.dim) for line in card.details)
    return [sized(title, SIZE, bold=card.is_folded), *details]


def _right_lines(card: Card, theme: Theme) -> list[str]:
    lines = [sized(card.shape, SMALL)] if card.shape else []
    return [*lines, sized(card.params_text, SMALL, theme.dim)] if card.params_text else lines


def _cell(align: str, cell: int, lines: list[str]) -> str:
    text = "".join(f'{line}<BR ALIGN="{align}"/>' for line in lines)
    return f'<TD ALIGN="{align}" WIDTH="{cell}">{text}</TD>'


def _gap() -> str:
    return f'<TD WIDTH="{BEFORE_BADGE:g}"></TD>'


def _badge(card: Card, theme: Theme) -> str:
    text = sized(f"×{card.count}", SIZE, theme.page)  # not bold: Graphviz centers plain text only
    paint = f'BGCOLOR="{theme.cards[card.kind].stroke}"'
    return f'<TD WIDTH="{badge_width(card)}" STYLE="rounded" {paint}>{text}</TD>'


def _mark(card: Card, theme: Theme) -> str:
    text = sized(card.mark, SMALL, theme.skip)
    paint = f'BGCOLOR="{theme.page}" BORDER="1" COLOR="{theme.skip}"'
    return f'<TD WIDTH="{mark_width(card)}" STYLE="rounded" {paint}>{text}</TD>'


# ---- bars --------------------------------------------------------------------------------------------------


def fork_label(fork: Fork, theme: Theme) -> str:
    """A thin bar with a port for each branch."""
    pitch = fork.width / fork.branches
    cells = "".join(
        f'<TD PORT="b{i}" WIDTH="{pitch:g}" HEIGHT="{BAR:g}" FIXEDSIZE="TRUE" BGCOLOR="{theme.edge}"></TD>'
        for i in range(fork.branches)
    )
    return html(f"{TABLE}<TR>{cells}</TR></TABLE>")


def join_label(join: Join) -> str:
    """A bar with a port for each branch above its title."""
    pitch = join.width / join.branches
    ports = "".join(
        f'<TD PORT="b{i}" WIDTH="{pitch:g}" HEIGHT="1" FIXEDSIZE="TRUE"></TD>' for i in range(join.branches)
    )
    title = sized(join.title, SIZE) + "   " + sized(join.shape, SMALL)
    return html(f'{TABLE}<TR>{ports}</TR><TR><TD COLSPAN="{join.branches}" HEIGHT="15">{title}</TD></TR></TABLE>')
