"""The shape of a text: its symbols, the parts that fold, and the sizes behind its statements."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol.types import (
    DocumentSymbol,
    FoldingRange,
    FoldingRangeKind,
    InlayHint,
    InlayHintKind,
    SymbolKind,
)

from archdsl.lsp.document import Document
from archdsl.lsp.facts import Run
from archdsl.lsp.positions import position, range_of
from archdsl.source import Span
from archdsl.syntax import tree

KINDS = {"model": SymbolKind.Class, "block": SymbolKind.Struct}


def symbols(document: Document) -> list[DocumentSymbol]:
    """Definitions, and the modules within each by their labels."""
    return [s for d in document.file.definitions if (s := _symbol(d)) is not None]


def _symbol(definition: tree.Definition) -> DocumentSymbol | None:
    match definition:
        case tree.Block():
            name = definition.name
            return _made(name.text, definition.kind, KINDS[definition.kind], definition, name.span, _within(definition))
        case tree.Fn():
            return _made(definition.name.text, "fn", SymbolKind.Function, definition, definition.name.span)
        case tree.Let():
            return _made(definition.pattern.span.text, "let", SymbolKind.Constant, definition, definition.pattern.span)
        case tree.Claim():
            text = definition.text
            return _made(text.value or '""', "claim", SymbolKind.Boolean, definition, text.span)
    return None


def _within(node: tree.Node) -> list[DocumentSymbol]:
    """Labelled layers and declared modules below a node, nested as their text is."""
    found: list[DocumentSymbol] = []
    for child in tree.children(node):
        if isinstance(child, tree.Labelled):
            label, what = child.label.span, child.item.span.text.partition("{")[0].partition("(")[0].strip()
            found.append(_made(label.text, what, SymbolKind.Field, child, label, _within(child.item)))
        elif isinstance(child, tree.Declare):
            label = child.label.span
            found.append(_made(label.text, "let", SymbolKind.Field, child, label, _within(child.layer)))
        else:
            found += _within(child)
    return found


def _made(
    name: str, detail: str, kind: SymbolKind, node: tree.Node, at: Span, children: list[DocumentSymbol] | None = None
) -> DocumentSymbol:
    return DocumentSymbol(name, kind, range_of(node.span), range_of(at), detail, children=children or [])


def folds(document: Document) -> list[FoldingRange]:
    """Bodies and open brackets of several lines, and comments of several."""
    source = document.source
    found: dict[int, FoldingRange] = {}
    for definition in document.file.definitions:
        for node in tree.walk(definition):
            if isinstance(node, tree.Body | tree.ListOf | tree.Comprehension | tree.Call):
                first, last = source.position(node.span.start).line - 1, source.position(node.span.end).line - 1
                if isinstance(node, tree.Call):
                    first = source.position(node.callee.span.end).line - 1
                if last > first:
                    found.setdefault(first, FoldingRange(first, last - 1 if last - 1 > first else last))
    return [*found.values(), *_comments(document)]


def _comments(document: Document) -> Iterator[FoldingRange]:
    lines = [document.source.position(c.span.start).line - 1 for c in document.file.comments]
    start = 0
    for i in range(1, len(lines) + 1):
        if i == len(lines) or lines[i] != lines[i - 1] + 1:
            if lines[i - 1] > lines[start]:
                yield FoldingRange(lines[start], lines[i - 1], kind=FoldingRangeKind.Comment)
            start = i


def hints(document: Document, start: int, end: int) -> list[InlayHint]:
    """The shape behind each step between two offsets, where it is known."""
    by_end: dict[int, list[tuple[int, int]]] = {}
    for place in document.facts:
        by_end.setdefault(place[1], []).append(place)
    found = []
    for definition in document.file.definitions:
        if definition.span.end < start or definition.span.start > end:
            continue
        for node in tree.walk(definition):
            if isinstance(node, tree.Step) and start <= node.span.end <= end and node.shape is None:
                places = by_end.get(node.chain.span.end, [])
                label = _shape(document.facts[min(places)]) if places else ""
                if label:
                    found.append(_hint(document, node, label))
    return found


def _hint(document: Document, node: tree.Step, label: str) -> InlayHint:
    return InlayHint(position(document.source, node.span.end), label, InlayHintKind.Type, padding_left=True)


def _shape(runs: list[Run]) -> str:
    """``[N, 64, 56, 56]``; of runs that differ, the first and the last."""
    shapes = list(dict.fromkeys(run.gives for run in runs if run.gives))
    return shapes[0] if len(shapes) == 1 else f"{shapes[0]} … {shapes[-1]}" if shapes else ""
