"""A bias before a batch normalization."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.checks.flow import consumers, only_taker
from archdsl.diagnostics.base import Edit, Label
from archdsl.diagnostics.lints import BiasBeforeNorm
from archdsl.graph import Graph, Node, Value
from archdsl.ops.conv import Conv, ConvTranspose
from archdsl.ops.linear import Linear
from archdsl.ops.norm import BatchNorm
from archdsl.ops.sliding import SPATIAL
from archdsl.source import Span
from archdsl.syntax import tree


def bias_before_norm(graph: Graph) -> Iterator[BiasBeforeNorm]:
    """Layers with a bias whose result only a batch normalization takes."""
    takers = consumers(graph)
    kept = {node.module for node in graph.nodes if not _is_normalized(node, takers, graph)}
    for node in graph.nodes:
        if isinstance(node.op, Conv | ConvTranspose | Linear) and node.op.bias and node.module not in kept:
            norm = only_taker(node, takers, graph)
            if norm is not None:
                labels = (Label(norm.span, "here"),)
                edits = _without_bias(node)
                yield BiasBeforeNorm(span=node.span, labels=labels, layer=node.op.name, norm=norm.op.name, edits=edits)


def _is_normalized(node: Node, takers: dict[Value, list[Node]], graph: Graph) -> bool:
    """Whether only a batch norm takes what a run of a layer gives, and its channels are those that have the bias."""
    norm = only_taker(node, takers, graph)
    is_alike = not isinstance(node.op, Linear) or len(node.output.shape) == SPATIAL
    return norm is not None and isinstance(norm.op, BatchNorm) and is_alike


def _without_bias(node: Node) -> tuple[Edit, ...]:
    """The edit that says ``bias=false`` in the call of a layer; none where the call gives its bias by a formula."""
    call = node.site
    if not isinstance(call, tree.Call) or call.callee.span.text != node.op.name or not call.arguments:
        return ()
    said = node.written["bias"][0] if "bias" in node.written else None
    if said is not None and any(argument.value is said for argument in call.arguments):
        return (Edit(said.span, "false"),) if said.span.text == "true" else ()
    behind = call.arguments[-1].span.end
    return (Edit(Span(call.span.source, behind, behind), ", bias=false"),)
