"""Random inputs for a network, of sizes that it accepts."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from archdsl.diagnostics.lowering import NoSizesFound
from archdsl.dims import evaluate
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.measure.batch import USUAL, accepted_sizes

Arrays: TypeAlias = dict[str, np.ndarray]


def sizes_for(graph: Graph, batch: int, usual: int = USUAL) -> dict[str, int]:
    """Values of the symbols that meet the preconditions; those of leading axes are ``batch`` if that is allowed.

    The others are ``usual`` and more: from 1 on, nearly the least that the network accepts.

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
