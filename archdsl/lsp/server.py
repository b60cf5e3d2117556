"""The server: the requests of the protocol, each answered by a function of this room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from archdsl.diagnostics.base import Diagnostic
from archdsl.evaluate.workspace import MAX_BYTES, followed
from archdsl.formatting import format_source
from archdsl.lsp import complete, outline, tokens
from archdsl.lsp.analysis import analyse
from archdsl.lsp.document import Document
from archdsl.lsp.hover import hover
from archdsl.lsp.names import Symbol
from archdsl.lsp.positions import offset, position, range_of
from archdsl.lsp.problems import fixes, shown
from archdsl.lsp.project import Project, is_shipped, path_of
from archdsl.lsp.protocol import Protocol, unreadable
from archdsl.source import Source
from archdsl.syntax.parse import parse
from archdsl.version import __version__

Answer = Callable[["Server", Document, Any], Any]
PAUSE = 0.1
"""Seconds without a key stroke after which a text is built."""


class Server(LanguageServer):
    """Questions about the text are answered at once; models are built by a process beside, when the keys rest."""

    def __init__(self) -> None:
        kind = lsp.TextDocumentSyncKind.Incremental
        super().__init__("archdsl", __version__, text_document_sync_kind=kind, protocol_cls=Protocol)
        self.project: Project = Project()
        self._builder = _builder()
        self._waiting: dict[str, asyncio.Task[None]] = {}

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """What was no message is answered; the rest is in the log."""
        answer = unreadable(error) if source is JsonRpcException else None
        if answer is not None:
            cast(Protocol, self.protocol).refuse(None, answer)

    def document(self, where: lsp.TextDocumentIdentifier) -> Document | None:
        """The text as the editor has it now, or else as the disk has it; None where it has none that is a spec."""
        if where.uri in self.project.open:
            return self.project.open[where.uri]
        try:
            return self.project.document(path_of(where.uri)) if where.uri.startswith("file:") else None
        except ValueError:  # no address of a file
            return None

    def changed(self, uri: str, pause: float = PAUSE) -> None:
        """Take over the editor's text, and build it when nothing has changed for ``pause`` seconds."""
        text = self.workspace.text_documents[uri].source.replace("\r\n", "\n")
        if len(text) > MAX_BYTES:
            self.closed(uri)
            return
        self.project.set_text(uri, text)
        self.forget(uri)
        self._waiting[uri] = asyncio.get_running_loop().create_task(self._build(uri, pause))

    def closed(self, uri: str) -> None:
        """Forget a text that is no longer open, or too large for a spec."""
        self.forget(uri)
        self.project.open.pop(uri, None)
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

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


server: Server = Server()


def question(method: str, *options: Any) -> Callable[[Answer], Answer]:
    """Registers the answer to a request about a document; where there is no such document it is null."""

    def register(answer: Answer) -> Answer:
        async def ask(server: Server, params: Any) -> Any:
            document = server.document(params.text_document)
            return answer(server, document, params) if document is not None else None

        server.feature(method, *options)(ask)
        return answer

    return register


# ---- texts -------------------------------------------------------------------------------------------------


@server.feature(lsp.INITIALIZED)
def initialized(server: Server, params: lsp.InitializedParams) -> None:
    folders = [to_fs_path(uri) for uri in server.workspace.folders] or [server.workspace.root_path]
    server.project.roots = [followed(Path(folder)) for folder in folders if folder and "\0" not in folder]


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
    server.closed(params.text_document.uri)


# ---- what stands at a place --------------------------------------------------------------------------------


@question(lsp.TEXT_DOCUMENT_HOVER)
def on_hover(server: Server, document: Document, params: lsp.HoverParams) -> lsp.Hover | None:
    text, word = hover(document, offset(document.source, params.position), server.project.find)
    if not text:
        return None
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), range_of(word) if word is not None else None)


@question(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(["(", ",", " ", "."], resolve_provider=True))
def on_completion(server: Server, document: Document, params: lsp.CompletionParams) -> lsp.CompletionList:
    found = complete.completions(document, offset(document.source, params.position), server.project.find)
    return lsp.CompletionList(is_incomplete=False, items=found)


@server.feature(lsp.COMPLETION_ITEM_RESOLVE)
def on_resolve(server: Server, item: lsp.CompletionItem) -> lsp.CompletionItem:
    return complete.resolve(item)


@question(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, lsp.SignatureHelpOptions(["(", ","]))
def on_signature(server: Server, document: Document, params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
    return complete.signature_help(document, offset(document.source, params.position), server.project.find)


# ---- names -------------------------------------------------------------------------------------------------


def _symbol(document: Document, place: lsp.Position) -> Symbol | None:
    """What the name at a place means."""
    name = document.name_at(offset(document.source, place))
    return name.symbol if name is not None else None


@question(lsp.TEXT_DOCUMENT_DEFINITION)
def on_definition(server: Server, document: Document, params: lsp.DefinitionParams) -> lsp.Location | None:
    symbol = _symbol(document, params.position)
    found = server.project.defined_at(symbol) if symbol is not None else None
    return lsp.Location(found[0].uri, range_of(found[1].span)) if found is not None else None


@question(lsp.TEXT_DOCUMENT_REFERENCES)
def on_references(server: Server, document: Document, params: lsp.ReferenceParams) -> list[lsp.Location]:
    symbol = _symbol(document, params.position)
    if symbol is None or not symbol.file:
        return []
    wanted = params.context.include_declaration
    names = server.project.all_of(symbol)
    return [lsp.Location(d.uri, range_of(o.span)) for d, o in names if wanted or o.role != "definition"]


@question(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
def on_highlight(
    server: Server, document: Document, params: lsp.DocumentHighlightParams
) -> list[lsp.DocumentHighlight]:
    symbol = _symbol(document, params.position)
    return [lsp.DocumentHighlight(range_of(o.span)) for o in document.names if symbol and o.symbol == symbol]


@question(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
def on_prepare_rename(server: Server, document: Document, params: lsp.PrepareRenameParams) -> lsp.Range | None:
    name = document.name_at(offset(document.source, params.position))
    return range_of(name.span) if name is not None and _can_rename(name.symbol) else None


@question(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
def on_rename(server: Server, document: Document, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
    symbol = _symbol(document, params.position)
    if symbol is None or not _can_rename(symbol) or not _is_name(params.new_name):
        return None
    edits: dict[str, list[lsp.TextEdit]] = {}
    for each, name in server.project.all_of(symbol):
        edits.setdefault(each.uri, []).append(lsp.TextEdit(range_of(name.span), params.new_name))
    return lsp.WorkspaceEdit(edits)


def _is_name(text: str) -> bool:
    """Can a spec call something this? Not a word of the language."""
    return text.isidentifier() and not parse(Source("<name>", f"let {text} = 1"))[1]


def _can_rename(symbol: Symbol | None) -> bool:
    return symbol is not None and bool(symbol.file) and not is_shipped(Path(symbol.file))


# ---- the whole text ----------------------------------------------------------------------------------------


@question(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def on_symbols(server: Server, document: Document, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    return outline.symbols(document)


@question(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
def on_folding(server: Server, document: Document, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
    return outline.folds(document)


@question(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, tokens.LEGEND)
def on_tokens(server: Server, document: Document, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
    return tokens.tokens(document)


@question(lsp.TEXT_DOCUMENT_INLAY_HINT)
def on_hints(server: Server, document: Document, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    source = document.source
    return outline.hints(document, offset(source, params.range.start), offset(source, params.range.end))


@question(lsp.TEXT_DOCUMENT_FORMATTING)
def on_format(server: Server, document: Document, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
    source = document.source
    laid_out = format_source(source)
    if not isinstance(laid_out, str) or laid_out == source.text:
        return []
    everything = lsp.Range(lsp.Position(0, 0), position(source, len(source.text)))
    return [lsp.TextEdit(everything, laid_out)]


@question(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix]))
def on_actions(server: Server, document: Document, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    built = document.analysis.text == document.source.text
    problems = document.analysis.diagnostics if built else document.problems
    return fixes(problems, params.context.diagnostics, document.source, document.uri)
