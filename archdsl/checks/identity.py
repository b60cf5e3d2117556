"""A residual whose identity cannot pass."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.checks.flow import first_layer, merges
from archdsl.diagnostics.base import Label
from archdsl.diagnostics.lints import IdentityBlocked
from archdsl.evaluate.values import shape_text
from archdsl.graph import Graph, Value
from archdsl.ops.dropout import Identity
from archdsl.syntax import tree


def identity_blocked(graph: Graph) -> Iterator[IdentityBlocked]:
    """Residuals with layers on a shortcut that an identity would fit."""
    for merged in merges(graph):
        if not isinstance(merged.site, tree.Residual) or len(merged.branches) != 2:
            continue
        shortcut = merged.branches[1]
        arrived, left = merged.stream, shortcut.result
        layer = first_layer(shortcut.events)
        if (
            layer is None
            or isinstance(layer.op, Identity)
            or not isinstance(arrived, Value)
            or not isinstance(left, Value)
        ):
            continue
        if arrived.shape == left.shape:
            labels = (Label(layer.span, "this layer is in the shortcut"),)
            shape = shape_text(left.shape)
            site = merged.site.span
            yield IdentityBlocked(span=site, labels=labels, layer=layer.op.name, shape=shape)
