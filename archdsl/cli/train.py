"""``archdsl train``: train a network on images."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from archdsl.cli.common import (
    SPEC_HELP,
    add_build_arguments,
    add_format_argument,
    load_model,
    print_json,
    show_diagnostics,
)
from archdsl.diagnostics.files import BadSetting, MissingExtra
from archdsl.diagnostics.training import Stopped
from archdsl.errors import SpecError
from archdsl.training.config import LEARNING_RATE, WEIGHT_DECAY, Config, Optimizer, Schedule

if TYPE_CHECKING:
    from archdsl.model import Model
    from archdsl.training.fit import Result

RUNS = Path("runs")


def configure(parser: argparse.ArgumentParser) -> None:
    """A setting that is not given is left out of the arguments: its default, or a resumed run's value, stands."""
    parser.argument_default = argparse.SUPPRESS
    parser.add_argument("spec", metavar="SPEC", help=SPEC_HELP)
    add_build_arguments(parser)
    add_format_argument(parser)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--out", type=Path, default=None, metavar="DIR", help="the run's folder (default: runs/MODEL)")
    place.add_argument("--resume", type=Path, default=None, metavar="DIR", help="go on with the run in this folder")
    parser.add_argument(
        "--export", action="store_true", default=False, help="write the best network as ONNX beside its checkpoint"
    )
    _data(parser.add_argument_group("data"))
    _optimisation(parser.add_argument_group("optimisation"))
    _hardware(parser.add_argument_group("hardware"))


def _data(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--data", metavar="DATA",
        help="`digits` (default), `oxflower17:DIR`, or a folder that holds one folder of pictures for each class",
    )  # fmt: skip
    group.add_argument("--split", type=_positive, metavar="N", help="which division into training, validation and test")
    group.add_argument(
        "--size", type=_positive, metavar="PIXELS", help="the input's height and width (default: the spec's)"
    )
    group.add_argument("--no-augment", action="store_false", dest="augment", help="train on the pictures as they are")
    group.add_argument("--workers", type=_natural, metavar="N", help="processes that read pictures")


def _optimisation(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--epochs", type=_positive, metavar="N", help=f"how long to train ({_default('epochs')})")
    add("--batch-size", type=_positive, metavar="N", help=f"pictures in a step ({_default('batch_size')})")
    add("--optimizer", choices=get_args(Optimizer), help=_default("optimizer"))
    add("--lr", type=_above_zero, metavar="RATE", help=f"peak learning rate ({_each(LEARNING_RATE)})")
    add("--momentum", type=_share, metavar="M", help=f"of sgd ({_default('momentum')})")
    add("--weight-decay", type=_from_zero, metavar="W", help=_each(WEIGHT_DECAY))
    add("--schedule", choices=get_args(Schedule), help=f"of the learning rate ({_default('schedule')})")
    add("--warmup", type=_from_zero, metavar="EPOCHS", help=f"in which the rate rises ({_default('warmup')})")
    add("--seed", type=_natural, metavar="N", help=f"of all that is random ({_default('seed')})")


def _hardware(group: argparse._ArgumentGroup) -> None:
    """Passed on to Lightning's Trainer as they are."""
    group.add_argument("--accelerator", metavar="KIND", help="auto (default), cpu, gpu, mps, tpu")
    group.add_argument("--devices", metavar="N", help="how many, or which: 2, or 0,1 (default: 1)")
    group.add_argument("--precision", metavar="P", help="32-true (default), bf16-mixed, 16-mixed, 64-true, …")


def run(args: argparse.Namespace) -> int:
    """Train and print what came out. Returns 130 after Ctrl-C, as shells expect."""
    model = load_model(args.spec, args)
    if "classes" in dict(args.settings):
        reason = "`classes` is what the data have; leave it out"
        raise SpecError([BadSetting(span=None, reason=reason)])
    try:
        result = _fit(model, args)
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "archdsl"):
            raise
        raise SpecError([MissingExtra(span=None, what="training", package=package, extra="train")]) from None
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


def _fit(model: Model, args: argparse.Namespace) -> Result | None:
    """None in all but one of the processes that train together: that one tells the result."""
    from archdsl.training.fit import fit
    from archdsl.training.run import Run, resumed, unused
    from archdsl.training.spec import SpecTrainable
    from archdsl.training.threads import suited_threads
    from archdsl.training.trainer import leads

    given = {f.name: getattr(args, f.name) for f in fields(Config) if hasattr(args, f.name)}
    trainable = SpecTrainable(model)
    with suited_threads(model.macs):
        if args.resume is not None:
            result = fit(trainable, resumed(Run(args.resume), given), args.resume, resume=True, export=args.export)
        else:
            out = args.out or unused(RUNS, model.name.lower())
            result = fit(trainable, Config(**given), out, export=args.export)
    return result if leads() else None


def _text(result: Result) -> str:
    counts = result.pictures
    lines = [
        f"{result.model} on {result.data}: {result.classes} classes; {counts['train']:,} pictures to train,"
        f" {counts['val']:,} to validate, {counts['test']:,} to test",
        f"test accuracy {result.test_accuracy:.1%} (loss {result.test_loss:.3f}), measured on epoch"
        f" {result.best_epoch} of {result.epochs}, which validated best: {result.val_accuracy:.1%}",
        f"trained in {result.seconds:.0f} s",
        *(f"  {name:<7} {path}" for name, path in result.files.items()),
    ]
    return "\n".join(lines)


# ---- what the parser shows and accepts ---------------------------------------------------------------------


def _default(name: str) -> str:
    return f"default: {getattr(Config(), name)}"


def _each(values: Mapping[Optimizer, float]) -> str:
    return "default: " + ", ".join(f"{value:g} for {name}" for name, value in values.items())


def _positive(text: str) -> int:
    return int(_bounded(text, int, lambda n: n >= 1, "a whole number from 1"))


def _natural(text: str) -> int:
    return int(_bounded(text, int, lambda n: n >= 0, "a whole number from 0"))


def _above_zero(text: str) -> float:
    return _bounded(text, float, lambda x: 0 < x < math.inf, "a number above 0")


def _from_zero(text: str) -> float:
    return _bounded(text, float, lambda x: 0 <= x < math.inf, "a number from 0")


def _share(text: str) -> float:
    return _bounded(text, float, lambda x: 0 <= x < 1, "a number from 0 and below 1")


def _bounded(text: str, kind: type[int] | type[float], holds: Callable[[float], bool], what: str) -> float:
    try:
        value = kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}") from None
    if not holds(value):
        raise argparse.ArgumentTypeError(f"{text} is not {what}")
    return value
