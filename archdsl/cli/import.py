"""``archdsl import``: a network of another package as a spec, proved equal to it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from archdsl.cli.common import (
    add_format_argument,
    add_output_argument,
    is_standard_output,
    output_file,
    print_json,
    report_written,
    shown,
)
from archdsl.compiler import parse_shape
from archdsl.files import write_whole

HOW = {
    "terms": "proved equal for all weights and inputs of this shape",
    "numbers": "outputs equal for random weights and inputs",
    None: "not compared",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="SOURCE",
        help="torchvision:NAME, timm:NAME or python:PACKAGE.MODULE:NAME; its Python code is executed",
    )  # fmt: skip
    parser.add_argument(
        "--input", action="append", default=[], metavar="SHAPE", type=shape, dest="shapes",
        help="shape of an example input, as 1x3x224x224 (default: the usual one of the package); repeatable",
    )  # fmt: skip
    add_output_argument(
        parser, "spec to write (default: name of the network); - for standard output",
        type=output_file(), metavar="FILE",
    )  # fmt: skip
    add_format_argument(parser)


def shape(text: str) -> tuple[int, ...]:
    """Reads a shape of numbers, for argparse."""
    sizes = parse_shape(text)
    if sizes is None or not all(isinstance(size, int) for size in sizes):
        raise argparse.ArgumentTypeError(f"{text!r} is not a shape such as 1x3x224x224")
    return tuple(size for size in sizes if isinstance(size, int))


def run(args: argparse.Namespace) -> int:
    """Writes the spec.

    Raises:
        SpecError: the network cannot be opened, imported or proved; nothing is written.
    """
    from archdsl.importing.api import imported

    found = imported(args.source, args.shapes)
    output = args.output or Path(f"{found.model.name}.arch")
    if is_standard_output(output):
        sys.stdout.write(found.text)
        return 0
    write_whole(output, found.text.encode())
    lines = found.text.count("\n")
    if args.format == "json":
        proof = {"inference": found.proof.inference, "training": found.proof.training}
        facts = {"ok": True, "file": str(output), "lines": lines, "model": found.model.name, "proof": proof}
        print_json({**facts, "diagnostics": []})
    else:
        report_written(output, f"{lines} lines")
        print(f"state dict: equal\ninference: {HOW[found.proof.inference]}\ntraining: {HOW[found.proof.training]}")
        print(f"next: archdsl check {shown(output)} && archdsl viz {shown(output)}")
    return 0
