"""What the commands share: the SPEC argument, settings, building, and how facts and faults are shown."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archdsl.compiler import Spec, open_spec, parse_shape
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.layout import printable
from archdsl.diagnostics.render import render, to_json
from archdsl.dims import Size
from archdsl.errors import SpecError
from archdsl.model import Model, open_model

LEAST_WIDTH = 40
"""Columns to which diagnostics are laid out on the narrowest terminal."""
SPEC_HELP = "a path, path:Model, the name of a shipped spec or of a model in one (resnet50), or - for standard input"


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """``--set`` and ``--input``."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", type=_setting, dest="settings",
        help="override a parameter of the model (classes=17, act=relu); may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--input", action="append", default=[], metavar="[NAME=]SHAPE", type=_input, dest="inputs",
        help="the input's shape, such as 8x3x224x224 or Nx3xHxW; NAME= where the model has several",
    )  # fmt: skip


def output_file(*endings: str) -> Callable[[str], Path]:
    """Reads the name of a file to write, for argparse; it must have one of the endings, if any are given."""
    listed = " or ".join(filter(None, [", ".join(endings[:-1]), *endings[-1:]]))

    def read(text: str) -> Path:
        if not text or text.endswith(("/", os.sep)) or Path(text).name in ("", "..", "."):
            raise argparse.ArgumentTypeError(f"{text!r} names no file")
        if endings and Path(text).suffix.lower() not in endings:
            raise argparse.ArgumentTypeError(f"{text!r} does not end in {listed}")
        return Path(text)

    return read


def output_folder(text: str) -> Path:
    """Reads the name of a folder to write into, for argparse."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name is no folder")
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
    """``--format``, with what else than text and JSON a command can print."""
    parser.add_argument(
        "--format", choices=("text", "json", *more), default="text", help="how facts are printed (default: text)"
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


def open_or_fail(name: str) -> Spec:
    """The spec that an argument names.

    Raises:
        SpecError: it cannot be read.
    """
    spec = open_spec(name)
    if isinstance(spec, Diagnostic):
        raise SpecError([spec])
    return spec


def load_model(name: str, args: argparse.Namespace, settings: Mapping[str, str] = MappingProxyType({})) -> Model:
    """The model that a SPEC argument means, built with ``--set`` and ``--input``, and more ``settings`` of a command.

    Raises:
        SpecError: something is wrong with it.
    """
    return open_model(open_or_fail(name), {**dict(args.settings), **settings}, dict(args.inputs))


# ---- showing -----------------------------------------------------------------------------------------------


def shown(name: object) -> str:
    """A name that was typed or found on a disk, as a terminal may show it: on one line, without control characters."""
    return printable(str(name))


def wants_colour(stream: Any) -> bool:
    """Colour on a terminal, unless NO_COLOR asks for none (https://no-color.org)."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def show_diagnostics(diagnostics: Sequence[Diagnostic], format: str = "text") -> None:
    """Diagnostics on stderr as text; as JSON on stdout, where a program reads."""
    if format == "json":
        print_json({"ok": False, "diagnostics": [to_json(d) for d in diagnostics]})
        return
    width = max(LEAST_WIDTH, shutil.get_terminal_size().columns) if sys.stderr.isatty() else None
    print(render(diagnostics, wants_colour(sys.stderr), width), file=sys.stderr)
    errors = sum(d.severity == "error" for d in diagnostics)
    if errors > 1:
        print(f"\n{errors:,} errors", file=sys.stderr)


def print_json(facts: Any) -> None:
    """Facts as JSON; a symbolic size as the text that the language would say, and what is not finite as null.

    Control characters are escaped, also those that JSON allows: it may be a terminal that reads it.
    """
    text = json.dumps(_finite(facts), indent=2, ensure_ascii=False, default=str, allow_nan=False)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def _finite(facts: Any) -> Any:
    if isinstance(facts, Mapping):
        return {name: _finite(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_finite(value) for value in facts]
    return None if isinstance(facts, float) and not isfinite(facts) else facts
