"""``archdsl viz``: draws a diagram."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    add_output_argument,
    add_spec_argument,
    levels,
    load_model,
    output_file,
    print_json,
    report_written,
)
from archdsl.emit.diagram import FORMATS
from archdsl.files import keep_inputs

_WIDTHS = {"column": "3.5in", "page": "7in"}
_POINTS = {"in": 72.0, "cm": 72 / 2.54, "mm": 7.2 / 2.54, "pt": 1.0}
_LENGTH = re.compile(r"(\d{1,4}(?:\.\d+)?)\s*(in|cm|mm|pt)", re.ASCII)
NARROWEST, WIDEST = 216.0, 2880.0


def configure(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    add_output_argument(
        parser, type=image_file, metavar="FILE",
        help="output file: .svg, .png, .pdf, .eps, .tex (TikZ) or .dot; - for SVG on standard output (default: name"
        " of the model, .svg)",
    )  # fmt: skip
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="colors (default: light)")
    parser.add_argument(
        "--open", action="append", default=[], metavar="PATH", dest="opened",
        help="show the inside of a module next to the model: a path (layer2.0) or the name of a block; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--fold", action="append", default=[], metavar="PATH", dest="closed",
        help="show a module as one box; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--depth", type=levels, metavar="N", help="number of levels of the module tree (default: what fits on a page)"
    )
    parser.add_argument(
        "--width", type=length, metavar="WIDTH",
        help="width of the figure at most: `column` (3.5in), `page` (7in), or a length in in, cm, mm or pt; "
        "no text is smaller than 6 pt (default: 523pt, A4 between its margins)",
    )  # fmt: skip
    parser.add_argument("--font", metavar="NAME", default="Arial", help="font family of the texts (default: Arial)")
    parser.add_argument(
        "--font-size", type=font_size, metavar="PT",
        help="size of the titles of cards in points, 7.2 at least (default: 9, less where the width demands it)",
    )  # fmt: skip
    parser.add_argument("--no-caption", action="store_false", dest="caption", help="leave out the text below")
    parser.add_argument("--no-key", action="store_false", dest="key", help="leave out the color key")
    add_build_arguments(parser)
    add_format_argument(parser)


def image_file(text: str) -> Path:
    """Reads the name of an image, for argparse: `-` or a file of a known format."""
    return Path(text) if text == "-" else output_file(*(f".{ending}" for ending in FORMATS))(text)


def length(text: str) -> float:
    """Reads a width, for argparse; in points."""
    found = _LENGTH.fullmatch(_WIDTHS.get(text, text))
    points = float(found[1]) * _POINTS[found[2]] if found else 0.0
    if not NARROWEST <= points <= WIDEST:
        allowed = f"`column`, `page`, or from {NARROWEST:g}pt to {WIDEST:g}pt, as in `3.5in`, `89mm`, `8.9cm`, `252pt`"
        raise argparse.ArgumentTypeError(f"{text!r} is no width: {allowed}")
    return points


def font_size(text: str) -> float:
    """Reads a font size in points, for argparse."""
    points = float(text) if re.fullmatch(r"\d{1,3}(\.\d+)?", text, re.ASCII) else 0.0
    if not 7.2 <= points <= 72:
        reason = "the size of titles is from 7.2 to 72 points (small texts are 5/6 of it, and 6 points at least)"
        raise argparse.ArgumentTypeError(f"{text!r}: {reason}")
    return points


def run(args: argparse.Namespace) -> int:
    model = load_model(args.spec, args)
    output = args.output or Path(f"{model.name.lower()}.svg")
    image = model.diagram(
        args.theme, open=args.opened, fold=args.closed, depth=args.depth, caption=args.caption, key=args.key,
        width=args.width, font=args.font, font_size=args.font_size,
    )  # fmt: skip
    if str(output) == "-":
        sys.stdout.write(image.svg())
        return 0
    keep_inputs(output, model.files)
    path = image.save(output)
    caption = image.figure.caption
    if args.format == "json":
        print_json({"ok": True, "file": str(path), "model": model.name, "caption": caption.text})
    else:
        report_written(path, caption.statement)
    return 0
