"""Random inputs for a network, of sizes that it accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from archdsl.diagnostics.lowering import NoSizesFound
from archdsl.dims import Dim, Floor, Pos, Size, evaluate
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.measure.batch import USUAL, accepted_sizes, accepts

Arrays: TypeAlias = dict[str, np.ndarray]


def choices(graph: Graph, batch_sizes: Sequence[int], usual: int = USUAL) -> list[dict[str, int]]:
    """The sizes at which a file is compared with torch, each once.

    Usual ones for each size of the batch; the least that the network accepts; and, where the network rounds sizes, the
    first at which most of its roundings have just changed, and the one before.

    Raises:
        SpecError: no sizes meet the preconditions.
    """
    found = [sizes_for(graph, batch, usual) for batch in batch_sizes]
    found.append(sizes_for(graph, batch_sizes[0], usual=1))
    found += _around_changes(graph, found[-1], usual)
    return [sizes for i, sizes in enumerate(found) if sizes not in found[:i]]


def _around_changes(graph: Graph, least: Mapping[str, int], usual: int) -> list[dict[str, int]]:
    """Sizes before and after a change of the network's roundings, up to the usual; all but the batch alike."""
    roundings = {rounding for size in _sizes(graph) for rounding in _roundings(size)}
    batch = _leading(graph)
    floor = max((size for name, size in least.items() if name not in batch), default=0)

    def at(value: int) -> dict[str, int]:
        return {name: size if name in batch else value for name, size in least.items()}

    def changed(value: int) -> int:
        sizes = at(value)
        return sum(evaluate(rounding.num, sizes) % evaluate(rounding.den, sizes) == 0 for rounding in roundings)

    allowed = [value for value in range(floor, max(floor, usual) + 1) if accepts(graph, at(value))]
    if not (roundings and allowed):
        return []
    best = allowed.index(max(allowed[1:] or allowed, key=changed))
    return [at(value) for value in allowed[max(0, best - 1) : best + 1]]


def _sizes(graph: Graph) -> set[Dim]:
    """The symbolic sizes of all values."""
    values = [value for node in graph.nodes for value in node.outputs]
    return {size for value in values for size in value.shape if isinstance(size, Dim)}


def _roundings(size: Size) -> Iterator[Floor]:
    """The floor divisions in a size, those within others too."""
    if isinstance(size, int):
        return
    for atom in {atom for monomial in size.terms for atom in monomial}:
        if isinstance(atom, Floor):
            yield atom
            yield from _roundings(atom.num)
            yield from _roundings(atom.den)
        elif isinstance(atom, Pos):
            yield from _roundings(atom.arg)


def _leading(graph: Graph) -> set[str]:
    """The symbols that are the first axis of an input: the batch."""
    return {str(given.value.shape[0]) for given in graph.inputs if given.value.shape}


def sizes_for(graph: Graph, batch: int, usual: int = USUAL) -> dict[str, int]:
    """Values of the symbols that meet the preconditions; those of leading axes are ``batch`` if that is allowed.

    The others are ``usual`` and more: from 1 on, the least that the network accepts.

    Raises:
        SpecError: none were found.
    """
    found = accepted_sizes(graph, batch, usual)
    if found is None:
        raise SpecError([NoSizesFound(span=None, network=graph.name)])
    return found


def random_inputs(graph: Graph, sizes: dict[str, int]) -> Arrays:
    """An array for each input: normal floats; whole numbers 0 and 1, which index every table; bools."""
    random = np.random.default_rng(0)
    inputs: Arrays = {}
    for given in graph.inputs:
        shape = tuple(evaluate(size, sizes) for size in given.value.shape)
        if given.value.dtype == "float32":
            inputs[given.name] = random.standard_normal(shape, np.float32)
        else:
            inputs[given.name] = random.integers(0, 2, shape).astype(given.value.dtype)
    return inputs
