"""Statements: they move the stream, bind names, declare modules."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from archdsl.diagnostics.base import Diagnostic, Label
from archdsl.diagnostics.lowering import BufferDepends
from archdsl.diagnostics.names import DefinedTwice, Misplaced, NeverRun, WrongKind
from archdsl.diagnostics.shapes import BranchesDiffer, DoesNotFit, SidesDiffer
from archdsl.dims import Size
from archdsl.elaborate.called import apply_advice
from archdsl.elaborate.context import Fault, Here, Poison, require_good
from archdsl.elaborate.expressions import BUILTINS, Sides, as_layer
from archdsl.elaborate.layers import Layers, check_entries
from archdsl.elaborate.remedies import Side, set_by, text_of, ways
from archdsl.elaborate.shapes import Shapes
from archdsl.elaborate.strategy import Runner, recording
from archdsl.evaluate.names import broken_families
from archdsl.evaluate.values import (
    BAD,
    NONE,
    Applicable,
    BlockLayer,
    DeclaredLayer,
    Given,
    Layer,
    OpLayer,
    describe,
    is_list,
    shape_text,
)
from archdsl.graph import (
    Branch,
    Declared,
    Entered,
    Event,
    Gave,
    GraphInput,
    GraphOutput,
    Merged,
    Module,
    Named,
    Node,
    Owned,
    Value,
    flattened,
)
from archdsl.init import Computed, Init
from archdsl.op import Facets, Op, Reject, Tensor, parameters
from archdsl.ops import OPS_BY_NAME
from archdsl.ops.merge import COMBINATORS
from archdsl.ops.ranges import Arange
from archdsl.ops.tensor import OwnTensor
from archdsl.syntax import tree


class Bodies(Layers, Shapes):
    """Runs bodies."""

    @abstractmethod
    def check_assertion(self, node: tree.Assert, here: Here) -> None:
        """``assert`` in a model or block: learn or check; in a claim: prove."""

    def run_scope(self, text: tree.Body | tree.Seq | tree.Combine | tree.Residual, here: Here) -> None:
        """What a scope (or a transparent group) does with the stream."""
        match text:
            case tree.Body():
                self.run_body(text, here)
            case tree.Seq(body=body):
                self.run_body(body, here)
            case tree.Combine():
                self._combine(text, here)
            case tree.Residual():
                self._residual(text, here)

    def run_body(self, body: tree.Body, here: Here) -> None:
        before = here.defaults
        for statement in body.statements:
            self.spend(statement)
            _STATEMENTS[type(statement)](self, statement, here)
        here.defaults = before

    # ---- steps and names ----

    def _step(self, node: tree.Step, here: Here) -> None:
        with self.catching(here, (node.target,), node.shape):
            self.run_chain(node.chain, here)
            if node.shape is not None:
                here.stream = self.as_tensor(here.stream, node.chain, here)
            if node.target is not None:
                self._bind(node.target, here.stream, node, here)
            if node.shape is not None:
                self.check_shape(node.shape, here.stream, here, _subject(node.target))

    def _bind(self, pattern: tree.Pattern, value: Any, site: tree.Node, here: Here) -> None:
        for name, bound in self.bind_pattern(pattern, value, here.env, here).items():
            here.events.append(Named(site, name, bound, here.seen()))

    def _let(self, node: tree.Let, here: Here) -> None:
        inner = here.aside(here.stream)
        with self.catching(inner, (node.pattern,)):
            self._bind(node.pattern, as_layer(self.evaluate(node.value, inner)), node, here)

    def _input(self, node: tree.Input, here: Here) -> None:
        with self.catching(here, (node.name,), node.shape):
            name = self.computed_text(node.name, here)
            self._only_one(name, node, here)
            if self.is_top(here):
                value = self.make_input(name, node, here)
                self.inputs.append(GraphInput(name, value))
                self._said[value] = node
            else:
                value = self._arriving_input(node, here)
                self.check_shape(node.shape, value, here, f"the input `{name}`")
            here.env.bind(name, value)
            here.stream = value
            here.events.append(Named(node, name, value, here.seen()))

    def _only_one(self, name: str, node: tree.Input | tree.Output, here: Here) -> None:
        """Raises:
        Fault: another input (or output) of this run of the scope has the name.
        """
        key = (here.instance, type(node), name)
        if key in self._ends:
            labels = (Label(self._ends[key].name.span, "the first one"),)
            raise Fault(DefinedTwice(span=node.name.span, name=name, labels=labels))
        self._ends[key] = node

    def _arriving_input(self, node: tree.Input, here: Here) -> Any:
        """What arrives for an input statement of a block: what is on the stream, or its part of the list there."""
        arrived = here.instance.stream
        if arrived is BAD:
            raise Poison
        names = self._input_names(here)
        if len(names) > 1:
            position = names.index(node)
            if not is_list(arrived) or len(arrived) != len(names):
                what = f"this {here.instance.scope.kind} takes {len(names)} inputs"
                raise Fault(WrongKind(span=node.span, what=what, found=f"{describe(arrived)} arrives on the stream"))
            return arrived[position]
        return arrived

    @staticmethod
    def _input_names(here: Here) -> list[tree.Input]:
        text = here.instance.scope.text
        return [s for s in text.statements if isinstance(s, tree.Input)] if isinstance(text, tree.Body) else []

    def _output(self, node: tree.Output, here: Here) -> None:
        events: list = []
        inner = here.aside(here.stream, events)
        with self.catching(inner):
            if node.value is not None:
                self.run_chain(node.value, inner)
            value = self.as_tensor(self.stream_of(node, inner), node.value or node, inner)
            name = self.computed_text(node.name, here)
            if not isinstance(value, Value):
                what = f"the output `{name}` is one value"
                raise Fault(WrongKind(span=node.span, what=what, found=f"this is {describe(value)}"))
            if node.shape is not None:
                self.check_shape(node.shape, value, here, f"the output `{name}`")
            output = GraphOutput(name, value, node.when_training)
            if self.is_top(here):
                self._only_one(name, node, here)
                self.outputs.append(output)
            here.events.append(Gave(node, output, events))

    # ---- modules and tensors ----

    def _declare(self, node: tree.Declare, here: Here) -> None:
        inner = here.aside(here.stream)
        with self.catching(inner, (node.label,)):
            name = self.computed_text(node.label, here)
            value = as_layer(self.evaluate(node.layer, inner))
            if all(item is NONE for item in (value if is_list(value) else [value])):  # `none` has no module
                here.env.bind(name, value)
                return
            module = self.child(here, name, node.label)
            here.events.append(Declared(node, module))
            if is_list(value):
                here.env.bind(name, [self._declared_item(module, i, v, node, here) for i, v in enumerate(value)])
            else:
                here.env.bind(name, self._declared_layer(name, module, value, node, here))

    def _declared_item(self, parent: Module, number: int, value: Any, node: tree.Declare, here: Here) -> Layer:
        if value is NONE:
            return NONE
        name = str(number)
        if name in parent.children and here.again:
            module = parent.children[name]
        else:
            module = parent.children[name] = Module(parent.join(name), node.span)
        return self._declared_layer(f"{parent.name}[{number}]", module, as_layer(value), node, here)

    def _declared_layer(self, name: str, module: Module, value: Any, node: tree.Declare, here: Here) -> DeclaredLayer:
        if not isinstance(value, Layer):
            what = f"`let {name}: …` declares a layer"
            advice = _FLAT if is_list(value) else None
            raise Fault(WrongKind(span=node.layer.span, what=what, found=f"this is {describe(value)}", advice=advice))
        if isinstance(value, DeclaredLayer):
            advice = f"`{value.name}` has its name where it is declared: call it, or name it with `let {name} = …`"
            raise Fault(Misplaced(span=node.label.span, what="a second declaration of one module", advice=advice))
        layer = DeclaredLayer(name, module, value, node)
        self._declared.append(layer)
        return layer

    def check_declared(self, since: int) -> None:
        """Declared modules that never ran, of a scope that ends."""
        for layer in self._declared[since:]:
            if layer.module not in self._run and not self.diagnostics:
                self.report(NeverRun(span=layer.site.span, label=layer.name))
        del self._declared[since:]

    def _param(self, node: tree.TensorParam, here: Here) -> None:
        inner = here.aside(here.stream)
        with self.catching(inner, (node.name,)):
            init = self.evaluate(node.init, inner)
            tensor = self.stated_tensor(node.shape, here)
            self._own_tensor(node, tensor, self._init(init, node.init), (), None, here)

    def _init(self, value: Any, node: tree.Node) -> Init:
        from archdsl.arguments import INIT

        try:
            return INIT.accept(value)
        except Reject as reject:
            is_named = isinstance(value, type)
            what = reject.message if is_named else f"expected {INIT.expected}, got {describe(value)}"
            raise Fault(WrongKind(span=node.span, what=what)) from None

    def _buffer(self, node: tree.TensorBuffer, here: Here) -> None:
        """The chain is computed outside the graph: its value is what the buffer holds."""
        graph_nodes, self.nodes = self.nodes, []
        inner = here.aside(None, [])
        try:
            with self.catching(inner, (node.name,)):
                value = self.evaluate(node.value, inner)
                value = value if isinstance(value, Value) else self.constant(value, node.value, inner)
                self.nodes = graph_nodes
                name = self.computed_text(node.name, here)
                contents, held = self._contents(value, name, node)
                _without_scopes(inner.events)
                self.check_shape(node.shape, value, here, f"the buffer `{name}`")
                made = self._own_tensor(node, value.type, Computed(), contents, held, here)
                self._held[made] = contents, held
        finally:
            self.nodes = graph_nodes

    def _contents(self, value: Value, name: str, site: tree.TensorBuffer) -> tuple[tuple[Node, ...], Value]:
        """The operators that compute a buffer's value from numbers alone, and what they give.

        Other buffers that it reads are computed again.
        """
        found: dict[Node, None] = {}
        renamed: dict[Value, Value] = {}
        waiting: list[tuple[Value, bool]] = [(value, False)]
        while waiting:
            wanted, is_computed = waiting.pop()
            node = self.producer.get(wanted)
            if wanted in renamed:
                continue
            if wanted in self._held:
                nodes, renamed[wanted] = self._held[wanted]
                found.update(dict.fromkeys(nodes))
            elif node is None or node.weights or node.op.is_random:
                raise Fault(_no_contents(name, node, site))
            elif is_computed:
                again = self._on(node, [renamed.get(v, v) for v in node.inputs])
                found[again] = None
                renamed.update(zip(node.outputs, again.outputs, strict=True))
            else:
                waiting.append((wanted, True))
                needed = () if isinstance(node.op, Arange) else node.inputs  # the numbers of a range are no input's
                waiting += [(v, False) for v in reversed(needed) if v not in renamed]
        return tuple(found), renamed[value]

    def _on(self, node: Node, inputs: list[Value]) -> Node:
        """The same operator on other values."""
        if all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
            return node
        return replace(node, inputs=tuple(inputs), outputs=tuple(self.new_value(*v.type) for v in node.outputs))

    def _own_tensor(
        self, node: tree.TensorParam | tree.TensorBuffer, tensor: Tensor, init: Init, contents: tuple[Node, ...],
        held: Value | None, here: Here,
    ) -> Value:  # fmt: skip
        label = self.computed_text(node.name, here)
        self.check_label(label, node.name)
        op: Op = OwnTensor(label=label, tensor=tensor, init=init, buffer=isinstance(node, tree.TensorBuffer))
        check_entries(f"`{label}`", tensor.shape, node)
        facets = Facets(op, (), (tensor,), op.weights(()))
        self.own(here.module, here, facets.weights, node.name)
        value = self.new_value(tensor.shape, tensor.dtype)
        made = Node(facets, (), (value,), here.module, node, {})
        self.add_node(made)
        here.env.bind(label, value)
        here.events.append(Owned(node, label, made, contents, held, here.seen()))
        return value

    # ---- control ----

    def _for(self, node: tree.For, here: Here) -> None:
        with self.catching(here):
            self._strategy.iterate(node, here, Runner(self.run_body))

    def _if(self, node: tree.If, here: Here) -> None:
        with self.catching(here):
            self._strategy.choose(node, here, Runner(self.run_body))

    def _with(self, node: tree.Defaults, here: Here) -> None:
        try:
            for call in node.calls:
                self._default(call, here)
        except (Fault, Poison) as error:
            if isinstance(error, Fault):
                self.report(error.diagnostic)
            self.spoilt = True
            self._lose_defaults(node, here)

    def _default(self, call: tree.Call, here: Here) -> None:
        callee = as_layer(self.evaluate(call.callee, here))
        if not isinstance(callee, Applicable):
            what = "`with` sets defaults of operators and blocks"
            raise Fault(WrongKind(span=call.span, what=what, found=f"this is {describe(callee)}"))
        positional, named = self.arguments(call, here)
        if positional:
            what = "a default without its name"
            raise Fault(Misplaced(span=positional[0].site.span, what=what, advice="write `with conv(bias=false)`"))
        key, name_of, known = _defaulted(callee)
        orders = callee.op.orders() if isinstance(callee, OpLayer) else ()
        for name, given in named.items():
            if name not in known:
                raise Fault(self.no_argument(name_of, name, known, given, orders=orders))
        require_good(named.values())
        here.defaults = {**here.defaults, key: {**here.defaults.get(key, {}), **named}}

    def _broken(self, node: tree.Broken, here: Here) -> None:
        """What could not be read has been reported: what it touches is left out in silence."""
        self.spoil(here, tuple(name for name in node.names if name.text not in BUILTINS))
        self.lost_families += broken_families(node)
        if node.span.text.startswith("with"):
            self._lose_defaults(node, here)

    @staticmethod
    def _lose_defaults(node: tree.Node, here: Here) -> None:
        """The defaults that a statement at fault would set are unknown."""
        text = node.span.text
        unknown = {op: _unknown_arguments(op, node, here) for name, op in OPS_BY_NAME.items() if name in text}
        here.defaults = {**here.defaults, **unknown}

    def _assert(self, node: tree.Assert, here: Here) -> None:
        inner = here.aside(here.stream)
        with self.catching(inner):
            self.check_assertion(node, inner)

    # ---- combinators ----

    def _combine(self, node: tree.Combine, here: Here) -> None:
        events: list[Event] = []
        if node.body is not None:
            with recording(here, events):
                self._branches(node.body, here)
        else:
            stream = self.stream_of(node, here)
            if not is_list(stream):
                what = f"`{node.kind}` without branches merges a list"
                found = f"{describe(stream)} is on the stream"
                raise Fault(WrongKind(span=node.span, what=what, found=found, advice=_as_branches(node)))
            events.extend(Branch(None, [], value) for value in stream)
        self._merge(node, node.kind, events, here)

    def _branches(self, body: tree.Body, here: Here) -> None:
        """Each step of a combinator's body is a branch; ``for`` and ``if`` contribute theirs."""
        before = here.defaults
        for statement in body.statements:
            self.spend(statement)
            match statement:
                case tree.Step():
                    inner = here.aside(here.stream, [])
                    _STATEMENTS[tree.Step](self, statement, inner)
                    here.events.append(Branch(statement, inner.events, inner.stream))
                case tree.For():
                    self._strategy.iterate(statement, here, Runner(self._branches, as_branches=True))
                case tree.If():
                    self._strategy.choose(statement, here, Runner(self._branches, as_branches=True))
                case tree.Broken():
                    self._broken(statement, here.aside(here.stream))
                    here.events.append(Branch(statement, [], BAD))
                case _:
                    _STATEMENTS[type(statement)](self, statement, here)
        here.defaults = before

    def _residual(self, node: tree.Residual, here: Here) -> None:
        events: list[Event] = []
        for body in (node.body, node.shortcut):
            inner = here.aside(here.stream, [])
            if body is not None:
                self.run_body(body, inner)
            events.append(Branch(body, inner.events, inner.stream))
        self._merge(node, "add", events, here)

    def _merge(
        self, node: tree.Combine | tree.Residual, kind: tree.CombineKind, events: list[Event], here: Here
    ) -> None:
        merged = Merged(node, kind, here.stream, events, (), None)
        branches = merged.branches
        values = [self._branch_value(branch, kind, node, here) for branch in branches]
        if not values:
            raise Fault(Misplaced(span=node.span, what=f"`{kind}` without a branch"))
        first = len(self.nodes)
        layer = OpLayer(op=COMBINATORS[kind])
        if isinstance(node, tree.Combine):
            positional, named = self._merge_arguments(node, here)
            layer = OpLayer(op=COMBINATORS[kind], positional=positional, named=named)
        result: Any = values[0]
        if len(values) > 1 or kind == "stack":
            inner = here.aside(values, [])
            self._merge_values(layer, inner, node, kind, branches)
            result = inner.stream
        here.events.append(replace(merged, nodes=tuple(self.nodes[first:]), result=result))
        here.stream = result

    def _merge_arguments(self, node: tree.Combine, here: Here) -> tuple:
        call = tree.Call(node.span, tree.Name(node.span, node.kind), node.arguments)
        return self.arguments(call, here)

    def _merge_values(self, layer: OpLayer, here: Here, node: tree.Node, kind: str, branches: list[Branch]) -> None:
        from archdsl.diagnostics.shapes import DoesNotFit

        counter, here.counter = here.counter, None
        values = here.stream
        try:
            self.apply(layer, here, node)
        except Fault as fault:
            if not isinstance(fault.diagnostic, DoesNotFit):
                raise
            joined = _joined(layer) if kind == "concat" else None
            raise Fault(self._branches_differ(node, kind, branches, values, fault.diagnostic, joined)) from None
        finally:
            here.counter = counter

    def _branches_differ(
        self, node: tree.Node, kind: str, branches: list[Branch], values: list[Value], found: DoesNotFit,
        joined: int | None,
    ) -> Diagnostic:  # fmt: skip
        """What a merge rejects, told with where the sizes that differ come from."""
        results = values
        is_residual = isinstance(node, tree.Residual)
        words = ("body", "shortcut") if is_residual else tuple(f"branch {i + 1}" for i in range(len(results)))
        gives = [f"{word} gives {shape_text(v.shape)}" for word, v in zip(words, results, strict=True)]
        if joined is not None and results:
            joined %= max(1, len(results[0].shape))
        axis = _axis_at_odds(results, joined)
        labels = tuple(self._origin(v, axis) for v in results) if axis is not None and len(results) == 2 else ()
        sides = [Side(v, text_of(b.site), word) for v, b, word in zip(results, branches, words, strict=True)]
        return BranchesDiffer(
            span=node.span,
            kind="residual" if is_residual else kind,
            difference=_difference(results, axis),
            detail=", ".join(gives) if len(gives) <= 3 else found.reason,
            labels=tuple(dict.fromkeys(label for label in labels if label is not None)),
            advice=_project(node, branches) or self._ways_out(sides, joined, axis),
        )

    def combine_values(self, op: str, left: Any, right: Any, node: tree.Node, here: Here, said: Sides) -> Value:
        try:
            return super().combine_values(op, left, right, node, here, said)
        except Fault as fault:
            sides = [side for side in (left, right) if isinstance(side, Value)]
            if not isinstance(fault.diagnostic, DoesNotFit) or len(sides) != 2:
                raise
            raise Fault(self._sides_differ(op, sides, node, said)) from None

    def _sides_differ(self, op: str, sides: list[Value], node: tree.Node, said: Sides) -> Diagnostic:
        """What arithmetic rejects, told with where the sizes that differ come from."""
        axis = _axis_at_odds(sides, None)
        origins = [self._origin(side, axis) for side in sides] if axis is not None else []
        texts = [Side(value, text_of(text)) for value, text in zip(sides, said, strict=True)]
        left, right = (shape_text(side.shape) for side in sides)
        return SidesDiffer(
            span=node.span,
            op=op,
            difference=_difference(sides, axis),
            detail=f"left is {left}, right is {right}",
            labels=tuple(dict.fromkeys(label for label in origins if label is not None)),
            advice=self._ways_out(texts, None, axis),
        )

    def _ways_out(self, sides: list[Side], joined: int | None, axis: int | None) -> str | None:
        """What makes two values fit."""
        if axis is None:
            return None
        origins = [source for side in sides if isinstance(source := self._source(side.value, axis), Node)]
        return ways(sides, joined, self.nodes, self.inputs, origins)

    def _origin(self, value: Value, axis: int) -> Label | None:
        """Where the size of an axis comes from, in words."""
        source = self._source(value, axis)
        return Label(source.span, _comes(value.shape[axis], axis)) if source is not None else None

    def _source(self, value: Value, axis: int) -> Node | tree.Input | None:
        """Where the size of an axis comes from: the last layer that set it, or the input."""
        source = set_by(value, axis, self.nodes)
        return self._said.get(source) if isinstance(source, Value) else source

    def _branch_value(self, branch: Branch, kind: str, node: tree.Node, here: Here) -> Value:
        result = branch.result
        if result is BAD:
            raise Poison
        if isinstance(result, Value):
            return result
        if is_list(result):
            site = branch.site.chain if isinstance(branch.site, tree.Step) else branch.site or node
            return self.constant(result, site, here)
        what = f"a branch of `{kind}` gives a value"
        site, found = branch.site or node, f"this gives {describe(result)}"
        raise Fault(WrongKind(span=site.span, what=what, found=found, advice=apply_advice(result, site)))


_FLAT = "declare a list for each group: `for i in 0..2 { let part{i}: [conv(4, 1) for j in 0..3] }`, then `part{i}[j]`"
"""The way out for a declared list of lists."""


def _unknown_arguments(op: type[Op], node: tree.Node, here: Here) -> dict[str, Given]:
    """Defaults that could not be read: each argument may have one."""
    return {p.name: Given(BAD, node, here.env) for p in parameters(op)}


def _as_branches(node: tree.Combine) -> str:
    """A combinator that is called like a function, with its arguments as branches."""
    named = ", ".join(a.span.text for a in node.arguments if a.name is not None)
    given = [a.value for a in node.arguments if a.name is None]
    listed = [item for value in given for item in (value.items if isinstance(value, tree.ListOf) else (value,))]
    branches = "; ".join(item.span.text for item in listed) or "a; b"
    head = f"{node.kind}({named})" if named else node.kind
    return f"write the branches in braces: `{head} {{ {branches} }}`"


def _comes(size: Size, axis: int) -> str:
    return f"{size} channels come from here" if axis == 1 else f"{size} along axis {axis} comes from here"


def _subject(target: tree.Pattern | None) -> str:
    return f"`{target.span.text}`" if target is not None else "this value"


def _defaulted(callee: Applicable) -> tuple[object, str, list[str]]:
    """What a default is kept under, whose it is, and the arguments that it may name."""
    if isinstance(callee, OpLayer):
        return callee.op, callee.name, [p.name for p in parameters(callee.op)]
    assert isinstance(callee, BlockLayer)
    return callee.definition, callee.name, [p.name.text for p in callee.definition.params]


def _joined(layer: OpLayer) -> int:
    """The axis along which a `concat` joins its branches."""
    given = [g.value for g in (*layer.positional[:1], *layer.named.values())]
    return next((axis for axis in given if isinstance(axis, int)), 1)


def _axis_at_odds(results: list[Value], joined: int | None) -> int | None:
    """The first axis on which branches differ that should not; None where they differ in number of axes."""
    if len({len(v.shape) for v in results}) != 1:
        return None
    axes = range(len(results[0].shape))
    return next((a for a in axes if a != joined and len({v.shape[a] for v in results} - {1}) > 1), None)


def _without_scopes(events: Sequence[Event]) -> None:
    """What fills a buffer is computed outside of the network, and has no place in its module tree.

    Raises:
        Fault: a part of it has a name.
    """
    for event in flattened(events):
        if isinstance(event, Entered):
            advice = "a buffer is computed when the module is made, by operators: leave out the name, or use a `fn`"
            raise Fault(Misplaced(span=event.site.span, what="a module", advice=advice))


def _no_contents(name: str, node: Node | None, site: tree.TensorBuffer) -> BufferDepends:
    """Why the value of a buffer cannot be computed when its module is made."""
    if node is None:
        return BufferDepends(span=site.span, name=name, on="an input of the network")
    if node.op.is_random:
        return BufferDepends(span=site.span, name=name, on=f"the random numbers of `{node.op.name}`")
    owner = f"`{node.op.label}`" if isinstance(node.op, OwnTensor) else f"the weights of this `{node.op.name}`"
    return BufferDepends(span=site.span, name=name, on=owner, labels=(Label(node.span, "which can be trained"),))


def _difference(results: list[Value], axis: int | None) -> str:
    if axis is None:
        ranks = {len(v.shape) for v in results}
        return "have different numbers of axes" if len(ranks) > 1 else "do not fit together"
    if axis == 1 and len(results[0].shape) > 2:
        return "have different channels"
    return "have different sizes" if axis > 1 else "do not fit together"


def _project(node: tree.Node, branches: list[Branch]) -> str | None:
    """The usual mend of a residual whose channels or strides differ."""
    if not isinstance(node, tree.Residual) or len(branches) != 2:
        return None
    body, shortcut = (b.result for b in branches)
    if not (isinstance(body, Value) and isinstance(shortcut, Value) and len(body.shape) == len(shortcut.shape) > 2):
        return None
    strides = {_stride(a, b) for a, b in zip(shortcut.shape[2:], body.shape[2:], strict=True)}
    stride = strides.pop() if len(strides) == 1 else None
    if stride is None:
        return "keep the size in the body: `pad` its convolutions (`pad=1` for 3×3)"
    how = "…" if stride == 1 else f"stride={stride}, …"
    return f"project the shortcut: `shortcut {{ conv({body.shape[1]}, 1, {how}) -> batchnorm }}`"


def _stride(size: Size, reduced: Size) -> int | None:
    """The stride of a 1×1 convolution that takes one size to the other, if there is one."""
    return next((s for s in (1, 2, 3, 4) if (size + s - 1) // s == reduced), None)


_STATEMENTS: dict[type, Callable[[Any, Any, Here], None]] = {
    tree.Step: Bodies._step,
    tree.Let: Bodies._let,
    tree.Input: Bodies._input,
    tree.Output: Bodies._output,
    tree.Declare: Bodies._declare,
    tree.TensorParam: Bodies._param,
    tree.TensorBuffer: Bodies._buffer,
    tree.For: Bodies._for,
    tree.If: Bodies._if,
    tree.Defaults: Bodies._with,
    tree.Assert: Bodies._assert,
    tree.Broken: Bodies._broken,
}
