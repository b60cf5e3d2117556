"""Which checkpoints of one network the other one loads: as they are, with renames, or in part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from archdsl.diff.align import Pairs
from archdsl.diff.places import column
from archdsl.evaluate.values import shape_text
from archdsl.graph import Graph
from archdsl.op import Weight
from archdsl.record import record

Standing: TypeAlias = Literal["identical", "renamed", "partial"]


@record
class Checkpoint:
    """How a state dict of the first network fits the second.

    ``standing``: ``identical`` if names, shapes and element types are equal; ``renamed`` if they are after the renames;
    ``partial`` if tensors are new, gone or reshaped. ``renames`` maps names in the first network to names in the
    second; ``reshaped`` gives both shapes by the name in the second.
    """

    standing: Standing
    tensors: int
    renames: Mapping[str, str]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    reshaped: Mapping[str, tuple[str, str]]

    @property
    def modules_renamed(self) -> tuple[tuple[str, str], ...]:
        """The renames as few renames of modules or tensors, old and new."""
        found = dict.fromkeys(_stripped(old, new) for old, new in self.renames.items())
        return tuple(_shifts(list(found)))


def checkpoint(before: Graph, after: Graph, pairs: Pairs) -> Checkpoint:
    """How checkpoints of the first network fit the second; tensors go with their layers."""
    old, new = before.weights, after.weights
    sources: dict[str, str] = {}
    for x, y in pairs.leaves():
        for name, target in y.weights.items():
            if name in x.weights and target not in sources:
                sources[target] = x.weights[name]
    sources = _once(sources)
    taken = set(sources.values())
    sources |= {name: name for name in new if name not in sources and name in old and name not in taken}
    renames = {source: target for target, source in sources.items() if source != target}
    reshaped = {
        target: (_text(old[source]), _text(new[target]))
        for target, source in sources.items()
        if _text(old[source]) != _text(new[target])
    }
    gone = tuple(name for name in old if name not in sources.values())
    added = tuple(name for name in new if name not in sources)
    if reshaped or gone or added:
        standing: Standing = "partial"
    else:
        standing = "renamed" if renames else "identical"
    return Checkpoint(standing, len(new), renames, added, gone, reshaped)


def _once(sources: Mapping[str, str]) -> dict[str, str]:
    """Each source for one target only: for that of its own name, if there is one."""
    owners: dict[str, str] = {}
    for target, source in sources.items():
        if source not in owners or target == source:
            owners[source] = target
    return {target: source for target, source in sources.items() if owners[source] == target}


def _text(weight: Weight) -> str:
    dtype = "" if weight.dtype == "float32" else f" {weight.dtype}"
    return shape_text(weight.shape) + dtype


def _stripped(old: str, new: str) -> tuple[str, str]:
    """Two names without the parts at their ends that are equal."""
    ours, theirs = old.split("."), new.split(".")
    while len(ours) > 1 and len(theirs) > 1 and ours[-1] == theirs[-1]:
        ours.pop()
        theirs.pop()
    return ".".join(ours), ".".join(theirs)


def _shifts(renames: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Renames with those together that shift numbers of one module by the same."""
    found: dict[object, list[tuple[str, str]]] = {}
    for old, new in renames:
        (above, _, last), (over, _, other) = old.rpartition("."), new.rpartition(".")
        is_number = last.isdecimal() and other.isdecimal()
        key = (above, over, int(other) - int(last)) if is_number else (old, new)
        found.setdefault(key, []).append((old, new))
    return [(_range([o for o, _ in group]), _range([n for _, n in group])) for group in found.values()]


def _range(names: list[str]) -> str:
    above, dot, _ = names[0].rpartition(".")
    lasts = [name.rpartition(".")[2] for name in names]
    return f"{above}{dot}{column(lasts) if len(lasts) < 4 else f'{lasts[0]}–{lasts[-1]}'}"
