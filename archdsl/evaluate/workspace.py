"""Files and the names that they give each other. Reading is bounded: only below the spec's folder and the library."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from archdsl.diagnostics.base import Diagnostic, Edit, Label
from archdsl.diagnostics.files import CannotRead, CircularUse, NotInFile, OutsideRoot
from archdsl.diagnostics.names import DefinedTwice
from archdsl.diagnostics.nearest import did_you_mean, nearest, respelt
from archdsl.evaluate.values import ERROR, MISSING, Binding, BlockLayer, FileScope, Function, LazyLet
from archdsl.source import Source, Span
from archdsl.syntax import tree
from archdsl.syntax.parse import parse

MAX_BYTES = 1024 * 1024
"""No spec is larger (ten thousand lines are a third of it); a file that is does not hold one."""
TOO_LARGE = f"it is larger than {MAX_BYTES // 2**20} MiB"
MAX_FILES = 200
STDIN = "<stdin>"
"""The name of standard input as a source."""


@cache
def library_root() -> Path:
    """The folder of the specs that ship with the package: inside it in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


def followed(path: Path) -> Path:
    """The path with symbolic links followed, as far as they lead: one that leads to itself leads nowhere.

    A relative path stays as it is where the working folder was deleted.
    """
    try:
        return Path(os.path.realpath(path))
    except FileNotFoundError:
        return path


def descriptor(name: str) -> int | None:
    """The open file that a name on the command line means: 0 for ``-`` and ``/dev/stdin``, 63 for ``/dev/fd/63``."""
    found = _DESCRIPTOR.fullmatch(name)
    return int(found[1] or 0) if found else None


_DESCRIPTOR = re.compile(r"-|/dev/stdin|/(?:dev|proc/self)/fd/([0-9]{1,9})")


def read_descriptor(number: int) -> bytes | Diagnostic:
    """The content of an open file, or why it cannot be read as a spec."""
    try:
        if number == 0:
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with os.fdopen(number, "rb", closefd=False) as file:
                raw = file.read(MAX_BYTES + 1)
        reason = TOO_LARGE if len(raw) > MAX_BYTES else ""
    except OSError as error:
        raw, reason = b"", error.strerror or "it cannot be read"
    return CannotRead(span=None, path=opened_name(number), reason=reason) if reason else raw


def opened_name(number: int) -> str:
    """The name of an open file in messages."""
    return f"/dev/fd/{number}" if number else STDIN


def decoded(raw: bytes) -> str | None:
    """The text of a spec, its lines ended by line feeds; None if it is not UTF-8."""
    try:
        return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig").read()
    except UnicodeDecodeError:
        return None


def read_spec(path: Path, span: Span | None = None) -> str | Diagnostic:
    """The text of a file, or why it cannot be read; ``span`` is where a spec names it."""
    advice = None
    try:
        found = path.stat()
        if not (S_ISREG(found.st_mode) or S_ISDIR(found.st_mode)):
            reason = "it is a device or a pipe"  # which may have no end, or no beginning
        elif found.st_size > MAX_BYTES:
            reason = TOO_LARGE
        else:
            return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        reason, advice = "there is no such file", _similar_file(path)
    except IsADirectoryError:
        reason = "it is a folder"
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be opened"
    return CannotRead(span=span, path=str(path), reason=reason, advice=advice)


class Workspace:
    """All files of one run, each read and parsed once."""

    def __init__(self, buffers: Mapping[Path, str] | None = None) -> None:
        """``buffers``: texts that stand in for files of these (resolved) paths, as an editor has them."""
        self.diagnostics: list[Diagnostic] = []
        self._buffers = buffers or {}
        self._scopes: dict[Path, FileScope | None] = {}
        self._open: list[Path] = []

    def open(self, path: Path) -> FileScope | None:
        """The definitions of a file; None if it cannot be read, which is reported."""
        target = followed(path)
        if target not in self._scopes:
            text = self._read(path, None)
            if text is None:
                self._scopes[target] = None
            else:
                self.add(Source(self._shown(path), text), target)
        return self._scopes[target]

    def add(self, source: Source, path: Path) -> FileScope:
        """A text as the file at ``path`` (an editor's buffer, a test's snippet): parse it, and follow its ``use``s."""
        file, problems = parse(source)
        self.diagnostics.extend(problems)
        scope = FileScope(file)
        self._scopes[path] = scope
        self._open.append(path)
        for definition in file.definitions:
            self._define(definition, scope, path)
        self._open.pop()
        return scope

    def _shown(self, path: Path) -> str:
        """The name of a file in messages."""
        return shown_path(path)

    def _read(self, path: Path, span: Span | None) -> str | None:
        buffer = self._buffers.get(followed(path))
        text = read_spec(path, span) if buffer is None else buffer
        if isinstance(text, Diagnostic):
            self.diagnostics.append(text)
            return None
        return text

    # ---- definitions ----

    def _define(self, definition: tree.Definition, scope: FileScope, path: Path) -> None:
        match definition:
            case tree.Block():
                self._bind(definition.name, BlockLayer(definition=definition, file=scope), scope)
            case tree.Fn():
                self._bind(definition.name, Function(definition, scope), scope)
            case tree.Let(pattern=pattern):
                for name in tree.walk(pattern):
                    if isinstance(name, tree.Name):
                        self._bind(name, LazyLet(definition, name.text, scope), scope)
            case tree.Lost():
                for name in definition.names:
                    self._bind(name, ERROR, scope)
            case tree.Use():
                self._use(definition, scope, path)
            case tree.Version() | tree.Claim():
                pass

    def _bind(self, name: tree.Name, value: Binding, scope: FileScope) -> None:
        first = scope.places.get(name.text)
        if first is not None:
            labels = (Label(first.span, "first defined here"),)
            self.diagnostics.append(DefinedTwice(span=name.span, name=name.text, labels=labels))
            return
        scope.places[name.text] = name
        scope.env.bind(name.text, value)

    def _use(self, use: tree.Use, scope: FileScope, path: Path) -> None:
        target = self._find(use, path)
        other = self._follow(target, use) if target is not None else None
        if other is not None:
            scope.used.append(other)
        for name in use.names:
            if other is None:
                self._bind(name, ERROR, scope)
                continue
            value = other.env.lookup(name.text)
            if value is MISSING:
                self.diagnostics.append(_not_in(other, name, use))
            self._bind(name, ERROR if value is MISSING else value, scope)

    def _follow(self, target: Path, use: tree.Use) -> FileScope | None:
        if target in self._open:
            route = " → ".join(p.name for p in [*self._open[self._open.index(target) :], target])
            self.diagnostics.append(CircularUse(span=use.path.span, route=route))
            return None
        if target not in self._scopes:
            if len(self._scopes) >= MAX_FILES:
                reason = f"more than {MAX_FILES} files use each other"
                self.diagnostics.append(CannotRead(span=use.path.span, path=use.path.value, reason=reason))
                return None
            text = self._read(target, use.path.span)
            if text is None:
                self._scopes[target] = None
            else:
                self.add(Source(self._shown(target), text), target)
        return self._scopes[target]

    def _find(self, use: tree.Use, path: Path) -> Path | None:
        """The file that a ``use`` names: relative to the file that uses it, else in the library.

        It lies in the folder of the spec, in that of the file that uses it, or in the library.
        """
        text = use.path.value
        beside, library = path.parent / text, library_root()
        places = [*((root, beside) for root in (self._open[0].parent, path.parent, library)), (library, library / text)]
        inside = [p for root, place in places if root.is_dir() and (p := _below(root, place)) is not None]
        found = next((p for p in inside if p.is_file()), None) or next((p for p in inside if _exists(p)), None)
        if found is not None:
            return found
        if not inside or _exists(path.parent / text):
            self.diagnostics.append(OutsideRoot(span=use.path.span, path=text))
            return None
        self.diagnostics.append(
            CannotRead(
                span=use.path.span, path=text, reason="there is no such file here or in the library",
                advice=_similar_file(inside[0]), edits=_respelt_file(use.path, inside[0]),
            )
        )  # fmt: skip
        return None


class Bundle(NamedTuple):
    """A spec with the files that it uses, independent of any folder: the first file is the spec."""

    files: tuple[tuple[str, str, tuple[int, ...]], ...]
    """Of each file its name, its text, and for each of its ``use``s the place of the used file in this tuple."""

    @classmethod
    def of(cls, scope: FileScope) -> Bundle:
        """The bundle of a file that was opened without diagnostics."""
        scopes = [scope]
        for each in scopes:
            scopes += [used for used in dict.fromkeys(each.used) if used not in scopes]
        names = ((each.file.source.name, each.file.source.text) for each in scopes)
        return cls(tuple((*n, tuple(map(scopes.index, s.used))) for n, s in zip(names, scopes, strict=True)))

    def open(self) -> FileScope:
        """The spec's definitions, as they were where the bundle was made.

        Raises:
            ValueError: this is no bundle.
        """
        workspace = _BundleWorkspace(self)
        scope = workspace.open(Path("0"))
        if scope is None or workspace.diagnostics:
            raise ValueError("a bundle of files that do not belong together")
        return scope


class _BundleWorkspace(Workspace):
    """The files of a bundle; the path of a file is its place."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__()
        self._bundle = bundle
        self._followed: dict[Path, int] = {}
        """How many ``use``s of each file were followed."""

    def open(self, path: Path) -> FileScope | None:
        return self.add(Source(*self._bundle.files[0][:2]), path)

    def _read(self, path: Path, span: Span | None) -> str | None:
        return self._bundle.files[int(path.name)][1]

    def _find(self, use: tree.Use, path: Path) -> Path | None:
        used = self._bundle.files[int(path.name)][2]
        turn = self._followed.get(path, 0)
        self._followed[path] = turn + 1
        return Path(str(used[turn])) if turn < len(used) else None


def _below(root: Path, path: Path) -> Path | None:
    """The path with symbolic links followed, if it lies in the folder ``root``."""
    try:
        target = followed(path)
    except (OSError, ValueError):
        return None
    return target if target.is_relative_to(followed(root)) else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _not_in(other: FileScope, name: tree.Name, use: tree.Use) -> NotInFile:
    """A name that a used file lacks. It is respelt if nothing else in the text says it so."""
    known = other.env.names
    source = name.span.source
    is_said_once = len(re.findall(rf"\b{re.escape(name.text)}\b", source.text)) == 1
    return NotInFile(
        span=name.span,
        path=use.path.value,
        name=name.text,
        advice=did_you_mean(name.text, known),
        edits=respelt(name.span, name.text, known) if is_said_once else (),
    )


def _similar_file(path: Path) -> str | None:
    found = nearest(path.stem, _beside(path))
    return f"did you mean `{found}.arch`?" if found else None


def _respelt_file(said: tree.String, path: Path) -> tuple[Edit, ...]:
    """The edit that names the file beside ``path`` that was meant, where that is certain."""
    end = said.span.end - len('.arch"')
    stem = Span(said.span.source, end - len(path.stem), end)
    return respelt(stem, path.stem, _beside(path)) if said.value.endswith(".arch") else ()


def _beside(path: Path) -> list[str]:
    """The specs in the folder of a file, without their endings."""
    try:
        return [p.stem for p in path.parent.glob("*.arch")]
    except (OSError, ValueError):
        return []


def shown_path(path: Path) -> str:
    """A path as messages show it: relative to the working folder where it lies below it."""
    try:
        return str(followed(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
