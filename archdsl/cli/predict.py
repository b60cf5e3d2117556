"""``archdsl predict``: what a trained network sees in pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from archdsl.cli.common import add_format_argument, print_json, show_diagnostics, shown
from archdsl.cli.needs import training_extra
from archdsl.cli.settings import reader
from archdsl.training.settings import POSITIVE


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", type=Path, metavar="NETWORK", help="a run's folder, a checkpoint, or its ONNX file")
    parser.add_argument("pictures", type=Path, nargs="+", metavar="IMAGE", help="image files")
    parser.add_argument(
        "--top", type=reader(POSITIVE), default=5, metavar="N", help="how many classes to name (default: 5)"
    )
    add_format_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the likeliest classes of each picture. Returns 1 if one of them cannot be read; the others are told."""
    with training_extra("predicting"):
        from archdsl.training.predict import predict
        from archdsl.training.scoring import scorer

        rows, faults = predict(scorer(args.network), args.pictures, args.top)
    if args.format == "json":
        print_json({"ok": not faults, "pictures": rows, "unreadable": [d.message for d in faults]})
        return int(bool(faults))
    for row in rows:
        print(_told(row))
    if faults:
        show_diagnostics(faults)
    return int(bool(faults))


def _told(row: dict[str, Any]) -> str:
    lines = [f"  {guess['probability']:>6.1%}  {shown(guess['class'])}" for guess in row["classes"]]
    return "\n".join([shown(row["picture"]), *lines])
