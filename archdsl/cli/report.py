"""``archdsl report``: writes the report of a run as an HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path

from archdsl.cli.common import add_output_argument, output_file, report_written
from archdsl.cli.missing_extras import training_extra
from archdsl.files import keep_inputs
from archdsl.model import Model


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a finished run")
    add_output_argument(
        parser, "output file (default: RUN/report.html)", type=output_file(".html"), metavar="FILE.html"
    )
    parser.add_argument("--data", metavar="DATA", help="data of the run, if they have moved (default: as in training)")


def run(args: argparse.Namespace) -> int:
    """Writes the page and prints its path."""
    with training_extra("a report"):
        from archdsl.training.report import report
        from archdsl.training.run import Run

        path = args.output or args.folder / "report.html"
        run = Run(args.folder)
        keep_inputs(path, run.files)
        report(run, path, _summary, args.data)
    report_written(path)
    return 0


def _summary(model: Model, optimizer: str) -> str:
    """What ``archdsl summary`` prints."""
    from archdsl.cli.summary import text

    return text(model, optimizer)
