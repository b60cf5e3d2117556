"""Random inputs for a network, of sizes that it accepts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TypeAlias

import numpy as np

from archdsl.diagnostics.lowering import NoSizesFound
from archdsl.dims import Dim, evaluate, symbols, witness
from archdsl.errors import SpecError
from archdsl.graph import Graph

Arrays: TypeAlias = dict[str, np.ndarray]

USUAL = 65
"""Symbols other than the batch are about so large, odd and even ones."""
TRIES = 64


def sizes_for(graph: Graph, batch: int, usual: int = USUAL) -> dict[str, int]:
    """Values of the symbols that meet the preconditions; those of leading axes are ``batch`` if that is allowed.

    The others are ``usual`` and more: from 1 on, nearly the least that the network accepts.

    Raises:
        SpecError: none were found.
    """
    shapes = [given.value.shape for given in graph.inputs]
    names = dict.fromkeys(name for shape in shapes for size in shape for name in sorted(symbols(size)))
    leading = {str(shape[0]) for shape in shapes if shape}
    for larger, apart in product(range(TRIES), (1, 0)):  # sizes that differ show axes that were swapped
        others = {name: usual + larger + apart * place for place, name in enumerate(names)}
        wanted = {name: batch if name in leading else size for name, size in others.items()}
        values = {name: _at_least(graph, name, size) for name, size in wanted.items()}
        if _is_allowed(graph, values):
            return values
    total = sum((size for shape in shapes for size in shape if isinstance(size, Dim)), start=0)
    found = witness(total, ">=", 1, graph.needs.facts)
    if found is None or not _is_allowed(graph, found):
        raise SpecError([NoSizesFound(span=None, network=graph.name)])
    return dict(found)


def _at_least(graph: Graph, name: str, wanted: int) -> int:
    """The first allowed value from there on, else the last."""
    allowed = graph.needs.facts.range_of(name)
    last = allowed.lo
    for last in allowed.values():
        if last >= wanted:
            break
    return last


def _is_allowed(graph: Graph, values: Mapping[str, int]) -> bool:
    return all(condition.holds(values) for found in graph.needs.preconditions() for condition in found.conditions)


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
