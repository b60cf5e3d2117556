"""``archdsl demo``: checks, measures, draws, compiles and exports five networks, and trains one of them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archdsl.checks.report import check
from archdsl.cli import compare
from archdsl.cli.common import add_output_argument, open_or_fail, output_folder, show_diagnostics, shown
from archdsl.cli.settings import reader
from archdsl.compiler import library_root, shipped_specs
from archdsl.diagnostics.files import MissingExtra
from archdsl.errors import SpecError
from archdsl.files import write_whole
from archdsl.model import Model, load
from archdsl.training.settings import POSITIVE

NETWORKS = ("lenet5", "alexnet", "vgg16", "googlenet", "resnet50")
"""The networks of the lecture, oldest first."""

EXPORTED = ("lenet5", "googlenet", "resnet50")
"""Those written as ONNX files: the weights of the others take 800 MB."""

ENOUGH = 0.95
"""Minimum test accuracy of LeNet-5 on the digits; less is a bug."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_output_argument(
        parser, "output folder (default: %(default)s)", type=output_folder, default=Path("archdsl-demo"), metavar="DIR"
    )
    parser.add_argument(
        "--epochs", type=reader(POSITIVE), default=30, metavar="N", help="number of epochs (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    _need("torch", "onnx", "onnxruntime", "lightning", "torchvision", "sklearn", "matplotlib")
    start = time.perf_counter()
    out: Path = args.output
    if not _check():
        return 1
    models = {name: load(name) for name in NETWORKS}
    with _step("Measuring"):
        compare.run(_compare_arguments())
    with _step("Drawing"):
        for name, model in models.items():
            _draw(model, out / "diagrams" / name)
    with _step("Compiling to PyTorch"):
        for name, model in models.items():
            _compile(model, out / "pytorch" / f"{name}.py")
    with _step("Exporting to ONNX, checked by onnx.checker"):
        for name in EXPORTED:
            path = models[name].onnx(out / "onnx" / f"{name}.onnx")
            print(f"  {shown(path)}  {path.stat().st_size / 1e6:,.1f} MB")
    with _step("Training LeNet-5 on handwritten digits"):
        accuracy = _train(models["lenet5"], out / "lenet5-digits", args.epochs)
    print(f"\nDone in {time.perf_counter() - start:.0f} s. The results are in {shown(out)}/:")
    print("  diagrams/       diagrams of the networks (SVG, PNG)")
    print("  pytorch/        PyTorch source files")
    print(f"  onnx/           ONNX files of {', '.join(EXPORTED)}, with initial weights")
    print("  lenet5-digits/  the training run: checkpoints, log, curves")
    print(f"Read the specs in {shown(library_root())}, change one, and run `archdsl check` on it.")
    if accuracy < ENOUGH:
        print(f"\nLeNet-5 should reach a test accuracy of {ENOUGH:.0%}.")
        return 1
    return 0


def _need(*packages: str) -> None:
    """All extras at once, before anything is done.

    Raises:
        SpecError: one is missing.
    """
    from importlib.util import find_spec

    missing = next((p for p in packages if find_spec(p) is None), None)
    if missing is not None:
        raise SpecError([MissingExtra(span=None, what="the demo", package=missing, extra="all")])


@contextmanager
def _step(title: str) -> Iterator[None]:
    print(f"\n{title}")
    start = time.perf_counter()
    yield
    print(f"  ({time.perf_counter() - start:.1f} s)")


def _check() -> bool:
    """Check every shipped spec; the claims are the facts of the lecture."""
    good = True
    with _step("Checking the shipped specs and their claims"):
        for path in shipped_specs():
            report = check(open_or_fail(str(path)))
            held = sum(c.standing == "holds" for c in report.claims)
            name = path.relative_to(library_root()).with_suffix("")
            print(f"  {'✓' if report.ok else '✗'} {name}: {len(report.graphs)} models, {held} claims hold")
            if not report.ok:
                good = False
                show_diagnostics(report.diagnostics)
    return good


def _compare_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    compare.configure(parser)
    return parser.parse_args(list(NETWORKS))


def _draw(model: Model, stem: Path) -> None:
    diagram = model.diagram()
    for ending in (".svg", ".png"):
        diagram.save(stem.with_suffix(ending))
    print(f"  {shown(stem)}.svg, .png")


def _compile(model: Model, path: Path) -> None:
    source = model.source()
    write_whole(path, source.encode())
    print(f"  {shown(path)}  {source.count(chr(10))} lines, proved equal to the checked graph")


def _train(model: Model, out: Path, epochs: int) -> float:
    from archdsl.training.config import Config
    from archdsl.training.fit import fit
    from archdsl.training.run import unused
    from archdsl.training.spec import SpecTrainable
    from archdsl.training.threads import suited_threads

    with suited_threads(model.macs):
        result = fit(SpecTrainable(model), Config(data="digits", epochs=epochs, lr=5e-3), unused(out.parent, out.name))
    print(f"  test accuracy {result.test_accuracy:.1%} after {result.epochs} epochs")
    return result.test_accuracy
