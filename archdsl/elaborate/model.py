"""From a model's definition to its checked graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from archdsl.collection import paused_collection
from archdsl.diagnostics.base import Diagnostic, Frame
from archdsl.diagnostics.claims import AssertionFails
from archdsl.diagnostics.files import BadSetting
from archdsl.diagnostics.names import NoEnd, TooMuch, WrongKind
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.dims import Dim, Needs, Operator, Size, Violated
from archdsl.elaborate.elaborator import Elaborator
from archdsl.elaborate.place import NetworkPlace
from archdsl.elaborate.shapes import InputShapes
from archdsl.elaborate.strategy import Builder, Concrete, Strategy
from archdsl.evaluate.builtins import as_layer
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Abort, Fault, UsesErrorValue
from archdsl.evaluate.place import TextPlace
from archdsl.evaluate.session import Session
from archdsl.evaluate.sizes import Origin
from archdsl.evaluate.values import BlockLayer, Env, FileScope, Given, SpecValue, describe, is_size
from archdsl.graph import Graph
from archdsl.record import record
from archdsl.syntax import tree


@record
class Built:
    """What building gave: the graph if nothing was wrong, and what was found."""

    graph: Graph | None
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    arguments: Mapping[str, SpecValue] = field(default_factory=dict[str, SpecValue])
    """Values of the parameters of the model (of the family, where the model is a member)."""
    definition: tree.Block | None = None
    """The model whose body was built: the family's, where the model is a member."""


@paused_collection()
def build_model(
    model: BlockLayer,
    settings: Mapping[str, Given] | None = None,
    inputs: InputShapes | None = None,
    strategy: Callable[[Builder], Strategy] = Concrete,
) -> Built:
    """Build a model on inputs of its own.

    ``settings`` override the model's parameters, and where it is a member of a family, the family's.
    """
    return _ModelBuilder(model, inputs or {}, strategy).build(dict(settings or {}))


class LearnedAssertions:
    """What an assertion in a model or block says of sizes is learned; all else is checked."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def check(self, node: tree.Assert, here: NetworkPlace, evaluator: Evaluator) -> None:
        for term in terms_of(node.condition):
            if not isinstance(term, tree.Compare):
                if not evaluator.holds(term, here):
                    raise Fault(AssertionFails(span=term.span, detail="it is false"))
                continue
            left, right = evaluator.evaluate(term.left, here), evaluator.evaluate(term.right, here)
            if (isinstance(left, Dim) or isinstance(right, Dim)) and is_size(left) and is_size(right):
                self._learn(left, term.op, right, term)
            elif not evaluator.compare(left, term.op, right, term, here):
                raise Fault(AssertionFails(span=term.span, detail=f"{left} {term.op} {right} is false"))

    def _learn(self, left: Size, op: Operator, right: Size, term: tree.Node) -> None:
        outcome = self._session.needs.assume(left, op, right, Origin(term, tuple(self._session.frames)))
        if isinstance(outcome, Violated):
            detail = f"{left} {op} {right} contradicts the requirements of the model"
            raise Fault(AssertionFails(span=term.span, detail=detail))


def terms_of(condition: tree.Expr) -> tuple[tree.Expr, ...]:
    """The parts of a condition that must all hold."""
    return condition.terms if isinstance(condition, tree.Logic) and condition.op == "and" else (condition,)


class _ModelBuilder:
    """Builds one model."""

    def __init__(self, model: BlockLayer, shapes: InputShapes, strategy: Callable[[Builder], Strategy]) -> None:
        self._model = model
        self._shapes = shapes
        self._session = Session(Needs(), model.file.memory)
        self._elaborator = Elaborator(
            self._session,
            LearnedAssertions(self._session),
            strategy=strategy,
            facets=model.file.facets,
            shapes=shapes,
        )

    def build(self, settings: dict[str, Given]) -> Built:
        session, model = self._session, self._model
        try:
            definition, file, values = self._resolve(settings)
            graph = self._graph(definition, file, values)
            return Built(graph, session.diagnostics, values, definition)
        except Fault as fault:
            session.report(fault.diagnostic)
        except (UsesErrorValue, Abort):
            pass
        except RecursionError:
            session.report(TooMuch(span=model.definition.span, limit="the limit of", what="nested expressions"))
        return Built(None, session.diagnostics)

    def _resolve(self, settings: dict[str, Given]) -> tuple[tree.Block, FileScope, dict[str, SpecValue]]:
        """Follow a member to its family: the definition with a body, and the values of its parameters."""
        evaluator = self._elaborator.evaluator
        layer, site = self._model, self._model.definition.name
        while True:
            definition, file = layer.definition, layer.file
            names = [p.name.text for p in definition.params]
            own = {n: settings.pop(n) for n in list(settings) if n in names}
            layer = self._overridden(layer, names, own)
            with self._session.expanding(definition, file, layer.name, site):
                place = TextPlace(file.env)
                bound = evaluator.calls.parameters.bind(layer.name, definition.params, layer, file, place, site, {})
                values, _ = bound
                if not definition.is_alias:
                    self._require_no_more(definition, settings)
                    return definition, file, values
                target = as_layer(evaluator.evaluate(definition.body, TextPlace(Env(file.env, names=values))))
            if not isinstance(target, BlockLayer):
                what = f"`{layer.name}` cannot be built by itself"
                found = f"this is {describe(target)}"
                raise Fault(WrongKind(span=definition.body.span, what=what, found=found))
            layer, site = target, definition.body

    @staticmethod
    def _overridden(layer: BlockLayer, names: list[str], own: Mapping[str, Given]) -> BlockLayer:
        """The layer with some arguments replaced, whether they were given by position or by name."""
        if not own:
            return layer
        by_position = len(layer.positional)
        given = {**dict(zip(names, layer.positional, strict=False)), **layer.named, **own}
        return BlockLayer(
            positional=layer.positional[len(names) :] if by_position > len(names) else (),
            named=given,
            definition=layer.definition,
            file=layer.file,
        )

    def _require_no_more(self, definition: tree.Block, settings: Mapping[str, Given]) -> None:
        """Raises:
        UsesErrorValue: settings are left that no parameter takes; they are reported.
        """
        known = [p.name.text for p in (*self._model.definition.params, *definition.params)]
        for name, given in settings.items():
            advice = did_you_mean(name, known)
            listed = f"its parameters are {', '.join(dict.fromkeys(known))}" if known else "it has no parameters"
            advice = advice or listed
            reason = f"the model `{self._model.name}` has no parameter `{name}`"
            self._session.report(BadSetting(span=given.site.span, reason=reason, advice=advice))
        if settings:
            raise UsesErrorValue

    def _graph(self, definition: tree.Block, file: FileScope, values: dict[str, SpecValue]) -> Graph | None:
        assert isinstance(definition.body, tree.Body)
        session, recorder, name = self._session, self._elaborator.recorder, self._model.name
        session.top = definition
        env = Env(file.env, owner=object(), names=values)
        here = self._elaborator.start(definition.body, env, definition, values)
        recorder.top = here.instance
        session.frames.append(Frame(name, "", definition.name.span))
        self._elaborator.statements.run_body(definition.body, here)
        recorder.check_declared(0)
        self._check_ends(definition)
        session.frames.pop()
        if session.diagnostics or session.is_incomplete:
            return None
        here.instance.result = here.stream
        return Graph(name, recorder.inputs, recorder.outputs, recorder.nodes, here.module, here.instance, session.needs)

    def _check_ends(self, definition: tree.Block) -> None:
        session, inputs = self._session, self._elaborator.recorder.inputs
        if session.diagnostics or session.is_incomplete:
            return
        for end, found in (("input", inputs), ("output", self._elaborator.recorder.outputs)):
            if not found:
                session.report(NoEnd(span=definition.name.span, model=definition.name.text, end=end))
        for name in [n for n in self._shapes if n is not None and n not in {i.name for i in inputs}]:
            names = ", ".join(i.name for i in inputs)
            reason = f"the model has no input `{name}`"
            session.report(BadSetting(span=None, reason=reason, advice=f"its inputs are {names}"))
        if None in self._shapes and len(inputs) > 1:
            reason = f"the model has {len(inputs)} inputs: name one of them, `--input NAME=SHAPE`"
            session.report(BadSetting(span=None, reason=reason))
