"""Whatever ``check`` accepts compiles, runs, and has an ONNX file: ``python -m tests.soundness.compiled --specs 5000``.

Specs of the whole language are grown at random (`grown.py`). Each is checked, written as PyTorch source that is
proved, and run at its least sizes and at larger ones, in evaluation and in training. Shapes and element types must be
those that were checked, numbers those of the graph run node by node, and those of its ONNX file in ONNX Runtime.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from random import Random

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from archdsl.checks.report import check
from archdsl.compiler import build, from_text
from archdsl.dims import evaluate, symbols
from archdsl.emit.onnx.lower import lower
from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.model import Model, open_model
from archdsl.syntax import tree

from .grown import CheckFailed, Grown, Tally

TYPES = {"float32": torch.float32, "int64": torch.int64, "bool": torch.bool}
TOLERANCE = 1e-3
"""Largest difference between torch and ONNX Runtime, relative to the largest number of the output, or to 1."""
HUGE = 1e9
"""Numbers beyond it may exceed float32 inside an operator in the one back end and not in the other; NaN is no number,
and a maximum may pass it on or pass it over."""
TRIES = 400
MOST_NUMBERS = 10_000_000
"""In one value of a network that is run."""
AT_RUN_TIME = ("index out of range", "out of bounds", "ZeroDivisionError")
"""What torch says of numbers that no checker knows: rows of a table that are not there, whole numbers divided by 0."""
NOT_OF_THIS_MACHINE = ("A0502", "A0503", "A0524", "A0532")
"""Documented refusals: modules whose parameters an input's size decides, networks without an output at inference, and
operators that ONNX does not have."""


class Fault(Exception):
    """A spec that was accepted did not go through."""


@dataclass
class Outcome:
    """How many specs went how far."""

    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    """Documented ones, by code and reason."""
    constructs: Counter[str] = field(default_factory=Counter)
    """In how many specs a node of the syntax tree, or an operator of the graph, stands."""


def judge(text: str, outcome: Outcome, random: Random) -> None:
    """
    Raises:
        Fault: what was accepted did not compile, did not run, or gave something else.
    """
    spec = from_text(text)
    names = list(spec.buildable)
    for name in names:
        model = open_model(from_text(text, model=name), {}, {})
        outcome.counts["models"] += 1
        judge_model(model, outcome, random)


def judge_model(model: Model, outcome: Outcome, random: Random) -> None:
    try:
        source = model._source
    except SpecError as error:
        refused(error, outcome, "not compiled")
        return
    for diagnostic in source.diagnostics:
        outcome.counts[f"compiled with {diagnostic.code}"] += 1
        outcome.refusals[f"{diagnostic.code}: {diagnostic.message[:160]}"] += 1
    outcome.counts["compiled"] += 1
    module = model.module()
    weights = module.state_dict()
    wanted = {name: (w.shape, TYPES[w.dtype]) for name, w in model.graph.weights.items()}
    found = {name: (tuple(t.shape), t.dtype) for name, t in weights.items()}
    if list(wanted.items()) != list(found.items()):
        raise Fault(f"state dict {found}\nnot {wanted}")
    runs = [run(model.graph, module, sizes, outcome, random) for sizes in sizes_of(model.graph, random)]
    outcome.counts["ran"] += 1
    compare(model, module, [r for r in runs if r is not None], outcome)


def refused(error: SpecError, outcome: Outcome, kind: str) -> None:
    codes = [d.code for d in error.diagnostics]
    if not set(codes) <= set(NOT_OF_THIS_MACHINE):
        raise Fault(f"{kind}: {[d.message for d in error.diagnostics]}")
    outcome.counts[f"{kind}: {codes[0]}"] += 1
    outcome.refusals[f"{codes[0]}: {error.diagnostics[0].message[:120]}"] += 1


# ---- sizes and inputs ----------------------------------------------------------------------------------------


def sizes_of(graph: Graph, random: Random) -> Iterator[dict[str, int]]:
    """The least sizes that were found, and others."""
    names = sorted({name for i in graph.inputs for size in i.value.shape for name in symbols(size)})
    conditions = [c for p in graph.needs.preconditions() for c in p.conditions]
    if not names:
        yield {}
        return
    some = [dict.fromkeys(names, k) for k in range(1, 33)]
    some += [{name: random.randint(1, 24) for name in names} for _ in range(TRIES)]
    some += [{name: random.choice([8, 16, 24, 32, 48, 64]) for name in names} for _ in range(TRIES)]
    found = [sizes for sizes in some if all(c.holds(sizes) for c in conditions)]
    if not found:
        return
    yield found[0]
    others = [sizes for sizes in found[1:] if sizes != found[0]]
    drawn = random.sample(others, min(4, len(others)))
    small = [sizes for sizes in drawn if _greatest(graph, sizes) <= MOST_NUMBERS]
    if small:
        yield min(small, key=lambda sizes: sum(sizes.values()))


def _greatest(graph: Graph, sizes: dict[str, int]) -> int:
    """How many numbers the greatest value has."""
    values = [*(given.value for given in graph.inputs), *(value for node in graph.nodes for value in node.outputs)]
    return max(prod(evaluate(size, sizes) for size in value.shape) for value in values)


def inputs_of(graph: Graph, sizes: dict[str, int]) -> dict[str, Tensor]:
    """Normal numbers; whole ones from 0 to 3, which index most tables."""
    generator = torch.Generator().manual_seed(0)
    made = {}
    for given in graph.inputs:
        shape = [evaluate(size, sizes) for size in given.value.shape]
        if given.value.dtype == "float32":
            made[given.name] = torch.randn(shape, generator=generator)
        else:
            top = 2 if given.value.dtype == "bool" else 4
            made[given.name] = torch.randint(0, top, shape, generator=generator).to(TYPES[given.value.dtype])
    return made


# ---- torch -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """What a module in evaluation mode makes of inputs."""

    sizes: dict[str, int]
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


def run(graph: Graph, module: nn.Module, sizes: dict[str, int], outcome: Outcome, random: Random) -> Run | None:
    """The module in evaluation and in training; None where the numbers of the inputs are at fault."""
    given = inputs_of(graph, sizes)
    weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    results: list[dict[str, Tensor]] = []
    for training in (True, False):
        module.train(training)
        try:
            with torch.no_grad():
                torch.manual_seed(0)
                found = module(*(x.clone() for x in given.values()))
        except Exception as error:
            if any(text in f"{type(error).__name__}: {error}" for text in AT_RUN_TIME):
                outcome.counts["numbers of the inputs do not fit"] += 1
                return None
            if training and "more than 1 value per channel" in str(error):
                outcome.counts["statistics of one number"] += 1
                continue
            raise Fault(f"at {sizes}, training {training}: {type(error).__name__}: {error}") from error
        results.append(named(graph, found, training))
        shapes_are_those_checked(graph, sizes, results[-1])
        if not training:
            module.load_state_dict(weights)
            module.eval()
    with torch.no_grad():
        module.load_state_dict(weights)
        found = named(graph, module(*(x.clone() for x in given.values())), False)
        expected = GraphRunner(graph, weights, False).outputs(given)
    for name, tensor in found.items():
        if not same(tensor, expected[name]):
            raise Fault(f"at {sizes}: output {name} is not that of the graph")
    return Run(sizes, given, found)


def named(graph: Graph, found: object, training: bool) -> dict[str, Tensor]:
    """Outputs by name: those of inference first, then those that exist only in training."""
    values = found if isinstance(found, tuple) else (found,)
    outputs = sorted((o for o in graph.outputs if training or not o.when_training), key=lambda o: o.when_training)
    kept = [v for v in values if v is not None]
    if len(kept) != len(outputs):
        raise Fault(f"{len(kept)} outputs, not {len(outputs)}")
    return {o.name: v for o, v in zip(outputs, kept, strict=True)}


def shapes_are_those_checked(graph: Graph, sizes: dict[str, int], found: dict[str, Tensor]) -> None:
    types = {o.name: o.value.type for o in graph.outputs}
    for name, tensor in found.items():
        wanted = tuple(evaluate(size, sizes) for size in types[name].shape), TYPES[types[name].dtype]
        if (tuple(tensor.shape), tensor.dtype) != wanted:
            raise Fault(f"at {sizes}: output {name} is {tuple(tensor.shape)} {tensor.dtype}, not {wanted}")


def same(found: Tensor, wanted: Tensor) -> bool:
    return found.dtype == wanted.dtype and torch.equal(found.nan_to_num(7.5), wanted.nan_to_num(7.5))


# ---- ONNX ------------------------------------------------------------------------------------------------------


def compare(model: Model, module: nn.Module, runs: list[Run], outcome: Outcome) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        try:
            model.onnx(path, module)
        except SpecError as error:
            refused(error, outcome, "no ONNX")
            return
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise Fault(f"ONNX Runtime does not load the file: {error}") from error
        for done in runs:
            try:
                names = [output.name for output in session.get_outputs()]
                found = dict(
                    zip(names, session.run(names, {n: x.numpy() for n, x in done.inputs.items()}), strict=True)
                )
            except Exception as error:
                raise Fault(f"ONNX Runtime does not run the file at {done.sizes}: {error}") from error
            for name, wanted in done.outputs.items():
                gap = difference(found[name], wanted.numpy())
                if gap > TOLERANCE:
                    fault = node_at_fault(model.graph, module, path, done)
                    if fault is not None:
                        raise Fault(f"ONNX Runtime's {name} differs at {done.sizes} by {gap:.1e}, from {fault}")
                    outcome.counts["rounding grows"] += 1
        outcome.counts["ONNX equal"] += 1


def difference(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest, relative to the largest finite number wanted, or to 1."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return np.inf
    if wanted.dtype != np.float32:
        return 0.0 if np.array_equal(found, wanted) else np.inf
    with np.errstate(all="ignore"):
        other = (found != wanted) & ~(np.isnan(found) & np.isnan(wanted))
        gaps = np.abs(found[other].astype(np.float64) - wanted[other])
        largest = np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
    return float(np.nan_to_num(gaps, nan=np.inf, posinf=np.inf).max(initial=0.0) / largest)


def node_at_fault(graph: Graph, module: nn.Module, path: Path, done: Run) -> str | None:
    """The first layer that gives another result in torch on the inputs that it has in ONNX Runtime.

    None where every layer gives the same: then rounding alone decides what comes out.
    """
    file = onnx.load(path)
    file.graph.output.extend(file.graph.value_info)
    session = onnxruntime.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {n: x.numpy() for n, x in done.inputs.items()}), strict=True))
    runner, of_values = GraphRunner(graph, module.state_dict()), lower(graph).names
    known = {given.value: done.inputs[given.name] for given in graph.inputs}
    for node in runner.nodes:
        given = [known[value] for value in node.inputs]
        made = runner.step(node, given, done.sizes)
        is_judged = all(x.dtype != torch.float32 or bool((x.abs() < HUGE).all()) for x in given)
        for value, tensor in zip(node.outputs, made, strict=True):
            there = found.get(of_values[value])
            if is_judged and there is not None and difference(there, tensor.detach().numpy()) > TOLERANCE:
                return f"{node.span.text} on {[t.shape for t in node.input_types]}:\n{there}\n{tensor}"
            known[value] = tensor.detach() if there is None else torch.from_numpy(there)
    return None


# ---- what fails, made small ------------------------------------------------------------------------------------


def fault_of(text: str) -> str | None:
    """What goes wrong with a spec; None where nothing does, or it is refused."""
    try:
        if not check(from_text(text)).ok:
            return None
        judge(text, Outcome(), Random(0))
    except Fault as fault:
        return str(fault)
    except Exception:
        return traceback.format_exc(limit=-3, chain=False)
    return None


def smallest(text: str, fault: str) -> tuple[str, str]:
    """The spec with every statement left out that the fault does not need, and its fault."""
    key, lines, at = _kind(fault), text.splitlines(), 0
    while at < len(lines):
        for attempt in _without(lines, at):
            found = fault_of("\n".join(attempt) + "\n")
            if found is not None and _kind(found) == key:
                lines, fault, at = attempt, found, -1
                break
        at += 1
    return "\n".join(lines) + "\n", fault


def _kind(fault: str) -> str:
    return re.sub(r"[\d\[\]]+|`[^`]*`|<[^>]*>", "", fault.strip().splitlines()[-1 if "Traceback" in fault else 0])[:50]


def _without(lines: list[str], at: int) -> Iterator[list[str]]:
    """The lines without the statement that begins here, and without the braces around what stands in it."""
    depth = 0
    for end in range(at, len(lines)):
        depth += lines[end].count("{") - lines[end].count("}")
        if depth <= 0:
            if depth == 0:
                yield lines[:at] + lines[end + 1 :]
                if end > at:
                    yield lines[:at] + lines[at + 1 : end] + lines[end + 1 :]
            return


def constructs(text: str) -> set[str]:
    """Kinds of the nodes of a spec's syntax tree, and its operators."""
    spec = from_text(text)
    kinds = {type(node).__name__ for made in spec.scope.file.definitions for node in tree.walk(made)}
    built = [build(spec, model, {}, {}).graph for model in spec.buildable.values()]
    return kinds | {node.op.name for graph in built if graph is not None for node in graph.nodes}


# ---- the run ---------------------------------------------------------------------------------------------------


def grown(seed: int, number: int, tally: Tally, random: Random, texts: Path | None) -> str:
    """A spec; from a file of ``texts`` where it was grown before."""
    path = texts / f"{seed}-{number}.arch" if texts is not None else None
    if path is not None and path.exists():
        return path.read_text()
    text = Grown(random, tally).text
    if path is not None:
        path.write_text(text)
    return text


def one(
    seed: int, number: int, tally: Tally, outcome: Outcome, texts: Path | None = None, only_grow: bool = False
) -> str | None:
    """One spec through everything; what went wrong, if anything did, with the spec."""
    random, text = Random(f"{seed}/{number}"), ""
    try:
        text = grown(seed, number, tally, random, texts)
        if only_grow:
            return None
        if not check(from_text(text)).ok:
            outcome.counts["refused without its probes"] += 1
            return None
        outcome.counts["specs"] += 1
        outcome.constructs.update(constructs(text))
        judge(text, outcome, random)
    except CheckFailed as failed:
        return f"{failed.text}\n{''.join(traceback.format_exception(failed.__cause__, limit=-3, chain=False))}"
    except Fault as fault:
        return "\n".join(smallest(text, str(fault)))
    except Exception:
        return "\n".join(smallest(text, traceback.format_exc(limit=-3, chain=False)))
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--specs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--found", type=Path, help="a folder for the specs that fail")
    parser.add_argument("--texts", type=Path, help="a folder for the specs, to judge them again without growing them")
    parser.add_argument("--only-grow", action="store_true", help="write the specs to --texts and judge them later")
    args = parser.parse_args()
    if args.texts is not None:
        args.texts.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    tally, outcome, failures, started = Tally(), Outcome(), 0, time.process_time()
    for number in range(args.first, args.specs):
        fault = one(args.seed, number, tally, outcome, args.texts, args.only_grow)
        if fault is not None:
            failures += 1
            print(f"---- {number}\n{fault}", flush=True)
            if args.found is not None:
                args.found.mkdir(parents=True, exist_ok=True)
                (args.found / f"{args.seed}-{number}.txt").write_text(fault)
        if number % 250 == 249:
            print(number + 1, dict(outcome.counts), f"{failures} failures", file=sys.stderr, flush=True)
    print("additions proposed and kept:")
    for name, proposed in tally.proposed.most_common():
        print(f"  {name}: {tally.kept[name]} of {proposed}")
    print(f"  all: {sum(tally.kept.values())} of {sum(tally.proposed.values())}")
    print("specs with each construct and operator:", dict(outcome.constructs.most_common()))
    print(dict(outcome.counts), *outcome.refusals.most_common(40), sep="\n")
    print(f"{failures} failures, {time.process_time() - started:.0f} s of processor time")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
