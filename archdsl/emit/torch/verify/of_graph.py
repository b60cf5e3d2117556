"""A checked graph in terms: its modules, and what it computes at inference and in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from archdsl.emit.torch.precision import Precision
from archdsl.emit.torch.verify import distributions, tracing
from archdsl.emit.torch.verify.computation import Computation, Parameter, Traced, TracedModule
from archdsl.emit.torch.verify.interpreter import Interpreter, forms, subexpressions
from archdsl.emit.torch.verify.terms import Made, Refused, TermTable, TracedSize, TracedTensor, plain
from archdsl.graph import Graph, GraphOutput, Module, Node, TensorDeclared, Value, flattened
from archdsl.op import Facets, Op, Torch, Training
from archdsl.ops.tensor import Constant


def trace_graph(graph: Graph, table: TermTable) -> Traced:
    """A checked graph in terms; the table learns the shapes of its values and torch's defaults of its operators.

    Raises:
        Refused: no source can be the graph: two layers at one module.
    """
    return _Tracer(graph, table).traced()


class _Layer:
    """A layer's own module: called, or asked for a weight."""

    def __init__(self, table: TermTable, path: str) -> None:
        self._table = table
        self._path = path

    def __call__(self, *args: object, **keywords: object) -> TracedTensor:
        return self._table.call(f"module {self._path}", args, keywords)

    def __getattr__(self, name: str) -> TracedTensor:
        return TracedTensor(self._table, self._table.term("weight", f"{self._path}.{name}"))


class _Tracer:
    def __init__(self, graph: Graph, table: TermTable) -> None:
        self._graph = graph
        self._table = table
        self._names = tracing.names(table)
        self._precision = Precision(graph)
        self._terms: dict[Value, int] = {}
        self._done: dict[Node, tuple[list[int], list[int]]] = {}
        """For each node, the terms of its inputs when it was last evaluated, and those that it computed."""
        self._training = False
        self._asking: dict[int, bool] = {}
        self._owned = [e for i in graph.instance.walk() for e in flattened(i.events) if isinstance(e, TensorDeclared)]
        self._contents: dict[Module, dict[str, int]] = {}
        self._made: dict[Facets, Made] = {}
        self._layers: dict[Module, Made] = {}
        self._constructible: set[int] = set()
        self._runs = Counter(n.module for n in graph.nodes if n.module is not None)

    def traced(self) -> Traced:
        nodes = [*self._graph.nodes, *(n for event in self._owned for n in event.contents)]
        for said in {id(t): t for n in nodes for t in (self._precision.torch(n),)}.values():
            for form in forms(said):
                self._table.learn(form)
        for node in nodes:
            if node.module is not None and node.torch.module is not None:
                made = self._layer(node)
                if self._layers.setdefault(node.module, made) != made:
                    raise Refused(f"the graph has two layers at {node.module.path}")
        for given in self._graph.inputs:
            self._set(given.value, self._table.term("input", given.name))
        inference = self._computation()
        self._training = True
        training = self._computation()
        modules = tuple(self._module(m) for m in self._graph.root.walk())
        constructed = frozenset(t for held in self._contents.values() for t in held.values())
        return Traced(self._table, modules, constructed, frozenset(self._constructible), inference, training)

    # ---- modules ----

    def _layer(self, node: Node) -> Made:
        """How a layer is made: its constructor knows no values, so that equal layers are made alike."""
        if node.facets not in self._made:
            made = node.torch.module
            assert made is not None
            positional, keywords = Interpreter(size=TracedSize, drop=False).arguments(made.args)
            key = (str(made.callee), *self._table.complete(str(made.callee), positional, keywords))
            self._table.weights[key] = tuple(w.name for w in node.weights)
            self._made[node.facets] = key
        return self._made[node.facets]

    def _module(self, module: Module) -> TracedModule:
        made = self._layers.get(module)
        parameters = {
            name: Parameter(plain(weight.shape) if made is None else None, distributions.declared(weight))
            for name, weight in module.own.items()
            if made is not None or not weight.buffer
        }
        buffers = self._contents.get(module, {}) if made is None else {}
        optional = made is None and isinstance(module.what, Op) and not module.own
        return TracedModule(module.path, made, parameters, buffers, optional)

    # ---- what it computes ----

    def _computation(self) -> Computation:
        always, live = self._graph.live(False), self._graph.live(True)
        steps: list[int] = []
        needed: list[int] = []
        random: set[int] = set()
        for node in self._graph.nodes:
            done = self._node(node)
            self._constructible.update(done)
            if node in live and not isinstance(node.op, Constant):  # a table is made once, by the constructor
                steps += done
                if node in always or self._training:
                    needed += done
            if node.op.is_random or (node.module is not None and self._runs[node.module] > 1):
                random.update(done)
        for output in self._graph.outputs:
            term, is_converted = self._output(output)
            if is_converted:
                steps.append(term)
                needed += [term] if self._training or not output.when_training else []
        self._fill_buffers()
        outputs = [o for o in self._graph.outputs if not o.when_training]
        outputs += [o for o in self._graph.outputs if o.when_training and self._training]
        given = tuple(self._output(o)[0] for o in outputs)
        return Computation(given, tuple(steps), Counter(needed), frozenset(random))

    def _fill_buffers(self) -> None:
        for event in self._owned:
            for node in event.contents:
                self._constructible.update(self._node(node))
            if event.held is not None:
                assert event.node.module is not None
                self._contents.setdefault(event.node.module, {})[event.name] = self._terms[event.held]

    def _output(self, output: GraphOutput) -> tuple[int, bool]:
        """The term of an output of the network, and whether it is converted to the network's type."""
        term, reference = self._terms[output.value], self._precision.reference
        if reference is None or not self._precision.is_made(output):
            return term, False
        result, like = TracedTensor(self._table, term), TracedTensor(self._table, self._terms[reference])
        with self._table.recorded():
            return result.to(like.dtype).term, True

    def _node(self, node: Node) -> list[int]:
        """The terms that a node computes. In training it is evaluated again where it reads or does something else."""
        inputs = [self._terms[v] for v in node.inputs]
        before = self._done.get(node)
        said = self._precision.torch(node)
        if before is not None and before[0] == inputs and not self._asks_for_training(said):
            return before[1]
        with self._table.recorded() as done:
            self._set_outputs(node, self._value(node, said))
        self._done[node] = inputs, done
        return done

    def _value(self, node: Node, said: Torch) -> Any:
        tensors = [TracedTensor(self._table, self._terms[v]) for v in node.inputs]
        module = node.module
        layer = _Layer(self._table, module.path) if module is not None else None
        is_module = layer is not None and said.module is not None
        expression = said.run if is_module else said.function
        if expression is None:
            assert layer is not None
            return layer(*tensors)
        scope = Interpreter(tensors, layer, self._own(module), TracedSize, self._training, False, self._names)
        return scope.value(expression)

    def _own(self, module: Module | None) -> Callable[[str], TracedTensor]:
        def weight(name: str) -> TracedTensor:
            path = module.join(name) if module is not None else name
            return TracedTensor(self._table, self._table.term("weight", path))

        return weight

    def _asks_for_training(self, said: Torch) -> bool:
        """Does an operator depend on whether the network is in training?"""
        key = id(said)
        if key not in self._asking:
            expressions = [form for form in (said.run, said.function) if form is not None]
            self._asking[key] = any(isinstance(p, Training) for e in expressions for p in subexpressions(e))
        return self._asking[key]

    def _set_outputs(self, node: Node, result: TracedTensor) -> None:
        values: Sequence[TracedTensor] = [result]
        if len(node.outputs) != 1:
            self._table.parts[result.term] = len(node.outputs)
            values = list(result)
        for value, part in zip(node.outputs, values, strict=True):
            self._set(value, part.term)

    def _set(self, value: Value, term: int) -> None:
        self._terms[value] = term
        self._table.shapes[term] = value.shape
