"""``archdsl explain A0312``, ``archdsl explain dense-head``: explains a diagnostic, with an example and its fix."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from archdsl.checks.allow import lints
from archdsl.cli.common import wants_color
from archdsl.cli.tables import show
from archdsl.diagnostics.catalogue import catalogue
from archdsl.diagnostics.files import UnknownCode
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.errors import SpecError

WIDTH = 100


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "code", metavar="CODE|LINT",
        help="code of a message (A0312), or name of a lint (dense-head)",
    )  # fmt: skip
    parser.epilog = f"The lints are {', '.join(lints())}."


def run(args: argparse.Namespace) -> int:
    """Show the page of a code, or of the lint of a name.

    Raises:
        SpecError: there is no such code.
    """
    asked = args.code.strip()
    lint = lints().get(asked.lower().replace("_", "-"))
    code = lint.code if lint is not None else asked.upper()
    if code not in catalogue():
        advice = did_you_mean(code, catalogue()) or did_you_mean(asked.lower(), lints())
        raise SpecError([UnknownCode(span=None, asked=args.code, advice=advice)])
    text = (pages() / f"{code}.md").read_text(encoding="utf-8")
    if not wants_color(sys.stdout):
        print(text, end="")
        return 0
    from rich.markdown import Markdown

    show(Markdown(text), width=WIDTH)
    return 0


def pages() -> Path:
    """The folder of the pages: inside the package in a wheel, among the documents in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "pages"
    return inside if inside.is_dir() else package.parent / "docs" / "diagnostics"
