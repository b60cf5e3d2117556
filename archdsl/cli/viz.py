"""``archdsl viz``: a diagram fit for a paper."""

from __future__ import annotations

import argparse
from pathlib import Path

from archdsl.cli.common import (
    SPEC_HELP,
    add_build_arguments,
    add_format_argument,
    levels,
    load_model,
    output_file,
    print_json,
    shown,
)
from archdsl.files import keep_inputs


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help=SPEC_HELP)
    parser.add_argument(
        "-o", "--output", type=output_file(".svg", ".png", ".pdf", ".dot"), metavar="FILE",
        help="the file to write: .svg, .png, .pdf or .dot (default: the model's name, .svg)",
    )  # fmt: skip
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="colours (default: light)")
    parser.add_argument(
        "--open", action="append", default=[], metavar="PATH", dest="opened",
        help="show a module from within, beside the model (layer2.0); may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--fold", action="append", default=[], metavar="PATH", dest="closed",
        help="show a module as one card; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--depth", type=levels, metavar="N", help="levels of the module tree that are shown (default: what fits a page)"
    )
    add_build_arguments(parser)
    add_format_argument(parser)


def run(args: argparse.Namespace) -> int:
    model = load_model(args.spec, args)
    output = args.output or Path(f"{model.name.lower()}.svg")
    keep_inputs(output, model.files)
    picture = model.diagram(args.theme, open=args.opened, fold=args.closed, depth=args.depth)
    path = picture.save(output)
    caption = picture.figure.caption
    if args.format == "json":
        print_json({"ok": True, "file": str(path), "model": model.name, "caption": caption.text})
    else:
        print(f"wrote {shown(path)}: {caption.statement}")
    return 0
