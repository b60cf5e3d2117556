"""From a model's definition to its checked graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archdsl.collection import paused_collection
from archdsl.diagnostics.base import Diagnostic, Frame
from archdsl.diagnostics.claims import AssertionFails
from archdsl.diagnostics.files import BadSetting
from archdsl.diagnostics.names import NoEnd, WrongKind
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.dims import Dim, Needs, Size, Violated
from archdsl.elaborate.bodies import Bodies
from archdsl.elaborate.context import Abort, Fault, Here, Poison
from archdsl.elaborate.expressions import as_layer
from archdsl.elaborate.strategy import Builder, Concrete, Strategy
from archdsl.evaluate.env import Env, FileScope
from archdsl.evaluate.sizes import Origin
from archdsl.evaluate.values import BlockLayer, Given, describe
from archdsl.graph import Graph, Instance, Module
from archdsl.syntax import tree

InputShapes = Mapping[str | None, tuple[Size, ...]]
"""Shapes that the user gives for inputs, by name; under None for the only input."""


@dataclass(frozen=True)
class Built:
    """What building gave: the graph if nothing was wrong, and what was found."""

    graph: Graph | None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Values of the parameters of the model (of the family, where the model is a member)."""
    definition: tree.Block | None = None
    """The model whose body was built: the family's, where the model is a member."""


@paused_collection()
def build_model(
    model: BlockLayer, settings: Mapping[str, Given] | None = None, inputs: InputShapes | None = None
) -> Built:
    """Build a model on inputs of its own.

    ``settings`` override the model's parameters, and where it is a member of a family, the family's.
    """
    builder = ModelBuilder(Needs(), inputs or {})
    return builder.build(model, dict(settings or {}))


class ModelBuilder(Bodies):
    """Builds one model at the top."""

    def __init__(self, needs: Needs, shapes: InputShapes, strategy: Callable[[Builder], Strategy] = Concrete) -> None:
        super().__init__(needs, in_claim=False, strategy=strategy)
        self._shapes = dict(shapes)
        self._top: Instance | None = None

    def build(self, model: BlockLayer, settings: dict[str, Given]) -> Built:
        self._facets, self.memory = model.file.facets, model.file.memory
        try:
            definition, file, values = self._resolve(model, settings)
            graph = self._graph(model.name, definition, file, values)
            return Built(graph, self.diagnostics, values, definition)
        except Fault as fault:
            self.report(fault.diagnostic)
        except (Poison, Abort):
            pass
        except RecursionError:
            from archdsl.diagnostics.names import TooMuch

            self.report(TooMuch(span=model.definition.span, limit="the limit of", what="nested expressions"))
        return Built(None, self.diagnostics)

    def _resolve(self, model: BlockLayer, settings: dict[str, Given]) -> tuple[tree.Block, FileScope, dict[str, Any]]:
        """Follow a member to its family: the definition with a body, and the values of its parameters."""
        site: tree.Node = model.definition.name
        layer = model
        while True:
            definition, file = layer.definition, layer.file
            names = [p.name.text for p in definition.params]
            own = {n: settings.pop(n) for n in list(settings) if n in names}
            layer = self._overridden(layer, names, own)
            here = self.outside(file.env)
            with self.expanding(definition, file, layer.name, site):
                values, _ = self.bind_parameters(layer.name, definition.params, layer, file, here, site, {})
                if not definition.is_alias:
                    self._no_more(model, definition, settings)
                    return definition, file, values
                target = as_layer(self.evaluate(definition.body, self.outside(Env(file.env, names=values))))
            if not isinstance(target, BlockLayer):
                what = f"`{layer.name}` is a member of no family"
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

    def _no_more(self, model: BlockLayer, definition: tree.Block, settings: Mapping[str, Given]) -> None:
        known = [p.name.text for p in (*model.definition.params, *definition.params)]
        for name, given in settings.items():
            advice = did_you_mean(name, known)
            advice = advice or (f"its parameters are {', '.join(dict.fromkeys(known))}" if known else "it has none")
            reason = f"the model `{model.name}` has no parameter `{name}`"
            self.report(BadSetting(span=given.site.span, reason=reason, advice=advice))
        if settings:
            raise Poison

    def _graph(self, name: str, definition: tree.Block, file: FileScope, values: dict[str, Any]) -> Graph | None:
        assert isinstance(definition.body, tree.Body)
        self.top = definition
        root = Module("", definition.span)
        scope = self.scope_of(definition.body, "model", definition)
        env = Env(file.env, owner=object(), names=dict(values))
        instance = Instance(scope, root, values, None, env)
        root.what = scope
        self._instances[root] = instance
        self._top = instance
        here = Here(env, None, instance.events, instance, root)
        self.frames.append(Frame(name, "", definition.name.span))
        self.run_body(definition.body, here)
        self.check_declared(0)
        self._check_ends(definition)
        self.frames.pop()
        if self.diagnostics or self.spoilt:
            return None
        instance.result = here.stream
        return Graph(name, self.inputs, self.outputs, self.nodes, root, instance, self.needs)

    def _check_ends(self, definition: tree.Block) -> None:
        if self.diagnostics or self.spoilt:
            return
        for what, found in (("input", self.inputs), ("output", self.outputs)):
            if not found:
                self.report(NoEnd(span=definition.name.span, model=definition.name.text, end=what))
        unknown = [n for n in self._shapes if n is not None and n not in {i.name for i in self.inputs}]
        for name in unknown:
            names = ", ".join(i.name for i in self.inputs)
            reason = f"the model has no input `{name}`"
            self.report(BadSetting(span=None, reason=reason, advice=f"its inputs are {names}"))
        if None in self._shapes and len(self.inputs) > 1:
            reason = f"the model has {len(self.inputs)} inputs: say which one, `--input NAME=SHAPE`"
            self.report(BadSetting(span=None, reason=reason))

    def is_top(self, here: Here) -> bool:
        return here.instance is self._top

    def given_input(self, name: str, here: Here) -> tuple[Size, ...] | None:
        return self._shapes.get(name, self._shapes.get(None) if not self.inputs else None)

    def check_assertion(self, node: tree.Assert, here: Here) -> None:
        """Learn what an assertion says of sizes; check all else."""
        condition = node.condition
        terms = condition.terms if isinstance(condition, tree.Logic) and condition.op == "and" else (condition,)
        for term in terms:
            if isinstance(term, tree.Compare):
                left, right = self.evaluate(term.left, here), self.evaluate(term.right, here)
                if isinstance(left, Dim) or isinstance(right, Dim):
                    self._learn(left, term.op, right, term)
                elif not self.compare(left, term.op, right, term, here):
                    raise Fault(AssertionFails(span=term.span, detail=f"{left} {term.op} {right} is false"))
            elif not self.truth_of(self.evaluate(term, here), term):
                raise Fault(AssertionFails(span=term.span, detail="it is false"))

    def _learn(self, left: Any, op: str, right: Any, term: tree.Node) -> None:
        outcome = self.needs.assume(left, op, right, Origin(term, tuple(self.frames)))  # type: ignore[arg-type]
        if isinstance(outcome, Violated):
            detail = f"{left} {op} {right} contradicts what the model needs"
            raise Fault(AssertionFails(span=term.span, detail=detail))
