"""Claims: built on symbols, and proved where sizes are symbolic.

A claim's parameters and the free dims of its inputs stand for every size from 1 on. Each assertion is decided exactly
(``archdsl.dims``): proved for all of them, refuted by an example, or reported as undecided. Where a condition holds for
some sizes only (in ``or``, ``not``, ``if``), the claim is taken apart into cases (``cases.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from archdsl.checks.cases import CLAIM, MAX_CASES, Case, Impossible, TooManyCases
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.claims import ClaimEmpty, ClaimFails, ClaimUndecided
from archdsl.diagnostics.names import BadArithmetic, WrongKind
from archdsl.diagnostics.shapes import SizeTooLarge
from archdsl.dims import Dim, Member, Needs, Operator, Proved, Size, TooLarge, Values, When, symbol, symbols
from archdsl.dims import describe as describe_condition
from archdsl.dims.budget import Budget
from archdsl.elaborate.bodies import Bodies
from archdsl.elaborate.context import Abort, Fault, Here, Poison
from archdsl.elaborate.expressions import Sides, same_layer
from archdsl.elaborate.model import build_model
from archdsl.evaluate.env import Env, FileScope
from archdsl.evaluate.quotient import OPERATIONS, Quotient, as_quotient
from archdsl.evaluate.values import BlockLayer, Layer, Measure, describe, is_list, is_number, is_size
from archdsl.graph import Graph, GraphInput, GraphOutput, Instance, Module, Value
from archdsl.measure import activation_bytes, depth, macs, params, receptive_field
from archdsl.source import Span
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
    """Build a claim and decide its assertions, case by case."""
    budget, waiting, runs = Budget(CLAIM), [()], list[_ClaimBuilder]()
    try:
        while waiting:
            if len(runs) + len(waiting) > MAX_CASES:
                raise TooManyCases
            case = Case(waiting.pop(), budget)
            runs += _ran(_ClaimBuilder(Needs(), graphs, case), claim, scope)
            waiting += case.left
    except TooManyCases:
        found = ClaimUndecided(
            span=claim.text.span, claim=claim.text.value, detail="its conditions make too many cases"
        )
        return _undecided(claim, (found,))
    return _result(claim, runs)


def _ran(run: _ClaimBuilder, claim: tree.Claim, scope: FileScope) -> Iterator[_ClaimBuilder]:
    """The builder after its run; nothing where no sizes belong to its case."""
    try:
        run.run(claim, scope)
    except Fault as fault:
        run.report(fault.diagnostic)
    except (Poison, Abort):
        run.spoilt = True
    except Impossible:
        return
    yield run


def _result(claim: tree.Claim, runs: list[_ClaimBuilder]) -> ClaimResult:
    """What the cases come to, together."""
    found = _merged(runs)
    if any(isinstance(d, ClaimFails) for d in found):
        return ClaimResult(claim, "fails", "fails", found)
    if not found and any(run.spoilt for run in runs):  # by a fault that is reported where it stands
        return _undecided(claim, found)
    if not found and not any(run.asserted for run in runs):
        found = (ClaimEmpty(span=claim.text.span, claim=claim.text.value),)
        return ClaimResult(claim, "undecided", "asserts nothing", found)
    return _undecided(claim, found) if found else ClaimResult(claim, "holds", _how(claim, runs))


def _undecided(claim: tree.Claim, found: tuple[Diagnostic, ...]) -> ClaimResult:
    is_open = bool(found) and all(isinstance(d, ClaimUndecided) for d in found)
    how = "undecided" if is_open else "undecided: see the errors"
    return ClaimResult(claim, "undecided", how, found)


def _merged(runs: list[_ClaimBuilder]) -> tuple[Diagnostic, ...]:
    """What is wrong in any case, once for each place: of an assertion that fails the least example."""
    found: dict[object, tuple[_Rank, Diagnostic]] = {}
    for run in runs:
        for diagnostic in run.diagnostics:
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


def _how(claim: tree.Claim, runs: list[_ClaimBuilder]) -> str:
    """How the claim was decided."""
    if not any(run.is_symbolic for run in runs):
        return "evaluated"
    inputs = [size for run in runs for i in run.inputs for size in i.value.shape if isinstance(size, Dim)]
    names = dict.fromkeys([*(p.name.text for p in claim.params), *(n for size in inputs for n in symbols(size))])
    text = f"proved for every {_listing(list(names))}"
    conditions = dict.fromkeys(p.text for run in runs for p in run.needs.preconditions())
    return f"{text} ({'; '.join(conditions)})" if conditions else text


class _ClaimBuilder(Bodies):
    """Runs the body of a claim in one case, and builds what it measures."""

    def __init__(self, needs: Needs, graphs: Graphs, case: Case) -> None:
        super().__init__(needs, in_claim=True)
        self._graphs = graphs
        self._case = case
        self._top: Instance | None = None
        self._claim: tree.Claim | None = None
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
        part = _ClaimBuilder(self.needs, self._graphs, self._case)
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

    # ---- quotients of sizes ----

    def operate(self, op: str, left: Any, right: Any, node: tree.Node, here: Here, said: Sides) -> Any:
        """``left op right``, exact where a claim divides sizes or multiplies them by floats."""
        if not _makes_quotient(op, left, right):
            return super().operate(op, left, right, node, here, said)
        try:
            first, second = as_quotient(left), as_quotient(right)
            if op in ("/", "//", "%") and isinstance(second.num, Dim):
                self.positive(second.num, node)
            result = OPERATIONS[op](first, second)
        except ZeroDivisionError:
            raise Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` divides by zero")) from None
        except TooLarge:
            raise Fault(SizeTooLarge(span=node.span)) from None
        except (KeyError, ValueError):
            advice = "in a claim, sizes and their quotients take `+ - * / // %`"
            raise Fault(
                BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` has no value", advice=advice)
            ) from None
        return result.num if result.den == 1 else result

    def compare(self, left: Any, op: Operator, right: Any, node: tree.Compare, here: Here) -> Any:
        """Quotients are compared without dividing."""
        if not _makes_quotient("<", left, right):
            return super().compare(left, op, right, node, here)
        try:
            first, second = as_quotient(left), as_quotient(right)
            return super().compare(first.num * second.den, op, second.num * first.den, node, here)
        except TooLarge:
            raise Fault(SizeTooLarge(span=node.span)) from None
        except ValueError:
            raise Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` has no value")) from None

    # ---- deciding ----

    def decide(self, left: Any, op: Operator, right: Any, node: tree.Node) -> bool:
        """Whether a comparison holds, in this case."""
        self.is_symbolic = True
        return self._case.holds(self.needs, left, op, right)

    def check_assertion(self, node: tree.Assert, here: Here) -> None:
        self.asserted += 1
        condition = node.condition
        terms = condition.terms if isinstance(condition, tree.Logic) and condition.op == "and" else (condition,)
        self._is_alone = len(terms) == 1
        for term in terms:
            self.assertions[term.span] = node.span
            if isinstance(term, tree.Compare):
                left, right = self.evaluate(term.left, here), self.evaluate(term.right, here)
                self._decide(left, term.op, right, term)
            elif not self.truth_of(self.evaluate(term, here), term):
                raise self._refuted(term, "it is")

    def _decide(self, left: Any, op: Operator, right: Any, term: tree.Compare) -> None:
        shown = f"{_text(left)} {op} {_text(right)}"
        if is_list(left) and is_list(right) and op == "==":
            if len(left) != len(right):
                raise self._fails(term, f"{_text(left)} against {_text(right)}", None)
            for a, b in zip(left, right, strict=True):
                self._decide(a, op, b, term)
        elif (
            self._is_alone
            and is_size(left)
            and is_size(right)
            and not (isinstance(left, int) and isinstance(right, int))
        ):
            self._decide_sizes(left, op, right, term, shown)
        elif not self.compare(left, op, right, term, self.outside(Env(None))):
            raise self._refuted(term, f"{shown} is")

    def _decide_sizes(self, left: Size, op: Operator, right: Size, term: tree.Compare, shown: str) -> None:
        """Decide the only comparison of an assertion: in this case it must hold for all sizes."""
        self.is_symbolic = True
        verdict = self._case.verdict(self.needs, left, op, right)
        if isinstance(verdict, Proved):
            return
        example = self._case.counterexample(self.needs, left, op, right, verdict)
        if example is None:
            raise self._open(term, shown)
        conditions = (
            verdict.conditions if isinstance(verdict, When) and verdict.exact and not self._case.is_assumed else ()
        )
        needed = "; ".join(describe_condition(c) for c in conditions if isinstance(c, Member))
        raise self._fails(term, f"{shown} is false{_at(example)}{': ' if needed else ''}{needed}", example)

    def _refuted(self, term: tree.Node, shown: str) -> Fault:
        """The term is false in this case, if there are sizes that belong to it."""
        example = self._case.example(self.needs)
        if example is None:
            return self._open(term, "neither a proof nor a counterexample was found")
        return self._fails(term, f"{shown} false{_at(example)}", example)

    def _fails(self, term: tree.Node, detail: str, example: Values | None) -> Fault:
        assert self._claim is not None
        if example:
            self.examples[term.span] = example
        return Fault(ClaimFails(span=term.span, claim=self._claim.text.value, detail=detail))

    def _open(self, term: tree.Node, detail: str) -> Fault:
        assert self._claim is not None
        return Fault(ClaimUndecided(span=term.span, claim=self._claim.text.value, detail=detail))


def _makes_quotient(op: str, left: Any, right: Any) -> bool:
    """Whether ``left op right`` is about a quotient of sizes, or makes one."""
    sides = (left, right)
    if not all(is_number(side) or isinstance(side, Quotient) for side in sides):
        return False
    if any(isinstance(side, Quotient) for side in sides):
        return True
    return any(isinstance(side, Dim) for side in sides) and (
        op == "/" or any(isinstance(side, float) for side in sides)
    )


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
