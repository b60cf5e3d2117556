"""Operators run on values: their shapes are inferred, their place found, their node and event recorded."""

from __future__ import annotations

from math import prod

from archdsl.arguments import require_sizes
from archdsl.diagnostics.base import Label
from archdsl.diagnostics.shapes import DoesNotFit, SizeTooLarge, TensorTooLarge
from archdsl.dims import Size, TooLarge
from archdsl.elaborate.modules import PARAMETERS, Modules
from archdsl.elaborate.place import Naming, NetworkPlace
from archdsl.elaborate.recorder import Recorder
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.session import Session
from archdsl.evaluate.sizes import Questions
from archdsl.evaluate.values import Value, Written, shape_text
from archdsl.graph import Node, OpRun
from archdsl.op import Facets, Op, Reject, Tensor
from archdsl.record import exactly
from archdsl.source import Span
from archdsl.syntax import tree

MAX_ENTRIES = 2**63
"""Of a tensor, for one example: torch counts them in 64 bits."""


class Operators:
    """Runs operators."""

    def __init__(
        self, session: Session, recorder: Recorder, modules: Modules, facets: dict[object, Facets] | None = None
    ) -> None:
        """``facets``: see `FileScope.facets`, of the file whose model is built."""
        self._session = session
        self._recorder = recorder
        self._modules = modules
        self._facets: dict[object, Facets] = facets if facets is not None else {}

    def run(
        self, op: Op, inputs: tuple[Value, ...], here: NetworkPlace, site: tree.Node, naming: Naming, written: Written
    ) -> tuple[Value, ...]:
        """An operator on values, and what it gives."""
        facets = self._facets_of(op, tuple([v.type for v in inputs]), site, written)
        return self.record(facets, inputs, here, site, naming, written)

    def record(
        self, facets: Facets, inputs: tuple[Value, ...], here: NetworkPlace, site: tree.Node, naming: Naming,
        written: Written,
    ) -> tuple[Value, ...]:  # fmt: skip
        """Record an operator that fits: its place in the module tree, its node and its event."""
        module = self._modules.at(
            here, naming, site, f"`{facets.op.name}`", reason=PARAMETERS if facets.weights else None
        )
        if module is not None:
            self._modules.occupy(module, facets.op)
            self._modules.own(module, here, facets.weights, site)
            self._modules.require_same(module, facets, site)
        outputs = tuple([self._recorder.new_value(t.shape, t.dtype) for t in facets.outputs])
        node = Node(facets, inputs, outputs, module, site, written)
        self._recorder.add_node(node)
        here.events.append(OpRun(site, node, here.seen()))
        return outputs

    def _facets_of(self, op: Op, types: tuple[Tensor, ...], site: tree.Node, written: Written) -> Facets:
        """What an operator says on inputs of these types.

        Equal layers share it, unless something was asked of a symbolic size: that is remembered with its place.
        """
        key = (exactly(op), types)
        known = self._facets.get(key)
        if known is not None:
            return known
        questions = self._session.questions(site)
        facets = self._ask(op, types, questions, site, written)
        for tensor in facets.outputs:
            check_entries(f"the result of this `{op.name}`", tensor.shape, site)
        for weight in facets.weights:
            check_entries(f"the {weight.name} of this `{op.name}`", weight.shape, site)
        if not questions.is_open:
            self._facets[key] = facets
        return facets

    @staticmethod
    def _ask(
        op: Op,
        types: tuple[Tensor, ...],
        questions: Questions,
        site: tree.Node,
        written: Written,
    ) -> Facets:
        """A rejection is a fault in its place, pointing at the argument that it names."""
        try:
            require_sizes(op, questions)
            return Facets(op, types, op.infer(types, questions), op.weights(types))
        except Reject as reject:
            arrives = f"its input is {shape_text(types[0].shape)}" if types else None
            at = written[reject.arg][0].span if reject.arg is not None and reject.arg in written else None
            labels = () if at is None or _within(at, site.span) else (Label(at, f"`{reject.arg}` is set here"),)
            reason = f"`{op.name}`: {reject.message}"
            raise Fault(
                DoesNotFit(span=site.span, reason=reason, arrives=arrives, advice=reject.help, labels=labels)
            ) from None
        except TooLarge:
            raise Fault(SizeTooLarge(span=site.span)) from None


def check_entries(what: str, shape: tuple[Size, ...], site: tree.Node) -> None:
    """No tensor has more entries than torch can count.

    Raises:
        Fault: this one would.
    """
    count = prod(size for size in shape if isinstance(size, int))
    if count >= MAX_ENTRIES:
        raise Fault(TensorTooLarge(span=site.span, what=what, count=f"{count:,}", shape=shape_text(shape)))


def _within(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end
