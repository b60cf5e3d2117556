"""``archdsl bench``: speed of a network on this machine."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    add_output_argument,
    add_spec_argument,
    load_model,
    output_file,
    print_json,
    report_written,
    show_diagnostics,
)
from archdsl.cli.missing_extras import training_extra
from archdsl.cli.settings import reader
from archdsl.diagnostics.files import BadSetting
from archdsl.errors import SpecError
from archdsl.files import keep_inputs
from archdsl.training.settings import ABOVE_ZERO, POSITIVE

if TYPE_CHECKING:
    from archdsl.model import Model
    from archdsl.training.bench import Speed


NOTES = """
latency: median time of a batch, ± the interquartile range. memory: peak allocation beyond weights and input.
FLOPs: 2 for each multiply-accumulate of convolutions, linear layers and matrix products; a training step counts
as three forward passes."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    add_build_arguments(parser)
    add_format_argument(parser)
    for option, help in (("--batch-size", "batch sizes (default: 1,2,4,8)"), ("--batches", argparse.SUPPRESS)):
        parser.add_argument(
            option, type=_batches, default=(1, 2, 4, 8), metavar="N,N,…", dest="batch_sizes", help=help
        )  # the second is the old name
    parser.add_argument(
        "--seconds",
        type=reader(ABOVE_ZERO),
        default=1.0,
        metavar="S",
        help="duration of each measurement, in seconds (default: 1)",
    )
    parser.add_argument(
        "--threads", type=reader(POSITIVE), metavar="N", help="number of CPU threads (default: torch's)"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="device of torch (default: cuda if available)")
    add_output_argument(parser, "file for a plot", type=output_file(".png"), metavar="FILE.png")


def _batches(text: str) -> tuple[int, ...]:
    try:
        return tuple(POSITIVE.read(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of batch sizes such as 1,2,4") from None


def run(args: argparse.Namespace) -> int:
    """Measures, prints a table, and draws it with ``--output``."""
    model = load_model(args.spec, args)
    _check(model)
    if args.output is not None:
        keep_inputs(args.output, model.files)
    with training_extra("a benchmark"):
        import torch

        from archdsl.training.bench import bench, draw, left_out

        if args.threads:
            torch.set_num_threads(args.threads)
        device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
        skipped = left_out(model, args.batch_sizes)
        if skipped:
            show_diagnostics(skipped)
        rows = list(bench(model, args.batch_sizes, args.seconds, device, _has_onnx()))
        threads = torch.get_num_threads()
        place = (
            f"{device}, {threads} thread{'' if threads == 1 else 's'}"
            if device == "cpu"
            else torch.cuda.get_device_name()
        )
        if args.output is not None:
            draw(rows, f"{model.name} on {place}", args.output)
    if args.format == "json":
        print_json({"model": model.name, "device": place, "rows": [asdict(row) for row in rows]})
        return 0
    print(f"{model.name} on {place}\n")
    _print(rows)
    if args.output is not None:
        report_written(args.output)
    return 0


def _check(model: Model) -> None:
    """Raises: SpecError, where it has several inputs, or sizes besides the batch that are symbolic."""
    shapes = [tensor.shape for tensor in model.inputs.values()]
    if len(shapes) != 1 or not all(isinstance(size, int) for size in shapes[0][1:]):
        reason = f"{model.name} has several inputs, or an input of unknown size"
        raise SpecError([BadSetting(span=None, reason=reason, advice="fix the input size: --input Nx3x224x224")])


def _has_onnx() -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def _print(rows: list[Speed]) -> None:
    print("                batch   latency    ±  images/s     memory   GFLOP/s")
    for row in rows:
        memory = "–" if row.memory is None else f"{row.memory / 1e6:,.1f} MB"
        spread = f"{row.spread / row.latency:.0%}"
        print(
            f"{row.what:<14}  {row.batch:>5}  {1e3 * row.latency:>6.1f} ms  {spread:>3}  {row.throughput:>8,.1f}"
            f"  {memory:>9}  {row.flops / 1e9:>8,.1f}"
        )
    print(NOTES)
