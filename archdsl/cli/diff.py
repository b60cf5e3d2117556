"""``archdsl diff``: the difference of two networks, by their layers and weights instead of lines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    open_or_fail,
    print_diff,
    print_json,
    show_diagnostics,
    shown,
    wants_color,
)
from archdsl.compiler import Spec, choose, from_buffers
from archdsl.diagnostics.base import Diagnostic
from archdsl.diff import diff
from archdsl.errors import SpecError
from archdsl.evaluate.values import BlockLayer
from archdsl.evaluate.workspace import followed, read_spec
from archdsl.model import open_model
from archdsl.source import Source
from archdsl.views.difference import Compared, Mark, html, markdown, sections, summary_lines, to_json

WIDTH = 80
"""Columns of the text if the output is not a terminal."""
COLORS: dict[Mark, int] = {"+": 32, "-": 31, "~": 33, " ": 2}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "specs", nargs="+", metavar="SPEC",
        help="two networks: paths, path:Model, names of shipped specs or models, or git:REVISION:PATH",
    )  # fmt: skip
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if there is a difference")
    parser.add_argument(
        "--git-driver", action="store_true",
        help="the arguments are those of an external diff driver of git: show the networks' difference and the text's",
    )  # fmt: skip
    add_build_arguments(parser)
    add_format_argument(parser, "markdown", "html")


def run(args: argparse.Namespace) -> int:
    if args.git_driver:
        return _drive(args)
    if len(args.specs) != 2:
        args.usage_error(f"`diff` takes two networks, not {len(args.specs)}")
    before, after = (open_or_fail(name) for name in args.specs)
    _require_good([before, after])
    compared = _compared(before, after, args)
    if args.format == "json":
        print_json({"ok": True, "equal": not any(c.differs for c in compared), "models": list(map(to_json, compared))})
    elif args.format in ("markdown", "html"):
        sys.stdout.write(markdown(compared) if args.format == "markdown" else html(compared))
    else:
        _print(compared)
    return int(args.exit_code and any(c.differs for c in compared))


def _require_good(specs: Sequence[Spec]) -> None:
    problems = [problem for spec in specs for problem in spec.diagnostics]
    if problems:
        raise SpecError(problems)


def _compared(before: Spec, after: Spec, args: argparse.Namespace) -> list[Compared]:
    """The models that the arguments name; of two files with several models, all by name."""
    chosen = choose(before), choose(after)
    if all(isinstance(model, BlockLayer) for model in chosen) or before.model or after.model:
        if before.model and not after.model and isinstance(chosen[1], Diagnostic):
            after = replace(after, model=before.model)
        elif after.model and not before.model and isinstance(chosen[0], Diagnostic):
            before = replace(before, model=after.model)
        return [_pair(before, after, args)]
    return _by_name(before, after, args)


def _by_name(before: Spec, after: Spec, args: argparse.Namespace) -> list[Compared]:
    """All models of two files that can be built without arguments.

    Raises:
        SpecError: neither file has one.
    """
    names = dict.fromkeys([*before.buildable, *after.buildable])
    if not names and isinstance(problem := choose(after), Diagnostic):
        raise SpecError([problem])
    return [
        _pair(replace(before, model=name), replace(after, model=name), args)
        if name in before.buildable and name in after.buildable
        else Compared(name if name in before.buildable else "", name if name in after.buildable else "", None)
        for name in names
    ]


def _pair(before: Spec, after: Spec, args: argparse.Namespace) -> Compared:
    x, y = (open_model(spec, dict(args.settings), dict(args.inputs)) for spec in (before, after))
    return Compared(x.name, y.name, diff(x.graph, y.graph))


# ---- a terminal --------------------------------------------------------------------------------------------


def _print(compared: Sequence[Compared]) -> None:
    color = wants_color(sys.stdout)
    for line in summary_lines(compared):
        print(shown(line))
    for each in compared:
        if each.difference is None or not each.differs:
            continue
        print(shown(each.title))
        for section in sections(each.difference):
            print(f"\n{section.title}")
            room = max((len(line.place) + 2 * line.depth for line in section.lines), default=0)
            for line in section.lines:
                _print_line(line.mark, line.place, line.text, line.depth, min(room, WIDTH // 2 - 4), color)
        print()


def _print_line(mark: Mark, place: str, text: str, depth: int, room: int, color: bool) -> None:
    """A line, folded to the width of the terminal."""
    from textwrap import wrap

    from archdsl.cli.tables import terminal_width

    indent = "  " * depth
    start = f"  {mark} {indent}{shown(place).ljust(room - 2 * depth)}  " if place else f"  {mark} {indent}"
    width = max(40, min(terminal_width(), WIDTH))
    if len(start) + len(text) <= width:
        lines = [start + shown(text)]
    else:
        is_long = len(start) > width // 2
        behind = " " * (8 if is_long else len(start))
        lines = [start.rstrip()] if is_long else []
        first = behind if is_long else start
        lines += wrap(shown(text), width, initial_indent=first, subsequent_indent=behind, break_on_hyphens=False)
    for found in lines:
        print(f"\x1b[{COLORS[mark]}m{found}\x1b[0m" if color else found.rstrip())


# ---- a driver of git ---------------------------------------------------------------------------------------


def _drive(args: argparse.Namespace) -> int:
    """Shows one file as git asks a driver to; always 0, because git stops at the first driver that fails.

    git gives the path, and for each side a file with the text, its hash and its mode. Files that the spec uses are read
    from the working tree.
    """
    if len(args.specs) not in (7, 9):
        args.usage_error("git calls a driver with 7 or 9 arguments")
    path, old, _, _, new = args.specs[:5]
    texts = [_side(name) for name in (old, new)]
    print(f"archdsl diff {shown(path)}")
    try:
        if any(text is None for text in texts):
            print("new file" if texts[0] is None else "file removed")
        else:
            before, after = (_of_text(Path(path), text or "") for text in texts)
            _print(_by_name(before, after, args))
    except SpecError as error:
        show_diagnostics(error.diagnostics)
    print_diff(Source(path, texts[0] or ""), texts[1] or "")
    return 0


def _side(name: str) -> str | None:
    """The text of one side; None if the file does not exist there.

    Raises:
        SpecError: it cannot be read.
    """
    if name == "/dev/null":
        return None
    text = read_spec(Path(name))
    if isinstance(text, Diagnostic):
        raise SpecError([text])
    return text


def _of_text(path: Path, text: str) -> Spec:
    spec = from_buffers(path, {followed(path): text})
    if isinstance(spec, Diagnostic):
        raise SpecError([spec])
    _require_good([spec])
    return spec
