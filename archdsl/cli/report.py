"""``archdsl report``: a run as one page of HTML."""

from __future__ import annotations

import argparse
from pathlib import Path

from archdsl.cli.common import output_file, shown
from archdsl.cli.needs import training_extra
from archdsl.files import keep_inputs
from archdsl.model import Model


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="RUN", help="the folder of a run that has ended")
    parser.add_argument(
        "-o", "--out", type=output_file(), metavar="FILE.html", help="the page (default: RUN/report.html)"
    )
    parser.add_argument("--data", metavar="DATA", help="where the data lie, if they have moved since")


def run(args: argparse.Namespace) -> int:
    """Write the page and print where it lies."""
    with training_extra("a report"):
        from archdsl.training.report import report
        from archdsl.training.run import Run

        path = args.out or args.folder / "report.html"
        run = Run(args.folder)
        keep_inputs(path, run.files)
        report(run, path, _summary, args.data)
    print(shown(path))
    return 0


def _summary(model: Model, optimizer: str) -> str:
    """What ``archdsl summary`` prints."""
    from archdsl.cli.summary import text

    return text(model, optimizer)
