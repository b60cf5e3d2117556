"""Claims: built on symbols, and proved where sizes are symbolic.

A claim's parameters and the free dims of its inputs stand for every size from 1 on. Each assertion is decided exactly
(``archdsl.dims``): proved for all of them, refuted by the least example, or said to be undecided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from archdsl.build.bodies import Bodies
from archdsl.build.context import Abort, Fault, Here, Poison
from archdsl.build.env import Env, FileScope
from archdsl.build.expressions import same_layer
from archdsl.build.model import build_model
from archdsl.build.values import BlockLayer, Layer, Measure, describe, is_list, is_size
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.claims import ClaimFails, ClaimUndecided
from archdsl.diagnostics.names import WrongKind
from archdsl.dims import (
    Dim,
    Member,
    Needs,
    Proved,
    Refuted,
    Size,
    Unknown,
    Verdict,
    When,
    at_least,
    equal,
    symbol,
    symbols,
    truth,
)
from archdsl.dims import describe as describe_condition
from archdsl.graph import Graph, GraphInput, GraphOutput, Instance, Module, Value
from archdsl.measure import activation_bytes, depth, macs, params, receptive_field
from archdsl.syntax import tree

Standing = Literal["holds", "fails", "undecided"]


@dataclass(frozen=True)
class ClaimResult:
    """What became of a claim. ``how`` says it in words: ``proved for every C, H and W``, ``evaluated``."""

    claim: tree.Claim
    standing: Standing
    how: str
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def text(self) -> str:
        return self.claim.text.value


class Graphs:
    """Models that claims measure, each built once."""

    def __init__(self) -> None:
        self._built: list[tuple[BlockLayer, Graph | None, list[Diagnostic]]] = []

    def of(self, model: BlockLayer) -> tuple[Graph | None, list[Diagnostic]]:
        """The graph of a model on its own inputs, and what is wrong with it."""
        for known, graph, problems in self._built:
            if known is model or same_layer(known, model, lambda a, b: a is b or a == b):
                return graph, problems
        built = build_model(model)
        self._built.append((model, built.graph, built.diagnostics))
        return built.graph, built.diagnostics


def check_claim(claim: tree.Claim, scope: FileScope, graphs: Graphs) -> ClaimResult:
    """Build a claim and decide its assertions."""
    builder = _ClaimBuilder(Needs(), graphs)
    try:
        builder.run(claim, scope)
    except Fault as fault:
        builder.report(fault.diagnostic)
    except (Poison, Abort):
        pass
    if found := tuple(builder.diagnostics):
        if any(isinstance(d, ClaimFails) for d in found):
            return ClaimResult(claim, "fails", "fails", found)
        how = "undecided" if all(isinstance(d, ClaimUndecided) for d in found) else "undecided: see the errors"
        return ClaimResult(claim, "undecided", how, found)
    return ClaimResult(claim, "holds", builder.how())


class _ClaimBuilder(Bodies):
    """Runs the body of a claim, and builds what it measures."""

    def __init__(self, needs: Needs, graphs: Graphs) -> None:
        super().__init__(needs, in_claim=True)
        self._graphs = graphs
        self._top: Instance | None = None
        self._claim: tree.Claim | None = None
        self._symbolic = False
        """Some assertion was about symbolic sizes."""

    def run(self, claim: tree.Claim, scope: FileScope) -> None:
        self._claim, self.memory = claim, scope.memory
        env = Env(scope.env, owner=object())
        for param in claim.params:
            env.bind(param.name.text, symbol(param.name.text))
        here = self._start(claim.body, env)
        for name, measure in MEASURES.items():
            if env.lookup(name) is _ABSENT:
                env.bind(name, Measure(name, self._measure(name, measure, here)))
        self.run_body(claim.body, here)

    def _start(self, text: tree.Body, env: Env) -> Here:
        root = Module("", text.span)
        self._top = Instance(self.scope_of(text, "group", None), root, {}, None, env)
        self._instances[root] = self._top
        return Here(env, None, self._top.events, self._top, root)

    def how(self) -> str:
        """How the claim was decided."""
        if not self._symbolic:
            return "evaluated"
        assert self._claim is not None
        inputs = (symbols(size) for i in self.inputs for size in i.value.shape if isinstance(size, Dim))
        names = dict.fromkeys([*(p.name.text for p in self._claim.params), *(n for found in inputs for n in found)])
        text = f"proved for every {_listing(list(names))}"
        conditions = [p.text for p in self.needs.preconditions()]
        return f"{text} ({'; '.join(conditions)})" if conditions else text

    def is_top(self, here: Here) -> bool:
        return here.instance is self._top

    def given_input(self, name: str, here: Here) -> tuple[Size, ...] | None:
        return None

    # ---- measuring ----

    def _measure(self, name: str, measure: Callable[[Graph], Any], here: Here) -> Callable[..., Any]:
        """The function of the language that measures a layer, a model or (its shape) a value."""

        def run(subject: Any, site: tree.Node) -> Any:
            if name == "shape" and isinstance(subject, Value):
                return list(subject.shape)
            if not isinstance(subject, Layer):
                what = f"`{name}` measures a model, a block or a group"
                raise Fault(WrongKind(span=site.span, what=what, found=f"this is {describe(subject)}"))
            graph = self._graph(subject, here)
            return measure(graph)

        return run

    def _graph(self, layer: Layer, here: Here) -> Graph:
        """The layer on the claim's input; a model, where the claim has none, on its own."""
        if here.stream is None and isinstance(layer, BlockLayer):
            graph, problems = self._graphs.of(layer)
            for problem in problems:
                self.report(problem)
            if graph is None:
                raise Poison
            return graph
        part = _ClaimBuilder(self.needs, self._graphs)
        part.frames = self.frames
        try:
            return part.part(layer, self.stream_of(here.instance.scope.text, here), here)
        finally:
            for problem in part.diagnostics:
                self.report(problem)

    def part(self, layer: Layer, stream: Any, here: Here) -> Graph:
        """A graph of one layer on values like those of the stream."""
        text = here.instance.scope.text
        assert isinstance(text, tree.Body)
        inner = self._start(text, here.env)
        self._top = None
        streams = stream if is_list(stream) else [stream]
        if not all(isinstance(v, Value) for v in streams):
            what = "what a claim measures runs on values"
            raise Fault(WrongKind(span=text.span, what=what, found=f"{describe(stream)} is on the stream"))
        values = [self.new_value(v.shape, v.dtype) for v in streams]
        inner.stream = values if is_list(stream) else values[0]
        inner.instance.stream = inner.stream
        self.apply(layer, inner, text)
        result = inner.stream if is_list(inner.stream) else [inner.stream]
        if self.diagnostics or not all(isinstance(v, Value) for v in result):
            raise Poison
        inputs = [GraphInput(f"x{i}", v) for i, v in enumerate(values)]
        outputs = [GraphOutput(f"y{i}", v, False) for i, v in enumerate(result)]
        return Graph("part", inputs, outputs, self.nodes, inner.module, inner.instance, self.needs)

    # ---- deciding ----

    def check_assertion(self, node: tree.Assert, here: Here) -> None:
        condition = node.condition
        terms = condition.terms if isinstance(condition, tree.Logic) and condition.op == "and" else (condition,)
        for term in terms:
            if isinstance(term, tree.Compare):
                left, right = self.evaluate(term.left, here), self.evaluate(term.right, here)
                self._decide(left, term.op, right, term)
            elif not self.truth_of(self.evaluate(term, here), term):
                raise self._fails(term, "it is false")

    def _decide(self, left: Any, op: str, right: Any, term: tree.Compare) -> None:
        if is_list(left) and is_list(right) and op == "==":
            if len(left) != len(right):
                raise self._fails(term, f"{_text(left)} against {_text(right)}")
            for a, b in zip(left, right, strict=True):
                self._decide(a, op, b, term)
        elif is_size(left) and is_size(right) and (isinstance(left, Dim) or isinstance(right, Dim)):
            self._decide_sizes(left, op, right, term)
        elif not self.compare(left, op, right, term, self.outside(Env(None))):
            raise self._fails(term, f"{_text(left)} {op} {_text(right)} is false")

    def _decide_sizes(self, left: Size, op: str, right: Size, term: tree.Compare) -> None:
        self._symbolic = True
        shown = f"{_text(left)} {op} {_text(right)}"
        match self._verdict(left, op, right):
            case Proved():
                return
            case Refuted(example=example):
                raise self._fails(term, f"{shown} is false{_at(example)}")
            case When(conditions=conditions, example=example):
                needed = "; ".join(describe_condition(c) for c in conditions if isinstance(c, Member))
                raise self._fails(term, f"{shown} is false{_at(example)}{': ' if needed else ''}{needed}")
            case Unknown():
                assert self._claim is not None
                raise Fault(ClaimUndecided(span=term.span, claim=self._claim.text.value, detail=shown))

    def _verdict(self, left: Size, op: str, right: Size) -> Verdict:
        facts = self.needs.facts
        match op:
            case "==":
                return equal(left, right, facts)
            case ">=":
                return at_least(left, right, facts)
            case ">":
                return at_least(left, right + 1, facts)
            case "<=":
                return at_least(right, left, facts)
            case "<":
                return at_least(right, left + 1, facts)
        differs = truth(left, "!=", right, facts)
        return Unknown() if differs is None else Proved() if differs else Refuted({})

    def _fails(self, term: tree.Node, detail: str) -> Fault:
        assert self._claim is not None
        return Fault(ClaimFails(span=term.span, claim=self._claim.text.value, detail=detail))


def _shape(graph: Graph) -> list[Any]:
    shapes = [list(o.value.shape) for o in graph.outputs if not o.when_training]
    return shapes[0] if len(shapes) == 1 else shapes


_ABSENT = Env(None).lookup("")

MEASURES: dict[str, Callable[[Graph], Any]] = {
    "params": params,
    "macs": macs,
    "receptive_field": receptive_field,
    "shape": _shape,
    "depth": depth,
    "activations": activation_bytes,
}
"""What a claim can measure, by its word in the language."""


def _text(value: Any) -> str:
    if is_list(value):
        return f"[{', '.join(_text(v) for v in value)}]"
    return f"{value:,}".replace(",", "_") if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _at(example: Any) -> str:
    return f" at {', '.join(f'{n} = {v}' for n, v in sorted(example.items()))}" if example else ""


def _listing(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
