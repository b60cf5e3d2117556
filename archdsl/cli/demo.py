"""``archdsl demo``: checks, measures, draws, compiles and exports five networks, and trains one of them."""

from __future__ import annotations

import argparse
import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archdsl.checks.report import check
from archdsl.cli import compare
from archdsl.cli.common import add_output_argument, open_or_fail, output_folder, report_written, show_diagnostics, shown
from archdsl.cli.settings import reader
from archdsl.compiler import library_root, shipped_specs
from archdsl.diagnostics.files import MissingExtra
from archdsl.emit.summary import summarise
from archdsl.errors import SpecError
from archdsl.files import write_whole
from archdsl.model import Model, load
from archdsl.training.settings import POSITIVE
from archdsl.views.compare import columns

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
    """Runs the demo. Returns 1 if a claim or the training fails."""
    _need("torch", "onnx", "onnxruntime", "lightning", "torchvision", "sklearn", "matplotlib")
    start = time.perf_counter()
    out: Path = args.output
    print(
        f"This checks {len(shipped_specs())} specs, compares, draws and compiles five networks, exports three of\n"
        "them to ONNX, and trains LeNet-5 on handwritten digits. It takes one to three minutes\n"
        f"on two CPU cores, writes 130 MB to {shown(out)}/, and downloads nothing."
    )
    checked = _check()
    if checked is None:
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
            report_written(path, f"{path.stat().st_size / 1e6:,.1f} MB")
    with _step("Training LeNet-5 on handwritten digits"):
        folder, accuracy = _train(models["lenet5"], out / "lenet5-digits", args.epochs)
    specs = _copy_specs(out / "specs")
    page = out / "index.html"
    _write_page(page, models, checked, folder, accuracy)
    seconds = time.perf_counter() - start
    print(f"\nDone in {seconds:.0f} s. One page shows the diagrams, the sources and the training:\n")
    print(f"  {shown(page)}\n  {page.resolve().as_uri()}\n")
    print(f"Next: change a spec in {shown(specs)}/, and check it:\n\n  archdsl check {shown(specs / 'lenet5.arch')}")
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


def _check() -> tuple[int, int] | None:
    """Checks every shipped spec, whose claims are published facts. Returns the numbers of models and claims."""
    models = claims = 0
    is_right = True
    with _step("Checking the shipped specs and their claims"):
        for path in shipped_specs():
            report = check(open_or_fail(str(path)))
            held = sum(c.standing == "holds" for c in report.claims)
            models, claims = models + len(report.graphs), claims + held
            name = path.relative_to(library_root()).with_suffix("")
            print(f"  {'✓' if report.ok else '✗'} {name}: {_counted(len(report.graphs), 'model')}, {_claims(held)}")
            if not report.ok:
                is_right = False
                show_diagnostics(report.diagnostics)
    return (models, claims) if is_right else None


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _claims(held: int) -> str:
    return "1 claim holds" if held == 1 else f"{held} claims hold"


def _compare_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    compare.configure(parser)
    return parser.parse_args(list(NETWORKS))


def _draw(model: Model, stem: Path) -> None:
    diagram = model.diagram()
    for ending in (".svg", ".png"):
        report_written(diagram.save(stem.with_suffix(ending)))


def _compile(model: Model, path: Path) -> None:
    source = model.source()
    write_whole(path, source.encode())
    report_written(path, f"{source.count(chr(10))} lines, proved equal to the checked graph")


def _train(model: Model, out: Path, epochs: int) -> tuple[Path, float]:
    """Trains, and writes the report. Returns the folder of the run and the test accuracy."""
    from archdsl.cli.summary import text
    from archdsl.training.config import Config
    from archdsl.training.fit import fit
    from archdsl.training.report import report
    from archdsl.training.run import Run, unused
    from archdsl.training.spec import SpecTrainable
    from archdsl.training.threads import suited_threads

    folder = unused(out.parent, out.name)
    with suited_threads(model.macs):
        result = fit(SpecTrainable(model), Config(data="digits", epochs=epochs, lr=5e-3), folder)
    print(f"  test accuracy {result.test_accuracy:.1%} after {_counted(result.epochs, 'epoch')}")
    page = folder / "report.html"
    report(Run(folder), page, text)
    report_written(page)
    return folder, result.test_accuracy


def _copy_specs(folder: Path) -> Path:
    """Copies the shipped specs for the user to change, unless an earlier demo did."""
    if not folder.exists():
        for path in shipped_specs():
            write_whole(folder / path.relative_to(library_root()), path.read_bytes())
    return folder


def _write_page(page: Path, models: dict[str, Model], checked: tuple[int, int], run: Path, accuracy: float) -> None:
    """Writes the images, specs and sources as one page, which links to the report of the run."""
    from jinja2 import Environment

    template = Path(__file__).with_name("demo.html").read_text(encoding="utf-8")
    summaries = [summarise(model.graph) for model in models.values()]
    totals = columns(list(models), summaries)
    networks = [
        {
            "name": model.name,
            "diagram": _embedded("image/svg+xml", model.diagram().svg().encode()),
            "spec": _spec_text(model),
            "source": model.source(),
        }
        for model in models.values()
    ]
    text = Environment(autoescape=True, trim_blocks=True).from_string(template).render(
        checked=checked[0], claims=checked[1], accuracy=accuracy, networks=networks,
        headings=[column.heading for column in totals],
        rows=list(zip(*(column.cells for column in totals), strict=True)),
        curves=_embedded("image/png", (run / "curves.png").read_bytes()),
        report=(run / "report.html").relative_to(page.parent).as_posix(),
    )  # fmt: skip
    write_whole(page, text.encode())


def _spec_text(model: Model) -> str:
    path = model.files[0]
    return path.read_text(encoding="utf-8") if isinstance(path, Path) else ""


def _embedded(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
