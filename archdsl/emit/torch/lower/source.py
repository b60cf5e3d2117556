"""A network lowered from its program, operator by operator.

It is written where the readable form cannot be proved.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archdsl.emit.torch.lower.classes import Lowering
from archdsl.emit.torch.lower.formulas import Functions, said
from archdsl.emit.torch.names import Names
from archdsl.emit.torch.precision import Conversions, Precision
from archdsl.emit.torch.text import doc_of, file_text
from archdsl.graph import Graph, GraphOutput, Node, Value
from archdsl.op import Facets
from archdsl.program.formulas import Formula
from archdsl.program.ir import Program
from archdsl.program.merging import merged
from archdsl.program.recorded import recorded
from archdsl.program.rerolling import rerolled
from archdsl.program.specialise import specialised


class Written(NamedTuple):
    """The text of a file, the name of the network's class in it, and its arguments: as in the spec, and in the file."""

    text: str
    class_name: str
    arguments: Mapping[str, str]


class Torch:
    """Questions about a graph that PyTorch answers: the target of its program."""

    def __init__(self, graph: Graph) -> None:
        self._precision = Precision(graph)

    def on(self, graph: Graph) -> Torch:
        return Torch(graph)

    def is_layer(self, facets: Facets) -> bool:
        return facets.torch.module is not None

    def form(self, facets: Facets) -> object:
        return facets.torch

    def is_said(self, formula: Formula) -> bool:
        return said(formula, Functions(Names()), lambda _: ast.Name("size")) is not None

    def casts(self, node: Node) -> Conversions:
        return self._precision.conversions(node)

    def reference(self, output: GraphOutput) -> Value | None:
        return self._precision.reference if self._precision.is_made(output) else None


def shared_text(graph: Graph, others: Sequence[Graph] = ()) -> Written:
    """A network with one class for instances of a block that differ in numbers only.

    ``others`` are the same model with other values of its parameters: these are arguments of its class.

    Raises:
        NotLowered: the program has no form in PyTorch.
        Split, Unsuitable: the networks are not one class.
    """
    program, _ = specialised(graph, Torch(graph), others, are_sizes_fixed=True)
    return text_of(program, graph)


def plain_text(graph: Graph) -> Written:
    """A network with every number written out: one class for each scope that is not the same as another.

    Raises:
        NotLowered: the program has no form in PyTorch.
    """
    return text_of(recorded(graph, Torch(graph)), graph)


def text_of(program: Program, graph: Graph) -> Written:
    """A program as a file."""
    lowering = Lowering()
    class_name, arguments = lowering.add(merged(rerolled(program)))
    return Written(file_text(doc_of(graph), lowering.definitions, lowering.helpers), class_name, arguments)
