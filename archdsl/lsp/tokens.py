"""Semantic tokens: what a highlighter that knows no names cannot tell."""

from __future__ import annotations

from lsprotocol.types import SemanticTokenModifiers, SemanticTokens, SemanticTokensLegend, SemanticTokenTypes

from archdsl.lsp.document import Document
from archdsl.lsp.names import Occurrence
from archdsl.lsp.positions import position, units

TYPES = (
    SemanticTokenTypes.Function,
    SemanticTokenTypes.Class,
    SemanticTokenTypes.Parameter,
    SemanticTokenTypes.Variable,
    SemanticTokenTypes.Property,
    SemanticTokenTypes.TypeParameter,
)
LEGEND = SemanticTokensLegend(
    [t.value for t in TYPES], [SemanticTokenModifiers.Declaration.value, SemanticTokenModifiers.DefaultLibrary.value]
)


def tokens(document: Document) -> SemanticTokens:
    """Each name with its kind, as the protocol packs them: line and column relative to the one before."""
    params = {p.name.text for d in document.file.definitions for p in getattr(d, "params", ())}
    data: list[int] = []
    line = column = 0
    for name in document.names:
        kind = _kind(name, params)
        if kind is None:
            continue
        at = position(document.source, name.span.start)
        data += [
            at.line - line,
            at.character - (column if at.line == line else 0),
            units(name.span.text),
            TYPES.index(kind),
            _modifiers(name),
        ]
        line, column = at.line, at.character
    return SemanticTokens(data)


def _kind(name: Occurrence, params: set[str]) -> SemanticTokenTypes | None:
    if name.role == "label" or name.role == "attribute":
        return SemanticTokenTypes.Property
    if name.role == "argument":
        return SemanticTokenTypes.Parameter
    if name.symbol is None:
        return None
    if name.symbol.file == "":
        return SemanticTokenTypes.Function
    if name.symbol.scope < 0:
        return SemanticTokenTypes.Class
    if name.symbol.name in params:
        return SemanticTokenTypes.Parameter
    return SemanticTokenTypes.TypeParameter if name.symbol.name.isupper() else SemanticTokenTypes.Variable


def _modifiers(name: Occurrence) -> int:
    return (1 if name.role == "definition" else 0) | (2 if name.symbol is not None and name.symbol.file == "" else 0)
