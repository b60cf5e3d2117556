"""What no command expected: faults of its surroundings, and of archdsl itself, as diagnostics."""

from __future__ import annotations

import errno
import os
import traceback
from pathlib import Path

import archdsl
from archdsl.cli import streams
from archdsl.cli.common import show_diagnostics
from archdsl.cli.streams import OutputError
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import InternalFault, MemoryExhausted, SystemRefuses
from archdsl.machine import is_out_of_memory

DEBUG = "ARCHDSL_DEBUG"
"""The environment variable that asks for Python's traceback."""


def fault(error: Exception) -> Diagnostic:
    """What an exception that came through a command means.

    Raises:
        Exception: the same one, where a traceback is asked for.
    """
    if os.environ.get(DEBUG):
        raise error
    if is_out_of_memory(error):
        return MemoryExhausted(span=None, reason=_first_line(error) or "the system gives no more")
    if isinstance(error, OSError):
        return _refused(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    name = Path(place.filename)
    root = Path(archdsl.__file__).parent
    where = name.relative_to(root) if name.is_relative_to(root) else name.name
    return InternalFault(
        span=None, kind=type(error).__name__, reason=_first_line(error) or "no reason", place=f"{where}:{place.lineno}"
    )


def undelivered(error: OutputError) -> int:
    """The exit code where standard output failed, which is reported on standard error.

    Nothing is reported where a reader has closed a pipe: ``archdsl summary resnet50 | head -1`` has what it wants.
    """
    streams.silence()
    if error.errno != errno.EPIPE:
        reason = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
        show_diagnostics([SystemRefuses(span=None, what="cannot write to standard output", reason=reason)])
    return 1


def _refused(error: OSError) -> SystemRefuses:
    reason = error.strerror or str(error)
    try:
        Path.cwd()
    except OSError:
        advice = "change to another one"
        return SystemRefuses(span=None, what="the working folder is gone", reason=reason, advice=advice)
    what = "the system refuses" if error.filename is None else f"cannot use `{os.fsdecode(error.filename)}`"
    return SystemRefuses(span=None, what=what, reason=reason)


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")
