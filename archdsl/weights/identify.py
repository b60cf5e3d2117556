"""Which network a checkpoint is of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archdsl.graph import Graph
from archdsl.weights.load import Found, candidates, head, only_in_training, shapes
from archdsl.weights.read import Checkpoint


@dataclass(frozen=True)
class Fit:
    """A network that a file fits: all of it, but for ``without`` (its head, or branches for training only)."""

    name: str
    found: Found
    without: tuple[str, ...]


def fits(checkpoint: Checkpoint, networks: Iterable[tuple[str, Graph]]) -> Iterator[Fit]:
    """The networks that the file fits. Nothing of the file is left over in the part of it that fits."""
    for name, graph in networks:
        wanted = shapes(graph)
        optional = {*head(graph), *only_in_training(graph)}
        for found in candidates(checkpoint, wanted):
            match = found.match
            lacking = {*match.missing, *match.reshaped}
            if not match.unused and lacking <= optional and len(match.keys) > len(lacking):
                modules = dict.fromkeys(key.rpartition(".")[0] for key in wanted if key in lacking)
                yield Fit(name, found, tuple(modules))
