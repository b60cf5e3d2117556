"""From a figure to DOT. Every node has its width and height, so that the layout hardly depends on the renderer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from graphviz import Digraph, escape

from archdsl.emit.diagram.caption import (
    AFTER_SWATCH,
    APART,
    BETWEEN_ENTRIES,
    KEY_ROW,
    NAMES,
    ROW,
    SMALL_ROW,
    SWATCH,
    entry_width,
)
from archdsl.emit.diagram.card import TABLE, card_label, fork_label, html, join_label, sized
from archdsl.emit.diagram.figure import (
    BESIDE,
    BORDER,
    PAD,
    Caption,
    Card,
    Edge,
    Figure,
    Fork,
    Item,
    Join,
    Junction,
    Link,
    Panel,
    Passage,
    apart,
)
from archdsl.emit.diagram.text import FONT, SIGN, SIZE, SMALL, TIE, plain, shorten
from archdsl.emit.diagram.theme import Kind, Theme

STROKE = "0.8"
BETWEEN_PANELS = 16


def dot(figure: Figure, theme: Theme, font: str = FONT) -> str:
    """The figure in the DOT language."""
    graph = Digraph(name=literal(figure.name))
    graph.attr("graph", **_graph_attributes(figure, theme), fontname=literal(font))
    graph.attr("node", **_node_attributes(), fontname=literal(font))
    graph.attr("edge", **_edge_attributes(theme), fontname=literal(font))
    for number, panel in enumerate(figure.panels):
        graph.subgraph(_panel(f"cluster_{number}", panel, theme))
    for above, below in pairwise(figure.panels[1:]):
        pull = {} if _is_forked(above) is _is_forked(below) else {"weight": "0"}
        graph.edge(above.chain[-1], below.chain[0], style="invis", **pull)
    return graph.source


def _graph_attributes(figure: Figure, theme: Theme) -> dict[str, str]:
    size = {"size": ",".join(map(_inches, figure.size))} if figure.size is not None else {}
    return size | {
        "id": "figure",
        "rankdir": "TB",
        "ranksep": _inches(figure.gap),
        "nodesep": _inches(BESIDE),
        "splines": "spline",
        "outputorder": "edgesfirst",
        "bgcolor": theme.page,
        "pad": _inches(PAD),
        "margin": "0",
        "pack": str(BETWEEN_PANELS),
        "packmode": f"array_ut{figure.columns}",
        "labelloc": "b",
        "labeljust": "c",
        "label": _caption(figure.caption, theme),
        "fontsize": f"{SMALL:g}",
        "fontcolor": theme.cards["io"].text,
        "tooltip": literal(figure.caption.title),
    }


def _node_attributes() -> dict[str, str]:
    return {
        "shape": "box",
        "style": "filled",
        "fixedsize": "true",
        "margin": "0",
        "penwidth": STROKE,
        "fontsize": f"{SMALL:g}",
    }


def _edge_attributes(theme: Theme) -> dict[str, str]:
    return {
        "color": theme.edge,
        "penwidth": STROKE,
        "arrowsize": "0.55",
        "fontsize": f"{SMALL:g}",
        "fontcolor": theme.dim,
    }


def _caption(caption: Caption, theme: Theme) -> str:
    """A table, each line in a row of its own height; nothing where nothing is shown."""
    rows: list[str] = []
    if caption.is_shown:
        first, *more = caption.facts
        rows.append(_line(sized(caption.title, SIZE, bold=True) + sized(TIE + first, SIZE), ROW))
        rows += [_line(sized(line, SIZE), ROW) for line in more]
        rows.append(_apart())
        rows += [_line(sized(line, SMALL, theme.dim), SMALL_ROW) for line in caption.legend]
    if caption.key:
        rows.append(_apart())
        rows += [_line(_key(kinds, theme), KEY_ROW) for kinds in caption.key]
    return html(f"{TABLE}{''.join(rows)}</TABLE>") if rows else ""


def _line(content: str, height: float) -> str:
    return f'<TR><TD HEIGHT="{height:g}">{content}</TD></TR>'


def _apart() -> str:
    return f'<TR><TD WIDTH="1" HEIGHT="{APART:g}" FIXEDSIZE="TRUE"></TD></TR>'


def _key(kinds: Sequence[Kind], theme: Theme) -> str:
    cells: list[str] = []
    for kind in kinds:
        paint = theme.cards[kind]
        cells.append(
            f'<TD WIDTH="{SWATCH:g}" HEIGHT="7" FIXEDSIZE="TRUE" BGCOLOR="{paint.fill}" BORDER="1" '
            f'COLOR="{paint.stroke}"></TD><TD WIDTH="{AFTER_SWATCH:g}"></TD>'
            f"<TD>{sized(NAMES[kind], SMALL, theme.dim)}</TD>"
        )
    room = sum(entry_width(kind) + BETWEEN_ENTRIES for kind in kinds) - BETWEEN_ENTRIES
    room = round(room * 1.15)  # renderers with other metrics need more, and a fixed size that is too small is an error
    table = TABLE.replace(">", f' WIDTH="{room}" HEIGHT="{KEY_ROW:g}" FIXEDSIZE="TRUE">')
    return f'{table}<TR>{f"""<TD WIDTH="{BETWEEN_ENTRIES:g}"></TD>""".join(cells)}</TR></TABLE>'


def literal(text: str) -> str:
    """A text for a plain string of DOT: what looks like an entity or an escape is none."""
    return escape(plain(text).replace("&", "&amp;")) or " "


def _inches(points: float) -> str:
    return f"{points / 72:.4f}".rstrip("0").rstrip(".")


# ---- panels ------------------------------------------------------------------------------------------------


def _panel(name: str, panel: Panel, theme: Theme) -> Digraph:
    cluster = Digraph(name=name)
    cluster.attr("graph", **(_opened(panel, theme) if panel.letter else _main(panel)))
    for item in panel.items:
        _item(cluster, item, theme)
    for names in panel.rows:
        row = Digraph(graph_attr={"rank": "same"})
        for left, right in pairwise(names):
            row.edge(left, right, style="invis", minlen=str(apart(names)))
        cluster.subgraph(row)
    items = {item.id: item for item in panel.items}
    for edge in sorted(panel.edges, key=lambda edge: -edge.weight):
        _edge(cluster, edge, items, theme)
    return cluster


def _is_forked(panel: Panel) -> bool:
    """Is the main chain in the middle, branches at its sides? Else it is at the left."""
    return any(isinstance(item, Fork) for item in panel.items)


def _main(panel: Panel) -> dict[str, str]:
    return {"id": f"panel-{panel.id}", "label": "", "peripheries": "0", "margin": "0", "style": ""}


def _opened(panel: Panel, theme: Theme) -> dict[str, str]:
    ground = theme.cluster
    return {
        "id": f"panel-{panel.id}",
        "class": "opened",
        "label": html(sized(panel.heading, SIZE, bold=True)),
        "labeljust": "l",
        "labelloc": "t",
        "style": "rounded,filled",
        "color": ground.stroke,
        "fillcolor": ground.fill,
        "penwidth": STROKE,
        "margin": "7",
    }


def _item(cluster: Digraph, item: Item, theme: Theme) -> None:
    """A node of the item's own size. Fixed sizes do not count the outlines that Graphviz draws around a node."""
    label, attributes = _node(item, theme)
    inner = 2 * BORDER if isinstance(item, Card) and item.is_folded else 0
    size = {"width": _inches(item.width - inner), "height": _inches(item.height - inner)}
    cluster.node(item.id, label, **{"id": item.id, **size, **attributes})


def _node(item: Item, theme: Theme) -> tuple[str, dict[str, str]]:
    match item:
        case Card():
            return card_label(item, theme), _card(item, theme)
        case Junction(sign=sign):
            look = {"shape": "circle", "penwidth": "1.1", "fontsize": f"{SIGN:g}"}
            return literal(sign), {"class": "merge", **look, **_paint("merge", item.tooltip, theme)}
        case Link(number=number):
            look = {"shape": "circle", "fontsize": f"{SMALL:g}"}
            return str(number), {"class": "link", **look, **_paint("reshape", f"column {number + 1}", theme)}
        case Passage(text=text):
            look = {"shape": "plaintext", "style": "", "fontcolor": theme.skip}
            return literal(shorten(text, item.width, SMALL)), {"class": "skip", "tooltip": literal(text), **look}
        case Fork():
            look = {"shape": "plaintext", "style": ""}
            return fork_label(item, theme), {"class": "fork", "tooltip": "branches", **look}
        case Join():
            look = {"style": "filled,rounded"}
            return join_label(item), {"class": "merge", **look, **_paint("merge", item.tooltip, theme)}


def _card(card: Card, theme: Theme) -> dict[str, str]:
    attributes = {"class": card.kind, **_paint(card.kind, card.tooltip or card.title, theme)}
    if card.kind in ("io", "act", "merge"):
        attributes["style"] = "filled,rounded"
    elif card.kind == "reshape":
        attributes["style"] = "filled,dashed"
    if card.is_folded:
        attributes["peripheries"] = "2"
    return attributes


def _paint(kind: Kind, tooltip: str, theme: Theme) -> dict[str, str]:
    paint = theme.cards[kind]
    return {
        "fillcolor": paint.fill,
        "color": paint.stroke,
        "fontcolor": paint.text,
        "tooltip": literal(tooltip),
    }


# ---- edges -------------------------------------------------------------------------------------------------


def _edge(cluster: Digraph, edge: Edge, items: dict[str, Item], theme: Theme) -> None:
    tail, head = items[edge.tail], items[edge.head]
    attributes = {"class": edge.kind}
    if edge.kind == "skip":
        attributes |= {"color": theme.skip, "penwidth": "1.4"} | _round(edge, tail, head)
    if edge.weight != 1:
        attributes["weight"] = str(edge.weight)
    if isinstance(head, Fork | Passage):
        attributes["arrowhead"] = "none"
    tail_name = edge.tail + (f":b{edge.tail_branch}:s" if edge.tail_branch is not None else "")
    head_name = edge.head + (f":b{edge.head_branch}:n" if edge.head_branch is not None else "")
    if edge.is_upward:
        tail_name, head_name, attributes["dir"] = head_name, tail_name, "back"
    for name in edge.ids:
        cluster.edge(tail_name, head_name, id=name, **attributes)


def _round(edge: Edge, tail: Item, head: Item) -> dict[str, str]:
    """How a shortcut leaves and arrives: from the right side out, to the right side in."""
    if edge.is_flat:
        return {"constraint": "false", "tailport": "e", "headport": "w"}
    ports: dict[str, str] = {}
    if edge.tail_branch is None:
        ports["tailport"] = "s" if _is_aside(tail) else "e"
    if isinstance(head, Passage):
        ports["headport"] = "n"  # the line ends at the word, which is narrower than its lane
    elif edge.head_branch is None and not _is_aside(head):
        ports["headport"] = "e"
    return ports


def _is_aside(item: Item) -> bool:
    return isinstance(item, Passage) or (isinstance(item, Card) and item.is_aside)
