"""Small networks, and a target that is no back end."""

from __future__ import annotations

from archdsl.compiler import from_text
from archdsl.graph import Graph, GraphOutput, Instance, Node, Value
from archdsl.model import open_model
from archdsl.op import Facets
from archdsl.program.formulas import Formula
from archdsl.program.ir import Cast


class Weights:
    """A target for which an operator is a module if it has weights and inputs, and nothing is cast."""

    def on(self, graph: Graph) -> Weights:
        return self

    def is_layer(self, facets: Facets) -> bool:
        return bool(facets.weights) and bool(facets.inputs)

    def form(self, facets: Facets) -> object:
        return facets.op

    def is_said(self, formula: Formula) -> bool:
        return True

    def casts(self, node: Node) -> tuple[Cast, ...]:
        return ()

    def reference(self, output: GraphOutput) -> Value | None:
        return None


def graph_of(text: str) -> Graph:
    return open_model(from_text(f"arch 1\n{text}"), {}, {}).graph


def instances(graph: Graph, block: str) -> list[Instance]:
    """The runs of a block, in text order."""
    return [i for i in graph.instance.walk() if i.scope.name == block]
