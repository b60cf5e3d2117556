"""Networks that are right, and yet no PyTorch module: what they are made of only an input has, or they give nothing."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.lowering import MadeTooEarly, NothingAtInference
from archdsl.dims import Size, symbols
from archdsl.graph import Graph
from archdsl.op import open_sizes


def formless(graph: Graph) -> Diagnostic | None:
    """Why the network has no form as a module, if it has none."""
    if all(output.when_training for output in graph.outputs):
        return NothingAtInference(span=None, network=graph.name)
    return _made_too_early(graph)


def _made_too_early(graph: Graph) -> MadeTooEarly | None:
    """The first layer, or tensor of a scope's own, that would be made before the sizes it depends on are known."""
    for module in graph.root.walk():
        for name, weight in module.own.items():
            if found := _named(weight.shape):
                what = f"`{module.join(name)}` has the shape [{', '.join(map(str, weight.shape))}]"
                return MadeTooEarly(span=module.span, network=graph.name, what=what, symbols=found)
    for node in graph.nodes:
        if node.module is not None and node.torch.module is not None and (sizes := open_sizes(node.torch.module)):
            what = f"`{node.module.path}` is made with {', '.join(f'`{size}`' for size in sizes)}"
            return MadeTooEarly(span=node.span, network=graph.name, what=what, symbols=_named(sizes))
    return None


def _named(sizes: Iterable[Size]) -> str:
    """The symbols in sizes, in words; empty if there are none."""
    return " and ".join(sorted({name for size in sizes for name in symbols(size)}))
