"""``archdsl fmt``: formats specs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from archdsl.cli.common import print_diff, show_diagnostics, shown, spec_names
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import CannotRead
from archdsl.errors import SpecError
from archdsl.evaluate.workspace import STDIN, decoded, descriptor, read_descriptor, read_spec
from archdsl.files import write_whole
from archdsl.formatting import format_source
from archdsl.source import Source


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="spec, folder of specs, or - to format standard input to standard output",
    )
    parser.add_argument("--check", action="store_true", help="dry run: exit with 1 if a spec would change")
    parser.add_argument("--diff", action="store_true", help="dry run: print the changes as a diff")


def run(args: argparse.Namespace) -> int:
    """Formats the specs. Returns 1 if a spec has an error or, with --check or --diff, would change."""
    problems: list[Diagnostic] = []
    changed = unchanged = 0
    for path in map(Path, spec_names(args.paths, problems)):
        try:
            if _format(path, args):
                changed += 1
            else:
                unchanged += 1
        except SpecError as error:
            problems += error.diagnostics
    if not any(descriptor(path) == 0 for path in args.paths):
        _count(changed, unchanged, dry=args.check or args.diff)
    if problems:
        sys.stdout.flush()
        show_diagnostics(problems)
    return 1 if problems or (changed and (args.check or args.diff)) else 0


def _format(path: Path, args: argparse.Namespace) -> bool:
    """Whether a spec is not laid out as it should be; it is then written anew, or only shown.

    Raises:
        SpecError: it cannot be read, is not a spec, or cannot be written.
    """
    standard = descriptor(str(path)) == 0
    before, text = _standard_input() if standard else _read(path)
    source = Source(STDIN if standard else str(path), text)
    laid_out = format_source(source)
    if not isinstance(laid_out, str):
        raise SpecError(laid_out)
    after = (laid_out.replace("\n", "\r\n") if b"\r\n" in before else laid_out).encode()
    if args.diff:
        print_diff(source, laid_out)
    elif args.check:
        if after != before:
            print(f"would format {shown(source.name)}")
    elif standard:
        sys.stdout.write(laid_out)
    elif after != before:
        write_whole(path, after)
        print(f"formatted {shown(path)}")
    return after != before


def _read(path: Path) -> tuple[bytes, str]:
    """A file as it is and as text.

    Raises:
        SpecError: it cannot be read.
    """
    text = read_spec(path)
    if isinstance(text, Diagnostic):
        raise SpecError([text])
    return path.read_bytes(), text


def _standard_input() -> tuple[bytes, str]:
    """Standard input as it is and as text.

    Raises:
        SpecError: it cannot be read, or is not UTF-8.
    """
    raw = read_descriptor(0)
    if isinstance(raw, Diagnostic):
        raise SpecError([raw])
    text = decoded(raw)
    if text is None:
        raise SpecError([CannotRead(span=None, path=STDIN, reason="it is not UTF-8 text")])
    return raw, text


def _count(changed: int, unchanged: int, dry: bool) -> None:
    """``2 specs formatted, 1 left as it was``."""
    done = f"{'would be ' if dry else ''}formatted"
    parts = [f"{n} spec{'s' * (n != 1)} {what}" for n, what in ((changed, done), (unchanged, "already formatted")) if n]
    if parts:
        print(", ".join(parts))
