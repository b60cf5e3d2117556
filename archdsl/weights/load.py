"""Weights for a network: all of them or none, and a line for everything that was not as it stands in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import NoSuchPart, SeveralStateDicts, WeightsDiffer
from archdsl.diagnostics.nearest import nearest
from archdsl.errors import SpecError
from archdsl.graph import Graph, Node
from archdsl.weights.match import Match, Shape, Shapes, matches
from archdsl.weights.read import Checkpoint, read_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = 5
"""Names in a message; the others are counted."""


class Network(Protocol):
    """What is asked of a model: its graph, and the model with another value of a parameter."""

    @property
    def name(self) -> str: ...

    @property
    def graph(self) -> Graph: ...

    @property
    def arguments(self) -> Mapping[str, Any]: ...

    def vary(self, /, input: None = None, **parameters: Any) -> Network: ...


@dataclass(frozen=True)
class Loaded:
    """A state dict with the network's names, in its order. ``notes`` say what was not as it stands in the file."""

    tensors: Mapping[str, Tensor]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """The state dict of a file that fits best, and how."""

    entry: str
    state: Mapping[str, Tensor]
    match: Match


def weights_for(model: Network, source: str | PathLike[str]) -> Loaded:
    """The weights of a file, ``FILE`` or ``FILE:PART``, for this network.

    Every tensor of the network is in the file, with its shape. The file may hold tensors beside the network (another
    entry, other prefixes), and those of a branch for training only that this model is built without.

    Raises:
        SpecError: the file cannot be read, or holds the weights of another network.
    """
    wanted = shapes(model.graph)
    found = best(source, wanted, model.name)
    left_out: dict[str, str] = {}
    if found.match.unused and not found.match.misses:
        left_out = _training_only(model, found.match)
    if found.match.misses or any(key not in left_out for key in found.match.unused):
        raise SpecError([differs(found, wanted, source, model.name, advice=_advice(model, found, wanted))])
    notes = (*notes_on(found, str(source)), *_left_out_notes(left_out))
    return Loaded(complete(found, wanted), notes)


def shapes(graph: Graph) -> dict[str, Shape]:
    """Names and shapes of the state dict."""
    return {name: tuple(weight.shape) for name, weight in graph.weights.items()}


def best(source: str | PathLike[str], wanted: Shapes, name: str) -> Found:
    """The state dict of the file that fits best.

    Raises:
        SpecError: the file cannot be read, or several state dicts in it fit.
    """
    checkpoint = read_checkpoint(source)
    if isinstance(checkpoint, Diagnostic):
        raise SpecError([checkpoint])
    found = list(candidates(checkpoint, wanted))
    if not found:
        held = ", ".join(f"`{entry}`" for entry in checkpoint.entries if entry) or "a state dict, in no entry"
        raise SpecError([NoSuchPart(span=None, path=checkpoint.path, part=checkpoint.part or "", held=held)])
    least = min(f.match.misses for f in found)
    ranked = sorted((f for f in found if f.match.misses == least), key=lambda f: len(f.match.unused))
    equal = [f for f in ranked if len(f.match.unused) == len(ranked[0].match.unused)]
    if least == 0 and len(equal) > 1:
        parts = [_part(f) for f in equal]
        listed = ", ".join(f"`{part}`" for part in parts)
        raise SpecError(
            [
                SeveralStateDicts(
                    span=None, path=checkpoint.path, fitting=f" that fit {name}", parts=listed, first=parts[0]
                )
            ]
        )
    return ranked[0]


def candidates(checkpoint: Checkpoint, wanted: Shapes) -> Iterator[Found]:
    for entry, state in checkpoint.entries.items():
        sizes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        for under in _prefixes(entry, checkpoint.part, state):
            for match in matches(wanted, sizes, under):
                yield Found(entry, state, match)


def _prefixes(entry: str, part: str | None, state: Mapping[str, Tensor]) -> list[str | None]:
    """The prefix that a part means in an entry (None: any), or nothing if it means another entry."""
    if part is None or part == entry:
        return [None]
    if entry and not part.startswith(f"{entry}."):
        return []
    prefix = part.removeprefix(f"{entry}.")
    return [prefix] if any(name.startswith(f"{prefix}.") for name in state) else []


def _part(found: Found) -> str:
    return ".".join(filter(None, (found.entry, found.match.prefix.rstrip("."))))


def complete(found: Found, wanted: Shapes, fresh: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """The network's state dict: from the file, counters that it lacks at 0, else what is ``fresh``."""
    import torch

    others = {**(fresh or {}), **{name: torch.tensor(0) for name in found.match.counters}}
    keys = found.match.keys
    return {name: found.state[keys[name]] if name in keys else others[name] for name in wanted}


# ---- what is said ----------------------------------------------------------------------------------------------


def notes_on(found: Found, file: str) -> Iterator[str]:
    """What is not as it stands in the file, a line each."""
    match = found.match
    if found.entry and not file.endswith(f":{found.entry}"):
        yield f"read from the entry `{found.entry}`"
    if match.wrappers:
        named = " and ".join(f"`{wrapper}.`" for wrapper in match.wrappers)
        yield f"removed {named} from the names"
    if match.prefix:
        yield f"removed the prefix `{match.prefix}` from the names"
    if match.renamed:
        yield f"renamed from an old version of the library: {listed(match.renamed)}"
    if match.counters:
        yield f"set {len(match.counters)} `num_batches_tracked` to 0: files written before PyTorch 0.4.1 lack them"
    if match.profiled:
        yield f"omitted {len(match.profiled)} counters of a profiler: {listed(match.profiled[:1])}, …"
    if match.outside:
        yield f"omitted weights outside of `{match.prefix}`: {_modules(match.outside)}"


def _left_out_notes(left_out: Mapping[str, str]) -> Iterator[str]:
    for switch in dict.fromkeys(left_out.values()):
        keys = [key for key, by in left_out.items() if by == switch]
        yield f"omitted a training-only branch, which `{switch}` builds: {_modules(keys)}"


def _modules(keys: Iterable[str]) -> str:
    """The outermost modules of these tensors, each with its number of them."""
    counts = Counter(key.partition(".")[0] for key in keys)
    return listed(f"{name} ({count} tensor{'' if count == 1 else 's'})" for name, count in counts.items())


def listed(names: Iterable[str]) -> str:
    """Some of the names, and how many there are."""
    names = list(names)
    more = f", … ({len(names)} in all)" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def differs(
    found: Found, wanted: Shapes, source: str | PathLike[str], network: str, advice: str | None = None
) -> WeightsDiffer:
    """Why the file's weights are not the network's: every kind of difference, with some names of each."""
    match = found.match
    other = [
        f"{name} is {list(found.state[key].shape)}, not {list(wanted[name])}" for name, key in match.reshaped.items()
    ]
    parts = {"missing": match.missing, "unexpected": match.unused, "with another shape": other}
    difference = "; ".join(f"{what}: {listed(names)}" for what, names in parts.items() if names)
    return WeightsDiffer(
        span=None, path=str(source), network=network, difference=difference, advice=advice or _nearest(found, wanted)
    )


def _nearest(found: Found, wanted: Shapes) -> str | None:
    """For some names that are missing, the most similar unexpected one of the same shape."""
    free = list(found.match.unused)
    pairs = []
    for name in found.match.missing[:SHOWN]:
        alike = [key for key in free if tuple(found.state[key].shape) == wanted[name]]
        if meant := nearest(name, alike):
            pairs.append(f"`{name}` may be `{meant}` in the file")
            free.remove(meant)
    return "; ".join(pairs) or None


def _advice(model: Network, found: Found, wanted: Shapes) -> str | None:
    """What the difference comes down to, where it is one that people have: a head, a stem, an auxiliary branch."""
    match = found.match
    missing = set(match.missing)
    if missing and not match.reshaped and missing <= only_in_training(model.graph):
        switch = next((s for s in _switches(model, to=False) if not missing & shapes(s.model.graph).keys()), None)
        return f"build the network without them, as in the file: `--set {switch.text}`" if switch else None
    if missing and not match.reshaped and missing <= set(head(model.graph)):
        return "the file has no head; train a new one with `archdsl train --weights`"
    if match.reshaped and not missing:
        return _reshaped_advice(model, found, wanted)
    return None


def _reshaped_advice(model: Network, found: Found, wanted: Shapes) -> str | None:
    names = list(found.match.reshaped)
    there = {name: tuple(found.state[key].shape) for name, key in found.match.reshaped.items()}
    if set(names) <= set(head(model.graph)) and "classes" in model.arguments:
        classes = there[names[0]][0]
        return f"use `--set classes={classes}`, as in the file, or train a new head with `archdsl train --weights`"
    if len(names) == 1 and len(there[names[0]]) == len(wanted[names[0]]) > 2:
        here, other = wanted[names[0]], there[names[0]]
        if here[1] != other[1] and here[:1] + here[2:] == other[:1] + other[2:]:
            return (
                f"the network of the file takes {other[1]} channels, and loading does not convert weights to {here[1]}"
            )
    return None


# ---- branches of the network -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Switch:
    """A parameter of the model set to another truth value, and the model built so."""

    text: str
    model: Network


def _switches(model: Network, to: bool) -> Iterator[Switch]:
    for name, value in model.arguments.items():
        if isinstance(value, bool) and value is not to:
            try:
                parameters: dict[str, Any] = {name: to}
                yield Switch(f"{name}={str(to).lower()}", model.vary(**parameters))
            except SpecError:  # it cannot be built so
                continue


def _training_only(model: Network, match: Match) -> dict[str, str]:
    """Names in the file of a branch for training only that a switch of the model would build, by that switch."""
    rests = {key: key.removeprefix(match.prefix) for key in match.unused}
    for switch in _switches(model, to=True):
        only = only_in_training(switch.model.graph)
        taken = {key: switch.text for key, rest in rests.items() if rest in only}
        if taken:
            return taken
    return {}


def only_in_training(graph: Graph) -> set[str]:
    """Weights that no output of inference depends on."""
    return set(graph.weights) - set(_weights_of(graph, graph.live(training=False)))


def head(graph: Graph) -> list[str]:
    """Weights of the layers that an output comes from with no other layer of weights between."""
    ends = {output.value for output in graph.outputs}
    heads = []
    for node in reversed(graph.nodes):
        if not ends.isdisjoint(node.outputs):
            if node.weights:
                heads.append(node)
            else:
                ends.update(node.inputs)
    return _weights_of(graph, heads)


def _weights_of(graph: Graph, nodes: Iterable[Node]) -> list[str]:
    used = {node.module.join(weight.name) for node in nodes if node.module is not None for weight in node.weights}
    return [name for name in graph.weights if name in used]
