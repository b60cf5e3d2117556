"""The limits of the machine that a command runs on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_ALLOCATION = re.compile(
    r"can't allocate memory|not enough memory|out of memory|bad allocation|bad_alloc"
    r"|Storage size calculation overflowed|numel: integer multiplication overflow"
)
"""The words of torch, CUDA and the C++ library."""


def memory() -> int | None:
    """The most bytes of memory, swap included, that this process can get now; None where the system does not say."""
    return min(_limits(), default=None)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that an allocation failed."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_ALLOCATION.search(str(error))))


def size_text(count: int) -> str:
    """A number of bytes as people read it: ``1.6 PB``."""
    for power, unit in enumerate(_UNITS):
        if count < 1000 ** (power + 1):
            return f"{count / 1000**power:,.{1 if power else 0}f} {unit}"
    return f"10^{len(str(count)) - 1} B"


def _limits() -> Iterator[int]:
    """The memory that is free, else all there is; the limit of the process, and that of its control group."""
    with suppress(AttributeError, ValueError, OSError):
        yield _free() or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(ImportError):
        import resource

        yield from (
            limit
            for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)
            if (limit := resource.getrlimit(kind)[0]) != resource.RLIM_INFINITY
        )
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            yield int(Path("/sys/fs/cgroup", name).read_text(encoding="ascii"))


def _free() -> int:
    """Memory and swap that Linux can give without taking them from other processes; 0 where it does not say."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except (OSError, ValueError):
        return 0
    return 1024 * sum(int(count) for count in re.findall(r"^(?:MemAvailable|SwapFree): *(\d+) kB", text, re.MULTILINE))
