"""Labels of cards and bars: HTML-like tables of Graphviz, each cell with its measured width."""

from __future__ import annotations

from html import escape
from math import ceil

from archdsl.emit.diagram.figure import BAR, BORDER, SIDE, Card, Fork, Join
from archdsl.emit.diagram.text import SIZE, SMALL, plain, shorten, width
from archdsl.emit.diagram.theme import Paint, Theme

BETWEEN = 6.0
"""Least room between the columns of a card."""
BADGE_SIDE = 4.0
BEFORE_BADGE = 3.0
_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'


def escaped(text: str) -> str:
    """Text for an HTML-like label."""
    return escape(plain(text), quote=True)


def html(content: str) -> str:
    """An HTML-like label; there is none without content."""
    return f"<{content or ' '}>"


def sized(text: str, size: float, colour: str = "", bold: bool = False) -> str:
    """A text in its size (Graphviz takes whole ones; 7.5 is the node's own) and colour."""
    if not text:
        return ""  # Graphviz takes no empty element
    attributes = f' POINT-SIZE="{size:g}"' if size != SMALL else ""
    attributes += f' COLOR="{colour}"' if colour else ""
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


def least_width(card: Card) -> float:
    """The width that a card needs to show everything in full."""
    if card.is_aside:
        return ceil(width(card.title, SIZE)) + 2 * SIDE
    left = max(width(full_title(card), SIZE, card.is_folded), width(card.detail, SMALL))
    return ceil(left) + _besides(card) + 2 * SIDE + (2 * BORDER if card.is_folded else 0)


def _besides(card: Card) -> float:
    """What a card holds besides its left column."""
    right, badge = right_width(card), badge_width(card)
    return (BETWEEN + right if right else 0) + (BEFORE_BADGE + badge if badge else 0)


# ---- labels ------------------------------------------------------------------------------------------------


def card_label(card: Card, theme: Theme) -> str:
    """The label of a card: names at the left, shape and parameters at the right."""
    paint = theme.cards[card.kind]
    box = card.width - (2 * BORDER if card.is_folded else 0)
    if card.is_aside:
        return html(sized(shorten(card.title, box - SIDE), SIZE))
    right, badge = right_width(card), badge_width(card)
    left = int(box - 2 * SIDE) - right - (int(BEFORE_BADGE) + badge if badge else 0)
    room = left - (BETWEEN if right else 0)
    cells = [_cell("LEFT", left, _left_lines(card, room, theme))]
    if right:
        cells.append(_cell("RIGHT", right, _right_lines(card, theme)))
    if badge:
        cells.append(f'<TD WIDTH="{BEFORE_BADGE:g}"></TD>{_badge(card, badge, paint, theme)}')
    return html(f"{_TABLE}<TR>{''.join(cells)}</TR></TABLE>")


def _left_lines(card: Card, room: float, theme: Theme) -> list[str]:
    title = shorten(full_title(card), room, SIZE, card.is_folded)
    lines = [sized(title, SIZE, bold=card.is_folded)]
    if card.detail:
        lines.append(sized(shorten(card.detail, room, SMALL), SMALL, theme.dim))
    return lines


def _right_lines(card: Card, theme: Theme) -> list[str]:
    lines = [sized(card.shape, SMALL)] if card.shape else []
    return [*lines, sized(card.params_text, SMALL, theme.dim)] if card.params_text else lines


def _cell(align: str, cell: int, lines: list[str]) -> str:
    text = "".join(f'{line}<BR ALIGN="{align}"/>' for line in lines)
    return f'<TD ALIGN="{align}" WIDTH="{cell}">{text}</TD>'


def _badge(card: Card, badge: int, paint: Paint, theme: Theme) -> str:
    text = sized(f"×{card.count}", SIZE, theme.page)  # not bold: Graphviz centres plain text only
    return f'<TD WIDTH="{badge}" BGCOLOR="{paint.stroke}" STYLE="rounded">{text}</TD>'


# ---- bars --------------------------------------------------------------------------------------------------


def fork_label(fork: Fork, theme: Theme) -> str:
    """A thin bar with a port for each branch."""
    pitch = fork.width / fork.branches
    cells = "".join(
        f'<TD PORT="b{i}" WIDTH="{pitch:g}" HEIGHT="{BAR:g}" FIXEDSIZE="TRUE" BGCOLOR="{theme.edge}"></TD>'
        for i in range(fork.branches)
    )
    return html(f"{_TABLE}<TR>{cells}</TR></TABLE>")


def join_label(join: Join) -> str:
    """A bar with a port for each branch above its title."""
    pitch = join.width / join.branches
    ports = "".join(
        f'<TD PORT="b{i}" WIDTH="{pitch:g}" HEIGHT="1" FIXEDSIZE="TRUE"></TD>' for i in range(join.branches)
    )
    title = sized(join.title, SIZE) + "   " + sized(join.shape, SMALL)
    return html(f'{_TABLE}<TR>{ports}</TR><TR><TD COLSPAN="{join.branches}" HEIGHT="15">{title}</TD></TR></TABLE>')
