"""``archdsl eval``: accuracy of a trained network."""

from __future__ import annotations

import argparse
from pathlib import Path

from archdsl.cli.common import add_format_argument, print_json, shown
from archdsl.cli.missing_extras import training_extra
from archdsl.cli.settings import add_settings
from archdsl.training.config import SETTINGS

USED = ("data", "split", "skip_unreadable", "workers", "batch_size")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.argument_default = argparse.SUPPRESS
    parser.add_argument(
        "network", type=Path, metavar="NETWORK", help="folder of a run, checkpoint, or exported ONNX file"
    )
    parser.add_argument(
        "--part", choices=("train", "val", "test"), default="test", help="split of the data (default: test)"
    )
    add_format_argument(parser)
    add_settings(parser, {name: SETTINGS[name] for name in USED})


def run(args: argparse.Namespace) -> int:
    """Prints the loss, and the accuracy overall and of each class. Default data: those of the training."""
    with training_extra("evaluating"):
        from archdsl.training.assess import assess
        from archdsl.training.config import Config
        from archdsl.training.scoring import scorer
        from archdsl.training.sources import load

        trained = scorer(args.network)
        before = {name: trained.facts["settings"][name] for name in USED if name in trained.facts.get("settings", {})}
        given = {name: getattr(args, name) for name in USED if hasattr(args, name)}
        config = Config(**{**before, **given})
        data = load(config.data, config.split, config.skip_unreadable)
        found = assess(trained, data, args.part, config.batch_size, config.workers or 0)
    facts = {
        "model": trained.facts["model"],
        "data": data.name,
        "part": args.part,
        "pictures": len(found.labels),
        "loss": found.loss,
        "accuracy": found.accuracy(),
        "top5": found.accuracy(5),
        "classes": found.per_class(),
    }
    if args.format == "json":
        print_json(facts)
        return 0
    print(f"{shown(facts['model'])} on {facts['pictures']:,} images of {shown(data.name)} ({args.part})")
    print(f"accuracy {facts['accuracy']:.1%}  top-5 {facts['top5']:.1%}  loss {facts['loss']:.4f}\n")
    width = max(len(shown(name)) for name in data.classes)
    print(f"{'class':<{width}}    images  precision  recall      F1")
    for row in found.per_class():
        print(
            f"{shown(row['class']):<{width}}  {row['pictures']:>8,}  {row['precision']:>9.1%}  {row['recall']:>6.1%}"
            f"  {row['f1']:>6.1%}"
        )
    return 0
