"""``archdsl fmt``: formats specs."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

from archdsl.cli.common import show_diagnostics, shown, wants_colour
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import CannotRead
from archdsl.errors import SpecError
from archdsl.evaluate.workspace import STDIN, decoded, descriptor, read_descriptor, read_spec
from archdsl.files import write_whole
from archdsl.formatting import format_source
from archdsl.source import Source

COLOURS = {"+": 32, "-": 31, "@": 36}


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
    for path in _specs(args.paths, problems):
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


def _specs(names: list[str], problems: list[Diagnostic]) -> Iterator[Path]:
    """The files that the arguments name, each once, those of a folder in order of their names."""
    found: dict[Path, None] = {}
    for path in map(Path, names):
        if path.is_dir():
            below = sorted(p for p in path.rglob("*.arch") if p.is_file())
            if not below:
                problems.append(CannotRead(span=None, path=str(path), reason="there is no `.arch` file in this folder"))
            found.update(dict.fromkeys(below))
        else:
            found[path] = None
    return iter(found)


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
        _print_diff(source, laid_out)
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


def _print_diff(source: Source, after: str) -> None:
    colour = wants_colour(sys.stdout)
    name = shown(source.name)
    before = source.text.splitlines(keepends=True)
    for line in difflib.unified_diff(before, after.splitlines(keepends=True), name, name):
        text = line.rstrip("\n")
        print(f"\x1b[{COLOURS[line[0]]}m{text}\x1b[0m" if colour and line[0] in COLOURS else text)


def _count(changed: int, unchanged: int, dry: bool) -> None:
    """``2 specs formatted, 1 left as it was``."""
    done = f"{'would be ' if dry else ''}formatted"
    parts = [f"{n} spec{'s' * (n != 1)} {what}" for n, what in ((changed, done), (unchanged, "already formatted")) if n]
    if parts:
        print(", ".join(parts))
