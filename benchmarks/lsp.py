"""How long the language server takes to answer after an edit, over its real protocol, while it builds beside that.

python benchmarks/lsp.py [SPEC]
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

WANTED_MS, ROUNDS, PAUSE = 100, 20, 0.15
ROOT = Path(__file__).parents[1]


class Bench:
    """An editor with one spec open, in which a digit of the first convolution is typed over and over."""

    def __init__(self, path: Path) -> None:
        self.client = LanguageClient("bench", "1")
        self.text = path.read_text(encoding="utf-8")
        self.id = lsp.TextDocumentIdentifier(path.as_uri())
        self.version = 1
        self.server = 0
        self.built = asyncio.Event()
        lines = self.text.split("\n")
        line = next(i for i, text in enumerate(lines) if "ConvNorm(" in text or "conv(" in text)
        self.at = lsp.Position(line, lines[line].index("(") + 1)
        self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda _: self.built.set())

    async def start(self) -> float:
        """Seconds from opening the spec to its diagnostics."""
        await self.client.start_io(sys.executable, "-m", "archdsl", "lsp")
        self.server = self.client._server.pid  # type: ignore[union-attr]
        await self.client.initialize_async(lsp.InitializeParams(lsp.ClientCapabilities()))
        self.client.initialized(lsp.InitializedParams())
        start = perf_counter()
        item = lsp.TextDocumentItem(self.id.uri, "arch", self.version, self.text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        await self.built.wait()
        return perf_counter() - start

    def edit(self) -> None:
        """One key stroke: a space goes in, and out again."""
        self.version += 1
        typed = self.version % 2 == 0
        end = self.at if typed else lsp.Position(self.at.line, self.at.character + 1)
        change = lsp.TextDocumentContentChangePartial(lsp.Range(self.at, end), " " if typed else "")
        document = lsp.VersionedTextDocumentIdentifier(self.version, self.id.uri)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))

    async def answer(self, ask: Callable[[], Awaitable[Any]]) -> float:
        """Milliseconds from a key stroke to the answer of a question that follows it."""
        start = perf_counter()
        self.edit()
        await ask()
        took = (perf_counter() - start) * 1000
        await asyncio.sleep(PAUSE)
        return took

    def cpu(self) -> float:
        """Milliseconds of processor time that the server has used; the process that builds is another (Linux)."""
        stat = Path(f"/proc/{self.server}/stat")
        ticks = stat.read_text().rpartition(")")[2].split()[11:13] if stat.exists() else ("nan", "nan")
        return sum(map(float, ticks)) * 1000 / os.sysconf("SC_CLK_TCK")

    def questions(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        client, everything = self.client, lsp.Range(lsp.Position(0, 0), lsp.Position(10_000, 0))
        return {
            "hover": lambda: client.text_document_hover_async(lsp.HoverParams(self.id, self.at)),
            "completion": lambda: client.text_document_completion_async(lsp.CompletionParams(self.id, self.at)),
            "signature": lambda: client.text_document_signature_help_async(lsp.SignatureHelpParams(self.id, self.at)),
            "inlay hints": lambda: client.text_document_inlay_hint_async(lsp.InlayHintParams(self.id, everything)),
            "semantic tokens": lambda: client.text_document_semantic_tokens_full_async(
                lsp.SemanticTokensParams(self.id)
            ),
            "symbols": lambda: client.text_document_document_symbol_async(lsp.DocumentSymbolParams(self.id)),
            "folding": lambda: client.text_document_folding_range_async(lsp.FoldingRangeParams(self.id)),
            "definition": lambda: client.text_document_definition_async(lsp.DefinitionParams(self.id, self.at)),
        }


async def run(path: Path) -> None:
    bench = Bench(path)
    print(f"{path.name}, {bench.text.count(chr(10))} lines: built {await bench.start():.1f} s after it was opened")
    print(f"{'ms after an edit':18}{'median':>8}{'p95':>8}{'worst':>8}{'CPU':>8}")
    worst = 0.0
    for name, ask in bench.questions().items():
        before = bench.cpu()
        took = [await bench.answer(ask) for _ in range(ROUNDS)]
        each = (bench.cpu() - before) / ROUNDS
        worst = max(worst, max(took))
        print(f"{name:18}{median(took):8.0f}{quantiles(took, n=20)[-1]:8.0f}{max(took):8.0f}{each:8.0f}")
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(f"worst of all {worst:.0f} ms (at most {WANTED_MS} ms wanted), with {load:.0f} processes on {cores} cores")
    await bench.client.shutdown_async(None)
    bench.client.exit(None)


def main() -> None:
    asyncio.run(run(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "specs/torchvision/regnet.arch").resolve()))


if __name__ == "__main__":
    main()
