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
    ("fmt", "lay specs out in the one canonical way"),
    ("explain", "say what a message's code, or a lint, means"),
    ("summary", "print the module tree with its sizes and costs"),
    ("compare", "print the totals of several networks side by side"),
    ("compile", "write PyTorch source or an ONNX file"),
    ("weights", "inspect, compare, convert and map checkpoints"),
    ("viz", "draw a network"),
    ("lsp", "run the language server, which editors start"),
    ("train", "train a network on images"),
    ("eval", "measure how good a trained network is"),
    ("predict", "name what a trained network sees in images"),
    ("report", "write a run as one page of HTML"),
    ("bench", "measure the speed of a network on this machine"),
    ("gradients", "plot gradients and activations of networks against depth"),
    ("demo", "check, compare, draw, compile and export the lecture's networks, and train LeNet-5"),
)
"""Name and one line of help, in the order in which a user meets them; `archdsl.cli.NAME` holds each."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns 0 if all is well, 1 if the spec or the run is wrong, 2 for wrong usage."""
    streams.prepare()
    try:
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            if not sys.stdout.closed:  # as the language server leaves it, once an editor has said goodbye
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
        os.getcwd()  # every command takes it for granted, and so does torch
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
    """Argparse repeats what was typed: here without control characters."""

    def error(self, message: str) -> NoReturn:
        from archdsl.diagnostics.layout import printable

        super().error(printable(message))


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="archdsl",
        description="Write a neural network as text; check, measure, draw, export and train it.",
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
