"""Specs of git revisions: ``git:HEAD~1:net.arch`` is the file as it was, and so are the files that it uses.

Only git's reading commands are run, without a shell; revision and path are arguments that git cannot take for options
or patterns. Paths stay in the repository, and symbolic links are not followed.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import CannotRead, OutsideRoot
from archdsl.evaluate.values import FileScope
from archdsl.evaluate.workspace import MAX_BYTES, TOO_LARGE, Workspace, decoded, library_root
from archdsl.record import record
from archdsl.source import Source, Span
from archdsl.syntax import tree

PREFIX = "git:"
PATIENCE = 30
"""Seconds that git may take."""
ENVIRONMENT = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
}
"""No patterns in paths, no writing, no questions, and nothing from the network."""


class Unreadable(Exception):
    """A revision or a file in it cannot be read; the text is the reason."""


@record
class Revision:
    """A commit of the repository in ``top``; ``name`` is how it was named."""

    name: str
    commit: str
    top: Path

    @classmethod
    def open(cls, name: str) -> Revision:
        """The revision of the repository around the working folder.

        Raises:
            Unreadable: there is no such revision, or no repository.
        """
        top = Path(os.fsdecode(_git("rev-parse", "--show-toplevel").rstrip(b"\n")))
        try:
            commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except Unreadable:
            raise Unreadable(f"there is no revision `{name}` in this repository") from None
        return cls(name, commit.decode().strip(), top)

    def text(self, path: Path) -> str | None:
        """The text of a file; None if there is none at this path.

        Raises:
            Unreadable: it is no text of a spec.
        """
        inside = path.relative_to(self.top).as_posix()
        listed = _git("-C", str(self.top), "ls-tree", "-z", "--full-tree", self.commit, "--", inside)
        if not listed:
            return None
        mode, kind, blob = listed.partition(b"\t")[0].decode().split()
        if kind != "blob" or mode == "120000":
            raise Unreadable("it is a symbolic link" if kind == "blob" else "it is a folder")
        if int(_git("cat-file", "-s", blob)) > MAX_BYTES:
            raise Unreadable(TOO_LARGE)
        text = decoded(_git("cat-file", "blob", blob))
        if text is None:
            raise Unreadable("it is not UTF-8 text")
        return text

    def shown(self, path: Path) -> str:
        """The name of a file of this revision in messages."""
        return f"{PREFIX}{self.name}:{os.path.relpath(path)}"


def _git(*arguments: str) -> bytes:
    """What git prints.

    Raises:
        Unreadable: git is missing, or reports an error.
    """
    try:
        ran = subprocess.run(
            ["git", *arguments], capture_output=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, **ENVIRONMENT},
        )  # fmt: skip
    except FileNotFoundError:
        raise Unreadable("git is not installed") from None
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise Unreadable(f"git failed: {error}") from None
    if ran.returncode:
        first = ran.stderr.decode(errors="replace").strip().split("\n")[0]
        raise Unreadable(first.removeprefix("fatal: ") or "git failed")
    return ran.stdout


class RevisionWorkspace(Workspace):
    """The files of a revision; what is not in it is looked up in the shipped library."""

    def __init__(self, revision: Revision) -> None:
        super().__init__()
        self._revision = revision
        self._texts: dict[Path, str] = {}

    def open(self, path: Path) -> FileScope | None:
        """The definitions of a file at a path below the repository's top; None if it cannot be read."""
        text = self._text(path, None)
        return None if text is None else self.add(Source(self._shown(path), text), path)

    def _text(self, path: Path, span: Span | None) -> str | None:
        """The text of a file that must be in the revision; None if it cannot be read, which is reported."""
        try:
            text = self._revision.text(path)
            reason = "there is no such file in this revision"
        except Unreadable as error:
            text, reason = None, str(error)
        if text is None:
            self.diagnostics.append(CannotRead(span=span, path=self._shown(path), reason=reason))
        return text

    def _shown(self, path: Path) -> str:
        is_here = path.is_relative_to(self._revision.top)
        return self._revision.shown(path) if is_here else super()._shown(path)

    def _read(self, path: Path, span: Span | None) -> str | None:
        return self._texts[path] if path in self._texts else super()._read(path, span)

    def _find(self, use: tree.Use, path: Path) -> Path | None:
        if not path.is_relative_to(self._revision.top):
            return super()._find(use, path)
        target = Path(os.path.normpath(path.parent / use.path.value))
        is_inside = any(target.is_relative_to(root) for root in (self._open[0].parent, path.parent))
        try:
            text = self._revision.text(target) if is_inside else None
        except Unreadable as error:
            self.diagnostics.append(CannotRead(span=use.path.span, path=self._shown(target), reason=str(error)))
            return None
        if text is not None:
            self._texts[target] = text
            return target
        library = Path(os.path.normpath(library_root() / use.path.value))
        if library.is_relative_to(library_root()) and library.is_file():
            return library
        if is_inside:
            reason = "there is no such file in this revision, nor in the library"
            self.diagnostics.append(CannotRead(span=use.path.span, path=self._shown(target), reason=reason))
        else:
            self.diagnostics.append(OutsideRoot(span=use.path.span, path=use.path.value))
        return None


def open_revision(name: str) -> tuple[FileScope, tuple[Diagnostic, ...]] | Diagnostic:
    """The file that ``git:REV:path`` names, with what is wrong in it; the path is relative to the working folder."""
    revision, colon, path = name.removeprefix(PREFIX).partition(":")
    try:
        if not (revision and colon and path):
            raise Unreadable(f"write it as `{PREFIX}REVISION:PATH`")
        opened = Revision.open(revision)
        target = Path(os.path.normpath(Path.cwd() / path))
        if not target.is_relative_to(opened.top):
            raise Unreadable("it is outside this repository")
    except Unreadable as error:
        return CannotRead(span=None, path=name, reason=str(error))
    workspace = RevisionWorkspace(opened)
    scope = workspace.open(target)
    return workspace.diagnostics[0] if scope is None else (scope, tuple(workspace.diagnostics))
