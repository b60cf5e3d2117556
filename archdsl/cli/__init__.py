"""The command line: one file a command, imported only when it is called."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from archdsl.cli import streams
from archdsl.cli.parser import Parser, overview
from archdsl.version import __version__

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "first steps",
        (
            ("new", "write a first spec with a claim, a README and a CI workflow"),
            ("list", "list the shipped networks with their parameters and costs"),
            ("demo", "check, compare, draw, compile and export five networks, and train LeNet-5"),
        ),
    ),
    (
        "specs",
        (
            ("check", "check shapes, names and claims"),
            ("fmt", "format specs"),
            ("explain", "explain a diagnostic code or a lint"),
        ),
    ),
    (
        "networks",
        (
            ("summary", "print the module tree with shapes, parameters and costs"),
            ("compare", "compare the totals of several networks"),
            ("diff", "compare two versions of a network: edits, costs, checkpoints"),
            ("viz", "draw a network"),
            ("compile", "write PyTorch source or an ONNX file"),
            ("import", "write a network of torchvision, timm or Python code as a spec"),
            ("weights", "inspect, compare, convert and map checkpoints"),
            ("bench", "measure the speed of a network on this machine"),
        ),
    ),
    (
        "training",
        (
            ("train", "train a network on images"),
            ("eval", "evaluate a trained network"),
            ("predict", "classify images with a trained network"),
            ("report", "write the report of a run as an HTML page"),
            ("gradients", "plot the gradients and activations of networks by depth"),
        ),
    ),
    (
        "shells and editors",
        (
            ("completion", "print the script that completes commands, options and specs in a shell"),
            ("lsp", "run the language server for editors"),
        ),
    ),
)
"""Name and help of each command, which is the module `archdsl.cli.NAME`, by topic, in the order of `archdsl --help`."""
COMMANDS = tuple(command for _, commands in GROUPS for command in commands)
DESCRIPTION = "Compile neural networks from `.arch` specs: check, measure, draw, export and train them."
COMPLETING = "_ARGCOMPLETE"
"""The environment variable by which a shell asks for completions of the line in ``COMP_LINE``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns 0 if all is well, 1 if the spec or the run is wrong, 2 for wrong usage."""
    streams.prepare()
    try:
        try:
            return _run([*(sys.argv[1:] if argv is None else argv)])
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
    if COMPLETING in os.environ:
        return _complete()
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


def _complete() -> int:
    """Writes completions of the line that a shell is asking about, to the descriptor that argcomplete uses."""
    import argcomplete

    words = os.environ.get("COMP_LINE", "").split()[1:]
    argcomplete.autocomplete(_parser(words))  # which ends the process
    return 0


def _parser(arguments: list[str]) -> Parser:
    parser = Parser(
        prog="archdsl",
        usage="archdsl COMMAND [OPTIONS] ...",
        description=overview(DESCRIPTION, GROUPS),
        epilog="`archdsl COMMAND --help` describes a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"archdsl {__version__}", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", prog="archdsl", help=argparse.SUPPRESS)
    called = next((a for a in arguments if not a.startswith("-")), None)
    is_known = called in dict(COMMANDS)
    for name, help in COMMANDS:
        if is_known and name != called:
            continue  # its help is not needed, and making a parser takes a millisecond
        command = commands.add_parser(name, description=help[0].upper() + help[1:] + ".")
        if name == called:
            module = import_module(f"archdsl.cli.{name}")
            module.configure(command)
            command.set_defaults(run=module.run, usage_error=command.error)
    return parser
