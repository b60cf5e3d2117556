"""The command line: one file a command, imported only when it is called."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from archdsl.cli import streams
from archdsl.version import __version__

COMMANDS: tuple[tuple[str, str], ...] = (
    ("check", "check shapes, names and claims"),
    ("fmt", "format specs"),
    ("explain", "explain a diagnostic code or a lint"),
    ("summary", "print the module tree with shapes, parameters and costs"),
    ("compare", "compare the totals of several networks"),
    ("compile", "write PyTorch source or an ONNX file"),
    ("weights", "inspect, compare, convert and map checkpoints"),
    ("viz", "draw a network"),
    ("lsp", "run the language server for editors"),
    ("train", "train a network on images"),
    ("eval", "evaluate a trained network"),
    ("predict", "classify images with a trained network"),
    ("report", "write the report of a run as an HTML page"),
    ("bench", "measure the speed of a network on this machine"),
    ("gradients", "plot the gradients and activations of networks by depth"),
    ("demo", "run a demo: check, compare, draw, compile and export five networks, and train LeNet-5"),
)
"""Name and help of each command, which is the module `archdsl.cli.NAME`, in the order of `archdsl --help`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns 0 if all is well, 1 if the spec or the run is wrong, 2 for wrong usage."""
    streams.prepare()
    try:
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            if not sys.stdout.closed:  # the language server closes it on exit
                sys.stdout.flush()
    except streams.OutputError as error:
        from archdsl.cli.guard import undelivered

        return undelivered(error)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run(arguments: list[str]) -> int:
    parser = _parser(arguments)
    args = parser.parse_args(arguments)
    if args.command is None:
        parser.print_help()
        return 2
    from archdsl.errors import SpecError

    try:
        os.getcwd()  # every command needs a working folder, and so does torch
        return args.run(args)
    except SpecError as error:
        found = error.diagnostics
    except streams.OutputError:
        raise
    except Exception as error:
        from archdsl.cli.guard import fault

        found = (fault(error),)
    from archdsl.cli.common import show_diagnostics

    show_diagnostics(found, getattr(args, "format", "text"))
    return 1


class _Parser(argparse.ArgumentParser):
    """Prints usage errors without control characters: argparse repeats the arguments."""

    def error(self, message: str) -> NoReturn:
        from archdsl.diagnostics.layout import printable

        super().error(printable(message))


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="archdsl",
        description="Compile neural networks from `.arch` specs: check, measure, draw, export and train them.",
    )
    parser.add_argument("--version", action="version", version=f"archdsl {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    called = next((a for a in arguments if not a.startswith("-")), None)
    is_known = called in dict(COMMANDS)
    for name, help in COMMANDS:
        if is_known and name != called:
            continue  # its help is not asked for, and making a parser takes a millisecond
        command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        if name == called:
            module = import_module(f"archdsl.cli.{name}")
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser
