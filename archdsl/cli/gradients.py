"""``archdsl gradients``: plots gradients and activations of networks by depth."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
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
)
from archdsl.cli.missing_extras import training_extra
from archdsl.cli.settings import add_settings, reader
from archdsl.cli.train import warn_of_activations
from archdsl.files import keep_inputs
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
    add_spec_argument(parser, "specs", nargs="+")
    add_build_arguments(parser)
    add_format_argument(parser)
    parser.add_argument(
        "--sweep", type=sweep, default=None, metavar="NAME=VALUE,…",
        help="values of a parameter (deep=5,10,20): plot the relative gradient at the first layer, and the relative"
        " signal at the last, against depth",
    )  # fmt: skip
    parser.add_argument(
        "--steps", type=reader(NATURAL), default=10, metavar="N", help="number of training steps (default: 10)"
    )
    add_output_argument(
        parser, "output file of the plot (default: %(default)s)",
        type=output_file(".png"), default=Path("gradients.png"), metavar="FILE.png",
    )  # fmt: skip
    add_settings(parser, {name: SETTINGS[name] for name in USED})


_COMMA = re.compile(r",(?![^\[(]*[\])])")
"""Between values, not within one: ``[2, 2],[3, 4]``."""


def sweep(text: str) -> list[dict[str, str]]:
    """The settings of the networks of a sweep, one after the other."""
    name, equals, values = text.partition("=")
    found = [value.strip() for value in _COMMA.split(values)]
    if not equals or not name.strip().isidentifier() or not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE,VALUE,…")
    return [{name.strip(): value} for value in found]


def run(args: argparse.Namespace) -> int:
    """Measures each network on the same images, draws one plot, and prints the first and last layer."""
    settings = args.sweep or [{}]
    models = [load_model(spec, args, setting) for spec in args.specs for setting in settings]
    for model in models[:: len(settings)]:
        warn_of_activations(model)
    with training_extra("measuring gradients"):
        from archdsl.training.config import Config
        from archdsl.training.flow import flow
        from archdsl.training.flowplot import draw, draw_sweep
        from archdsl.training.sources import load
        from archdsl.training.spec import SpecTrainable
        from archdsl.training.threads import suited_threads

        config = Config(**{name: getattr(args, name) for name in USED if hasattr(args, name)})
        data = load(config.data, config.split, config.skip_unreadable)
        keep_inputs(args.output, [*(file for model in models for file in model.files), *data.files])
        flows = []
        for model in models:
            with suited_threads(model.macs):
                flows.append(flow(SpecTrainable(model), data, config, args.steps))
        families = [flows[i : i + len(settings)] for i in range(0, len(flows), len(settings))]
        title = f"{', '.join(family[0].name for family in families)} on {data.name}"
        if args.sweep:
            draw_sweep(families, title, args.output)
        else:
            draw(flows, title, args.output)
    if args.format == "json":
        networks = [{**asdict(f), "settings": s} for family in families for f, s in zip(family, settings, strict=True)]
        print_json({"data": data.name, "plot": str(args.output), "networks": networks})
        return 0
    for family in families:
        print(_sweep_text(family, args.sweep) if args.sweep else _text(family[0]))
    report_written(args.output)
    return 0


def _text(flow: Flow) -> str:
    lines = [f"{flow.name}: {_losses(flow)}"]
    for step in dict.fromkeys((0, len(flow.losses) - 1)):
        norms = [f"{flow.gradients[step][i]:.3g} in {flow.layers[i]}" for i in (-1, 0)]
        lines.append(f"  step {step}: gradient norm {', '.join(norms)}")
    return "\n".join(lines)


def _sweep_text(family: Sequence[Flow], settings: Sequence[Mapping[str, str]]) -> str:
    """Returns the relative gradient and signal of each network, at initialization and after the steps."""
    lines = [
        f"{family[0].name}: gradient at the first layer relative to the last, signal at the last relative to the first"
    ]
    for flow, setting in zip(family, settings, strict=True):
        steps = dict.fromkeys((0, len(flow.losses) - 1))
        gradient = " -> ".join(f"{flow.gradient_left(step):#.2g}" for step in steps)
        signal = " -> ".join(f"{flow.signal_left(step):#.2g}" for step in steps)
        named = ", ".join(f"{name}={value}" for name, value in setting.items())
        lines.append(f"  {named}: {_losses(flow)}, gradient {gradient}, signal {signal}")
    return "\n".join(lines)


def _losses(flow: Flow) -> str:
    ends = dict.fromkeys((0, len(flow.losses) - 1))
    return f"{len(flow.layers)} layers, loss {' -> '.join(f'{flow.losses[step]:.3f}' for step in ends)}"
