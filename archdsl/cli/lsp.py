"""``archdsl lsp``: the language server, over standard input and output."""

from __future__ import annotations

import argparse
import sys
from typing import BinaryIO, cast

from archdsl.diagnostics.files import MissingExtra
from archdsl.errors import SpecError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stdio", action="store_true", help="communicate over standard input and output (always on)")


def run(args: argparse.Namespace) -> int:
    """Serves until the editor closes the connection."""
    try:
        from archdsl.lsp.protocol import Bounded
        from archdsl.lsp.server import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise SpecError([MissingExtra(span=None, what="the language server", package="pygls", extra="lsp")]) from None
    server.start_io(cast(BinaryIO, Bounded(sys.stdin.buffer)))  # of which pygls reads lines and bytes
    return 0
