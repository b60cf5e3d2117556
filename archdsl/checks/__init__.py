"""Checks of what was parsed and built. One file a check; a new one is added to its tuple."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archdsl.checks.activated import activation_before_loss
from archdsl.checks.axes import misplaced_axes
from archdsl.checks.bias_before_norm import bias_before_norm
from archdsl.checks.bottleneck import bottleneck_activated
from archdsl.checks.definitions import recursive_definitions, top_level_values
from archdsl.checks.dense_head import dense_head
from archdsl.checks.dropout_before_norm import dropout_before_norm
from archdsl.checks.identity import identity_blocked
from archdsl.checks.unknown import unknown_names
from archdsl.checks.unused import dead_layers, unused_names
from archdsl.checks.windows import filter_beyond_input, rows_lost
from archdsl.diagnostics.base import Diagnostic
from archdsl.evaluate.values import FileScope
from archdsl.graph import Graph

FILE_CHECKS: tuple[Callable[[FileScope], Iterator[Diagnostic]], ...] = (
    unknown_names,
    unused_names,
    recursive_definitions,
    top_level_values,
)
"""Checks of the text of one file."""

GRAPH_CHECKS: tuple[Callable[[Graph], Iterator[Diagnostic]], ...] = (
    dead_layers,
    bias_before_norm,
    rows_lost,
    filter_beyond_input,
    bottleneck_activated,
    identity_blocked,
    dense_head,
    dropout_before_norm,
    misplaced_axes,
    activation_before_loss,
)
"""Checks of a built model."""
