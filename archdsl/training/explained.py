"""What reading pictures and computing with them can fail of, told as diagnostics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from archdsl.diagnostics.training import RunFailed, UnreadablePicture, WorkerDied
from archdsl.errors import SpecError
from archdsl.training.decode import UnreadableError


@contextmanager
def explained(what: str, advice: Callable[[], str | None] = lambda: None) -> Iterator[None]:
    """``what`` is done in here ("training"); ``advice``, asked when it has failed, says how to go on.

    Raises: SpecError, for what torch, Lightning and the system raise.
    """
    try:
        yield
    except UnreadableError as error:
        found, then = unreadable_picture(error), advice()
        raise SpecError(
            [replace(found, advice=f"replace or remove the file, then {then}") if then else found]
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        # a full disk, no memory left, a worker lost; torch's ValueError, where a batch norm sees a single number
        reason, then = first_line(error), advice()
        if "DataLoader worker" in str(error):
            died = re.sub(r".*?(is killed by signal: \w+|exited unexpectedly).*", r"it \1", reason)
            raise SpecError([WorkerDied(reason=died, advice=then or "")]) from None
        raise SpecError([RunFailed(what=what, reason=reason, advice=then)]) from error


def unreadable_picture(error: UnreadableError) -> UnreadablePicture:
    """Of the error, which may come from another process and hold the text of its traceback."""
    return UnreadablePicture(reason=str(error).rpartition(UnreadableError.marker)[2].strip())


def first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
