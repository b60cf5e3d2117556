"""``archdsl weights``: inspects, compares, converts and maps checkpoints."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.cli.common import (
    add_build_arguments,
    add_format_argument,
    add_output_argument,
    add_spec_argument,
    load_model,
    output_file,
    print_json,
    report_written,
    shown,
)
from archdsl.compiler import open_spec, shipped_models
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import NoSuchPart, SeveralStateDicts
from archdsl.errors import SpecError
from archdsl.files import keep_inputs
from archdsl.graph import Graph
from archdsl.model import open_model
from archdsl.views.numbers import in_bytes
from archdsl.weights import Checkpoint, read_checkpoint, source_path, weights_for
from archdsl.weights.identify import Fit, fits
from archdsl.weights.statistics import statistics
from archdsl.weights.write import ENDINGS, save

if TYPE_CHECKING:
    from torch import Tensor

FILE_HELP = "checkpoint (.safetensors, .pth, .bin, .ckpt, an index of shards), or FILE:PART for an entry of it"


def configure(parser: argparse.ArgumentParser) -> None:
    parsers = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    inspect = parsers.add_parser("inspect", help="list the tensors of a file, and the networks that it fits")
    inspect.add_argument("file", metavar="FILE", help=FILE_HELP)
    add_spec_argument(inspect, "specs", nargs="*", help="networks to try (default: all shipped)")
    inspect.add_argument("--no-statistics", action="store_true", help="print only names, shapes and element types")
    diff = parsers.add_parser("diff", help="compare two files tensor by tensor")
    diff.add_argument("file", metavar="FILE", help=FILE_HELP)
    diff.add_argument("other", metavar="OTHER", help="checkpoint to compare with")
    convert = parsers.add_parser("convert", help="convert a file to another format")
    convert.add_argument("file", metavar="FILE", help=FILE_HELP)
    map = parsers.add_parser("map", help="write the weights with the names of a network")
    map.add_argument("file", metavar="FILE", help=FILE_HELP)
    add_spec_argument(map)
    add_build_arguments(map)
    for writing in (convert, map):
        add_output_argument(
            writing, f"output file ({' or '.join(ENDINGS)})", required=True, metavar="OUT", type=output_file(*ENDINGS)
        )
    for action in (inspect, diff, convert, map):
        add_format_argument(action)


def run(args: argparse.Namespace) -> int:
    return {"inspect": _inspect, "diff": _diff, "convert": _convert, "map": _map}[args.action](args)


def _open(file: str) -> Checkpoint:
    found = read_checkpoint(file)
    if isinstance(found, Diagnostic):
        raise SpecError([found])
    return found


def _state(file: str) -> Mapping[str, Tensor]:
    """The only state dict of a file, or the entry that was named.

    Raises:
        SpecError: it holds several.
    """
    checkpoint = _open(file)
    entries = {e: s for e, s in checkpoint.entries.items() if checkpoint.part in (None, e)}
    if len(entries) == 1:
        return next(iter(entries.values()))
    listed = ", ".join(f"`{entry}`" for entry in checkpoint.entries)
    if not entries:
        raise SpecError([NoSuchPart(span=None, path=checkpoint.path, part=checkpoint.part or "", held=listed)])
    first = next(entry for entry in entries if entry)
    raise SpecError([SeveralStateDicts(span=None, path=checkpoint.path, fitting="", parts=listed, first=first)])


# ---- inspect ---------------------------------------------------------------------------------------------------


def _inspect(args: argparse.Namespace) -> int:
    checkpoint = _open(args.file)
    entries = {e: s for e, s in checkpoint.entries.items() if checkpoint.part in (None, e)} or checkpoint.entries
    if args.format == "json":
        held = {entry: {n: _facts(t, args) for n, t in state.items()} for entry, state in entries.items()}
        found = [
            {"network": f.name, "entry": f.found.entry, "prefix": f.found.match.prefix, "without": f.without}
            for f in _fitting(checkpoint, args.specs)
        ]
        print_json({"ok": True, "file": args.file, "entries": held, "fits": found})
        return 0
    for entry, state in entries.items():
        _print_state(f"entry `{entry}`" if entry else args.file, state, args)
    found = _fitting(checkpoint, args.specs)
    for fit in found:
        print(shown(_fit(fit)))
    if not found:
        print("fits none of the given networks" if args.specs else "fits no shipped network")
    return 0


def _fitting(checkpoint: Checkpoint, specs: list[str]) -> list[Fit]:
    """All of the given networks that the file fits; of the shipped ones, the first that it holds all of, or all that
    it fits but for heads.
    """
    found = []
    for fit in fits(checkpoint, _networks(specs or _likely_first(checkpoint.path), must_build=bool(specs))):
        found.append(fit)
        if not specs and not fit.without:
            return [fit]
    return found


def _likely_first(file: str) -> list[str]:
    """The shipped models, those first whose name the file's name begins with: building all takes seconds."""
    stem = Path(file).name.lower()
    return sorted(shipped_models(), key=lambda name: not stem.startswith(name.rpartition("/")[2]))


def _networks(names: list[str], must_build: bool) -> Iterator[tuple[str, Graph]]:
    for name in names:
        spec = open_spec(name)
        if isinstance(spec, Diagnostic):
            raise SpecError([spec])
        try:
            yield name, open_model(spec, {}, {}).graph
        except SpecError:  # of the shipped ones, a family that is built with arguments only
            if must_build:
                raise


def _fit(fit: Fit) -> str:
    without = f", without {', '.join(f'`{module}`' for module in fit.without)}" if fit.without else ""
    part = ".".join(filter(None, (fit.found.entry, fit.found.match.prefix.rstrip("."))))
    return f"fits {fit.name}{without}{f' (`{part}`)' if part else ''}"


def _facts(tensor: Tensor, args: argparse.Namespace) -> dict[str, Any]:
    facts: dict[str, Any] = {"shape": list(tensor.shape), "dtype": _dtype(tensor)}
    found = None if args.no_statistics else statistics(tensor)
    return facts if found is None else {**facts, **{k: v if v == v else None for k, v in asdict(found).items()}}


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _print_state(title: str, state: Mapping[str, Tensor], args: argparse.Namespace) -> None:
    numbers = sum(prod(t.shape) for t in state.values())
    size = sum(prod(t.shape) * t.element_size() for t in state.values())
    print(f"{shown(title)}: {len(state)} tensors, {numbers:,} elements, {in_bytes(size)}")
    rows = [
        (shown(name), f"[{', '.join(map(str, t.shape))}]", _dtype(t), *_columns(t, args)) for name, t in state.items()
    ]
    heading = ("tensor", "shape", "dtype", *(() if args.no_statistics else ("mean", "std", "min", "max", "")))
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for row in (heading, *rows):
        cells = [cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))]
        print("  " + "  ".join(cells).rstrip())


def _columns(tensor: Tensor, args: argparse.Namespace) -> tuple[str, ...]:
    if args.no_statistics:
        return ()
    found = statistics(tensor)
    if found is None:
        return "", "", "", "", "no elements"
    wrong = [f"{n:,} {what}" for n, what in ((found.nan, "NaN"), (found.infinite, "infinite")) if n]
    return (*(f"{x:.3g}" for x in (found.mean, found.std, found.least, found.greatest)), ", ".join(wrong))


# ---- diff ------------------------------------------------------------------------------------------------------


def _diff(args: argparse.Namespace) -> int:
    """Print the names in one file only, and the tensors that differ. Returns 1 if there are any."""
    ours, theirs = _state(args.file), _state(args.other)
    gone = [name for name in ours if name not in theirs]
    new = [name for name in theirs if name not in ours]
    changed = {n: c for n, t in ours.items() if n in theirs and (c := _change(t, theirs[n])) is not None}
    if args.format == "json":
        print_json({"ok": True, "equal": not (gone or new or changed), "gone": gone, "new": new, "changed": changed})
    else:
        for sign, names in (("-", gone), ("+", new)):
            for name in names:
                print(f"{sign} {shown(name)}")
        for name, change in changed.items():
            print(f"~ {shown(name)}: {_change_text(change)}")
        equal = sum(n in theirs and n not in changed for n in ours)
        print(f"{equal} equal, {len(changed)} changed, {len(gone)} gone, {len(new)} new")
    return 1 if gone or new or changed else 0


def _change(here: Tensor, there: Tensor) -> dict[str, Any] | None:
    """How two tensors differ; None if they are equal. Equal NaN at the same place are no difference."""
    import torch

    facts = {"shape": [list(here.shape), list(there.shape)], "dtype": [_dtype(here), _dtype(there)]}
    if here.shape != there.shape:
        return facts
    if torch.equal(here, there) or (here.dtype == there.dtype and _same_bits(here, there)):
        return None if here.dtype == there.dtype else {**facts, "largest": 0.0}
    distance = (here.double() - there.double()).abs()
    return {**facts, "largest": distance.nan_to_num(0.0).max().item(), "nan": int((here.isnan() ^ there.isnan()).sum())}


def _same_bits(here: Tensor, there: Tensor) -> bool:
    import torch

    return (
        torch.equal(here.contiguous().view(torch.uint8), there.contiguous().view(torch.uint8)) if here.ndim else False
    )


def _change_text(change: Mapping[str, Any]) -> str:
    parts = [f"{what} {a} -> {b}" for what in ("shape", "dtype") for a, b in [change[what]] if a != b]
    if change.get("largest"):
        parts.append(f"differs by up to {change['largest']:.3g}")
    if change.get("nan"):
        parts.append(f"{change['nan']:,} NaN in one of them")
    return ", ".join(parts)


# ---- convert and map -------------------------------------------------------------------------------------------


def _convert(args: argparse.Namespace) -> int:
    keep_inputs(args.output, [source_path(args.file)])
    return _write(_state(args.file), (), args)


def _map(args: argparse.Namespace) -> int:
    model = load_model(args.spec, args)
    keep_inputs(args.output, [*model.files, source_path(args.file)])
    loaded = weights_for(model, args.file)
    return _write(loaded.tensors, loaded.notes, args)


def _write(tensors: Mapping[str, Tensor], notes: tuple[str, ...], args: argparse.Namespace) -> int:
    save(tensors, args.output)
    if args.format == "json":
        print_json({"ok": True, "file": str(args.output), "tensors": len(tensors), "notes": list(notes)})
    else:
        report_written(args.output, f"{len(tensors)} tensors")
        for note in notes:
            print(f"  {shown(note)}")
    return 0
