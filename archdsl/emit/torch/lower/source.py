"""A network in its plain form: the program of its checked graph, lowered as it is, with every number written out.

It is written where the readable form cannot be proved.
"""

from __future__ import annotations

from archdsl.emit.torch.lower.classes import Lowering
from archdsl.emit.torch.precision import Conversions, Precision
from archdsl.emit.torch.text import file_text
from archdsl.graph import Graph, GraphOutput, Node, Value
from archdsl.op import Facets
from archdsl.program.ir import Program
from archdsl.program.recorded import recorded


class Torch:
    """Questions about a graph that PyTorch answers: the target of its program."""

    def __init__(self, graph: Graph) -> None:
        self._precision = Precision(graph)

    def is_layer(self, facets: Facets) -> bool:
        return facets.torch.module is not None

    def casts(self, node: Node) -> Conversions:
        return self._precision.conversions(node)

    def reference(self, output: GraphOutput) -> Value | None:
        return self._precision.reference if self._precision.is_made(output) else None


def program_of(graph: Graph) -> Program:
    """The program of a graph, for PyTorch."""
    return recorded(graph, Torch(graph))


def plain_text(graph: Graph) -> tuple[str, str]:
    """The text of the file and the name of the network's class.

    Raises:
        NotLowered: the program has no form in PyTorch.
    """
    lowered = Lowering(program_of(graph))
    return file_text(graph, lowered.definitions, lowered.helpers), lowered.class_name
