"""What stands in the box over a word: what the layer there gives and costs, and what its operator or block is."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.lsp.document import Document
from archdsl.lsp.facts import Run
from archdsl.lsp.names import Occurrence, Symbol
from archdsl.ops import OPS_BY_NAME
from archdsl.reference import arguments_table, description, example, signature
from archdsl.source import Span
from archdsl.syntax import tree

Find = Callable[[Symbol], tuple[Document, tree.Node] | None]
"""The document and the node in which a symbol is defined."""


def hover(document: Document, offset: int, find: Find) -> tuple[str, Span | None]:
    """Markdown for a place, and the word that it is about; empty where there is nothing to say."""
    name = document.name_at(offset)
    if name is None:
        runs = document.facts_at(offset) if _on_word(document, offset) else []
        return table(runs), None
    symbol = name.symbol
    if name.role == "label":
        return table(_labelled(document, name)), name.span
    if symbol is None:
        return "", None
    if symbol.file == "":
        return "\n\n".join(filter(None, [table(document.facts_at(offset)), operator(symbol.name)])), name.span
    found = find(symbol)
    if found is None:
        return "", None
    return "\n\n".join(filter(None, [table(_of(document, name)), _definition(*found, symbol)])), name.span


def _on_word(document: Document, offset: int) -> bool:
    """On a keyword such as `residual` or `concat`: elsewhere there is nothing to point at."""
    return document.source.text[offset : offset + 1].isalpha()


def _of(document: Document, name: Occurrence) -> list[Run]:
    """Runs of a call of what is named; of a name that is only read, what it was when it was bound."""
    around = [(end - start, start, end) for start, end in document.facts if start == name.span.start]
    if around:
        return document.facts[min(around)[1:]]
    binders = (o.span for o in document.names if o.symbol == name.symbol and o.role == "definition")
    return next((document.facts[s.start, s.end] for s in binders if (s.start, s.end) in document.facts), [])


def _labelled(document: Document, name: Occurrence) -> list[Run]:
    """Runs of the layer behind a label."""
    text = document.source.text
    start = name.span.end + 1
    start += len(text[start:]) - len(text[start:].lstrip())
    behind = [(end - begin, begin, end) for begin, end in document.facts if begin == start]
    return document.facts[max(behind)[1:]] if behind else []


def table(runs: list[Run]) -> str:
    """What runs of one place give and cost, in a table; where they differ, of the first and the last."""
    if not runs:
        return ""
    shown = [runs[0]] if _facts(runs[0]) == _facts(runs[-1]) else [runs[0], runs[-1]]
    names = list(dict.fromkeys(name for run in shown for name in _facts(run)))
    rows = [[name, *(_facts(run).get(name, "") for run in shown)] for name in names]
    head = ["", *(["first", "last"] if len(shown) > 1 else [""])]
    title = f"**{' … '.join(dict.fromkeys(run.what for run in shown))}**"
    times = f" · {len(runs)} times" if len(runs) > 1 else ""
    return "\n".join([title + times, "", _row(head), _row(["---"] * len(head)), *map(_row, rows)])


def _facts(run: Run) -> dict[str, str]:
    """The rows of the table for one run."""
    facts = {
        "module": f"`{run.path}`" if run.path else "",
        "shape": f"`{run.takes}` → `{run.gives}`" if run.takes else f"`{run.gives}`",
        "parameters": run.params,
        "MACs": run.macs,
        "receptive field": run.field,
    }
    return {name: value for name, value in facts.items() if value}


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def operator(name: str) -> str:
    """An operator's documentation."""
    op = OPS_BY_NAME[name]
    table = "\n".join(arguments_table(op))
    parts = [f"```arch\n{signature(op)}\n```", description(op), table, f"```arch\n{example(op)}\n```"]
    return "\n\n".join(part for part in parts if part)


def _definition(document: Document, node: tree.Node, symbol: Symbol) -> str:
    """A definition's first line and documentation; a local name's statement."""
    if not isinstance(node, tree.Block | tree.Fn):
        line = document.source.line(document.source.position(node.span.start).line).strip()
        return f"```arch\n{line}\n```"
    parts = [f"```arch\n{heading(node)}\n```", document.documentation(node)]
    parts.append(document.analysis.models.get(symbol.name, ""))
    return "\n\n".join(part for part in parts if part)


def heading(node: tree.Block | tree.Fn) -> str:
    """``block Unit(width, stride = 1)``."""
    kind = "fn" if isinstance(node, tree.Fn) else node.kind
    params = ", ".join(p.span.text for p in node.params)
    return f"{kind} {node.name.text}" + (f"({params})" if node.params else "")
