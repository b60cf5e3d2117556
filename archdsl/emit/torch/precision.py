"""Which floats follow the type of the module (``.half()``), and where others are converted to it.

torch makes float32 of whole numbers and bools that meet a float (``1.0 * (i >= j)``), whatever the module's type is.
Such a *made* value is computed in float32, where positions and phases are exact enough, and converted where it meets a
value of the module's type: an activation, a weight, an output. Tables of floats are buffers and so of the module's
type; where they meet only whole numbers, made values or each other, they are converted to float32 first.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from archdsl.graph import Graph, GraphOutput, Node, Value
from archdsl.op import Arg, Attribute, Call, Facets, Input, Method, SelfModule, Torch, TorchExpr
from archdsl.ops.einops import Rearrange
from archdsl.ops.shape import Reshape
from archdsl.ops.tensor import Constant, OwnTensor


class Kind(Enum):
    """What decides the type of a float."""

    MADE = "float32 whatever the module's type"
    TABLE = "numbers in a buffer: the module's type"
    OWN = "an activation or parameter: the module's type"


Conversions = tuple[str | int | None, ...]
"""For each input: None for none, ``float`` to float32, ``weight`` to the type of a weight, or the input whose type."""


class Precision:
    """Answers for one graph."""

    def __init__(self, graph: Graph) -> None:
        self._kinds: dict[Value, Kind] = {i.value: Kind.OWN for i in graph.inputs if i.value.dtype == "float32"}
        self._conversions: dict[Node, Conversions] = {}
        self._said: dict[Node, Torch] = {}
        self.reference: Value | None = next((i.value for i in graph.inputs if i.value.dtype == "float32"), None)
        """A value of the module's type, if an input is one."""
        for node in graph.nodes:
            self._enter(node)

    def conversions(self, node: Node) -> Conversions:
        """How the inputs of an operator are converted: empty if none is."""
        return self._conversions.get(node, ())

    def torch(self, node: Node) -> Torch:
        """What an operator is in torch, with its inputs converted."""
        conversions = self.conversions(node)
        if not conversions:
            return node.torch
        if node not in self._said:
            self._said[node] = converted(node.facets, conversions)
        return self._said[node]

    def is_made(self, output: GraphOutput) -> bool:
        """Must an output be converted to the type of the ``reference``?"""
        return self.reference is not None and self._kinds.get(output.value) is Kind.MADE

    def _enter(self, node: Node) -> None:
        kinds = [self._kinds.get(v) for v in node.inputs]
        conversions = _conversions(node, kinds)
        if any(c is not None for c in conversions):
            self._conversions[node] = conversions
        kind = _result(node, kinds)
        self._kinds.update({v: kind for v in node.outputs if v.dtype == "float32"})


def _conversions(node: Node, kinds: list[Kind | None]) -> Conversions:
    floats = {k for k in kinds if k is not None}
    if Kind.OWN in floats:
        partner = kinds.index(Kind.OWN)
        return tuple(partner if k is Kind.MADE else None for k in kinds)
    if node.weights:
        return tuple("weight" if k is Kind.MADE else None for k in kinds)
    if _moves(node):
        return ()
    return tuple("float" if k is Kind.TABLE else None for k in kinds)


def _result(node: Node, kinds: list[Kind | None]) -> Kind:
    """What the floats that an operator gives are."""
    if isinstance(node.op, Constant) or (isinstance(node.op, OwnTensor) and node.op.buffer):
        return Kind.TABLE
    if node.weights or Kind.OWN in kinds:
        return Kind.OWN
    return Kind.TABLE if kinds[:1] == [Kind.TABLE] and _moves(node) else Kind.MADE


def _moves(node: Node) -> bool:
    """Does an operator only move what its first input holds, without computing?"""
    return isinstance(node.op, Reshape | Rearrange)


def converted(facets: Facets, conversions: Conversions) -> Torch:
    """What an operator is in torch, with its inputs converted."""
    if not conversions:
        return facets.torch
    torch = facets.torch
    plain = Call(SelfModule(), tuple(Arg(Input(k)) for k in range(len(facets.inputs))))
    inputs = {k: _conversion(k, wanted, facets) for k, wanted in enumerate(conversions) if wanted is not None}
    run = torch.run or (plain if torch.module is not None else None)
    return replace(torch, run=_with(run, inputs), function=_with(torch.function, inputs))


def _conversion(index: int, wanted: str | int, facets: Facets) -> TorchExpr:
    if wanted == "float":
        return Method(Input(index), "float", ())
    of: TorchExpr = Input(wanted) if isinstance(wanted, int) else Attribute(SelfModule(), facets.weights[0].name)
    return Method(Input(index), "to", (Arg(Attribute(of, "dtype")),))


def _with(said: Any, inputs: dict[int, TorchExpr]) -> Any:
    """An expression with other expressions for some inputs. Their shape and device are read off as before."""
    match said:
        case Input(index=index):
            return inputs.get(index, said)
        case Attribute(value=Input()):
            return said
        case tuple():
            return tuple(_with(part, inputs) for part in said)
        case _ if is_dataclass(said) and not isinstance(said, type):
            return replace(said, **{f.name: _with(getattr(said, f.name), inputs) for f in fields(said)})
    return said
