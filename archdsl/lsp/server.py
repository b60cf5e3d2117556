"""The server: the requests of the protocol, each answered by a function of this room."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from archdsl import __version__
from archdsl.diagnostics.base import Diagnostic
from archdsl.formatting import format_source
from archdsl.lsp import complete, outline, tokens
from archdsl.lsp.analysis import analyse
from archdsl.lsp.document import Document
from archdsl.lsp.hover import hover
from archdsl.lsp.names import Symbol
from archdsl.lsp.positions import offset, position, range_of
from archdsl.lsp.problems import fixes, shown
from archdsl.lsp.project import Project, is_shipped

PAUSE = 0.1
"""Seconds without a key stroke after which a text is built."""


class Server(LanguageServer):
    """Questions about the text are answered at once; models are built by a process beside, when the keys rest."""

    def __init__(self) -> None:
        super().__init__("archdsl", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)
        self.project = Project()
        self._builder = _builder()
        self._waiting: dict[str, asyncio.Task] = {}

    def document(self, where: lsp.TextDocumentIdentifier) -> Document:
        """The text as the editor has it now."""
        return self.project.open.get(where.uri) or self.changed(where.uri)

    def changed(self, uri: str, pause: float = PAUSE) -> Document:
        """Take over the editor's text, and build it when nothing has changed for ``pause`` seconds."""
        text = self.workspace.get_text_document(uri).source.replace("\r\n", "\n")
        document = self.project.set_text(uri, text)
        self.forget(uri)
        self._waiting[uri] = asyncio.get_running_loop().create_task(self._build(uri, pause))
        return document

    def forget(self, uri: str) -> None:
        if uri in self._waiting:
            self._waiting.pop(uri).cancel()

    async def _build(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        document = self.project.open[uri]
        if document.problems:
            self.publish(document, document.problems)
        run = asyncio.get_running_loop().run_in_executor
        try:
            found = await run(self._builder, analyse, document.path, self.project.buffers())
        except BrokenProcessPool:  # killed, for want of memory say: the next text finds another
            self._builder = _builder()
            return
        current = self.project.open.get(uri)
        if current is not None and current.source.text == found.text:
            self.publish(self.project.learn(uri, found), found.diagnostics)
            if self._refreshes_hints():
                self.workspace_inlay_hint_refresh(None)

    def _refreshes_hints(self) -> bool:
        workspace = self.client_capabilities.workspace
        return bool(workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support)

    def publish(self, document: Document, problems: Iterable[Diagnostic]) -> None:
        found = shown(problems, document.source, lambda source: self.project.uri_of(source, document))
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(document.uri, found))


def _builder() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"))


server = Server()


# ---- texts -------------------------------------------------------------------------------------------------


@server.feature(lsp.INITIALIZED)
def initialized(server: Server, params: lsp.InitializedParams) -> None:
    folders = [to_fs_path(uri) for uri in server.workspace.folders] or [server.workspace.root_path]
    server.project.roots = [Path(folder).resolve() for folder in folders if folder]


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
async def opened(server: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    server.changed(params.text_document.uri, pause=0)


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
async def changed(server: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    server.changed(params.text_document.uri)


@server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
async def saved(server: Server, params: lsp.DidSaveTextDocumentParams) -> None:
    for uri in list(server.project.open):  # a file that others use may be the one
        server.changed(uri)


@server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
def closed(server: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    server.forget(uri)
    server.project.open.pop(uri, None)
    server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


# ---- what stands at a place --------------------------------------------------------------------------------


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
async def on_hover(server: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    document = server.document(params.text_document)
    text, word = hover(document, offset(document.source, params.position), server.project.find)
    if not text:
        return None
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), range_of(word) if word is not None else None)


@server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(["(", ",", " ", "."], resolve_provider=True))
async def on_completion(server: Server, params: lsp.CompletionParams) -> lsp.CompletionList:
    document = server.document(params.text_document)
    found = complete.completions(document, offset(document.source, params.position), server.project.find)
    return lsp.CompletionList(is_incomplete=False, items=found)


@server.feature(lsp.COMPLETION_ITEM_RESOLVE)
def on_resolve(server: Server, item: lsp.CompletionItem) -> lsp.CompletionItem:
    return complete.resolve(item)


@server.feature(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, lsp.SignatureHelpOptions(["(", ","]))
async def on_signature(server: Server, params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
    document = server.document(params.text_document)
    return complete.signature_help(document, offset(document.source, params.position), server.project.find)


# ---- names -------------------------------------------------------------------------------------------------


def _symbol(server: Server, params: Any) -> Symbol | None:
    """What the name at the place of a request means."""
    document = server.document(params.text_document)
    name = document.name_at(offset(document.source, params.position))
    return name.symbol if name is not None else None


@server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
async def on_definition(server: Server, params: lsp.DefinitionParams) -> lsp.Location | None:
    symbol = _symbol(server, params)
    found = server.project.defined_at(symbol) if symbol is not None else None
    return lsp.Location(found[0].uri, range_of(found[1].span)) if found is not None else None


@server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
async def on_references(server: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
    symbol = _symbol(server, params)
    if symbol is None or not symbol.file:
        return []
    wanted = params.context.include_declaration
    names = server.project.all_of(symbol)
    return [lsp.Location(d.uri, range_of(o.span)) for d, o in names if wanted or o.role != "definition"]


@server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
async def on_highlight(server: Server, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
    document, symbol = server.document(params.text_document), _symbol(server, params)
    return [lsp.DocumentHighlight(range_of(o.span)) for o in document.names if symbol and o.symbol == symbol]


@server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
async def on_prepare_rename(server: Server, params: lsp.PrepareRenameParams) -> lsp.Range | None:
    document = server.document(params.text_document)
    name = document.name_at(offset(document.source, params.position))
    return range_of(name.span) if name is not None and _can_rename(name.symbol) else None


@server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
async def on_rename(server: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
    symbol = _symbol(server, params)
    if symbol is None or not _can_rename(symbol) or not params.new_name.isidentifier():
        return None
    edits: dict[str, list[lsp.TextEdit]] = {}
    for document, name in server.project.all_of(symbol):
        edits.setdefault(document.uri, []).append(lsp.TextEdit(range_of(name.span), params.new_name))
    return lsp.WorkspaceEdit(edits)


def _can_rename(symbol: Symbol | None) -> bool:
    return symbol is not None and bool(symbol.file) and not is_shipped(Path(symbol.file))


# ---- the whole text ----------------------------------------------------------------------------------------


@server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
async def on_symbols(server: Server, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    return outline.symbols(server.document(params.text_document))


@server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
async def on_folding(server: Server, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
    return outline.folds(server.document(params.text_document))


@server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, tokens.LEGEND)
async def on_tokens(server: Server, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
    return tokens.tokens(server.document(params.text_document))


@server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
async def on_hints(server: Server, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    document = server.document(params.text_document)
    source = document.source
    return outline.hints(document, offset(source, params.range.start), offset(source, params.range.end))


@server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
async def on_format(server: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
    source = server.document(params.text_document).source
    laid_out = format_source(source)
    if not isinstance(laid_out, str) or laid_out == source.text:
        return []
    everything = lsp.Range(lsp.Position(0, 0), position(source, len(source.text)))
    return [lsp.TextEdit(everything, laid_out)]


@server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix]))
async def on_actions(server: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    document = server.document(params.text_document)
    built = document.analysis.text == document.source.text
    problems = document.analysis.diagnostics if built else document.problems
    return fixes(problems, params.context.diagnostics, document.source, document.uri)
