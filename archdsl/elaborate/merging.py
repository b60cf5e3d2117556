"""Combinators (``add``, ``mul``, ``concat``, ``stack``) and residuals: branches that are merged."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from archdsl.diagnostics.names import Misplaced, WrongKind
from archdsl.diagnostics.shapes import DoesNotFit
from archdsl.elaborate.differences import Differences
from archdsl.elaborate.layers import Layers
from archdsl.elaborate.place import NetworkPlace, recording
from archdsl.elaborate.recorder import Recorder
from archdsl.evaluate.called import apply_advice
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.values import ERROR, OpLayer, Stream, Value, describe, is_list
from archdsl.graph import Branch, Event, Merged
from archdsl.ops.merge import COMBINATORS
from archdsl.syntax import tree


class RunsBodies(Protocol):
    """Runs the bodies of branches."""

    def run_body(self, body: tree.Body, here: NetworkPlace) -> None:
        """The statements of a body."""
        ...

    def run_branches(self, body: tree.Body, here: NetworkPlace) -> None:
        """The statements of a combinator's body: each step is a branch."""
        ...


class Merging:
    """Runs combinators."""

    def __init__(
        self, recorder: Recorder, evaluator: Evaluator, layers: Layers, differences: Differences, bodies: RunsBodies
    ) -> None:
        self._recorder = recorder
        self._evaluator = evaluator
        self._layers = layers
        self._differences = differences
        self._bodies = bodies

    def combine(self, node: tree.Combine, here: NetworkPlace) -> None:
        events: list[Event] = []
        if node.body is not None:
            with recording(here, events):
                self._bodies.run_branches(node.body, here)
        else:
            stream = self._evaluator.stream_of(node, here)
            if not is_list(stream):
                what = f"`{node.kind}` without branches needs a list"
                found = f"its input is {describe(stream)}"
                raise Fault(WrongKind(span=node.span, what=what, found=found, advice=_as_branches(node)))
            events.extend(Branch(None, [], value) for value in stream)
        self._merge(node, node.kind, events, here)

    def residual(self, node: tree.Residual, here: NetworkPlace) -> None:
        events: list[Event] = []
        for body in (node.body, node.shortcut):
            inner = here.apart()
            if body is not None:
                self._bodies.run_body(body, inner)
            events.append(Branch(body, inner.events, inner.stream))
        self._merge(node, "add", events, here)

    def _merge(
        self, node: tree.Combine | tree.Residual, kind: tree.CombineKind, events: list[Event], here: NetworkPlace
    ) -> None:
        merged = Merged(node, kind, here.stream, events, (), None)
        branches = merged.branches
        values = [self._branch_value(branch, kind, node, here) for branch in branches]
        if not values:
            raise Fault(Misplaced(span=node.span, what=f"`{kind}` without a branch"))
        first = len(self._recorder.nodes)
        layer = OpLayer(op=COMBINATORS[kind])
        if isinstance(node, tree.Combine):
            call = tree.Call(node.span, tree.Name(node.span, node.kind), node.arguments)
            positional, named = self._evaluator.calls.arguments(call, here)
            layer = OpLayer(op=COMBINATORS[kind], positional=positional, named=named)
        result: Stream = values[0]
        if len(values) > 1 or kind == "stack":
            inner = here.apart()
            inner.stream, inner.counter = [*values], None
            self._apply(layer, inner, node, kind, branches, values)
            result = inner.stream
        here.events.append(replace(merged, nodes=tuple(self._recorder.nodes[first:]), result=result))
        here.stream = result

    def _apply(
        self, layer: OpLayer, here: NetworkPlace, node: tree.Node, kind: str, branches: list[Branch],
        values: list[Value],
    ) -> None:  # fmt: skip
        """The operator of a combinator, on the values of its branches."""
        try:
            self._layers.apply(layer, here, node)
        except Fault as fault:
            if not isinstance(fault.diagnostic, DoesNotFit):
                raise
            joined = _joined(layer) if kind == "concat" else None
            raise Fault(self._differences.of_branches(node, kind, branches, values, fault.diagnostic, joined)) from None

    def _branch_value(self, branch: Branch, kind: str, node: tree.Node, here: NetworkPlace) -> Value:
        result = branch.result
        if result is ERROR:
            raise UsesErrorValue
        if isinstance(result, Value):
            return result
        if is_list(result):
            site = branch.site.chain if isinstance(branch.site, tree.Step) else branch.site or node
            return self._evaluator.tensors.constant(result, site, here)
        what = f"a branch of `{kind}` must give a value"
        site, found = branch.site or node, f"this gives {describe(result)}"
        raise Fault(WrongKind(span=site.span, what=what, found=found, advice=apply_advice(result, site)))


def _as_branches(node: tree.Combine) -> str:
    """A combinator that is called like a function, with its arguments as branches."""
    named = ", ".join(a.span.text for a in node.arguments if a.name is not None)
    given = [a.value for a in node.arguments if a.name is None]
    listed = [item for value in given for item in (value.items if isinstance(value, tree.ListOf) else (value,))]
    branches = "; ".join(item.span.text for item in listed) or "a; b"
    head = f"{node.kind}({named})" if named else node.kind
    return f"write the branches in braces: `{head} {{ {branches} }}`"


def _joined(layer: OpLayer) -> int:
    """The axis along which a `concat` joins its branches."""
    given = [g.value for g in (*layer.positional[:1], *layer.named.values())]
    return next((axis for axis in given if isinstance(axis, int)), 1)
