"""The language server over its real protocol, asked by pytest-lsp's client."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import pytest_asyncio
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

SPEC = """\
arch 1
use Unit from "parts.arch"

## A net of "𝒳" units.
model Net(classes = 10, width = 16) {
  input image: [N, 3, H, W]
  stem: conv(width, 3, stride=2, pad=1) -> relu as low
  for i in 0..2 {
    unit{i}: Unit(2 * width)
  }
  last: conv(8, 1) -> relu
  concat { it; low }
  global_avgpool -> flatten
  head: linear(classes)
  output logits: [N, classes]
}

claim "𝒳 is small" { assert params(Net) < 100_000 }
"""

PARTS = """\
arch 1

## A unit.
block Unit(width, stride = 1) {
  input x: [N, C, H, W]
  c: conv(width, 3, stride=stride, pad=1)
  relu
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("specs")
    (path / "net.arch").write_text(SPEC, encoding="utf-8")
    (path / "parts.arch").write_text(PARTS, encoding="utf-8")
    return path


@pytest_lsp.fixture(
    scope="module",
    config=ClientServerConfig(server_command=[sys.executable, "-m", "archdsl", "lsp"]),
)
async def client(lsp_client: LanguageClient, folder: Path):
    root = lsp.WorkspaceFolder(folder.as_uri(), "specs")
    capabilities = client_capabilities("visual-studio-code")
    params = lsp.InitializeParams(capabilities, root_uri=folder.as_uri(), workspace_folders=[root])
    await lsp_client.initialize_session(params)
    yield
    await lsp_client.shutdown_session()


class Editor:
    """An open text, asked at places that a test writes as text before the cursor."""

    def __init__(self, client: LanguageClient, path: Path) -> None:
        self.client, self.path, self.uri, self.version = client, path, path.as_uri(), 1
        self.text = path.read_text(encoding="utf-8")
        self.id = lsp.TextDocumentIdentifier(self.uri)

    async def open(self) -> Editor:
        item = lsp.TextDocumentItem(self.uri, "arch", 1, self.text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        await self.diagnosed()
        return self

    async def write(self, text: str) -> list[lsp.Diagnostic]:
        """Replace the text, and wait until the server has built it."""
        self.version += 1
        self.text = text
        document = lsp.VersionedTextDocumentIdentifier(self.version, self.uri)
        change = lsp.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))
        return await self.diagnosed()

    async def diagnosed(self) -> list[lsp.Diagnostic]:
        await self.client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        return list(self.client.diagnostics[self.uri])

    def at(self, before: str) -> lsp.Position:
        """The place right behind some text, in UTF-16 units."""
        lines = self.text[: self.text.index(before) + len(before)].split("\n")
        return lsp.Position(len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2)

    def of(self, found: lsp.Range) -> str:
        """The text of a range on one line."""
        line = self.text.split("\n")[found.start.line].encode("utf-16-le")
        return line[2 * found.start.character : 2 * found.end.character].decode("utf-16-le")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(client: LanguageClient, folder: Path) -> Editor:
    return await Editor(client, folder / "net.arch").open()


@pytest_asyncio.fixture(loop_scope="module")
async def scratch(client: LanguageClient, folder: Path):
    """A text of the test's own."""
    path = folder / "scratch.arch"
    path.write_text("arch 1\n", encoding="utf-8")
    editor = await Editor(client, path).open()
    yield editor
    path.unlink()
    client.text_document_did_close(lsp.DidCloseTextDocumentParams(editor.id))
    await editor.diagnosed()


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def hover_text(net: Editor, before: str) -> str:
    found = await net.client.text_document_hover_async(lsp.HoverParams(net.id, net.at(before)))
    assert found is not None
    assert isinstance(found.contents, lsp.MarkupContent)
    return found.contents.value


async def test_hover_over_a_layer(net: Editor) -> None:
    text = await hover_text(net, "stem: con")
    assert "**conv 3×3, 16, /2**" in text
    assert "`[N, 3, H, W]` → `[N, 16, (H + 1) // 2, (W + 1) // 2]`" in text
    assert "| parameters | 448 |" in text
    assert "| receptive field | 3 at stride 2 |" in text
    assert "| `stride` | `1` | stride of the kernel |" in text


async def test_hover_over_a_label_a_block_a_model_and_a_name(net: Editor) -> None:
    assert "`stem`" in await hover_text(net, "  ste")
    block = await hover_text(net, "unit{i}: Un")
    assert "2 times" in block
    assert "| module | `unit0` | `unit1` |" in block
    assert "A unit." in block
    assert "parameters" in await hover_text(net, "model N")
    assert "[N, 3, H, W]" in await hover_text(net, "input ima")


async def test_hover_counts_in_utf_16(net: Editor) -> None:
    assert "model Net(classes = 10, width = 16)" in await hover_text(net, "assert params(N")


async def test_shapes_behind_statements(net: Editor) -> None:
    everything = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
    hints = await net.client.text_document_inlay_hint_async(lsp.InlayHintParams(net.id, everything))
    lines = net.text.split("\n")
    shown = {lines[h.position.line].strip(): h.label for h in hints or []}
    assert shown["head: linear(classes)"] == "[N, 10]"
    assert shown["unit{i}: Unit(2 * width)"] == "[N, 32, (H + 1) // 2, (W + 1) // 2]"
    assert shown["concat { it; low }"] == "[N, 24, (H + 1) // 2, (W + 1) // 2]"


async def completions(editor: Editor, before: str) -> dict[str, lsp.CompletionItem]:
    params = lsp.CompletionParams(editor.id, editor.at(before))
    found = await editor.client.text_document_completion_async(params)
    items = found.items if isinstance(found, lsp.CompletionList) else found or []
    return {item.label: item for item in reversed(items)}  # `pad` is an argument first, and then an operator


async def test_completion_of_statements(net: Editor) -> None:
    found = await completions(net, "for i in 0..2 {\n    ")
    assert {"batchnorm", "Unit", "Net", "width", "low", "residual", "image"} <= found.keys()
    assert "block" not in found
    item = await net.client.completion_item_resolve_async(found["batchnorm"])
    assert isinstance(item.documentation, lsp.MarkupContent)
    assert "| `eps` |" in item.documentation.value


async def test_completion_of_arguments(net: Editor) -> None:
    found = await completions(net, "conv(width, 3, stride=2, ")
    assert found["groups"].insert_text == "groups="
    assert "stride" not in {name for name, item in found.items() if item.kind == lsp.CompletionItemKind.Field}
    assert found["pad"].documentation is not None
    assert "stride" in await completions(net, "Unit(2 * width")
    assert await completions(net, '"parts.') == {}


async def test_completion_in_a_text_that_is_not_right(scratch: Editor) -> None:
    await scratch.write("model A {\n  input x: [N, 3, 8, 8]\n  c: conv(8, \n  output y\n}\n")
    assert "kernel" in await completions(scratch, "conv(8, ")


async def test_signature(net: Editor) -> None:
    async def signature(before: str) -> tuple[str, str | None]:
        params = lsp.SignatureHelpParams(net.id, net.at(before))
        found = await net.client.text_document_signature_help_async(params)
        assert found is not None
        (one,) = found.signatures
        assert one.parameters is not None
        active = found.active_parameter
        return one.label, None if active is None else str(one.parameters[active].label)

    assert (await signature("conv("))[0].startswith("conv(width, kernel, stride=1")
    assert (await signature("conv(width, "))[1] == "kernel"
    assert (await signature("conv(width, 3, stride="))[1] == "stride=1"
    assert await signature("Unit(2") == ("Unit(width, stride = 1)", "width")


async def test_definition_and_references_across_files(net: Editor, folder: Path) -> None:
    at = net.at("unit{i}: Un")
    found = await net.client.text_document_definition_async(lsp.DefinitionParams(net.id, at))
    assert isinstance(found, lsp.Location)
    assert found.uri == (folder / "parts.arch").as_uri()
    assert found.range.start == lsp.Position(3, 6)
    context = lsp.ReferenceContext(include_declaration=True)
    places = await net.client.text_document_references_async(lsp.ReferenceParams(context, net.id, at))
    assert sorted((Path(p.uri).name, p.range.start.line) for p in places or []) == [
        ("net.arch", 1),
        ("net.arch", 8),
        ("parts.arch", 3),
    ]


async def test_rename(net: Editor) -> None:
    async def renamed(before: str, name: str) -> dict[str, int]:
        found = await net.client.text_document_rename_async(lsp.RenameParams(net.id, net.at(before), name))
        return {Path(uri).name: len(edits) for uri, edits in (found.changes or {}).items()} if found else {}

    assert await renamed("unit{i}: Un", "Piece") == {"net.arch": 2, "parts.arch": 1}
    assert await renamed("(classes = 10, wid", "wide") == {"net.arch": 3}
    assert await renamed("stem: con", "other") == {}
    assert await renamed("(classes = 10, wid", "not a name") == {}


async def test_symbols_folds_and_tokens(net: Editor) -> None:
    symbols = await net.client.text_document_document_symbol_async(lsp.DocumentSymbolParams(net.id)) or []
    model, claim = (s for s in symbols if isinstance(s, lsp.DocumentSymbol))
    assert claim.name == "𝒳 is small"
    assert model.name == "Net"
    assert [c.name for c in model.children or []] == ["stem", "unit{i}", "last", "head"]
    folds = await net.client.text_document_folding_range_async(lsp.FoldingRangeParams(net.id)) or []
    assert (4, 14) in [(f.start_line, f.end_line) for f in folds]
    tokens = await net.client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(net.id))
    assert tokens is not None
    assert len(tokens.data) % 5 == 0
    assert len(tokens.data) > 100


async def test_diagnostics_while_typing(scratch: Editor) -> None:
    wrong = "model A {\n  input x: [N, 3, 8, 8]\n  c: conv(4, 9)\n  output y\n}\n"
    (problem,) = await scratch.write(wrong)
    assert (problem.code, problem.severity, problem.source) == ("A0302", lsp.DiagnosticSeverity.Error, "archdsl")
    assert scratch.of(problem.range) == "conv(4, 9)"
    assert await scratch.write(wrong.replace("9", "3")) == []


async def test_fixes_of_diagnostics(scratch: Editor) -> None:
    (problem,) = await scratch.write("model A {\n  input x: [N, 3, 8, 8]\n  k = 3\n  output y\n}\n")
    context = lsp.CodeActionContext([problem])
    params = lsp.CodeActionParams(scratch.id, problem.range, context)
    (action,) = await scratch.client.text_document_code_action_async(params) or []
    assert isinstance(action, lsp.CodeAction)
    assert action.edit is not None
    assert action.edit.changes is not None
    (edit,) = action.edit.changes[scratch.uri]
    assert (edit.new_text, edit.range.start) == ("let ", lsp.Position(2, 2))


async def test_formatting(scratch: Editor) -> None:
    await scratch.write("block A( n=2 ){conv(n,3)->relu}")
    params = lsp.DocumentFormattingParams(scratch.id, lsp.FormattingOptions(2, True))
    (edit,) = await scratch.client.text_document_formatting_async(params) or []
    assert edit.new_text == "block A(n = 2) { conv(n, 3) -> relu }\n"
