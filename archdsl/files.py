"""How results are written: whole or not at all, through symbolic links, and never over an input."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from archdsl.diagnostics.files import CannotRead, CannotWrite, OutputIsInput
from archdsl.errors import SpecError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that no one ever sees half of it.

    Raises:
        SpecError: it cannot be written; what was there is untouched.
    """
    with whole(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary file whose content ``path`` has at the end, if nothing went wrong.

    Symbolic links are followed: the file that they lead to is the one that is replaced, and keeps its permissions. A
    device, a pipe or a socket is written into.

    Raises:
        SpecError: the folder or the disk does not allow it; what was there is untouched.
    """
    temporary: Path | None = None
    try:
        found = _existing(path)
        is_stream = found is not None and not stat.S_ISREG(found.st_mode)
        target = path if is_stream else Path(os.path.realpath(path))
        temporary = _temporary(None if is_stream else target, path.parent)
        if not is_stream:
            _take_over(found, temporary)
        yield temporary
        if is_stream:
            _pour(temporary, target)
        else:
            os.replace(temporary, target)
    except OSError as error:
        raise SpecError([cannot_write(path, error)]) from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def keep_inputs(output: Path, inputs: Iterable[Path | int]) -> None:
    """Hold that an output is none of the files that a command reads, whatever they are called.

    Args:
        output: the file to write.
        inputs: paths, or descriptors of open files.

    Raises:
        SpecError: it is one of them.
    """
    try:
        there = output.stat()
    except (OSError, ValueError):
        return  # nothing to lose
    for given in inputs:
        with suppress(OSError, ValueError):
            if stat.S_ISREG(there.st_mode) and os.path.samestat(there, os.stat(given)):
                name = "standard input" if isinstance(given, int) else str(given)
                raise SpecError([OutputIsInput(span=None, path=str(output), given=name)])


def fingerprint(path: Path) -> str:
    """The name of a file and the SHA-256 of its content: ``best.pth (sha256 9f86d081…)``.

    Raises:
        SpecError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError([CannotRead(span=None, path=str(path), reason=reason)]) from None
    return f"{os.fsencode(path.name).decode(errors='replace')} (sha256 {digest})"


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Why a file cannot be written, in the system's words where there are no better ones."""
    reason = error.strerror or str(error)
    if isinstance(error, NotADirectoryError | FileExistsError):
        reason = "a part of this path is not a folder"
    elif isinstance(error, IsADirectoryError):
        reason = "it is a folder"
    elif error.errno == errno.ELOOP:
        reason = "its symbolic links lead in a circle"
    elif os.path.islink(path):
        reason = f"{reason} (it is a symbolic link to `{os.path.realpath(path)}`)"
    return CannotWrite(span=None, path=str(path), reason=reason)


def _existing(path: Path) -> os.stat_result | None:
    """What is at the path, links followed; None if nothing is.

    Raises:
        OSError: it is a folder, or may not be written.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISSOCK(found.st_mode) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return found


def _temporary(beside: Path | None, folder: Path) -> Path:
    """An empty file: in the folder of the file that it is to replace, or among the temporary ones of the system.

    ``folder`` is made where it is missing; a folder that only a link leads to is not.
    """
    if beside is None:
        handle, name = tempfile.mkstemp()
    else:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{beside.name[:40]}.", dir=beside.parent)
    os.close(handle)
    return Path(name)


def _take_over(found: os.stat_result | None, temporary: Path) -> None:
    """Give the temporary file the owner and the permissions of the file that it replaces, or a new file's."""
    if found is None:
        os.chmod(temporary, 0o666 & ~_umask())
        return
    with suppress(OSError, AttributeError):  # only root gives files away, and Windows knows no such owners
        os.chown(temporary, found.st_uid, found.st_gid)
    os.chmod(temporary, stat.S_IMODE(found.st_mode))


def _pour(temporary: Path, target: Path) -> None:
    """Write the content of a file into a device, a pipe or a socket, which is opened and never made."""
    with temporary.open("rb") as content:
        if stat.S_ISSOCK(target.stat().st_mode):
            import socket  # rarely needed, and slow to import

            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(target))
                connection.sendfile(content)
            return
        with os.fdopen(os.open(target, os.O_WRONLY), "wb") as stream:
            shutil.copyfileobj(content, stream)


def _umask() -> int:
    """The process's file mode mask: `mkstemp` makes files private, which a written result is not."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
