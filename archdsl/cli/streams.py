"""Standard streams: closed ones are replaced, and failures of standard output are reported."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

CLOSED = (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
"""Replacements of closed streams. Reading the first and writing the second fails, so that a missing input or output is
an error."""


class OutputError(OSError):
    """Standard output cannot be written: the disk is full, or the pipe is closed."""


class _Output(io.FileIO):
    """Standard output, whose failures raise OutputError."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError(error.errno, error.strerror) from error


class _Messages(io.FileIO):
    """Standard error; what cannot be written is dropped, because the exit code reports the failure."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def prepare() -> None:
    """Replace closed streams, and give open ones the behavior of the classes above.

    Otherwise the next file that is opened takes the number of a closed stream, and receives what libraries print.
    Characters that a terminal cannot show are escaped.
    """
    for name, mode, flags in CLOSED:
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, flags)
            stream = open(handle, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # for as long as the process
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    if sys.stdout is sys.__stdout__:  # else a caller has put one of its own in their place
        sys.stdout = _over(sys.stdout, _Output)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _over(sys.stderr, _Messages)


def silence() -> None:
    """Drop what standard output holds and what is printed from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _over(stream: Any, kind: type[io.FileIO]) -> io.TextIOWrapper:
    """A stream of the process, through a file of another kind."""
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(kind(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
