"""``archdsl gradients``: how gradients and activations fare on their way through networks."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.cli.common import (
    SPEC_HELP,
    add_build_arguments,
    add_format_argument,
    load_model,
    png,
    print_json,
)
from archdsl.cli.needs import training_extra
from archdsl.cli.settings import add_settings, reader
from archdsl.training.config import SETTINGS
from archdsl.training.settings import NATURAL

if TYPE_CHECKING:
    from archdsl.training.flow import Flow

USED = (
    "data",
    "split",
    "size",
    "skip_unreadable",
    "workers",
    "batch_size",
    "optimizer",
    "lr",
    "lr_of",
    "momentum",
    "weight_decay",
    "seed",
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.argument_default = argparse.SUPPRESS
    parser.add_argument("specs", nargs="+", metavar="SPEC", help=SPEC_HELP)
    add_build_arguments(parser)
    add_format_argument(parser)
    parser.add_argument(
        "--steps", type=reader(NATURAL), default=10, metavar="N", help="steps of training to watch (default: 10)"
    )
    parser.add_argument(
        "-o", "--out", type=png, default=Path("gradients.png"), metavar="FILE.png", help="the plot (%(default)s)"
    )
    add_settings(parser, {name: SETTINGS[name] for name in USED})


def run(args: argparse.Namespace) -> int:
    """Measure each network on the same pictures, draw all in one plot, and print first and last layer."""
    models = [load_model(spec, args) for spec in args.specs]
    with training_extra("watching gradients"):
        from archdsl.training.config import Config
        from archdsl.training.data import load
        from archdsl.training.flow import draw, flow
        from archdsl.training.spec import SpecTrainable

        config = Config(**{name: getattr(args, name) for name in USED if hasattr(args, name)})
        data = load(config.data, config.split, config.skip_unreadable)
        flows = [flow(SpecTrainable(model), data, config, args.steps) for model in models]
        draw(flows, f"{', '.join(f.name for f in flows)} on {data.name}", args.out)
    if args.format == "json":
        print_json({"data": data.name, "plot": str(args.out), "networks": [asdict(f) for f in flows]})
        return 0
    for f in flows:
        print(_told(f))
    print(args.out)
    return 0


def _told(flow: Flow) -> str:
    lines = [f"{flow.name}: {len(flow.layers)} layers, loss {flow.losses[0]:.3f} -> {flow.losses[-1]:.3f}"]
    for step in dict.fromkeys((0, len(flow.losses) - 1)):
        norms = [f"{flow.gradients[step][i]:.3g} in {flow.layers[i]}" for i in (-1, 0)]
        lines.append(f"  step {step}: gradient norm {', '.join(norms)}")
    return "\n".join(lines)
