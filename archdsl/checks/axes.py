"""Layers that take another axis for the features than the one that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.diagnostics.base import Diagnostic, Label
from archdsl.diagnostics.lints import ChannelsLast, LastAxisOfMap, OpenWeights, StepsAsChannels
from archdsl.dims import Dim, Size, symbols
from archdsl.elaborate.features import (
    NONE,
    Features,
    advice_on_layout,
    features,
    is_on_places,
    is_on_steps,
    looks_channels_last,
    takes_channels,
)
from archdsl.evaluate.values import shape_text
from archdsl.graph import Graph, Named, Node, Value
from archdsl.ops.conv import Conv
from archdsl.ops.linear import Linear
from archdsl.ops.norm import LayerNorm
from archdsl.ops.sliding import CHANNELS, SPATIAL
from archdsl.source import Span
from archdsl.syntax import tree


def misplaced_axes(graph: Graph) -> Iterator[Diagnostic]:
    """Each layer that works on an axis that holds no features, and the first one on an input laid out channels last."""
    known = features(graph.inputs, graph.nodes)
    lengths = _lengths(graph, known)
    for node in graph.nodes:
        if not node.inputs:
            continue
        arriving = known.get(node.inputs[0], NONE)
        if is_on_places(node, arriving):
            yield _last_axis(node)
        elif is_on_steps(node, arriving):
            yield _steps(node, arriving)
        elif (opened := _open_weight(node, lengths)) is not None:
            yield opened
    yield from _channels_last(graph)


def _last_axis(node: Node) -> LastAxisOfMap:
    shape = node.inputs[0].shape
    axes = "c h w" if len(shape) == 4 else "c l" if len(shape) == 3 else "c d h w"
    last = f'rearrange("n {axes} -> n {axes[2:]} c")'
    if isinstance(node.op, LayerNorm):
        advice = f"to normalize the channels at each position, use `layernorm(axis={CHANNELS})`"
    elif not isinstance(node.op, Linear):
        advice = f"move the channels to the last axis: `{last}`"
    else:
        is_pooled = all(size == 1 for size in shape[SPATIAL:])
        head = "`flatten`" if is_pooled else "`flatten`, or `global_avgpool -> flatten`,"
        advice = f"put {head} before it; for a layer on the channels at each position, `{last}`"
    return LastAxisOfMap(
        span=node.span, layer=node.op.name, size=str(shape[-1]), rank=len(shape), shape=shape_text(shape), advice=advice
    )


def _steps(node: Node, arriving: Features) -> StepsAsChannels:
    shape = node.inputs[0].shape
    size, axis = shape[CHANNELS], max(arriving.axes)
    count = f", and its weights depend on {size}" if isinstance(size, Dim) and node.weights else ""
    axes = {3: "n l c -> n c l", 4: "n h w c -> n c h w"}.get(len(shape), "n d h w c -> n c d h w")
    is_norm = node.op.name in ("batchnorm", "groupnorm", "instancenorm")
    instead = "; or `layernorm`, which normalizes the last axis" if is_norm else ""
    return StepsAsChannels(
        span=node.span, layer=node.op.name, size=str(size), axis=axis, width=str(shape[axis]), count=count,
        pattern=axes, instead=instead,
    )  # fmt: skip


# ---- sizes that a network without a stated input cannot know -----------------------------------------------


def _lengths(graph: Graph, known: Mapping[Value, Features]) -> frozenset[str]:
    """The symbols that are lengths for some layer: sizes of axes along which it shares its weights.

    Only those that the spec states: who gives a symbol with `--input` asks for a formula in it.
    """
    found: set[str] = set()
    for node in graph.nodes:
        if isinstance(node.op, Conv):
            places = node.inputs[0].shape[SPATIAL:]
        elif isinstance(node.op, Linear) or node.op.name == "attention":
            places = node.inputs[0].shape[1:-1] if len(node.inputs[0].shape) > SPATIAL else ()
        else:
            continue
        found |= {symbol for size in places for symbol in symbols(size)}
    return frozenset(found & _stated_symbols(graph))


def _stated_symbols(graph: Graph) -> set[str]:
    """The names of sizes in the stated shapes of a model's inputs."""
    sites = [event.site for event in graph.instance.events if isinstance(event, Named)]
    dims = [dim for site in sites if isinstance(site, tree.Input) for dim in site.shape.dims]
    return {dim.text for dim in dims if isinstance(dim, tree.Name)}


def _open_weight(node: Node, lengths: frozenset[str]) -> OpenWeights | None:
    for weight in node.weights:
        open_on = sorted({s for size in weight.shape for s in _symbols(size)} & lengths)
        if open_on:
            return OpenWeights(
                span=node.span, layer=node.op.name, weight=weight.name, shape=shape_text(weight.shape),
                lengths=" and ".join(open_on),
            )  # fmt: skip
    return None


def _symbols(size: Size) -> frozenset[str]:
    return symbols(size) if isinstance(size, Dim) else frozenset()


# ---- inputs ------------------------------------------------------------------------------------------------


def _channels_last(graph: Graph) -> Iterator[ChannelsLast]:
    """The first layer that takes channels on each input whose channels are its last axis."""
    sites = {e.what: e.site for e in graph.instance.events if isinstance(e, Named) and isinstance(e.site, tree.Input)}
    for value in (i.value for i in graph.inputs if looks_channels_last(i.value.shape)):
        layer = _first_on_channels(value, graph)
        if layer is not None:
            yield ChannelsLast(
                span=layer.span, layer=layer.op.name, shape=shape_text(value.shape),
                channels=str(value.shape[CHANNELS]),
                labels=(Label(_shape_span(sites[value]), "stated here"),) if value in sites else (),
                advice=advice_on_layout(value.shape),
            )  # fmt: skip


def _first_on_channels(value: Value, graph: Graph) -> Node | None:
    """The first layer that takes axis 1 of an input for the channels, past what leaves its shape."""
    same = {value}
    for node in graph.nodes:
        if not same.isdisjoint(node.inputs):
            if takes_channels(node.op):
                return node
            same.update(output for output in node.outputs if output.shape == value.shape)
    return None


def _shape_span(site: tree.Node) -> Span:
    return site.shape.span if isinstance(site, tree.Input) else site.span
