"""Layers called on values, as torch's functions are: ``silu(x)`` is ``x -> silu``; of others the arrow is shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from archdsl.arguments import takes_value
from archdsl.diagnostics.base import Edit
from archdsl.diagnostics.names import WrongKind
from archdsl.evaluate.values import BlockLayer, Given, Layer, NoLayer, OpLayer, Stream, Value, describe, is_list
from archdsl.op import Op, parameters
from archdsl.syntax import tree


def streamed(callee: Layer, positional: Sequence[Given], named: Collection[str]) -> list[Given]:
    """The arguments of a call that are values which no parameter of the callee takes: they belong on the stream."""
    match callee:
        case OpLayer():
            known = parameters(callee.op)
            left = [p for p in known if p.name not in named]
            room = len(left) if known and takes_value(known[0].kind) else 0  # `maximum(a, b)` is `a -> maximum(b)`
            takes_several = callee.op.arity[0] > 1  # beside a value, a list is a constant
            free = positional[: len(positional) - room]
            return [g for g in free if isinstance(g.value, Value) or (takes_several and is_list(g.value))]
        case BlockLayer():
            room = len(callee.definition.params) - len(callee.positional)
            return [g for g in positional[max(room, 0) :] if isinstance(g.value, Value)]
        case _:
            return [g for g in positional if isinstance(g.value, Value)]


def owns_weights(op: type[Op]) -> bool:
    """Does an operator own parameters, or buffers, for some arguments? Its runs need a name."""
    return op.weights is not Op.weights


def not_called(callee: Layer, node: tree.Call, values: Sequence[Given]) -> WrongKind:
    """What is to be said of a layer that is called on values, or with arguments that it cannot have."""
    if not values:
        return WrongKind(span=node.span, what=f"{describe(callee)} takes no arguments")
    applied = arrow(callee, node, values)
    edits = (Edit(node.span, applied),) if callee.has_module and len(values) == 1 else ()
    return WrongKind(
        span=node.span,
        what=f"{describe(callee)} cannot be called on a value",
        found="the input of a layer is written before an arrow",
        advice=f"apply it with an arrow: `{applied}`",
        edits=edits,
    )


def arrow(callee: Layer, node: tree.Call, values: Sequence[Given]) -> str:
    """The call of a layer on values as the language writes it: ``(x -> fc)``."""
    heads = ", ".join(g.site.span.text for g in values)
    sites = {g.site for g in values}
    others = ", ".join(a.span.text for a in node.arguments if a.value not in sites)
    call = f"{node.callee.span.text}({others})" if others else node.callee.span.text
    return f"({heads if len(values) == 1 else f'({heads})'} -> {labeled(callee, call)})"


def apply_advice(layer: Stream, site: tree.Node) -> str | None:
    """How a layer that stands where a value was meant is applied; None for anything else."""
    if not isinstance(layer, Layer) or isinstance(layer, NoLayer):
        return None
    return f"apply the layer with an arrow: `(it -> {labeled(layer, site.span.text)})`"


def labeled(layer: Layer, text: str) -> str:
    """The text of a layer with a label before it, if it needs one."""
    match layer:
        case OpLayer() if owns_weights(layer.op):
            return f"{example_label(layer.name)}: {text}"
        case BlockLayer() if not layer.definition.is_alias:
            return f"{example_label(layer.name)}: {text}"
        case _:
            return text


def example_label(name: str) -> str:
    """A label for an unnamed layer: ``conv1``."""
    word = re.sub(r"\W", "", name).lower()
    return f"{word or 'part'}1"
