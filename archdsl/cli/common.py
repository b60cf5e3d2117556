"""Shared parts of the commands: the SPEC argument, settings, building, and output of results and errors."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archdsl.compiler import Spec, from_text, open_spec, parse_shape
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import CannotRead
from archdsl.diagnostics.layout import printable
from archdsl.diagnostics.render import render, to_json
from archdsl.dims import Size
from archdsl.errors import SpecError
from archdsl.model import Model, open_model
from archdsl.source import Source

LEAST_WIDTH = 40
"""Width of diagnostics on the narrowest terminal, in columns."""
DIFF_COLORS = {"+": 32, "-": 31, "@": 36}
SPEC_HELP = "a path, path:Model, the name of a shipped spec or model (resnet50), or - for standard input"


def add_spec_argument(parser: argparse.ArgumentParser, name: str = "spec", **options: Any) -> None:
    """The SPEC argument, which a shell completes with files and names of shipped models."""
    action = parser.add_argument(name, **{"metavar": "SPEC", "help": SPEC_HELP, **options})
    action.completer = _complete_spec  # pyright: ignore[reportAttributeAccessIssue]  # where argcomplete looks for it


def _complete_spec(prefix: str, **_: Any) -> list[str]:
    from argcomplete.completers import FilesCompleter

    from archdsl.compiler import shipped_models

    return [*(name for name in shipped_models() if name.startswith(prefix)), *FilesCompleter(["arch"])(prefix)]


def add_output_argument(parser: argparse._ActionsContainer, help: str, **options: Any) -> None:
    """``-o``, ``--output``: the file or folder that a command writes. ``--out`` is short for it."""
    parser.add_argument("-o", "--output", help=help, **options)


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """``--set`` and ``--input``."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", type=_setting, dest="settings",
        help="value of a model parameter (classes=17, act=relu); repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--input", action="append", default=[], metavar="[NAME=]SHAPE", type=_input, dest="inputs",
        help="shape of an input (8x3x224x224 or Nx3xHxW); NAME= if the model has several inputs; repeatable",
    )  # fmt: skip


def output_file(*endings: str) -> Callable[[str], Path]:
    """Reads the name of a file to write, for argparse; it must have one of the endings, if any are given."""
    listed = " or ".join(filter(None, [", ".join(endings[:-1]), *endings[-1:]]))

    def read(text: str) -> Path:
        if not text or text.endswith(("/", os.sep)) or Path(text).name in ("", "..", "."):
            raise argparse.ArgumentTypeError(f"{text!r} is not a file name")
        if endings and Path(text).suffix.lower() not in endings:
            raise argparse.ArgumentTypeError(f"{text!r} does not end in {listed}")
        return Path(text)

    return read


def output_folder(text: str) -> Path:
    """Reads the name of a folder to write into, for argparse."""
    if not text:
        raise argparse.ArgumentTypeError("the folder name is empty")
    return Path(text)


def levels(text: str) -> int:
    """A number of levels of the module tree, for argparse."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of levels")
    return int(text)


def is_standard_output(path: Path) -> bool:
    """Whether a path is another name of standard output: `-`, or `/dev/stdout`."""
    if str(path) == "-":
        return True
    try:
        return path.parts[:2] in (("/", "dev"), ("/", "proc")) and os.path.samefile(path, sys.stdout.fileno())
    except (OSError, ValueError):
        return False


def add_format_argument(parser: argparse.ArgumentParser, *more: str) -> None:
    """Adds ``--format``; ``more`` are formats besides text and JSON."""
    parser.add_argument(
        "--format", choices=("text", "json", *more), default="text", help="output format (default: text)"
    )


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier() or not value.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value.strip()


def _input(text: str) -> tuple[str | None, tuple[Size, ...]]:
    name, equals, shape = text.rpartition("=")
    sizes = parse_shape(shape)
    if sizes is None:
        raise argparse.ArgumentTypeError(f"{shape!r} is not a shape such as 8x3x224x224 or Nx3xHxW")
    return (name if equals else None), sizes


def open_or_fail(name: str, inputs: Sequence[tuple[str | None, Sequence[Size]]] = ()) -> Spec:
    """Returns the spec that an argument names; that of a network of another package (``timm:resnet18``) is imported.

    Args:
        inputs: names and shapes of its example inputs, if it is imported; the usual ones of the package without them.

    Raises:
        SpecError: it cannot be read.
    """
    if ":" in name and is_imported(name):
        from archdsl.importing.api import imported

        shapes = [[size for size in shape if isinstance(size, int)] for _, shape in inputs]
        known = [sizes for sizes, (_, shape) in zip(shapes, inputs, strict=True) if len(sizes) == len(shape)]
        return from_text(imported(name, known).text, name)
    spec = open_spec(name)
    if isinstance(spec, Diagnostic):
        raise SpecError([spec])
    return spec


def is_imported(name: str) -> bool:
    """Returns whether an argument names a network of another package."""
    from archdsl.importing.sources.named import is_network

    return is_network(name)


def spec_names(names: Sequence[str], problems: list[Diagnostic]) -> list[str]:
    """Returns SPEC arguments with each folder replaced by the specs below it, in order of name; each once.

    A folder without specs is added to the ``problems``.
    """
    found: dict[str, None] = {}
    for name in names:
        if not Path(name).is_dir():
            found[name] = None
            continue
        below = sorted(str(path) for path in Path(name).rglob("*.arch") if path.is_file())
        if not below:
            problems.append(CannotRead(span=None, path=name, reason="there is no `.arch` file in this folder"))
        found.update(dict.fromkeys(below))
    return list(found)


def load_model(name: str, args: argparse.Namespace, settings: Mapping[str, str] = MappingProxyType({})) -> Model:
    """The model that a SPEC argument means, built with ``--set`` and ``--input``, and more ``settings`` of a command.

    Raises:
        SpecError: something is wrong with it.
    """
    return open_model(open_or_fail(name, args.inputs), {**dict(args.settings), **settings}, dict(args.inputs))


# ---- showing -----------------------------------------------------------------------------------------------


def shown(name: object) -> str:
    """Returns a name without control characters, safe for a terminal."""
    return printable(str(name))


def report_written(path: object, facts: str = "") -> None:
    """Prints that a file or a folder was written, and facts about it."""
    print(f"wrote {shown(path)}{': ' if facts else ''}{facts}")


def wants_color(stream: Any) -> bool:
    """Returns whether to print in color.

    ``NO_COLOR`` switches color off (https://no-color.org), else ``FORCE_COLOR`` switches it on
    (https://force-color.org); without them, terminals get color.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width_of(stream: Any) -> int | None:
    """Returns the columns of a stream: ``COLUMNS``, else those of its terminal; None if it is not a terminal."""
    if stream.isatty() or _POSITIVE.fullmatch(os.environ.get("COLUMNS", "")):
        return shutil.get_terminal_size().columns
    return None


_POSITIVE = re.compile("[1-9][0-9]{0,3}")


def print_diff(source: Source, after: str) -> None:
    """Prints the changes to a text as a unified diff."""
    color = wants_color(sys.stdout)
    name = shown(source.name)
    before = source.text.splitlines(keepends=True)
    for line in difflib.unified_diff(before, after.splitlines(keepends=True), name, name):
        text = line.rstrip("\n")
        print(f"\x1b[{DIFF_COLORS[line[0]]}m{text}\x1b[0m" if color and line[0] in DIFF_COLORS else text)


def show_diagnostics(diagnostics: Sequence[Diagnostic], format: str = "text") -> None:
    """Diagnostics on stderr as text; as JSON on stdout, where a program reads."""
    if format == "json":
        print_json({"ok": False, "diagnostics": [to_json(d) for d in diagnostics]})
        return
    width = width_of(sys.stderr)
    print(render(diagnostics, wants_color(sys.stderr), width and max(LEAST_WIDTH, width)), file=sys.stderr)
    errors = sum(d.level == "error" for d in diagnostics)
    if errors > 1:
        print(f"\n{errors:,} errors", file=sys.stderr)


def print_json(facts: Any) -> None:
    """Prints JSON: symbolic sizes as text, NaN and infinity as null.

    Control characters that JSON allows are escaped too, because the output may go to a terminal.
    """
    text = json.dumps(_finite(facts), indent=2, ensure_ascii=False, default=str, allow_nan=False)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def _finite(facts: Any) -> Any:
    if isinstance(facts, Mapping):
        return {name: _finite(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_finite(value) for value in facts]
    return None if isinstance(facts, float) and not isfinite(facts) else facts
