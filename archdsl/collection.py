"""Python's cyclic garbage collector, paused while much is made and nothing dropped."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collection() -> Iterator[None]:
    """While a tree, a graph or source is made: the collector would walk it all again and again, and free nothing.

    With it, the cost of a spec grows faster than its length.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
