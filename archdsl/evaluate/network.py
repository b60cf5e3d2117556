"""What the evaluator asks of the network that an expression stands in, and the answer where there is none."""

from __future__ import annotations

from typing import NoReturn, Protocol

from archdsl.diagnostics.names import Misplaced
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.place import Place
from archdsl.evaluate.values import Layer, NoLayer, Number, Sides, Value, Written
from archdsl.op import Facets, Op
from archdsl.syntax import tree


class Network(Protocol):
    """Runs what computes with tensors."""

    def run_op(
        self, op: Op, inputs: tuple[Value, ...], place: Place, site: tree.Node, written: Written | None = None
    ) -> tuple[Value, ...]:
        """An operator that an expression writes without a name: ``a + b``, ``x[0]``."""
        ...

    def combine(
        self, op: str, left: Value | Number, right: Value | Number, place: Place, site: tree.Node, sides: Sides
    ) -> Value:
        """``left op right``, one of them a tensor; ``sides`` are the texts of both."""
        ...

    def hold(self, facets: Facets, place: Place, site: tree.Node) -> Value:
        """A constant tensor."""
        ...

    def apply(self, layer: Layer, place: Place, site: tree.Node) -> None:
        """A layer applied to ``place.stream``, which it moves."""
        ...

    def run_item(self, item: tree.ChainItem, place: Place) -> None:
        """An item of a chain that is no plain expression: a group, a seq, a labelled layer, a chain."""
        ...

    def first_input(self) -> Value | None:
        """An input of the network, whose device says where numbers are made."""
        ...


class NoNetwork:
    """Expressions that stand in no model or block have numbers, strings, lists and layers, but no tensors.

    Each method raises ``Fault`` where something would have to run.
    """

    def run_op(
        self, op: Op, inputs: tuple[Value, ...], place: Place, site: tree.Node, written: Written | None = None
    ) -> NoReturn:
        raise outside(site)

    def combine(
        self, op: str, left: Value | Number, right: Value | Number, place: Place, site: tree.Node, sides: Sides
    ) -> NoReturn:
        raise outside(site)

    def hold(self, facets: Facets, place: Place, site: tree.Node) -> NoReturn:
        raise outside(site)

    def apply(self, layer: Layer, place: Place, site: tree.Node) -> None:
        if not isinstance(layer, NoLayer):
            raise outside(site)

    def run_item(self, item: tree.ChainItem, place: Place) -> NoReturn:
        raise outside(item)

    def first_input(self) -> None:
        return None


def outside(site: tree.Node) -> Fault:
    """Something that runs stands outside of models and blocks."""
    return Fault(Misplaced(span=site.span, what="a computation with values", advice="use it in a model or block"))
