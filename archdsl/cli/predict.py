"""``archdsl predict``: classifies images with a trained network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from archdsl.cli.common import add_format_argument, print_json, show_diagnostics, shown
from archdsl.cli.missing_extras import training_extra
from archdsl.cli.settings import reader
from archdsl.training.settings import POSITIVE


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "network", type=Path, metavar="NETWORK", help="folder of a run, checkpoint, or exported ONNX file"
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="image files")
    parser.add_argument(
        "--top", type=reader(POSITIVE), default=5, metavar="N", help="number of classes to print (default: 5)"
    )
    add_format_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the most probable classes of each image. Returns 1 if an image cannot be read; the others are printed."""
    with training_extra("predicting"):
        from archdsl.training.predict import predict
        from archdsl.training.scoring import scorer

        rows, faults = predict(scorer(args.network), args.images, args.top)
    if args.format == "json":
        print_json({"ok": not faults, "pictures": rows, "unreadable": [d.message for d in faults]})
        return int(bool(faults))
    for row in rows:
        print(_text(row))
    if faults:
        show_diagnostics(faults)
    return int(bool(faults))


def _text(row: dict[str, Any]) -> str:
    lines = [f"  {guess['probability']:>6.1%}  {shown(guess['class'])}" for guess in row["classes"]]
    return "\n".join([shown(row["picture"]), *lines])
