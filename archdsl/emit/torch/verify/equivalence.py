"""Is the emitted source the checked graph? Proved by running it on recording stand-ins, without torch.

Its modules must be the graph's: the same paths, classes, arguments, tensors and initial values, in the same order; and
what ``forward`` computes must be the graph's terms, each as often, random ones in the same order, in training and not.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.precision import Precision
from archdsl.emit.torch.verify import tracing as standins
from archdsl.emit.torch.verify.interpreter import INFIX, PREFIX
from archdsl.emit.torch.verify.tracing import Blank, Leaf, Ledger, Recorded, Refused, TypeOf, plain
from archdsl.evaluate.builtins import NUMERIC
from archdsl.graph import Graph, GraphOutput, Module, Node, Owned, Value, flattened
from archdsl.init import (
    Computed,
    Constant,
    Init,
    KaimingNormal,
    KaimingUniform,
    Normal,
    Ones,
    TruncNormal,
    Uniform,
    XavierNormal,
    XavierUniform,
    Zeros,
)
from archdsl.op import (
    REQUIRED,
    Arg,
    Attribute,
    Call,
    Cut,
    Facets,
    Hole,
    In,
    Infix,
    Item,
    Method,
    Op,
    Own,
    Prefix,
    Several,
    This,
    Torch,
    Training,
    Weight,
)
from archdsl.ops.tensor import Constant as Numbers

ALLOWED = (
    "__build_class__", "abs", "bool", "enumerate", "float", "int", "isinstance", "len", "list", "max", "min", "range",
    "reversed", "round", "sorted", "str", "sum", "super", "tuple", "zip",
)  # fmt: skip
"""Built-in names that emitted source may use."""


def validate(source: str, class_name: str, graph: Graph, given: Mapping[str, Any] | None = None) -> str | None:
    """What tells the source from the graph; None if nothing does. ``given`` are arguments of its class."""
    try:
        _Comparison(source, class_name, graph, given or {}).compare()
    except Refused as refused:
        return str(refused)
    except Exception as error:  # whatever it raises, it is not the graph
        return f"{type(error).__name__}: {error}"
    return None


class _Comparison:
    """One side beside the other: the modules, and what is computed at inference and in training."""

    def __init__(self, source: str, class_name: str, graph: Graph, given: Mapping[str, Any]) -> None:
        self._graph = graph
        self._ledger = Ledger()
        self._weights: dict[Hashable, tuple[str, ...]] = {}
        self._checked = _Checked(graph, self._ledger, self._weights)
        namespace = self._run(source)
        self._net = namespace[class_name](**given)

    def _run(self, source: str) -> dict[str, Any]:
        modules = standins.torch_for(self._ledger, lambda callee, made: self._weights.get((callee, made), ()))

        def load(
            name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] = (), level: int = 0
        ) -> Any:
            if name not in modules:
                raise Refused(f"it imports {name}")
            return modules[name] if fromlist or name == "torch" else modules["torch"]

        allowed = {name: getattr(builtins, name) for name in ALLOWED}
        allowed |= {name: NUMERIC[name] for name in ("max", "min")}  # of sizes too
        namespace: dict[str, Any] = {"__name__": "emitted", "__builtins__": {**allowed, "__import__": load}}
        exec(compile(source, "<emitted>", "exec"), namespace)
        for name in HELPERS:
            if name in namespace:
                namespace[name] = self._helper(name, modules["torch"].nn)
        return namespace

    def _helper(self, name: str, layers: standins.Layers) -> Any:
        """A helper is taken at its word: it is recorded, not run."""
        if name[0].isupper():
            return layers.leaf(name)
        return lambda *args, **keywords: self._ledger.call(name, args, keywords)

    def compare(self) -> None:
        self._modules()
        self._dataflow(False)
        self._checked.train()
        for module in self._net.modules():
            object.__setattr__(module, "training", True)
        self._dataflow(True)

    # ---- modules ----

    def _modules(self) -> None:
        found: list[tuple[str, standins.Module]] = []
        self._walk(self._net, "", found)
        wanted = list(self._graph.root.walk())
        optional = {m.path for m in wanted if self._checked.layer(m) is None and isinstance(m.what, Op)}
        paths = [path for path, _ in found if path not in optional]
        expected = [m.path for m in wanted if m.path not in optional]
        if paths != expected:
            at = next(
                (i for i, (a, b) in enumerate(zip(paths, expected, strict=False)) if a != b),
                min(len(paths), len(expected)),
            )
            raise Refused(f"its module {paths[at : at + 1]} stands where {expected[at : at + 1]} should")
        by_path = {m.path: m for m in wanted}
        for path, module in found:
            if path in by_path:
                self._module(by_path[path], module)

    def _walk(self, module: standins.Module, path: str, found: list[tuple[str, standins.Module]]) -> None:
        """All modules by path, in order; they and their weights learn theirs."""
        found.append((path, module))
        if isinstance(module, Leaf):
            object.__setattr__(module, "path", path)
            for name in module.own:
                module.get_parameter(name).key = self._ledger.term("weight", f"{path}.{name}")
        for kind in (module._parameters, module._buffers):
            for name, weight in kind.items():
                weight.key = self._ledger.term("weight", f"{path}.{name}" if path else name)
        for name, child in module._modules.items():
            self._walk(child, f"{path}.{name}" if path else name, found)

    def _module(self, wanted: Module, module: standins.Module) -> None:
        layer = self._checked.layer(wanted)
        if layer is not None:
            if not isinstance(module, Leaf) or (module.callee, *module.made) != layer.made:
                raise Refused(f"{wanted.path} is not made as {layer.made[0]} is in the graph")
            for weight in wanted.own.values():
                self._initial(f"{wanted.path}.{weight.name}", weight, module.get_parameter(weight.name))
            return
        if isinstance(module, Leaf):
            raise Refused(f"{wanted.path} is a layer of its own")
        if isinstance(wanted.what, Op):
            return
        self._own(wanted, module)

    def _own(self, wanted: Module, module: standins.Module) -> None:
        held = {**module._parameters, **module._buffers}
        tensors = wanted.own
        parameters = [n for n, w in tensors.items() if not w.buffer]
        buffers = [n for n, w in tensors.items() if w.buffer]
        if list(module._parameters) != parameters or list(module._buffers) != buffers:
            raise Refused(f"{wanted.path} owns {list(held)}, not {list(tensors)}")
        for name, weight in tensors.items():
            path = wanted.join(name)
            if weight.buffer:
                contents = held[name].contents
                if contents is None or contents.key != self._checked.contents[path]:
                    raise Refused(f"the buffer {path} holds other numbers")
            else:
                blank = held[name].blank
                if blank is None or plain(blank.shape) != plain(weight.shape):
                    raise Refused(f"{path} has another shape")
                self._initial(path, weight, held[name])

    def _initial(self, path: str, weight: Weight, held: standins.Weight) -> None:
        found = _distribution(held)
        if found is None and (weight.by_torch or isinstance(weight.init, Computed)):
            return
        if found != _wanted_distribution(weight.init):
            raise Refused(f"{path} is drawn from {found}, not {weight.init}")

    # ---- dataflow ----

    def _dataflow(self, training: bool) -> None:
        self._ledger.log.clear()
        inputs = [Recorded(self._ledger, self._checked.keys[i.value]) for i in self._graph.inputs]
        given = self._net(*inputs)
        outputs = given if isinstance(given, tuple) else (given,)
        if any(not isinstance(o, Recorded) for o in outputs):
            raise Refused("an output is no tensor")
        always = [o for o in self._graph.outputs if not o.when_training]
        wanted = [*always, *((o for o in self._graph.outputs if o.when_training) if training else ())]
        if [o.key for o in outputs] != [self._checked.output(o) for o in wanted]:
            raise Refused(f"its outputs {'in training' if training else 'at inference'} are not the graph's")
        self._work()

    def _work(self) -> None:
        """Nothing is computed twice, too much, or in an order that draws other random numbers."""
        done, least, most = self._ledger.counts(), self._checked.least, self._checked.most
        for key in done.keys() | least.keys():
            if not least[key] <= done[key] <= most[key]:
                raise Refused(f"a step is computed {done[key]} times, not {least[key]}")
        ordered = self._checked.ordered
        if [k for k in self._ledger.log if k in ordered] != [k for k in self._checked.log if k in ordered and done[k]]:
            raise Refused("what is random runs in another order")


# ---- the graph's side ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layer:
    made: tuple[str, Hashable, Hashable]


class _Checked:
    """The checked graph in terms of the stand-ins: at inference, and after ``train`` in training."""

    def __init__(self, graph: Graph, ledger: Ledger, weights: dict[Hashable, tuple[str, ...]]) -> None:
        self._graph = graph
        self._training = False
        self._ledger = ledger
        self._weights = weights
        self.keys: dict[Value, int] = {}
        self.contents: dict[str, int] = {}
        self._precision = Precision(graph)
        self._layers: dict[Module, _Layer] = {}
        self._made: dict[Facets, _Layer] = {}
        self._terms: dict[Node, tuple[list[int], list[int]]] = {}
        """For each node, the terms of its inputs when it was last run, and those that it computed."""
        self._owned = [e for i in graph.instance.walk() for e in flattened(i.events) if isinstance(e, Owned)]
        nodes = [*graph.nodes, *(n for event in self._owned for n in event.contents)]
        for said in {id(t): t for n in nodes for t in (self._precision.torch(n),)}.values():
            for expression in (said.module, said.run, said.function):
                self._learn(expression)
        for node in nodes:
            if node.module is not None and node.torch.module is not None:
                self._layers[node.module] = self._layer_of(node, node.torch.module)
        for given in graph.inputs:
            self._set(given.value, ledger.term("input", given.name))
        self._run()

    def output(self, output: GraphOutput) -> int:
        """The term of an output of the network."""
        reference = self._precision.reference
        if reference is None or not self._precision.is_made(output):
            return self.keys[output.value]
        args = Recorded(self._ledger, self.keys[output.value]), TypeOf(self.keys[reference])
        return self._ledger.term("call", ".to", self._ledger.complete(".to", args, {}))

    def train(self) -> None:
        self._training = True
        self._run()

    def _learn(self, said: Any) -> None:
        """Note the keyword arguments of all functions, and their defaults."""
        match said:
            case Call(callee=callee, args=args):
                self._learn_all("This" if isinstance(callee, This) else callee, args)
            case Method(receiver=receiver, name=name, args=args):
                self._learn(receiver)
                self._learn_all(f".{name}", args)
            case Prefix(value=value) | Attribute(value=value) | Item(value=value):
                self._learn(value)
            case Infix(left=left, right=right):
                self._learn(left)
                self._learn(right)
            case Several(items=items):
                for item in items:
                    self._learn(item)

    def _learn_all(self, callee: str, args: Sequence[Arg]) -> None:
        offset = 1 if callee.startswith(".") else 0  # the receiver of a method
        for place, arg in enumerate(args, offset):
            self._learn(arg.value)
            if arg.default is not REQUIRED:
                self._ledger.learn(callee, arg.keyword or place, _plain_hole(arg.default))

    def layer(self, module: Module) -> _Layer | None:
        """How a layer is made; None for a scope, and for an operator that torch has no module for."""
        return self._layers.get(module)

    def _set(self, value: Value, key: int) -> None:
        self.keys[value] = key
        self._ledger.shapes[key] = value.shape

    # ---- running ----

    def _run(self) -> None:
        self._ledger.log.clear()
        always, live = self._graph.live(False), self._graph.live(True)
        needed: list[int] = []
        self.log: list[int] = []
        self.ordered: set[int] = set()
        runs = Counter(n.module for n in self._graph.nodes if n.module is not None)
        for node in self._graph.nodes:
            done = self._node(node)
            if node in live and not isinstance(node.op, Numbers):  # a table is made once, by the constructor
                self.log += done
                if node in always or self._training:
                    needed += done
            if node.op.is_random or (node.module is not None and runs[node.module] > 1):
                self.ordered.update(done)
        for output in self._graph.outputs:
            if self._precision.is_made(output):
                self.log.append(self.output(output))
                needed += [self.output(output)] if self._training or not output.when_training else []
        self.least, self.most = Counter(needed), Counter(self.log)
        for event in self._owned:
            for node in event.contents:
                self._node(node)
            if event.held is not None:
                module = event.node.module
                assert module is not None
                self.contents[module.join(event.name)] = self.keys[event.held]

    def _node(self, node: Node) -> list[int]:
        """The terms that a node computes. In training it is run again where it reads or does something else."""
        inputs = [self.keys[v] for v in node.inputs]
        before = self._terms.get(node)
        said = self._precision.torch(node)
        if before is not None and before[0] == inputs and not _asks_for_training(said):
            return before[1]
        if node.module is not None and said.module is not None:
            run = said.run
            result = self._value(run, node) if run is not None else self._call_layer(node, self._inputs(node), {})
        else:
            result = self._value(said.function, node)
        self._set_outputs(node, result)
        done = list(self._ledger.log)
        self._ledger.log.clear()
        self._terms[node] = inputs, done
        return done

    def _set_outputs(self, node: Node, result: Recorded) -> None:
        if len(node.outputs) == 1:
            self._set(node.output, result.key)
            return
        self._ledger.parts[result.key] = len(node.outputs)
        for value, part in zip(node.outputs, result, strict=True):
            self._set(value, part.key)

    def _layer_of(self, node: Node, made: Call) -> _Layer:
        """How a layer is made: its constructor knows no values, so that equal layers are made alike."""
        known = self._made.get(node.facets)
        if known is not None:
            return known
        positional, keywords = self._arguments(made.args, node)
        callee = str(made.callee)
        key = self._ledger.complete(callee, positional, keywords)
        self._weights[callee, key] = tuple(w.name for w in node.weights)
        return self._made.setdefault(node.facets, _Layer((callee, *key)))

    def _call_layer(self, node: Node, positional: Sequence[Any], keywords: dict[str, Any]) -> Recorded:
        assert node.module is not None
        return self._ledger.call(f"module {node.module.path}", positional, keywords)

    def _inputs(self, node: Node) -> list[Recorded]:
        return [Recorded(self._ledger, self.keys[v]) for v in node.inputs]

    def _arguments(self, args: Sequence[Arg], node: Node) -> tuple[list[Any], dict[str, Any]]:
        positional = [self._value(a.value, node) for a in args if a.keyword is None]
        return positional, {a.keyword: self._value(a.value, node) for a in args if a.keyword is not None}

    def _value(self, said: Any, node: Node) -> Any:
        match said:
            case Hole(value=value):
                return _plain_hole(value)
            case In(index=index):
                return Recorded(self._ledger, self.keys[node.inputs[index]])
            case Own(name=name):
                assert node.module is not None
                return Recorded(self._ledger, self._ledger.term("weight", node.module.join(name)))
            case Training():
                return self._training
            case Call(callee=callee, args=args):
                positional, keywords = self._arguments(args, node)
                if isinstance(callee, This):
                    return self._call_layer(node, positional, keywords)
                return self._ledger.call(callee, positional, keywords)
            case Method(receiver=receiver, name=name, args=args):
                positional, keywords = self._arguments(args, node)
                return getattr(self._value(receiver, node), name)(*positional, **keywords)
            case Prefix(op=op, value=value):
                return PREFIX[op](self._value(value, node))
            case Infix(op=op, left=left, right=right):
                return INFIX[op](self._value(left, node), self._value(right, node))
            case Attribute(value=This(), name=name):
                assert node.module is not None
                return Recorded(self._ledger, self._ledger.term("weight", node.module.join(name)))
            case Attribute(value=value, name=name):
                return getattr(self._value(value, node), name)
            case Item(value=value, subscripts=subscripts):
                index = tuple(self._value(s, node) for s in subscripts)
                return self._value(value, node)[index[0] if len(index) == 1 else index]
            case Cut(start=start, stop=stop, step=step):
                return slice(*(None if end is None else self._value(end, node) for end in (start, stop, step)))
            case Several(items=items):
                return tuple(self._value(i, node) for i in items)
        raise TypeError(said)


def _asks_for_training(said: Any) -> bool:
    """Does an expression depend on whether the network is in training?"""
    match said:
        case Training():
            return True
        case Torch(run=run, function=function):
            return _asks_for_training(run) or _asks_for_training(function)
        case Call(args=args):
            return any(_asks_for_training(a.value) for a in args)
        case Method(receiver=receiver, args=args):
            return _asks_for_training(receiver) or any(_asks_for_training(a.value) for a in args)
        case Prefix(value=value) | Attribute(value=value) | Item(value=value):
            return _asks_for_training(value)
        case Infix(left=left, right=right):
            return _asks_for_training(left) or _asks_for_training(right)
        case Several(items=items):
            return any(map(_asks_for_training, items))
    return False


def _plain_hole(value: Any) -> Any:
    return tuple(map(_plain_hole, value)) if isinstance(value, list | tuple) else value


# ---- initial values ------------------------------------------------------------------------------------------


_SIGNATURES: dict[str, dict[str, Any]] = {
    "zeros_": {},
    "ones_": {},
    "constant_": {"val": REQUIRED},
    "normal_": {"mean": 0.0, "std": 1.0},
    "trunc_normal_": {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0},
    "uniform_": {"a": 0.0, "b": 1.0},
    "kaiming_normal_": {"a": 0.0, "mode": "fan_in", "nonlinearity": "leaky_relu"},
    "kaiming_uniform_": {"a": 0.0, "mode": "fan_in", "nonlinearity": "leaky_relu"},
    "xavier_normal_": {"gain": 1.0},
    "xavier_uniform_": {"gain": 1.0},
}
"""Arguments of torch's functions behind the tensor, with their defaults."""

Distribution = tuple[str, tuple[tuple[str, Any], ...]]


def _distribution(held: standins.Weight) -> Distribution | None:
    """What a weight is drawn from at last, in torch's words; None: as its constructor does."""
    if held.init is not None:
        name, args, keywords = held.init
        names = list(_SIGNATURES[name])
        given = {**dict(zip(names, args, strict=False)), **keywords}
        if len(args) > len(names) or not given.keys() <= set(names):
            raise Refused(f"nn.init.{name} takes other arguments")
        return _normal_form(name, {**_SIGNATURES[name], **given})
    if held.blank is not None and isinstance(held.blank, Blank) and held.blank.fill is not None:
        return _normal_form("constant_", {"val": held.blank.fill})
    return None


def _wanted_distribution(init: Init) -> Distribution:
    match init:
        case Zeros():
            return _normal_form("zeros_", {})
        case Ones():
            return _normal_form("ones_", {})
        case Constant(value=value):
            return _normal_form("constant_", {"val": value})
        case Normal(std=std, mean=mean):
            return _normal_form("normal_", {"mean": mean, "std": std})
        case TruncNormal(std=std, mean=mean, low=low, high=high):
            return _normal_form("trunc_normal_", {"mean": mean, "std": std, "a": low, "b": high})
        case Uniform(bound=bound):
            return _normal_form("uniform_", {"a": -bound, "b": bound})
        case KaimingNormal(mode=mode, slope=slope):
            return _normal_form("kaiming_normal_", {**_SIGNATURES["kaiming_normal_"], "a": slope, "mode": mode})
        case KaimingUniform(mode=mode, slope=slope):
            return _normal_form("kaiming_uniform_", {**_SIGNATURES["kaiming_uniform_"], "a": slope, "mode": mode})
        case XavierNormal():
            return _normal_form("xavier_normal_", {"gain": 1.0})
        case XavierUniform():
            return _normal_form("xavier_uniform_", {"gain": 1.0})
    raise Refused(f"{init} has no form in torch")


def _normal_form(name: str, args: dict[str, Any]) -> Distribution:
    """Zeros and ones are constants; numbers are floats."""
    constants = {"zeros_": 0.0, "ones_": 1.0}
    if name in constants:
        name, args = "constant_", {"val": constants[name]}
    return name, tuple(sorted((k, v if isinstance(v, str) else float(v)) for k, v in args.items()))
