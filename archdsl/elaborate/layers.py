"""Layers applied to the stream: operators, blocks, bodies kept for later, declared modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any

from archdsl.arguments import require_sizes
from archdsl.diagnostics.base import Diagnostic, Frame, Label
from archdsl.diagnostics.names import BadArithmetic, Misplaced, Recursive, TooMuch, WrongKind
from archdsl.diagnostics.shapes import DoesNotFit, SizeTooLarge, TensorTooLarge
from archdsl.dims import Needs, Size, TooLarge
from archdsl.elaborate.binding import Binding, types_of
from archdsl.elaborate.context import BLOCK_STEPS, MAX_NESTING, UNNAMED, VALUE, Counter, Fault, Here, Naming, Poison
from archdsl.elaborate.expressions import Expressions, as_layer, hidden
from archdsl.elaborate.features import advice_on_layout, looks_channels_last, takes_channels
from archdsl.elaborate.habits import Call, doubtful, meant_otherwise
from archdsl.elaborate.places import PARAMETERS, SCOPE, Places
from archdsl.elaborate.strategy import Builder, Concrete, Entry, Strategy
from archdsl.evaluate.env import Env, FileScope
from archdsl.evaluate.recursion import recursion
from archdsl.evaluate.sizes import Questions
from archdsl.evaluate.tables import Table, as_tuples, dtype_of, leaves, nested_shape
from archdsl.evaluate.values import (
    BAD,
    BlockLayer,
    BodyLayer,
    ChainLayer,
    DeclaredLayer,
    Given,
    LabelledLayer,
    Layer,
    NoLayer,
    OpLayer,
    describe,
    is_list,
    shape_text,
)
from archdsl.graph import Entered, Instance, Module, Node, Ran, Scope, Skipped, Value
from archdsl.op import Facets, Op, Reject, Tensor
from archdsl.ops.merge import Stack
from archdsl.ops.tensor import Constant
from archdsl.record import exactly
from archdsl.source import Span
from archdsl.syntax import tree

MAX_ENTRIES = 2**63
"""Of a tensor, for one example: torch counts them in 64 bits."""


class Layers(Expressions, Places, Binding):
    """Applies layers."""

    def __init__(self, needs: Needs, in_claim: bool, strategy: Callable[[Builder], Strategy] = Concrete) -> None:
        super().__init__(needs, in_claim)
        self._strategy = strategy(self)

    def run_item(self, item: tree.ChainItem, here: Here, head: bool) -> None:
        naming = UNNAMED
        if isinstance(item, tree.Labelled):
            naming = Naming(self.computed_text(item.label, here), item.label)
            item = item.item
        match item:
            case tree.Body() | tree.Seq() | tree.Combine() | tree.Residual():
                self.run_in_place(item, here, naming)
            case tree.Chain() if naming.label is None:
                self.run_chain(item, here)
            case _:
                self._run_expression(item, here, naming, head)

    def run_chain(self, chain: tree.ChainExpr, here: Here) -> None:
        """A chain as a step: each item moves the stream. A fault in one item hides none in the others."""
        if not isinstance(chain, tree.Chain):
            self.run_item(chain, here, head=True)
            return
        before, here.arrived = here.arrived, here.stream
        try:
            self._run_items(chain, here)
        finally:
            here.arrived = before

    def _run_items(self, chain: tree.Chain, here: Here) -> None:
        spoilt = False
        for position, item in enumerate(chain.items):
            try:
                self.run_item(item, here, head=position == 0)
            except Fault as fault:
                self.report(fault.diagnostic)
                spoilt = True
            except Poison:
                spoilt = True
            if spoilt:
                here.stream = BAD
        if spoilt:
            raise Poison

    def _run_expression(self, item: tree.Expr, here: Here, naming: Naming, head: bool) -> None:
        value = as_layer(self.evaluate(item, here))
        if isinstance(value, Layer):
            self.apply(value, here, item, naming)
            return
        if naming.label is not None:
            what = "a label names a layer"
            raise Fault(WrongKind(span=item.span, what=what, found=f"this is {describe(value)}"))
        self._replace_stream(value, item, here, head)

    def _replace_stream(self, value: Any, item: tree.Expr, here: Here, head: bool) -> None:
        if not isinstance(value, Value) and not is_list(value):
            what = f"{describe(value)} is neither a layer nor a value"
            raise Fault(WrongKind(span=item.span, what=what, advice=hidden(item, value)))
        if not head and not mentions_it(item):
            from archdsl.diagnostics.names import DiscardsStream

            raise Fault(DiscardsStream(span=item.span))
        here.stream, here.said = value, (value, item)

    def apply(self, layer: Layer, here: Here, site: tree.Node, naming: Naming = UNNAMED) -> None:
        match layer:
            case NoLayer():
                here.events.append(Skipped(site, here.seen()))
            case OpLayer():
                self._apply_op(layer, here, site, naming)
            case BlockLayer():
                self._apply_block(layer, here, site, naming)
            case BodyLayer(node=node, env=env):
                inner = here.aside(here.stream, env=Env(env))
                self.run_in_place(node, inner, naming)
                here.stream = inner.stream
            case ChainLayer():
                self._apply_chain(layer, here, site, naming)
            case LabelledLayer():
                if naming.label is not None:
                    what = "a second label"
                    raise Fault(Misplaced(span=site.span, what=what, advice=f"it is labelled `{layer.label}` already"))
                self.apply(layer.layer, here, site, Naming(layer.label, layer.label_site, naming.module))
            case DeclaredLayer():
                self._apply_declared(layer, here, site, naming)
            case _:
                raise TypeError(layer)

    def _apply_chain(self, layer: ChainLayer, here: Here, site: tree.Node, naming: Naming) -> None:
        if naming.label is not None or naming.module is not None:
            advice = "write it as a group `{ … }` or a `seq { … }`"
            raise Fault(Misplaced(span=site.span, what="one label for a chain of layers", advice=advice))
        inner = here.aside(here.stream, env=Env(layer.env))
        self.apply(layer.head, inner, layer.head_site)
        for item in layer.rest:
            self.run_item(item, inner, head=False)
        here.stream = inner.stream

    # ---- operators ----

    def _apply_op(self, layer: OpLayer, here: Here, site: tree.Node, naming: Naming) -> None:
        defaults = here.defaults.get(layer.op, {})
        if here.stream is BAD:  # what arrives is unknown, but arguments can be wrong by themselves
            self.bind_operator(layer, defaults, site, None, here)
            self.place(here, naming, site, layer.name)
            raise Poison
        arriving = self._arriving(layer.op, site, here)
        op, operands, written = self.bind_operator(layer, defaults, site, arriving, here)
        inputs = (*arriving, *operands)
        call = Call(layer, defaults, site, types_of(inputs))
        meant = doubtful(call, op)
        if meant is not None:
            raise Fault(meant)
        try:
            outputs = self.run_op(op, inputs, here, site, naming, written)
        except Fault as fault:
            if isinstance(fault.diagnostic, DoesNotFit):
                raise Fault(self._cause(call, op, fault.diagnostic)) from None
            raise
        here.stream = list(outputs) if op.gives_list else outputs[0]

    def _cause(self, call: Call, op: Op, fault: DoesNotFit) -> Diagnostic:
        """What is to be said of a layer that does not fit what arrives, where an earlier cause is known."""
        meant = meant_otherwise(call, fault.message, op)
        if meant is not None:
            return meant
        turned = [i.value.shape for i in self.inputs if looks_channels_last(i.value.shape)]
        return replace(fault, advice=advice_on_layout(turned[0])) if turned and takes_channels(op) else fault

    def _arriving(self, op: type[Op], site: tree.Node, here: Here) -> tuple[Value, ...]:
        """The values on the stream, for an operator."""
        stream = self.stream_of(site, here)
        fewest, most = op.arity
        if isinstance(stream, Value):
            values = (stream,)
        elif is_list(stream) and self._are_several(stream, fewest):
            values = self._several(stream, site, here)
        else:
            values = (self.constant(stream, self._written_as(stream, site, here), here),)
        if len(values) < fewest or (most is not None and len(values) > most):
            takes = f"{fewest}" if most == fewest else f"at least {fewest}" if most is None else f"{fewest} to {most}"
            found = "one value" if len(values) == 1 else f"a list of {len(values)} values"
            what = f"`{op.name}` takes {takes} value{'' if takes == '1' else 's'}"
            name = op.name
            advice = f"begin with one of them (`x -> {name}`), or merge them (`concat`, `add`)" if most == 1 else None
            raise Fault(WrongKind(span=site.span, what=what, found=f"{found} arrives on the stream", advice=advice))
        return values

    def _are_several(self, stream: Any, fewest: int) -> bool:
        """Is a list on the stream several values for an operator, and not one constant tensor?"""
        if isinstance(stream, Table) and self.is_tensor(stream):
            return False
        if any(isinstance(item, Value) or item is BAD for item in stream):
            return True
        lists = len(stream) > 0 and all(map(self.is_tensor, stream))
        return lists and (fewest > 1 or any(isinstance(item, Table) for item in stream))

    @staticmethod
    def _written_as(stream: Any, site: tree.Node, here: Here) -> tree.Node:
        """The expression that gave what is on the stream."""
        return here.said[1] if here.said is not None and here.said[0] is stream else site

    def _several(self, stream: Any, site: tree.Node, here: Here) -> tuple[Any, ...]:
        """The values of a list, those that are lists of numbers too."""
        if any(item is BAD for item in stream):
            raise Poison
        said = self._written_as(stream, site, here)
        is_written_out = isinstance(said, tree.ListOf) and len(said.items) == len(stream)
        texts = said.items if is_written_out else (said,) * len(stream)  # type: ignore[union-attr]
        return tuple(
            item if isinstance(item, Value) else self.constant(item, text, here)
            for item, text in zip(stream, texts, strict=True)
        )

    def run_op(
        self, op: Op, inputs: tuple[Value, ...], here: Here, site: tree.Node, naming: Naming = VALUE,
        written: Mapping[str, tuple[tree.Node, Env]] | None = None,
    ) -> tuple[Value, ...]:  # fmt: skip
        facets = self._facets_of(op, tuple([v.type for v in inputs]), site, written or {})
        return self._record(facets, inputs, here, site, naming, written or {})

    def _record(
        self, facets: Facets, inputs: tuple[Value, ...], here: Here, site: tree.Node, naming: Naming,
        written: Mapping[str, tuple[tree.Node, Env]],
    ) -> tuple[Value, ...]:  # fmt: skip
        """Record an operator that fits: its place in the module tree, its node and its event."""
        if here.instance is None:
            raise Fault(
                Misplaced(span=site.span, what="a computation with values", advice="it belongs in a model or block")
            )
        module = self.place(here, naming, site, f"`{facets.op.name}`", reason=PARAMETERS if facets.weights else None)
        if module is not None:
            self.occupy(module, facets.op)
            self.own(module, here, facets.weights, site)
            self.made_once(module, facets, site)
        outputs = tuple([self.new_value(t.shape, t.dtype) for t in facets.outputs])
        node = Node(facets, inputs, outputs, module, site, written)
        self.add_node(node)
        here.events.append(Ran(site, node, here.seen()))
        return outputs

    def _facets_of(
        self, op: Op, types: tuple[Tensor, ...], site: tree.Node, written: Mapping[str, tuple[tree.Node, Env]]
    ) -> Facets:
        """What an operator says on inputs of these types.

        Equal layers share it, unless something was asked of a symbolic size: that is remembered with its place.
        """
        key = (exactly(op), types)
        known = self._facets.get(key)
        if known is not None:
            return known
        questions = Questions(self.needs, site, self.frames)
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
        written: Mapping[str, tuple[tree.Node, Env]],
    ) -> Facets:
        """A rejection is a fault in its place, pointing at the argument that it names."""
        try:
            require_sizes(op, questions)
            return Facets(op, types, op.infer(types, questions), op.weights(types))
        except Reject as reject:
            arrives = f"{shape_text(types[0].shape)} arrives here" if types else None
            at = written[reject.arg][0].span if reject.arg is not None and reject.arg in written else None
            labels = () if at is None or _within(at, site.span) else (Label(at, f"`{reject.arg}` is given here"),)
            reason = f"`{op.name}`: {reject.message}"
            raise Fault(
                DoesNotFit(span=site.span, reason=reason, arrives=arrives, advice=reject.help, labels=labels)
            ) from None
        except TooLarge:
            raise Fault(SizeTooLarge(span=site.span)) from None

    def constant(self, items: Any, site: tree.Node, here: Here) -> Value:
        """A nested list of numbers as a value."""
        self.spend(site)
        if self.is_counted(items):
            parts = tuple(self._part_of_table(item, site, here) for item in items)
            return self.run_op(Stack(0), parts, here, site)[0]
        known = self._constants.get(id(items))
        if known is None:
            known = self._constants[id(items)] = (items, self._numbers_of(items, site))
        return self._record(known[1], (), here, site, VALUE, {})[0]

    def _part_of_table(self, item: Any, site: tree.Node, here: Here) -> Value:
        return item if isinstance(item, Value) else self.constant(item if is_list(item) else [item], site, here)

    def _numbers_of(self, items: Any, site: tree.Node) -> Facets:
        """The operator that gives the numbers of a list."""
        shape = nested_shape(items)
        if shape is None:
            found = f"this is {describe(items)}"
            raise Fault(WrongKind(span=site.span, what="a value is needed here", found=found))
        numbers = list(leaves(items))
        self.spend(site, len(numbers))
        dtype = dtype_of(numbers)
        if dtype is None:
            raise Fault(BadArithmetic(span=site.span, reason="a number of this value is too large for a tensor"))
        op = Constant(data=as_tuples(items), shape=shape, dtype=dtype)
        return Facets(op, (), (Tensor(shape, dtype),), ())

    # ---- blocks ----

    def _apply_block(self, layer: BlockLayer, here: Here, site: tree.Node, naming: Naming) -> None:
        definition, name = layer.definition, layer.name
        self.spend(site, BLOCK_STEPS)
        defaults = here.defaults.get(definition, {})
        with self.expanding(definition, layer.file, name, site):
            env = Env(layer.file.env, owner=object())
            values, given = self.bind_parameters(name, definition.params, layer, layer.file, here, site, defaults)
            for known, value in values.items():
                env.bind(known, value)
            if definition.is_alias:
                self._apply_alias(layer, given, env, here, site, naming)
                return
            assert isinstance(definition.body, tree.Body)
            scope = self.scope_of(definition.body, definition.kind, definition)
            module = self.place(here, naming, site, f"block `{name}`", reason=SCOPE)
            assert module is not None
            with self.framed(name, given, module, site):
                self._strategy.enter(Entry(scope, module, values, env, site, given), here)

    def _apply_alias(
        self, layer: BlockLayer, given: Mapping[str, Given], env: Env, here: Here, site: tree.Node, naming: Naming
    ) -> None:
        """``block B(…) = layer``: what it stands for, under B's name."""
        definition = layer.definition
        inner = here.aside(here.stream, env=env)
        target = as_layer(self.evaluate(definition.body, inner))
        if isinstance(target, BodyLayer) and isinstance(target.node, tree.Seq):
            scope = self.scope_of(target.node, "seq", definition)
            module = self.place(here, naming, site, f"block `{layer.name}`", reason=SCOPE)
            assert module is not None
            with self.framed(layer.name, {}, module, site):
                self._strategy.enter(Entry(scope, module, env.names, env, site, given), here)
            return
        if not isinstance(target, Layer):
            inner.stream = target
            if naming.label is not None:
                raise Fault(Misplaced(span=site.span, what="a label", advice=f"`{layer.name}` is a value, not a layer"))
            self._replace_stream(target, definition.body, inner, head=False)  # type: ignore[arg-type]
        else:
            self.apply(target, inner, site, naming)
        here.stream = inner.stream

    @contextmanager
    def expanding(
        self, definition: tree.Block | tree.Fn, file: FileScope, name: str, site: tree.Node
    ) -> Iterator[None]:
        """While a definition is expanded: it may not name itself, nor nest absurdly deep."""
        route = recursion(definition, file)
        if route:
            raise Fault(Recursive(span=definition.name.span, name=name, route=" → ".join(route)))
        if len(self.active) >= MAX_NESTING:
            raise Fault(TooMuch(span=site.span, limit=str(MAX_NESTING), what="blocks inside each other"))
        self.active.append(definition)
        try:
            yield
        finally:
            self.active.pop()

    @contextmanager
    def framed(self, name: str, given: Mapping[str, Any], module: Module, site: tree.Node) -> Iterator[None]:
        """A step of the instantiation trace."""
        shown = ", ".join(f"{n}={_short(g.value)}" for n, g in given.items())
        self.frames.append(Frame(f"{name}({shown})" if shown else name, module.path, site.span))
        try:
            yield
        finally:
            self.frames.pop()

    def scope_of(
        self,
        text: tree.Body | tree.Seq | tree.Combine | tree.Residual,
        kind: Any,
        definition: tree.Block | None,
    ) -> Scope:
        """The scope of a text: one object for all its instances."""
        key = (text, definition)
        if key not in self._scopes:
            self._scopes[key] = Scope(kind, text, definition)
        return self._scopes[key]

    def expand(self, entry: Entry, here: Here) -> None:
        """Run the text of a scope where it stands, and record it as an instance."""
        scope, module, site = entry.scope, entry.module, entry.site
        here.stream = self._for_inputs(scope, here, site)
        again = here.again or module in self._instances
        first = self._instances.get(module)
        written = {name: (g.site, g.env) for name, g in entry.given.items()}
        seen = entry.env.freeze(here.stream)
        instance = Instance(scope, module, dict(entry.arguments), here.stream, seen, repeats=first, written=written)
        self._instances.setdefault(module, instance)
        module.what = module.what or scope
        counter = Counter() if scope.kind == "seq" else None
        inner = Here(entry.env, here.stream, instance.events, instance, module, counter, here.defaults, again)
        declared = len(self._declared)
        self.run_scope(scope.text, inner)
        self.check_declared(declared)
        instance.result = inner.stream
        here.events.append(Entered(site, instance, here.seen()))
        here.stream = inner.stream

    def _for_inputs(self, scope: Scope, here: Here, site: tree.Node) -> Any:
        """The stream for a scope that states its inputs: they are values, so lists of numbers become constants."""
        stream, statements = here.stream, scope.text.statements if isinstance(scope.text, tree.Body) else ()
        count = sum(isinstance(statement, tree.Input) for statement in statements)
        if count == 1 and self.is_tensor(stream):
            return self.constant(stream, self._written_as(stream, site, here), here)
        if count > 1 and is_list(stream) and any(map(self.is_tensor, stream)):
            whole = all(isinstance(item, Value) or item is BAD or self.is_tensor(item) for item in stream)
            return list(self._several(stream, site, here)) if whole else stream
        return stream

    def run_in_place(
        self, node: tree.Body | tree.Seq | tree.Combine | tree.Residual, here: Here, naming: Naming
    ) -> None:
        """A group, seq or combinator where it stands: names that it binds stay visible after it."""
        is_scope = isinstance(node, tree.Seq) or naming.label is not None or naming.module is not None
        if not is_scope:
            self.run_scope(node, here)
            return
        module = self.place(here, naming, node, "seq" if isinstance(node, tree.Seq) else "group", reason=SCOPE)
        assert module is not None
        scope = self.scope_of(node, "seq" if isinstance(node, tree.Seq) else "group", None)
        self._strategy.enter(Entry(scope, module, {}, here.env, node), here)

    def _apply_declared(self, layer: DeclaredLayer, here: Here, site: tree.Node, naming: Naming) -> None:
        if naming.label is not None:
            advice = f"`{layer.name}` has its name where it is declared"
            raise Fault(Misplaced(span=site.span, what="a label", advice=advice))
        again = here.again or layer.module in self._run
        defaults = self._run.setdefault(layer.module, here.defaults)
        inner = replace(here, again=again, counter=None, defaults=defaults)
        self.apply(layer.layer, inner, site, Naming(module=layer.module))
        here.stream = inner.stream


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


def _short(value: Any) -> str:
    if is_list(value):
        text = f"[{', '.join(_short(v) for v in value[:8])}{', …' if len(value) > 8 else ''}]"
        return text
    if isinstance(value, Value):
        return shape_text(value.shape)
    return getattr(value, "name", None) or str(value) if not isinstance(value, str) else f'"{value}"'


def mentions_it(node: tree.Node) -> bool:
    """Does an expression read the stream?"""
    return any(isinstance(n, tree.Name) and n.text == "it" for n in tree.walk(node))
