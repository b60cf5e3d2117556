"""The network as far as it is built: its nodes, values, scopes and ends."""

from __future__ import annotations

from typing import Literal

from archdsl.diagnostics.names import NeverRun, TooMuch
from archdsl.dims import Size
from archdsl.elaborate.modules import DeclaredLayer
from archdsl.elaborate.place import Defaults
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import Value
from archdsl.graph import GraphInput, GraphOutput, Instance, Module, Node, Scope
from archdsl.op import DType
from archdsl.syntax import tree

MAX_NODES = 12_000
"""Three times ResNet-1202, which has 4,210."""


class Recorder:
    """What a run of the text adds to, and what later statements of it ask."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.nodes: list[Node] = []
        self.producer: dict[Value, Node] = {}
        """The operator that gives a value, in the graph or in the contents of a buffer."""
        self.inputs: list[GraphInput] = []
        self.outputs: list[GraphOutput] = []
        self.stated: dict[Value, tree.Input] = {}
        """Where the text states each input."""
        self.top: Instance | None = None
        """The run of the model or claim that is built; None while a part of a claim is."""
        self.instances: dict[Module, Instance] = {}
        """The first run of each scope's module."""
        self.ran: dict[Module, Defaults] = {}
        """Declared modules that ran, with the defaults at their first run: a module is made once."""
        self.declared: list[DeclaredLayer] = []
        """Declared modules of the scopes that are open, outermost first."""
        self._scopes: dict[object, Scope] = {}
        self._values = 0

    def new_value(self, shape: tuple[Size, ...], dtype: DType) -> Value:
        value = Value(self._values, shape, dtype)
        self._values += 1
        return value

    def add_node(self, node: Node) -> None:
        self.nodes.append(node)
        self.producer.update(dict.fromkeys(node.outputs, node))
        if len(self.nodes) > MAX_NODES:
            self._session.give_up(TooMuch(span=node.span, limit=f"{MAX_NODES:,}", what="layers"))

    def scope_of(
        self,
        text: tree.Body | tree.Seq | tree.Combine | tree.Residual,
        kind: Literal["block", "model", "seq", "group"],
        definition: tree.Block | None,
    ) -> Scope:
        """The scope of a text: one object for all its instances."""
        key = (text, definition)
        if key not in self._scopes:
            self._scopes[key] = Scope(kind, text, definition)
        return self._scopes[key]

    def check_declared(self, since: int) -> None:
        """Report the declared modules of a scope that ends that never ran: those after the first ``since``."""
        for layer in self.declared[since:]:
            if layer.module not in self.ran and not self._session.diagnostics:
                self._session.report(NeverRun(span=layer.site.span, label=layer.name))
        del self.declared[since:]
