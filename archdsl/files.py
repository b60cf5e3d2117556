"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from archdsl.diagnostics.files import CannotWrite
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
    """A temporary file beside ``path`` that takes its place at the end, if nothing went wrong.

    Raises:
        SpecError: the folder or the disk does not allow it; what was there is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    except OSError as error:
        raise SpecError([cannot_write(path, error)]) from None
    os.close(handle)
    temporary = Path(name)
    try:
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise SpecError([cannot_write(path, error)]) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask: `mkstemp` makes files private, which a written result is not."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(span=None, path=str(path), reason=error.strerror or str(error))
