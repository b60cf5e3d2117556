"""What a body declares: modules that run where their label is called, parameters and buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archdsl.arguments import INIT
from archdsl.diagnostics.base import Label
from archdsl.diagnostics.lowering import BufferDepends
from archdsl.diagnostics.names import Misplaced, WrongKind
from archdsl.elaborate.catching import Faults
from archdsl.elaborate.modules import DeclaredLayer, Modules
from archdsl.elaborate.operators import check_entries
from archdsl.elaborate.place import NetworkPlace
from archdsl.elaborate.recorder import Recorder
from archdsl.elaborate.shapes import Shapes
from archdsl.evaluate.builtins import as_layer
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.values import Layer, NoLayer, SpecValue, Value, describe, is_list
from archdsl.graph import Declared, Event, Module, Node, ScopeRun, TensorDeclared, flattened
from archdsl.init import Computed, Init
from archdsl.op import Facets, Op, Reject, Tensor
from archdsl.ops.ranges import Arange
from archdsl.ops.tensor import OwnTensor
from archdsl.syntax import tree


class Declarations:
    """Runs declarations."""

    def __init__(
        self, recorder: Recorder, evaluator: Evaluator, modules: Modules, shapes: Shapes, faults: Faults
    ) -> None:
        self._recorder = recorder
        self._evaluator = evaluator
        self._modules = modules
        self._shapes = shapes
        self._faults = faults
        self._held: dict[Value, tuple[tuple[Node, ...], Value]] = {}
        """For each buffer, the operators that compute what it holds, and their result."""

    def declare(self, node: tree.Declare, here: NetworkPlace) -> None:
        inner = here.aside(here.stream)
        with self._faults.catching(inner, (node.label,)):
            name = self._evaluator.computed_text(node.label, here)
            value = as_layer(self._evaluator.evaluate(node.layer, inner))
            items = value if is_list(value) else [value]
            if all(isinstance(item, NoLayer) for item in items):  # it has no module
                here.env.bind(name, value)
                return
            module = self._modules.child(here, name, node.label)
            here.events.append(Declared(node, module))
            if is_list(value):
                here.env.bind(name, [self._declared_item(module, i, v, node, here) for i, v in enumerate(value)])
            else:
                here.env.bind(name, self._declared_layer(name, module, value, node))

    def _declared_item(
        self, parent: Module, number: int, value: SpecValue, node: tree.Declare, here: NetworkPlace
    ) -> Layer:
        if isinstance(value, NoLayer):
            return value
        name = str(number)
        if name in parent.children and here.again:
            module = parent.children[name]
        else:
            module = parent.children[name] = Module(parent.join(name), node.span)
        return self._declared_layer(f"{parent.name}[{number}]", module, as_layer(value), node)

    def _declared_layer(self, name: str, module: Module, value: SpecValue, node: tree.Declare) -> DeclaredLayer:
        if not isinstance(value, Layer):
            what = f"`let {name}: …` must declare a layer"
            advice = _FLAT if is_list(value) else None
            raise Fault(WrongKind(span=node.layer.span, what=what, found=f"this is {describe(value)}", advice=advice))
        if isinstance(value, DeclaredLayer):
            advice = f"`{value.name}` has its name where it is declared: call it, or name it with `let {name} = …`"
            raise Fault(Misplaced(span=node.label.span, what="a second declaration of the same module", advice=advice))
        layer = DeclaredLayer(name, module, value, node)
        self._recorder.declared.append(layer)
        return layer

    def param(self, node: tree.TensorParam, here: NetworkPlace) -> None:
        inner = here.aside(here.stream)
        with self._faults.catching(inner, (node.name,)):
            init = self._evaluator.evaluate(node.init, inner)
            tensor = self._shapes.stated_tensor(node.shape, here)
            self._own_tensor(node, tensor, self._init(init, node.init), (), None, here)

    @staticmethod
    def _init(value: SpecValue, node: tree.Node) -> Init:
        try:
            return INIT.accept(value)
        except Reject as reject:
            is_named = isinstance(value, type)
            what = reject.message if is_named else f"expected {INIT.expected}, got {describe(value)}"
            raise Fault(WrongKind(span=node.span, what=what)) from None

    def buffer(self, node: tree.TensorBuffer, here: NetworkPlace) -> None:
        """The chain is computed outside the graph: its value is what the buffer holds."""
        graph_nodes, self._recorder.nodes = self._recorder.nodes, []
        inner = here.apart()
        inner.stream = None
        try:
            with self._faults.catching(inner, (node.name,)):
                value = self._evaluator.evaluate(node.value, inner)
                value = (
                    value if isinstance(value, Value) else self._evaluator.tensors.constant(value, node.value, inner)
                )
                self._recorder.nodes = graph_nodes
                name = self._evaluator.computed_text(node.name, here)
                contents, held = self._contents(value, name, node)
                _require_no_modules(inner.events)
                self._shapes.check_shape(node.shape, value, here, f"the buffer `{name}`")
                made = self._own_tensor(node, value.type, Computed(), contents, held, here)
                self._held[made] = contents, held
        finally:
            self._recorder.nodes = graph_nodes

    def _contents(self, value: Value, name: str, site: tree.TensorBuffer) -> tuple[tuple[Node, ...], Value]:
        """The operators that compute a buffer's value from numbers alone, and what they give.

        Other buffers that it reads are computed again.
        """
        found: dict[Node, None] = {}
        renamed: dict[Value, Value] = {}
        waiting: list[tuple[Value, bool]] = [(value, False)]
        while waiting:
            wanted, is_computed = waiting.pop()
            node = self._recorder.producer.get(wanted)
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
        return replace(
            node, inputs=tuple(inputs), outputs=tuple(self._recorder.new_value(*v.type) for v in node.outputs)
        )

    def _own_tensor(
        self, node: tree.TensorParam | tree.TensorBuffer, tensor: Tensor, init: Init, contents: tuple[Node, ...],
        held: Value | None, here: NetworkPlace,
    ) -> Value:  # fmt: skip
        label = self._evaluator.computed_text(node.name, here)
        self._modules.check_label(label, node.name)
        op: Op = OwnTensor(label=label, tensor=tensor, init=init, buffer=isinstance(node, tree.TensorBuffer))
        check_entries(f"`{label}`", tensor.shape, node)
        facets = Facets(op, (), (tensor,), op.weights(()))
        self._modules.own(here.module, here, facets.weights, node.name)
        value = self._recorder.new_value(tensor.shape, tensor.dtype)
        made = Node(facets, (), (value,), here.module, node, {})
        self._recorder.add_node(made)
        here.env.bind(label, value)
        here.events.append(TensorDeclared(node, label, made, contents, held, here.seen()))
        return value


_FLAT = "declare a list for each group: `for i in 0..2 { let part{i}: [conv(4, 1) for j in 0..3] }`, then `part{i}[j]`"
"""The way out for a declared list of lists."""


def _require_no_modules(events: Sequence[Event]) -> None:
    """What fills a buffer is computed outside of the network, and has no place in its module tree.

    Raises:
        Fault: a part of it has a name.
    """
    for event in flattened(events):
        if isinstance(event, ScopeRun):
            advice = "a buffer is computed by the constructor, without modules: remove the label, or use a `fn`"
            raise Fault(Misplaced(span=event.site.span, what="a module", advice=advice))


def _no_contents(name: str, node: Node | None, site: tree.TensorBuffer) -> BufferDepends:
    """Why the value of a buffer cannot be computed when its module is made."""
    if node is None:
        return BufferDepends(span=site.span, name=name, on="an input of the network")
    if node.op.is_random:
        return BufferDepends(span=site.span, name=name, on=f"the random numbers of `{node.op.name}`")
    owner = f"`{node.op.label}`" if isinstance(node.op, OwnTensor) else f"the weights of this `{node.op.name}`"
    return BufferDepends(span=site.span, name=name, on=owner, labels=(Label(node.span, "this is trained"),))
