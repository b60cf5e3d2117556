"""Writes specs/index.json, the facts that `archdsl list` prints: `python docs/index.py`.

A test fails if the file is outdated.
"""

from __future__ import annotations

import json

from archdsl.cli.list import INDEX, measured
from archdsl.compiler import library_root


def text() -> str:
    """The networks as JSON, one a line, so that a change is one line."""
    lines = ",\n".join(f" {json.dumps(network)}" for network in measured())
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    (library_root() / INDEX).write_text(text(), encoding="utf-8")
