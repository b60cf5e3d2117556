"""Claims: built on symbols, and proved where sizes are symbolic.

A claim's parameters and the free dims of its inputs stand for every size from 1 on. Each assertion is decided exactly
(``archdsl.dims``): proved for all of them, refuted by an example, or reported as undecided. Where a condition holds for
some sizes only (in ``or``, ``not``, ``if``), the claim is taken apart into cases (``cases.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

from archdsl.checks.cases import CLAIM, MAX_CASES, Case, Impossible, TooManyCases
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.claims import ClaimEmpty, ClaimFails, ClaimUndecided
from archdsl.diagnostics.names import WrongKind
from archdsl.dims import Dim, Member, Needs, Operator, Proved, Size, Values, When, symbol, symbols
from archdsl.dims import describe as describe_condition
from archdsl.dims.budget import Budget
from archdsl.elaborate.elaborator import Elaborator
from archdsl.elaborate.model import build_model, terms_of
from archdsl.elaborate.place import NetworkPlace
from archdsl.evaluate.evaluator import Evaluator, same_layer
from archdsl.evaluate.faults import Abort, Fault, UsesErrorValue
from archdsl.evaluate.numbers import QuotientNumbers, SizeNumbers
from archdsl.evaluate.place import TextPlace
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import (
    MISSING,
    BlockLayer,
    Env,
    FileScope,
    Layer,
    Measure,
    SpecList,
    SpecValue,
    Value,
    describe,
    is_list,
    is_size,
)
from archdsl.graph import Graph, GraphInput, GraphOutput
from archdsl.measure import activation_bytes, depth, macs, params, receptive_field
from archdsl.record import record
from archdsl.source import Span
from archdsl.syntax import tree

Standing = Literal["holds", "fails", "undecided"]


@record
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
    """Build a claim and decide its assertions, case by case."""
    budget, waiting, runs = Budget(CLAIM), [()], list[_ClaimRun]()
    try:
        while waiting:
            if len(runs) + len(waiting) > MAX_CASES:
                raise TooManyCases
            case = Case(waiting.pop(), budget)
            runs += _ran(_ClaimRun(claim, scope, graphs, case))
            waiting += case.left
    except TooManyCases:
        found = ClaimUndecided(
            span=claim.text.span, claim=claim.text.value, detail="its conditions have too many cases"
        )
        return _undecided(claim, (found,))
    return _result(claim, runs)


def _ran(run: _ClaimRun) -> Iterator[_ClaimRun]:
    """The run after it ended; nothing where no sizes belong to its case."""
    try:
        run.run()
    except Fault as fault:
        run.session.report(fault.diagnostic)
    except (UsesErrorValue, Abort):
        run.session.is_incomplete = True
    except Impossible:
        return
    yield run


def _result(claim: tree.Claim, runs: list[_ClaimRun]) -> ClaimResult:
    """What the cases come to, together."""
    found = _merged(runs)
    if any(isinstance(d, ClaimFails) for d in found):
        return ClaimResult(claim, "fails", "fails", found)
    if not found and any(run.session.is_incomplete for run in runs):  # by a fault that is reported where it stands
        return _undecided(claim, found)
    if not found and not any(run.asserted for run in runs):
        found = (ClaimEmpty(span=claim.text.span, claim=claim.text.value),)
        return ClaimResult(claim, "undecided", "asserts nothing", found)
    return _undecided(claim, found) if found else ClaimResult(claim, "holds", _how(claim, runs))


def _undecided(claim: tree.Claim, found: tuple[Diagnostic, ...]) -> ClaimResult:
    is_open = bool(found) and all(isinstance(d, ClaimUndecided) for d in found)
    how = "undecided" if is_open else "undecided: see the errors"
    return ClaimResult(claim, "undecided", how, found)


def _merged(runs: list[_ClaimRun]) -> tuple[Diagnostic, ...]:
    """What is wrong in any case, once for each place: of an assertion that fails the least example."""
    found: dict[object, tuple[_Rank, Diagnostic]] = {}
    for run in runs:
        for diagnostic in run.session.diagnostics:
            is_own = isinstance(diagnostic, ClaimFails | ClaimUndecided)
            key = run.assertions.get(diagnostic.span) if is_own else (diagnostic.code, diagnostic.span)
            rank = _rank(diagnostic, run.examples.get(diagnostic.span))
            if key not in found or rank < found[key][0]:
                found[key] = rank, diagnostic
    return tuple(diagnostic for _, diagnostic in found.values())


_Rank: TypeAlias = tuple[bool, int, int, tuple[int, ...]]


def _rank(diagnostic: Diagnostic, example: Values | None) -> _Rank:
    """What fails before what is undecided, and the least example before others."""
    values = tuple(value for _, value in sorted((example or {}).items()))
    return isinstance(diagnostic, ClaimUndecided), max(values, default=0), sum(values), values


def _how(claim: tree.Claim, runs: list[_ClaimRun]) -> str:
    """How the claim was decided."""
    if not any(run.is_symbolic for run in runs):
        return "evaluated"
    inputs = [size for run in runs for i in run.inputs for size in i.value.shape if isinstance(size, Dim)]
    names = dict.fromkeys([*(p.name.text for p in claim.params), *(n for size in inputs for n in symbols(size))])
    text = f"proved for every {_listing(list(names))}"
    conditions = dict.fromkeys(p.text for run in runs for p in run.session.needs.preconditions())
    return f"{text} ({'; '.join(conditions)})" if conditions else text


class _ClaimRun:
    """One case of a claim: its body is run on symbols, what it measures is built, what it asserts is decided."""

    def __init__(self, claim: tree.Claim, scope: FileScope, graphs: Graphs, case: Case) -> None:
        self._claim = claim
        self._scope = scope
        self._graphs = graphs
        self._case = case
        self._needs = Needs()
        self.session = Session(self._needs, scope.memory)
        self._elaborator = self._elaborated_in(self.session)
        self.is_symbolic = False
        """Something that was asserted is about symbolic sizes."""
        self.asserted = 0
        """Assertions that were come to."""
        self.examples: dict[Span | None, Values] = {}
        """Sizes at which terms of assertions fail, by their places."""
        self.assertions: dict[Span | None, Span] = {}
        """The places of the assertions that the terms at these places belong to."""
        self._is_alone = False
        """The term that is being decided is a whole assertion."""

    def _elaborated_in(self, session: Session) -> Elaborator:
        numbers = QuotientNumbers(SizeNumbers(session, self._decide_in_case))
        return Elaborator(session, self, numbers=numbers, are_labels_optional=True)

    @property
    def inputs(self) -> Sequence[GraphInput]:
        return self._elaborator.recorder.inputs

    def run(self) -> None:
        """Run the body of the claim."""
        env = Env(self._scope.env, owner=object())
        for param in self._claim.params:
            env.bind(param.name.text, symbol(param.name.text))
        here = self._elaborator.start(self._claim.body, env, None, {})
        self._elaborator.recorder.top = here.instance
        for name, measure in MEASURES.items():
            if env.lookup(name) is MISSING:
                env.bind(name, Measure(name, self._measure(name, measure, here)))
        self._elaborator.statements.run_body(self._claim.body, here)

    # ---- measuring ----

    def _measure(
        self, name: str, measure: Callable[[Graph], SpecValue], here: NetworkPlace
    ) -> Callable[[SpecValue, tree.Node], SpecValue]:
        """The function of the language that measures a layer, a model or (its shape) a value."""

        def run(subject: SpecValue, site: tree.Node) -> SpecValue:
            if name == "shape" and isinstance(subject, Value):
                return [*subject.shape]
            if not isinstance(subject, Layer):
                what = f"`{name}` takes a model, a block or a group"
                raise Fault(WrongKind(span=site.span, what=what, found=f"this is {describe(subject)}"))
            return measure(self._graph(subject, here))

        return run

    def _graph(self, layer: Layer, here: NetworkPlace) -> Graph:
        """The layer on the claim's input; a model, where the claim has none, on its own."""
        if here.stream is None and isinstance(layer, BlockLayer):
            graph, problems = self._graphs.of(layer)
            for problem in problems:
                self.session.report(problem)
            if graph is None:
                raise UsesErrorValue
            return graph
        session = Session(self._needs)
        session.frames = self.session.frames
        before = self.asserted, self.is_symbolic, self._is_alone  # what the layer asserts is no part of the claim
        try:
            stream = self._elaborator.evaluator.stream_of(self._claim.body, here)
            return _part(self._elaborated_in(session), session, layer, stream, self._claim.body, here.env)
        finally:
            self.asserted, self.is_symbolic, self._is_alone = before
            for problem in session.diagnostics:
                self.session.report(problem)

    # ---- deciding ----

    def _decide_in_case(self, left: Size, op: Operator, right: Size, node: tree.Node) -> bool:
        """Whether a comparison holds, in this case."""
        self.is_symbolic = True
        return self._case.holds(self._needs, left, op, right)

    def check(self, node: tree.Assert, here: NetworkPlace, evaluator: Evaluator) -> None:
        self.asserted += 1
        terms = terms_of(node.condition)
        self._is_alone = len(terms) == 1
        for term in terms:
            self.assertions[term.span] = node.span
            if isinstance(term, tree.Compare):
                left, right = evaluator.evaluate(term.left, here), evaluator.evaluate(term.right, here)
                self._decide(left, term.op, right, term, evaluator)
            elif not evaluator.holds(term, here):
                raise self._refuted(term, "it is")

    def _decide(
        self, left: SpecValue, op: Operator, right: SpecValue, term: tree.Compare, evaluator: Evaluator
    ) -> None:
        shown = f"{_text(left)} {op} {_text(right)}"
        if is_list(left) and is_list(right) and op == "==":
            if len(left) != len(right):
                raise self._fails(term, f"{_text(left)} against {_text(right)}", None)
            for a, b in zip(left, right, strict=True):
                self._decide(a, op, b, term, evaluator)
        elif (
            self._is_alone
            and is_size(left)
            and is_size(right)
            and not (isinstance(left, int) and isinstance(right, int))
        ):
            self._decide_sizes(left, op, right, term, shown)
        elif not evaluator.compare(left, op, right, term, TextPlace(Env(None))):
            raise self._refuted(term, f"{shown} is")

    def _decide_sizes(self, left: Size, op: Operator, right: Size, term: tree.Compare, shown: str) -> None:
        """Decide the only comparison of an assertion: in this case it must hold for all sizes."""
        self.is_symbolic = True
        verdict = self._case.verdict(self._needs, left, op, right)
        if isinstance(verdict, Proved):
            return
        example = self._case.counterexample(self._needs, left, op, right, verdict)
        if example is None:
            raise self._open(term, shown)
        conditions = (
            verdict.conditions if isinstance(verdict, When) and verdict.exact and not self._case.is_assumed else ()
        )
        needed = "; ".join(describe_condition(c) for c in conditions if isinstance(c, Member))
        raise self._fails(term, f"{shown} is false{_at(example)}{': ' if needed else ''}{needed}", example)

    def _refuted(self, term: tree.Node, shown: str) -> Fault:
        """The term is false in this case, if there are sizes that belong to it."""
        example = self._case.example(self._needs)
        if example is None:
            return self._open(term, "found neither a proof nor a counterexample")
        return self._fails(term, f"{shown} false{_at(example)}", example)

    def _fails(self, term: tree.Node, detail: str, example: Values | None) -> Fault:
        if example:
            self.examples[term.span] = example
        return Fault(ClaimFails(span=term.span, claim=self._claim.text.value, detail=detail))

    def _open(self, term: tree.Node, detail: str) -> Fault:
        return Fault(ClaimUndecided(span=term.span, claim=self._claim.text.value, detail=detail))


def _part(
    elaborator: Elaborator, session: Session, layer: Layer, stream: SpecValue, text: tree.Body, env: Env
) -> Graph:
    """A graph of one layer on values like those of the stream."""
    here, recorder = elaborator.start(text, env, None, {}), elaborator.recorder
    values = [recorder.new_value(v.shape, v.dtype) for v in _values(stream, text)]
    here.stream = here.instance.stream = [*values] if is_list(stream) else values[0]
    elaborator.layers.apply(layer, here, text)
    result: SpecList = here.stream if is_list(here.stream) else [] if here.stream is None else [here.stream]
    given = [v for v in result if isinstance(v, Value)]
    if session.diagnostics or len(given) != len(result):
        raise UsesErrorValue
    inputs = [GraphInput(f"x{i}", v) for i, v in enumerate(values)]
    outputs = [GraphOutput(f"y{i}", v, False) for i, v in enumerate(given)]
    return Graph("part", inputs, outputs, recorder.nodes, here.module, here.instance, session.needs)


def _values(stream: SpecValue, text: tree.Body) -> list[Value]:
    """The values on a stream.

    Raises:
        Fault: something else is on it.
    """
    items: SpecList = stream if is_list(stream) else [stream]
    values = [v for v in items if isinstance(v, Value)]
    if len(values) != len(items):
        what = "a claim can only measure layers on values"
        raise Fault(WrongKind(span=text.span, what=what, found=f"its input is {describe(stream)}"))
    return values


def _shape(graph: Graph) -> SpecValue:
    shapes: list[SpecValue] = [[*o.value.shape] for o in graph.outputs if not o.when_training]
    return shapes[0] if len(shapes) == 1 else shapes


MEASURES: dict[str, Callable[[Graph], SpecValue]] = {
    "params": params,
    "macs": macs,
    "receptive_field": receptive_field,
    "shape": _shape,
    "depth": depth,
    "activations": activation_bytes,
}
"""What a claim can measure, by its word in the language."""


def _text(value: SpecValue) -> str:
    if is_list(value):
        return f"[{', '.join(_text(v) for v in value)}]"
    return f"{value:,}".replace(",", "_") if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _at(example: Values | None) -> str:
    return f" at {', '.join(f'{n} = {v}' for n, v in sorted(example.items()))}" if example else ""


def _listing(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
