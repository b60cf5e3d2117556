"""All files that an editor works on: those open in it, and those beside and below them on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from pygls.uris import from_fs_path, to_fs_path

from archdsl.evaluate.workspace import followed, library_root, read_spec, shown_path
from archdsl.lsp.document import Analysis, Document
from archdsl.lsp.names import Occurrence, Symbol
from archdsl.lsp.reading import Reader
from archdsl.source import Source
from archdsl.syntax import tree

MAX_FILES = 1000
"""Files that are searched for a name."""
MAX_FOLDERS = 5000
"""Folders in which such files are looked for."""


class Project:
    """Documents by their URI, and files of the disk as they were last read."""

    def __init__(self) -> None:
        self.open: dict[str, Document] = {}
        self.roots: list[Path] = []
        self._disk: dict[Path, tuple[float, Document]] = {}

    def set_text(self, uri: str, text: str) -> Document:
        """A new version of an open text; what was known of the last one is carried over."""
        before = self.open.get(uri)
        path = path_of(uri)
        source = Source(shown_path(path), text)
        known = (before.analysis, before.reader) if before is not None else (Analysis(), Reader())
        self.open[uri] = Document(uri, path, source, *known)
        return self.open[uri]

    def learn(self, uri: str, analysis: Analysis) -> Document:
        """A document with what building its text found."""
        self.open[uri] = replace(self.open[uri], analysis=analysis)
        return self.open[uri]

    def buffers(self) -> dict[Path, str]:
        return {document.path: document.source.text for document in self.open.values()}

    def uri_of(self, source: Source, document: Document) -> str:
        """Where a source is: its name is its path, as the compiler shows it."""
        if source.name == document.source.name:
            return document.uri
        return from_fs_path(str(followed(Path(source.name)))) or document.uri

    # ---- names across files ----

    def document(self, path: Path) -> Document | None:
        """The file at a path: as the editor has it, else as the disk has it."""
        for document in self.open.values():
            if document.path == path:
                return document
        try:
            changed = path.stat().st_mtime
        except (OSError, ValueError):
            return None
        known = self._disk.get(path)
        if known is None or known[0] != changed:
            text = read_spec(path)
            if not isinstance(text, str):
                return None
            document = Document(from_fs_path(str(path)) or "", path, Source(shown_path(path), text))
            self._disk[path] = (changed, document)
        return self._disk[path][1]

    def find(self, symbol: Symbol) -> tuple[Document, tree.Node] | None:
        """Where a symbol is defined: the definition, or the name that binds it."""
        document = self.document(Path(symbol.file)) if symbol.file else None
        if document is None:
            return None
        if symbol.scope < 0:
            for definition in document.file.definitions:
                if isinstance(definition, tree.Block | tree.Fn) and definition.name.text == symbol.name:
                    return document, definition
        first = next((o for o in document.names if o.symbol == symbol), None)
        return (document, tree.Name(first.span, symbol.name)) if first is not None else None

    def defined_at(self, symbol: Symbol) -> tuple[Document, Occurrence] | None:
        """The name of a symbol in its definition."""
        document = self.document(Path(symbol.file)) if symbol.file else None
        if document is None:
            return None
        own = [o for o in document.names if o.symbol == symbol]
        found = next((o for o in own if o.role == "definition"), own[0] if own else None)
        return (document, found) if found is not None else None

    def all_of(self, symbol: Symbol) -> Iterator[tuple[Document, Occurrence]]:
        """Every name that means a symbol, in all files; a local one is in its own file only."""
        paths = [Path(symbol.file)] if symbol.scope >= 0 else self._files(Path(symbol.file))
        for path in paths:
            document = self.document(path)
            if document is not None:
                yield from ((document, o) for o in document.names if o.symbol == symbol)

    def _files(self, path: Path) -> list[Path]:
        found = {path: None} | {document.path: None for document in self.open.values()}
        for root in self.roots or [path.parent]:
            for file in _specs_below(root):
                if len(found) >= MAX_FILES:
                    break
                found[followed(file)] = None
        return list(found)


def _specs_below(root: Path) -> Iterator[Path]:
    """The specs below a folder, in the first folders of it only: it may be that of all files there are."""
    for folder, inner, files in islice(os.walk(root), MAX_FOLDERS):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".arch"))


def path_of(uri: str) -> Path:
    """The file of a URI; for a text that has none yet, one beside the working folder's."""
    path = to_fs_path(uri)
    return followed(Path(path) if path and uri.startswith("file:") else Path.cwd() / "untitled.arch")


def is_shipped(path: Path) -> bool:
    """A file of the library, which nobody renames in."""
    return path.is_relative_to(library_root())
