"""Options of ``summary`` and ``compare``: batch size and optimizer."""

from __future__ import annotations

import argparse

from archdsl.diagnostics.files import BadSetting
from archdsl.diagnostics.shapes import SizeTooLarge
from archdsl.dims import TooLarge
from archdsl.emit.summary import Summary, summarise
from archdsl.errors import SpecError
from archdsl.measure import OPTIMIZERS, batch_symbols
from archdsl.model import Model


def add_measure_arguments(parser: argparse.ArgumentParser) -> None:
    """``--batch-size`` and ``--optimizer``."""
    parser.add_argument("--batch-size", type=_batch, metavar="N", help="batch size (default: 1)")
    parser.add_argument(
        "--optimizer",
        choices=tuple(OPTIMIZERS),
        default="adamw",
        metavar="NAME",
        help=f"optimizer, for the training memory: {', '.join(OPTIMIZERS)} (default: adamw)",
    )


def _batch(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a batch size")
    return int(text)


def measured(model: Model, args: argparse.Namespace) -> Summary:
    """The summary of a model, for the batch and with the optimizer that are asked for.

    Raises:
        SpecError: the batch size is fixed, or a symbolic total is too large.
    """
    if args.batch_size is not None and not batch_symbols(model.graph):
        shapes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in model.inputs.items())
        reason = f"--batch-size is not possible: the input of {model.name} has a fixed batch size ({shapes})"
        raise SpecError([BadSetting(span=None, reason=reason)])
    try:
        return summarise(model.graph, args.batch_size or 1, args.optimizer)
    except TooLarge:
        raise SpecError([SizeTooLarge(span=None)]) from None
