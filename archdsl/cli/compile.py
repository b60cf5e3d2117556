"""``archdsl compile``: PyTorch source or an ONNX file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    add_output_argument,
    add_spec_argument,
    is_standard_output,
    load_model,
    open_or_fail,
    output_file,
    print_json,
    report_written,
    show_diagnostics,
    shown,
)
from archdsl.diagnostics.render import to_json
from archdsl.errors import SpecError
from archdsl.evaluate.workspace import STDIN
from archdsl.files import fingerprint, keep_inputs, write_whole
from archdsl.model import INITIAL_SEED, INITIAL_WEIGHTS, Model, open_members
from archdsl.weights import Loaded, source_path, weights_for

if TYPE_CHECKING:
    from torch import nn

    from archdsl.emit.onnx.report import Report

ENDINGS = {"torch": ".py", "onnx": ".onnx"}


def configure(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("--to", choices=tuple(ENDINGS), help="output format (default: by the file name, else torch)")
    add_output_argument(
        parser, "output file: .py or .onnx (default: name of the model); - for source on standard output",
        type=output_file(), metavar="FILE",
    )  # fmt: skip
    parser.add_argument(
        "--weights", metavar="FILE[:PART]",
        help="checkpoint (.safetensors, .pth, .ckpt), or an entry of it: stored in the ONNX file; for torch, only"
        " checked to contain every tensor of the network",
    )  # fmt: skip
    parser.add_argument("--fold-bn", action="store_true", help="onnx: fold batch norms into the preceding convolutions")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="onnx: compare ONNX Runtime with torch at several input sizes",
    )
    parser.add_argument(
        "--family", action="store_true", help="torch: all models of the file in one file, which share their blocks"
    )
    add_build_arguments(parser)
    add_format_argument(parser)


def run(args: argparse.Namespace) -> int:
    target = args.to or next((t for t, ending in ENDINGS.items() if str(args.output).endswith(ending)), "torch")
    problem = _misuse(args, target)
    if problem is not None:
        args.usage_error(problem)
    if args.family:
        return _family(args)
    model = load_model(args.spec, args)
    output = args.output or Path(model.name.lower() + ENDINGS[target])
    keep_inputs(output, [*model.files, *([source_path(args.weights)] if args.weights else [])])
    return _torch(model, output, args) if target == "torch" else _onnx(model, output, args)


def _misuse(args: argparse.Namespace, target: str) -> str | None:
    """Returns the error of contradicting arguments, or None."""
    if target == "torch" and (args.fold_bn or args.verify):
        return "--fold-bn and --verify are for --to onnx"
    if args.family and (target == "onnx" or args.weights is not None):
        return "--family writes PyTorch source, of many models: leave out --weights and --to onnx"
    if target == "onnx" and args.output is not None and is_standard_output(args.output):
        return "an ONNX file cannot be written to standard output: name a file with -o"
    if args.verify and args.output is not None and args.output.exists() and not args.output.is_file():
        return f"--verify reads the file again, and {shown(args.output)} is not a regular file"
    other = next(t for t in ENDINGS if t != target)
    if str(args.output).endswith(ENDINGS[other]):
        return f"--to {target} contradicts the ending of {shown(args.output)}"
    if args.to is None and args.output is not None and not _tells_format(args.output):
        known = " or ".join(ENDINGS.values())
        return f"{shown(args.output)} does not end in {known}: choose one of them, or the format with --to"
    return None


def _tells_format(output: Path) -> bool:
    """Whether the format follows from the output: devices and pipes get source, as standard output does."""
    if output.suffix in ENDINGS.values() or is_standard_output(output):
        return True
    try:
        return output.exists() and not output.is_file()
    except OSError:
        return True  # writing it will report why


def _torch(model: Model, output: Path, args: argparse.Namespace) -> int:
    source = model.source()
    if model.source_warnings and args.format != "json":
        show_diagnostics(model.source_warnings)
    loaded = weights_for(model, args.weights) if args.weights is not None else None
    if is_standard_output(output):
        sys.stdout.write(source)
        return 0
    write_whole(output, source.encode())
    lines = source.count("\n")
    if args.format == "json":
        facts: dict[str, Any] = {"ok": True, "file": str(output), "lines": lines, "model": model.name}
        print_json(
            {**facts, **_weights_facts(args, loaded), "diagnostics": [to_json(d) for d in model.source_warnings]}
        )
    else:
        report_written(output, f"{lines} lines, proved equal to the checked graph")
        if loaded is not None:
            strictly = "" if loaded.notes else " with strict=True"
            print("\n".join([f"{shown(args.weights)} loads into it{strictly}", *_notes(loaded)]))
    return 0


def _family(args: argparse.Namespace) -> int:
    """Writes all models of a file."""
    from archdsl.emit.torch.family import family_source

    spec = open_or_fail(args.spec)
    models = open_members(spec, dict(args.settings), dict(args.inputs))
    name = spec.scope.file.source.name
    output = args.output or Path(f"{models[0].name.lower() if name == STDIN else Path(name).stem}.py")
    keep_inputs(output, spec.files)
    source = family_source(models)
    if is_standard_output(output):
        sys.stdout.write(source.text)
        return 0
    write_whole(output, source.text.encode())
    lines = source.text.count("\n")
    if args.format == "json":
        print_json({"ok": True, "file": str(output), "lines": lines, "models": dict(source.members), "diagnostics": []})
    else:
        count = "1 model" if len(models) == 1 else f"{len(models)} models"
        report_written(output, f"{count}, {lines} lines, proved equal to the checked graphs")
    return 0


def _notes(loaded: Loaded) -> list[str]:
    return [f"  {shown(note)}" for note in loaded.notes]


def _weights_facts(args: argparse.Namespace, loaded: Loaded | None) -> dict[str, Any]:
    return {} if loaded is None else {"weights": {"file": args.weights, "notes": list(loaded.notes)}}


def _onnx(model: Model, output: Path, args: argparse.Namespace) -> int:
    loaded, module, origin = None, model.module(seed=INITIAL_SEED), INITIAL_WEIGHTS
    if args.weights is not None:
        loaded, origin = weights_for(model, args.weights), fingerprint(source_path(args.weights))
        module.load_state_dict(loaded.tensors, strict=True)
    path = model.onnx(output, module, fold_bn=args.fold_bn, origin=origin)
    size = path.stat().st_size
    report = _verified(model, module, path) if args.verify else None
    if args.format == "json":
        facts = {"ok": True, "file": str(path), "bytes": size, "model": model.name, "origin": origin}
        facts |= _weights_facts(args, loaded)
        print_json(facts if report is None else {**facts, "verified": report.facts()})
        return 0
    report_written(path, f"{size / 1e6:,.1f} MB, checked by onnx.checker with full shape inference")
    trained = f"from {shown(args.weights)}"
    print(f"weights: {trained if loaded is not None else f'{origin}; use --weights for trained weights'}")
    if loaded is not None and loaded.notes:
        print("\n".join(_notes(loaded)))
    if report is not None:
        print(report)
    return 0


def _verified(model: Model, module: nn.Module, path: Path) -> Report:
    """The file compared with the module.

    Raises:
        SpecError: they differ.
    """
    from archdsl.emit.onnx import verify

    report = verify(model.graph, module, path)
    if report.problem is not None:
        raise SpecError([report.problem])
    return report
