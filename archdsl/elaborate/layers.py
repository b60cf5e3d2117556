"""Layers applied to the stream: operators, blocks, bodies kept for later, declared modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from archdsl.diagnostics.base import Diagnostic, Frame
from archdsl.diagnostics.names import Misplaced, WrongKind
from archdsl.diagnostics.shapes import DoesNotFit
from archdsl.elaborate.arguments import Arguments, types_of
from archdsl.elaborate.features import advice_on_layout, looks_channels_last, takes_channels
from archdsl.elaborate.habits import Call, doubtful, meant_otherwise
from archdsl.elaborate.modules import DeclaredLayer, Modules
from archdsl.elaborate.operators import Operators
from archdsl.elaborate.place import UNNAMED, Counter, Naming, NetworkPlace
from archdsl.elaborate.recorder import Recorder
from archdsl.elaborate.strategy import Entry, Strategy
from archdsl.evaluate.builtins import as_layer
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.session import Session
from archdsl.evaluate.tables import Table
from archdsl.evaluate.values import (
    ERROR,
    BlockLayer,
    BodyLayer,
    Builtin,
    ChainLayer,
    Env,
    Given,
    LabelledLayer,
    Layer,
    Measure,
    NoLayer,
    OpLayer,
    SpecList,
    SpecValue,
    Stream,
    Value,
    describe,
    is_list,
    shape_text,
)
from archdsl.graph import Instance, Module, OpSkipped, Scope, ScopeRun
from archdsl.op import Op
from archdsl.syntax import tree

BLOCK_STEPS = 40
"""What expanding a block costs, counted in expressions."""


class RunsScopes(Protocol):
    """Runs the text of scopes."""

    def run_scope(self, text: tree.Body | tree.Seq | tree.Combine | tree.Residual, here: NetworkPlace) -> None:
        """What a scope (or a transparent group) does with the stream."""
        ...


class Layers:
    """Applies layers."""

    def __init__(
        self, session: Session, recorder: Recorder, evaluator: Evaluator, operators: Operators, modules: Modules,
        strategy: Strategy, bodies: RunsScopes,
    ) -> None:  # fmt: skip
        self._session = session
        self._recorder = recorder
        self._evaluator = evaluator
        self._tensors = evaluator.tensors
        self._parameters = evaluator.calls.parameters
        self._operators = operators
        self._modules = modules
        self._strategy = strategy
        self._bodies = bodies
        self._arguments = Arguments(session, evaluator.tensors)

    # ---- items of a chain ----

    def run_item(self, item: tree.ChainItem, here: NetworkPlace, head: bool) -> None:
        naming = UNNAMED
        if isinstance(item, tree.Labelled):
            naming = Naming(self._evaluator.computed_text(item.label, here), item.label)
            item = item.item
        match item:
            case tree.Body() | tree.Seq() | tree.Combine() | tree.Residual():
                self.run_in_place(item, here, naming)
            case tree.Chain() if naming.label is None:
                self.run_chain(item, here)
            case _:
                self._run_expression(item, here, naming, head)

    def run_chain(self, chain: tree.ChainExpr, here: NetworkPlace) -> None:
        """A chain as a step: each item moves the stream. A fault in one item hides none in the others."""
        if not isinstance(chain, tree.Chain):
            self.run_item(chain, here, head=True)
            return
        before, here.arrived = here.arrived, here.stream
        try:
            self._run_items(chain, here)
        finally:
            here.arrived = before

    def _run_items(self, chain: tree.Chain, here: NetworkPlace) -> None:
        failed = False
        for position, item in enumerate(chain.items):
            try:
                self.run_item(item, here, head=position == 0)
            except Fault as fault:
                self._session.report(fault.diagnostic)
                failed = True
            except UsesErrorValue:
                failed = True
            if failed:
                here.stream = ERROR
        if failed:
            raise UsesErrorValue

    def _run_expression(self, item: tree.Expr, here: NetworkPlace, naming: Naming, head: bool) -> None:
        value = as_layer(self._evaluator.evaluate(item, here))
        if isinstance(value, Layer):
            self.apply(value, here, item, naming)
            return
        if naming.label is not None:
            what = "only a layer can have a label"
            raise Fault(WrongKind(span=item.span, what=what, found=f"this is {describe(value)}"))
        self._evaluator.replace_stream(value, item, here, is_head=head)

    def apply(self, layer: Layer, here: NetworkPlace, site: tree.Node, naming: Naming = UNNAMED) -> None:
        match layer:
            case NoLayer():
                here.events.append(OpSkipped(site, here.seen()))
            case OpLayer():
                self._apply_op(layer, here, site, naming)
            case BlockLayer():
                self._apply_block(layer, here, site, naming)
            case BodyLayer(node=node, env=env):
                inner = here.aside(here.stream, Env(env))
                self.run_in_place(node, inner, naming)
                here.stream = inner.stream
            case ChainLayer():
                self._apply_chain(layer, here, site, naming)
            case LabelledLayer():
                if naming.label is not None:
                    what = "a second label"
                    advice = f"remove it: the layer already has the label `{layer.label}`"
                    raise Fault(Misplaced(span=site.span, what=what, advice=advice))
                self.apply(layer.layer, here, site, Naming(layer.label, layer.label_site, naming.module))
            case DeclaredLayer():
                self._apply_declared(layer, here, site, naming)
            case _:
                raise TypeError(layer)

    def _apply_chain(self, layer: ChainLayer, here: NetworkPlace, site: tree.Node, naming: Naming) -> None:
        if naming.label is not None or naming.module is not None:
            advice = "write it as a group `{ … }` or a `seq { … }`"
            raise Fault(Misplaced(span=site.span, what="one label for a chain of layers", advice=advice))
        inner = here.aside(here.stream, Env(layer.env))
        self.apply(layer.head, inner, layer.head_site)
        for item in layer.rest:
            self.run_item(item, inner, head=False)
        here.stream = inner.stream

    # ---- operators ----

    def _apply_op(self, layer: OpLayer, here: NetworkPlace, site: tree.Node, naming: Naming) -> None:
        defaults = here.defaults.get(layer.op, {})
        if here.stream is ERROR:  # what arrives is unknown, but arguments can be wrong by themselves
            self._arguments.bind(layer, defaults, site, None, here)
            self._modules.at(here, naming, site, layer.name)
            raise UsesErrorValue
        arriving = self._arriving(layer.op, site, here)
        op, operands, written = self._arguments.bind(layer, defaults, site, arriving, here)
        inputs = (*arriving, *operands)
        call = Call(layer, defaults, site, types_of(inputs))
        meant = doubtful(call, op)
        if meant is not None:
            raise Fault(meant)
        try:
            outputs = self._operators.run(op, inputs, here, site, naming, written)
        except Fault as fault:
            if isinstance(fault.diagnostic, DoesNotFit):
                raise Fault(self._cause(call, op, fault.diagnostic)) from None
            raise
        here.stream = [*outputs] if op.gives_list else outputs[0]

    def _cause(self, call: Call, op: Op, fault: DoesNotFit) -> Diagnostic:
        """What is to be said of a layer that does not fit what arrives, where an earlier cause is known."""
        meant = meant_otherwise(call, fault.message, op)
        if meant is not None:
            return meant
        turned = [i.value.shape for i in self._recorder.inputs if looks_channels_last(i.value.shape)]
        return replace(fault, advice=advice_on_layout(turned[0])) if turned and takes_channels(op) else fault

    def _arriving(self, op: type[Op], site: tree.Node, here: NetworkPlace) -> tuple[Value, ...]:
        """The values on the stream, for an operator."""
        stream = self._evaluator.stream_of(site, here)
        fewest, most = op.arity
        if isinstance(stream, Value):
            values = (stream,)
        elif is_list(stream) and self._are_several(stream, fewest):
            values = self._values_of(stream, site, here)
        else:
            values = (self._tensors.constant(stream, self._written_as(stream, site, here), here),)
        if len(values) < fewest or (most is not None and len(values) > most):
            takes = f"{fewest}" if most == fewest else f"at least {fewest}" if most is None else f"{fewest} to {most}"
            found = "one value" if len(values) == 1 else f"a list of {len(values)} values"
            what = f"`{op.name}` takes {takes} value{'' if takes == '1' else 's'}"
            name = op.name
            advice = f"apply it to one of them (`x -> {name}`), or merge them (`concat`, `add`)" if most == 1 else None
            raise Fault(WrongKind(span=site.span, what=what, found=f"its input is {found}", advice=advice))
        return values

    def _are_several(self, stream: SpecList, fewest: int) -> bool:
        """Is a list on the stream several values for an operator, and not one constant tensor?"""
        if isinstance(stream, Table) and self._tensors.is_tensor(stream):
            return False
        if any(isinstance(item, Value) or item is ERROR for item in stream):
            return True
        lists = len(stream) > 0 and all(map(self._tensors.is_tensor, stream))
        return lists and (fewest > 1 or any(isinstance(item, Table) for item in stream))

    @staticmethod
    def _written_as(stream: SpecValue, site: tree.Node, here: NetworkPlace) -> tree.Node:
        """The expression that gave what is on the stream."""
        return here.written[1] if here.written is not None and here.written[0] is stream else site

    def _values_of(self, stream: SpecList, site: tree.Node, here: NetworkPlace) -> tuple[Value, ...]:
        """The values of a list, those that are lists of numbers too."""
        if any(item is ERROR for item in stream):
            raise UsesErrorValue
        text = self._written_as(stream, site, here)
        texts: Sequence[tree.Node] = text.items if isinstance(text, tree.ListOf) else ()
        if len(texts) != len(stream):
            texts = (text,) * len(stream)
        return tuple(
            item if isinstance(item, Value) else self._tensors.constant(item, each, here)
            for item, each in zip(stream, texts, strict=True)
        )

    # ---- blocks ----

    def _apply_block(self, layer: BlockLayer, here: NetworkPlace, site: tree.Node, naming: Naming) -> None:
        definition, name = layer.definition, layer.name
        self._session.spend(site, BLOCK_STEPS)
        defaults = here.defaults.get(definition, {})
        with self._session.expanding(definition, layer.file, name, site):
            env = Env(layer.file.env, owner=object())
            values, given = self._parameters.bind(name, definition.params, layer, layer.file, here, site, defaults)
            for known, value in values.items():
                env.bind(known, value)
            if definition.is_alias:
                self._apply_alias(layer, values, given, env, here, site, naming)
                return
            assert isinstance(definition.body, tree.Body)
            scope = self._recorder.scope_of(definition.body, definition.kind, definition)
            module = self._modules.of_scope(here, naming, site, f"block `{name}`")
            with self.framed(name, given, module, site):
                self._strategy.enter(Entry(scope, module, values, env, site, given), here)

    def _apply_alias(
        self, layer: BlockLayer, values: Mapping[str, SpecValue], given: Mapping[str, Given], env: Env,
        here: NetworkPlace, site: tree.Node, naming: Naming,
    ) -> None:  # fmt: skip
        """``block B(…) = layer``: what it stands for, under B's name."""
        definition = layer.definition
        inner = here.aside(here.stream, env)
        target = as_layer(self._evaluator.evaluate(definition.body, inner))
        if isinstance(target, BodyLayer) and isinstance(target.node, tree.Seq):
            scope = self._recorder.scope_of(target.node, "seq", definition)
            module = self._modules.of_scope(here, naming, site, f"block `{layer.name}`")
            with self.framed(layer.name, {}, module, site):
                self._strategy.enter(Entry(scope, module, values, env, site, given), here)
            return
        if not isinstance(target, Layer):
            inner.stream = target
            if naming.label is not None:
                advice = f"remove it: `{layer.name}` is a value, not a layer"
                raise Fault(Misplaced(span=site.span, what="a label", advice=advice))
            self._evaluator.replace_stream(target, definition.body, inner, is_head=False)
        else:
            self.apply(target, inner, site, naming)
        here.stream = inner.stream

    @contextmanager
    def framed(self, name: str, given: Mapping[str, Given], module: Module, site: tree.Node) -> Iterator[None]:
        """A step of the instantiation trace."""
        shown = ", ".join(f"{n}={_short(g.value)}" for n, g in given.items())
        self._session.frames.append(Frame(f"{name}({shown})" if shown else name, module.path, site.span))
        try:
            yield
        finally:
            self._session.frames.pop()

    def expand(self, entry: Entry, here: NetworkPlace) -> None:
        """Run the text of a scope where it stands, and record it as an instance."""
        scope, module, site = entry.scope, entry.module, entry.site
        here.stream = self._for_inputs(scope, here, site)
        again = here.again or module in self._recorder.instances
        first = self._recorder.instances.get(module)
        written = {name: (g.site, g.env) for name, g in entry.given.items()}
        seen = entry.env.freeze(here.stream)
        instance = Instance(
            scope, module, dict(entry.arguments), here.stream, seen,
            repeats=first, written=written, defaults=here.defaults,
        )  # fmt: skip
        self._recorder.instances.setdefault(module, instance)
        module.what = module.what or scope
        counter = Counter() if scope.kind == "seq" else None
        inner = NetworkPlace(entry.env, here.stream, instance.events, instance, module, counter, here.defaults, again)
        declared = len(self._recorder.declared)
        self._bodies.run_scope(scope.text, inner)
        self._recorder.check_declared(declared)
        instance.result = inner.stream
        here.events.append(ScopeRun(site, instance, here.seen()))
        here.stream = inner.stream

    def _for_inputs(self, scope: Scope, here: NetworkPlace, site: tree.Node) -> Stream:
        """The stream for a scope that states its inputs: they are values, so lists of numbers become constants."""
        stream, statements = here.stream, scope.text.statements if isinstance(scope.text, tree.Body) else ()
        count = sum(isinstance(statement, tree.Input) for statement in statements)
        if count == 1 and is_list(stream) and self._tensors.is_tensor(stream):
            return self._tensors.constant(stream, self._written_as(stream, site, here), here)
        if count > 1 and is_list(stream) and any(map(self._tensors.is_tensor, stream)):
            whole = all(isinstance(item, Value) or item is ERROR or self._tensors.is_tensor(item) for item in stream)
            return [*self._values_of(stream, site, here)] if whole else stream
        return stream

    def run_in_place(
        self, node: tree.Body | tree.Seq | tree.Combine | tree.Residual, here: NetworkPlace, naming: Naming
    ) -> None:
        """A group, seq or combinator where it stands: names that it binds stay visible after it."""
        is_scope = isinstance(node, tree.Seq) or naming.label is not None or naming.module is not None
        if not is_scope:
            self._bodies.run_scope(node, here)
            return
        kind = "seq" if isinstance(node, tree.Seq) else "group"
        module = self._modules.of_scope(here, naming, node, kind)
        scope = self._recorder.scope_of(node, kind, None)
        self._strategy.enter(Entry(scope, module, {}, here.env, node), here)

    def _apply_declared(self, layer: DeclaredLayer, here: NetworkPlace, site: tree.Node, naming: Naming) -> None:
        if naming.label is not None:
            advice = f"remove it: `{layer.name}` is named by its declaration"
            raise Fault(Misplaced(span=site.span, what="a label", advice=advice))
        again = layer.module in self._recorder.ran
        defaults = self._recorder.ran.setdefault(layer.module, here.defaults)
        inner = here.of_shared_module(again=again, defaults=defaults)
        self.apply(layer.layer, inner, site, Naming(module=layer.module))
        here.stream = inner.stream


def _short(value: SpecValue) -> str:
    if is_list(value):
        text = f"[{', '.join(_short(v) for v in value[:8])}{', …' if len(value) > 8 else ''}]"
        return text
    if isinstance(value, Value):
        return shape_text(value.shape)
    if isinstance(value, str):
        return f'"{value}"'
    return value.name if isinstance(value, OpLayer | BlockLayer | DeclaredLayer | Builtin | Measure) else str(value)
