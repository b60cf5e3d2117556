"""``archdsl train``: train a network on images."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    add_output_argument,
    add_spec_argument,
    load_model,
    output_file,
    output_folder,
    print_json,
    report_written,
    show_diagnostics,
    shown,
)
from archdsl.cli.missing_extras import training_extra
from archdsl.cli.settings import add_settings
from archdsl.diagnostics.files import BadSetting
from archdsl.diagnostics.training import Stopped
from archdsl.errors import SpecError
from archdsl.files import keep_inputs
from archdsl.training.config import SETTINGS

if TYPE_CHECKING:
    from archdsl.model import Model
    from archdsl.training.fit import Result

RUNS = Path("runs")


def configure(parser: argparse.ArgumentParser) -> None:
    """Settings that are not given are absent, so that those of the recipe or resumed run, or the defaults, apply."""
    parser.argument_default = argparse.SUPPRESS
    add_spec_argument(parser)
    add_build_arguments(parser)
    add_format_argument(parser)
    place = parser.add_mutually_exclusive_group()
    add_output_argument(
        place, "folder of the run (default: runs/MODEL)", type=output_folder, default=None, metavar="DIR"
    )
    place.add_argument("--resume", type=output_folder, default=None, metavar="DIR", help="folder of a run to resume")
    parser.add_argument(
        "--recipe", default=None, metavar="NAME|FILE",
        help="settings from a TOML file or a shipped recipe (lab, imagenet-classic, imagenet-modern); flags override"
        " the recipe",
    )  # fmt: skip
    parser.add_argument("--export", action="store_true", default=False, help="export the best checkpoint to ONNX")
    parser.add_argument(
        "--augment-preview", type=output_file(".png"), default=None, metavar="FILE.png",
        help="file for a sample of augmented training images, instead of training",
    )  # fmt: skip
    add_settings(parser, SETTINGS)


def run(args: argparse.Namespace) -> int:
    """Trains and prints the result. Returns 130 after Ctrl-C, as shells expect."""
    model = load_model(args.spec, args)
    if args.resume is not None and args.recipe is not None:
        raise SpecError([BadSetting(span=None, reason="a resumed run keeps its recipe", advice="remove --recipe")])
    if "classes" in dict(args.settings):
        reason = "`classes` is set to the number of classes in the data"
        raise SpecError([BadSetting(span=None, reason=reason, advice="remove `--set classes=…`")])
    warn_of_activations(model)
    try:
        with training_extra("training"):
            if args.augment_preview is not None:
                return _preview(model, args)
            result = _fit(model, args)
    except SpecError as error:
        if not any(isinstance(d, Stopped) for d in error.diagnostics):
            raise
        show_diagnostics(error.diagnostics, args.format)
        return 130
    if result is None:
        return 0
    if args.format == "json":
        print_json({"ok": True, **asdict(result)})
    else:
        print(_text(result))
    return 0


def warn_of_activations(model: Model) -> None:
    """Prints a warning for each activation between the logits and the loss that no comment allows."""
    from archdsl.checks.activated import activated_scores
    from archdsl.checks.allow import without_allowed

    if found := list(without_allowed(activated_scores(model.graph))):
        show_diagnostics(found)


def _fit(model: Model, args: argparse.Namespace) -> Result | None:
    """Returns the result in the main process, None in the other processes of a distributed run."""
    from archdsl.training.fit import fit
    from archdsl.training.recipe import resolved
    from archdsl.training.run import Run, resumed, unused
    from archdsl.training.spec import SpecTrainable
    from archdsl.training.threads import suited_threads
    from archdsl.training.trainer import leads

    given = given_settings(args)
    trainable = SpecTrainable(model)
    with suited_threads(model.macs):
        if args.resume is not None:
            result = fit(trainable, resumed(Run(args.resume), given), args.resume, resume=True, export=args.export)
        else:
            out = args.output or unused(RUNS, model.name.lower())
            result = fit(trainable, resolved(args.recipe, given), out, export=args.export)
    return result if leads() else None


def _preview(model: Model, args: argparse.Namespace) -> int:
    """Draws a sample of augmented training images, instead of training."""
    from archdsl.training.preview import preview
    from archdsl.training.recipe import resolved
    from archdsl.training.sources import load
    from archdsl.training.spec import SpecTrainable
    from archdsl.training.trainable import fitting_channels

    config = resolved(args.recipe, given_settings(args))
    trainable, data = SpecTrainable(model), load(config.data, config.split, config.skip_unreadable)
    size = (config.size, config.size) if config.size else trainable.size or data.size
    keep_inputs(args.augment_preview, [*model.files, *data.files, *([Path(args.recipe)] if args.recipe else [])])
    preview(data, fitting_channels(trainable, data), size, config, args.augment_preview)
    report_written(args.augment_preview)
    return 0


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Returns the given settings, as in a recipe: repeatable ones as tuples."""
    found = {name: getattr(args, name) for name in SETTINGS if hasattr(args, name)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def _text(result: Result) -> str:
    counts = result.pictures
    lines = [
        f"{result.model} on {shown(result.data)}: {result.classes} classes; {counts['train']:,} training,"
        f" {counts['val']:,} validation and {counts['test']:,} test images",
        f"test accuracy {result.test_accuracy:.1%} (loss {result.test_loss:.3f}); best checkpoint: epoch"
        f" {result.best_epoch} of {result.epochs}, validation accuracy {result.val_accuracy:.1%}",
        f"trained in {result.seconds:.0f} s",
        *(f"  {name:<7} {shown(path)}" for name, path in result.files.items()),
    ]
    return "\n".join(lines)
