"""Checks of what was parsed and built. One file a check; a new one is added to its tuple."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archdsl.build.env import FileScope
from archdsl.checks.definitions import recursive_definitions, top_level_values
from archdsl.checks.unknown import unknown_names
from archdsl.checks.unused import dead_layers, unused_names
from archdsl.diagnostics.base import Diagnostic
from archdsl.graph import Graph

FILE_CHECKS: tuple[Callable[[FileScope], Iterator[Diagnostic]], ...] = (
    unknown_names,
    unused_names,
    recursive_definitions,
    top_level_values,
)
"""Checks of the text of one file."""

GRAPH_CHECKS: tuple[Callable[[Graph], Iterator[Diagnostic]], ...] = (dead_layers,)
"""Checks of a built model."""
