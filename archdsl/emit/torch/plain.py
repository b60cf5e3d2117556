"""A network in its plain form: one class for each scope, every layer on a line, every number written out.

It is written where the readable form cannot be proved. Nothing is guessed: the classes follow the module tree, and what
`forward` computes follows the operators of the checked graph one by one. Sizes, and modules that stand elsewhere in the
tree, are handed down as arguments.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

from archdsl.dims import Dim, evaluate, show, symbols
from archdsl.dims import symbol as dim
from archdsl.emit.torch.calls import COMPARE, INFIX, PREFIX
from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.initial import direct_tensor, init_call
from archdsl.emit.torch.names import RESERVED, Names, class_name, identifier, is_identifier, network_name, snake
from archdsl.emit.torch.precision import Precision
from archdsl.emit.torch.terms import assign, call, dotted, literal, name, own
from archdsl.emit.torch.text import file_text
from archdsl.emit.torch.usage import Usage
from archdsl.graph import (
    Entered,
    Event,
    Graph,
    GraphInput,
    GraphOutput,
    Instance,
    Merged,
    Module,
    Node,
    Owned,
    Ran,
    Value,
    flattened,
    inside,
)
from archdsl.init import Init
from archdsl.op import (
    REQUIRED,
    Arg,
    Attribute,
    Call,
    Cut,
    Hole,
    In,
    Infix,
    Item,
    Method,
    Own,
    Prefix,
    Several,
    This,
    Training,
    Weight,
)
from archdsl.ops.tensor import Constant, OwnTensor


class Unreadable(Exception):
    """A size that is needed, and that no input has."""


Step: TypeAlias = "Node | Instance"
"""What happens in an instance: an operator, or a scope in it."""


class Needed(NamedTuple):
    """What the forward pass of an instance is given."""

    values: tuple[Value, ...]
    symbols: tuple[str, ...]
    modules: tuple[Module, ...]


@dataclass(eq=False)
class _Scope:
    """The class of a module under construction: its forward methods and the tables that they read."""

    module: Module
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    """By their text, without the name."""
    tables: list[tuple[Constant, str]] = field(default_factory=list)

    @cached_property
    def members(self) -> Names:
        return Names({*self.module.children, *self.module.own})


class Plain:
    """Writes a network."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.live = graph.live(True)
        self.always = graph.live(False)
        self.producer = graph.producer
        self.usage = Usage(graph)
        self.precision = Precision(graph)
        self.helpers: dict[str, None] = {}
        self.class_name = ""
        self._names = Names({*RESERVED, *HELPERS, *keyword.kwlist})
        self._scopes: dict[Module, _Scope] = {}
        self._methods: dict[Instance, str] = {}
        self._needed: dict[Instance, Needed] = {}
        self._classes: dict[str, ast.ClassDef] = {}
        """By their text, without the name."""
        self._first: dict[Module, Instance] = {}
        self._owned: dict[tuple[Module, str], Owned] = {}
        for instance in self.usage.instances:
            self._first.setdefault(instance.module, instance)
            for event in flattened(instance.events):
                if isinstance(event, Owned):
                    self._owned.setdefault((instance.module, event.name), event)
        nodes = [*graph.nodes, *(n for event in self._owned.values() for n in event.contents)]
        self.layers = {n.module: n for n in nodes if n.module is not None and n.torch.module is not None}
        """The operators that are modules."""

    def text(self) -> str:
        """The source."""
        for instance in reversed(self.usage.instances):  # inner ones first: their methods are known when called
            if self.is_live(instance):
                self.method(instance)
        self.class_name = self._class(self.graph.root)
        return file_text(self.graph, list(self._classes.values()), self.helpers)

    # ---- what happens in an instance ----

    def is_live(self, instance: Instance) -> bool:
        """Does some output depend on it?"""
        return any(n in self.live for i in instance.walk() for n in i.nodes) or instance is self.graph.instance

    def is_available(self, value: Value) -> bool:
        return value not in self.producer or self.producer[value] in self.live

    def leaving(self, instance: Instance) -> list[Value]:
        return [v for v in self.usage.exported.get(instance, ()) if self.is_available(v)]

    def steps(self, instance: Instance) -> list[Step]:
        return [s for s in _steps(instance.events) if (s in self.live if isinstance(s, Node) else self.is_live(s))]

    def needed(self, instance: Instance) -> Needed:
        """What an instance reads that is not its own, with what those in it read."""
        if instance not in self._needed:
            values = [v for v in self.usage.imported.get(instance, ()) if self.is_available(v)]
            sizes: dict[str, None] = {}
            modules: dict[Module, None] = {}
            for step in self.steps(instance):
                inner = self.needed(step) if isinstance(step, Instance) else Needed((), _symbols_of(step), ())
                sizes.update(dict.fromkeys(inner.symbols))
                modules.update(dict.fromkeys([*inner.modules, *self._called(step)]))
            strangers = [m for m in modules if not is_below(m, instance.module)]
            self._needed[instance] = Needed(tuple(values), tuple(sizes), tuple(strangers))
        return self._needed[instance]

    def _called(self, step: Step) -> list[Module]:
        module = step.module
        return [module] if module is not None and (isinstance(step, Instance) or module in self.layers) else []

    # ---- methods ----

    def scope(self, module: Module) -> _Scope:
        return self._scopes.setdefault(module, _Scope(module))

    def method(self, instance: Instance) -> str:
        """The name of the method that runs an instance; a second run of a module may need one of its own."""
        if instance not in self._methods:
            scope = self.scope(instance.module)
            made = _Forward(self, instance, scope).definition()
            known = scope.methods.setdefault(ast.dump(made), made)
            if known is made:
                made.name = scope.members.take("forward", "forward_again")
            self._methods[instance] = known.name
        return self._methods[instance]

    # ---- classes ----

    def _class(self, module: Module) -> str:
        """The name of a module's class; modules with the same text have one."""
        scope = self.scope(module)
        body: list[ast.stmt] = [*self._annotations(module), *self._constructor(scope), *scope.methods.values()]
        body = body or [ast.Expr(literal("Never runs."))]
        key = "".join(map(ast.dump, body))
        if key not in self._classes:
            base = ast.ClassDef(self._class_label(module), [name("nn.Module")], [], body, [])
            self._classes[key] = base
        return self._classes[key].name

    def _class_label(self, module: Module) -> str:
        if module is self.graph.root:
            return self._names.take(network_name(self.graph.name), "Net")
        scope = self._first[module].scope
        wish = identifier(scope.name or class_name(module.name), "Part")
        return self._names.take(wish, f"{wish}Part")

    def _annotations(self, module: Module) -> list[ast.stmt]:
        tables = [label for _, label in self.scope(module).tables]
        buffers = [n for n, w in module.own.items() if w.buffer and is_identifier(n)]
        return [ast.AnnAssign(ast.Name(n), name("Tensor"), None, 1) for n in (*buffers, *tables)]

    def _constructor(self, scope: _Scope) -> list[ast.FunctionDef]:
        """The constructor; none where nothing is made."""
        module = scope.module
        body: list[ast.stmt] = [ast.Expr(call(ast.Attribute(call("super"), "__init__")))]
        body += [s for label in module.own for s in self._own_tensor(module, label)]
        body += [s for child in module.children.values() for s in self._child(child, ast.Name("self"))]
        for table, label in scope.tables:
            contents = call("torch.tensor", literal(table.data))
            body.append(_register_buffer(label, contents, persistent=literal(False)))
        given = ast.arguments([], [ast.arg("self")], None, [], [], None, [])
        return [ast.FunctionDef("__init__", given, body, [], literal(None))] if len(body) > 1 else []

    def _child(self, module: Module, parent: ast.expr) -> Iterator[ast.stmt]:
        """A module made in the constructor of the class around it."""
        if module in self.layers:
            yield from self._layer(module, parent)
        elif module in self._first:
            yield self._add(module, parent, call(self._class(module)))
        elif module.children:  # a declared list of modules
            yield self._add(module, parent, call("nn.Module"))
            for child in module.children.values():
                yield from self._child(child, _member(parent, module.name))

    def _layer(self, module: Module, parent: ast.expr) -> Iterator[ast.stmt]:
        said = self.layers[module].torch.module
        assert said is not None
        yield self._add(module, parent, _Lowered(self).call(said))
        for weight in module.own.values():
            if not weight.by_torch:
                target = _weight_of(_member(parent, module.name), weight.name)
                yield ast.Expr(init_call(type(weight.init), target, _arguments(weight.init)))

    @staticmethod
    def _add(module: Module, parent: ast.expr, made: ast.expr) -> ast.stmt:
        if is_identifier(module.name):
            return assign(ast.Attribute(parent, module.name), made)
        return ast.Expr(call(ast.Attribute(parent, "add_module"), literal(module.name), made))

    def _own_tensor(self, module: Module, label: str) -> Iterator[ast.stmt]:
        weight = module.own[label]
        if weight.buffer:
            made = _Contents(self, self._owned[module, label])
            yield from made.statements
            yield _register_buffer(label, made.result)
            return
        sizes = [literal(size) for size in weight.shape]
        direct = direct_tensor(type(weight.init), sizes, _arguments(weight.init))
        parameter = call("nn.Parameter", direct or call("torch.empty", *sizes))
        if is_identifier(label):
            yield assign(own(label), parameter)
        else:
            yield ast.Expr(call(own("register_parameter"), literal(label), parameter))
        if direct is None:
            yield ast.Expr(init_call(type(weight.init), own_tensor(label, weight), _arguments(weight.init)))


def _steps(events: Iterable[Event]) -> Iterator[Step]:
    """The operators and scopes of an instance, in the order in which they run."""
    for event in events:
        yield from _steps(inside(event))
        match event:
            case Ran(node=node) | Owned(node=node):
                yield node
            case Merged(nodes=nodes):
                yield from nodes
            case Entered(instance=instance):
                yield instance


def is_below(module: Module, scope: Module) -> bool:
    """Does a module stand below another in the tree?"""
    return not scope.path or module.path.startswith(f"{scope.path}.")


def own_tensor(label: str, weight: Weight) -> ast.expr:
    if is_identifier(label):
        return own(label)
    return call(own("get_buffer" if weight.buffer else "get_parameter"), literal(label))


def _register_buffer(label: str, contents: ast.expr, **keywords: ast.expr) -> ast.stmt:
    return ast.Expr(call(own("register_buffer"), literal(label), contents, **keywords))


def _member(parent: ast.expr, label: str) -> ast.expr:
    """A module below another."""
    if is_identifier(label):
        return ast.Attribute(parent, label)
    return call(ast.Attribute(parent, "get_submodule"), literal(label))


def _weight_of(module: ast.expr, path: str) -> ast.expr:
    return dotted(module, path)


def _arguments(init: Init) -> dict[str, ast.expr]:
    return {f.name: literal(getattr(init, f.name)) for f in fields(init)}


# ---- expressions -------------------------------------------------------------------------------------------


class _Lowered:
    """What operators say in torch, with values for their holes."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain

    def call(self, said: Call, function: ast.expr | None = None) -> ast.Call:
        if function is None:
            assert isinstance(said.callee, str)
            self._use(said.callee)
            function = name(said.callee)
        return self._applied(function, said.args)

    def _use(self, callee: str) -> None:
        if callee in HELPERS:
            for other in HELPERS[callee].needs:
                self._use(other)
            self.plain.helpers[callee] = None

    def _applied(self, function: ast.expr, args: Sequence[Arg]) -> ast.Call:
        result = call(function)
        for arg in args:
            if arg.default is not REQUIRED and isinstance(arg.value, Hole) and _is(arg.value.value, arg.default):
                continue
            if arg.keyword is None:
                result.args.append(self.say(arg.value))
            else:
                result.keywords.append(ast.keyword(arg.keyword, self.say(arg.value)))
        return result

    def input(self, index: int) -> ast.expr:
        raise NotImplementedError

    def this(self) -> ast.expr:
        raise NotImplementedError

    def tensor(self, label: str) -> ast.expr:
        raise NotImplementedError

    def size(self, size: Dim) -> ast.expr:
        raise NotImplementedError

    def say(self, said: Any) -> ast.expr:
        match said:
            case Hole(value=value):
                return self._number(value)
            case In(index=index):
                return self.input(index)
            case Training():
                return own("training")
            case This():
                return self.this()
            case Own(name=label):
                return self.tensor(label)
            case Call(callee=callee):
                return self.call(said, self.this() if isinstance(callee, This) else None)
            case Method(receiver=receiver, name=method, args=args):
                return self._applied(ast.Attribute(self.say(receiver), method), args)
            case Prefix(op=op, value=value):
                return ast.UnaryOp(PREFIX[op](), self.say(value))
            case Infix(op=op, left=left, right=right) if op in COMPARE:
                return ast.Compare(self.say(left), [COMPARE[op]()], [self.say(right)])
            case Infix(op=op, left=left, right=right):
                return ast.BinOp(self.say(left), INFIX[op](), self.say(right))
            case Attribute(value=value, name=attribute):
                return ast.Attribute(self.say(value), attribute)
            case Item(value=value, subscripts=subscripts):
                parts = [self.say(s) for s in subscripts]
                return ast.Subscript(self.say(value), parts[0] if len(parts) == 1 else ast.Tuple(parts))
            case Cut(start=start, stop=stop, step=step):
                return ast.Slice(*(None if end is None else self.say(end) for end in (start, stop, step)))
            case Several(items=items, is_tuple=is_tuple):
                return (ast.Tuple if is_tuple else ast.List)([self.say(i) for i in items])
        raise TypeError(said)

    def _number(self, value: Any) -> ast.expr:
        if isinstance(value, Dim):
            return self.size(value)
        if isinstance(value, tuple):
            return ast.Tuple([self._number(v) for v in value])
        return literal(value)


def _is(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default


class _OfNode(_Lowered):
    """One operator in terms of what its method knows."""

    def __init__(self, forward: _Forward, node: Node) -> None:
        super().__init__(forward.plain)
        self.forward = forward
        self.node = node

    def input(self, index: int) -> ast.expr:
        return self.forward.value(self.node.inputs[index])

    def this(self) -> ast.expr:
        assert self.node.module is not None
        return self.forward.reached(self.node.module)

    def tensor(self, label: str) -> ast.expr:
        assert self.node.module is not None
        return own_tensor(label, self.node.module.own[label])

    def size(self, size: Dim) -> ast.expr:
        return sized(size, self.forward.sizes)

    def expression(self) -> ast.expr:
        said, module = self.plain.precision.torch(self.node), self.node.module
        if module is None or said.module is None:
            return self.say(said.function)
        return self.say(said.run) if said.run is not None else call(self.this(), *map(self.input, self._places()))

    def _places(self) -> range:
        return range(len(self.node.inputs))


def sized(size: Dim, names: Mapping[str, str]) -> ast.expr:
    """A symbolic size as arithmetic on variables."""
    text = re.sub(r"[^\W\d]\w*", lambda found: names.get(found[0], found[0]), show(size))
    return ast.parse(text, mode="eval").body


class _Contents(_Lowered):
    """The value of a buffer, computed by the constructor."""

    def __init__(self, plain: Plain, event: Owned) -> None:
        super().__init__(plain)
        self.statements: list[ast.stmt] = []
        self._made: dict[Value, ast.expr] = {}
        self._node = event.node
        for node in event.contents:
            self._compute(node)
        assert event.held is not None
        self.result = self._made[event.held]

    def _compute(self, node: Node) -> None:
        self._node = node
        targets = [ast.Name(f"c{len(self._made) + k}") for k in range(len(node.outputs))]
        self._made.update(zip(node.outputs, targets, strict=True))
        target = targets[0] if len(targets) == 1 else ast.Tuple(list(targets))
        self.statements.append(assign(target, self.say(self.plain.precision.torch(node).function)))

    def input(self, index: int) -> ast.expr:
        return self._made[self._node.inputs[index]]


# ---- a method ----------------------------------------------------------------------------------------------


class _Forward:
    """The method that runs an instance."""

    def __init__(self, plain: Plain, instance: Instance, scope: _Scope) -> None:
        self.plain = plain
        self.instance = instance
        self.scope = scope
        self.is_top = instance is plain.graph.instance
        self.needed = plain.needed(instance)
        self._names = Names(RESERVED)
        self._count = 0
        self._values: dict[Value, ast.expr] = {}
        inputs = {i.value: i.name for i in plain.graph.inputs} if self.is_top else {}
        given = list(inputs) if self.is_top else list(self.needed.values)
        self.arguments = [self._names.take(identifier(inputs.get(v, "x"), "x")) for v in given]
        self._values.update(zip(given, map(ast.Name, self.arguments), strict=True))
        self.sizes = {s: self._names.take(snake(identifier(s, "size")), "size") for s in self.needed.symbols}
        self._modules = {m: self._names.take("module") for m in self.needed.modules}

    def definition(self) -> ast.FunctionDef:
        """The method, without its name."""
        args = [ast.arg("self"), *(ast.arg(a, name("Tensor")) for a in self.arguments)]
        if not self.is_top:
            args += [ast.arg(s, ast.Name("int")) for s in self.sizes.values()]
            args += [ast.arg(m, name("nn.Module")) for m in self._modules.values()]
        body = [*(self._read_sizes() if self.is_top else ()), *self._body(), self._return()]
        return ast.FunctionDef("", ast.arguments([], args, None, [], [], None, []), body, [], self._returns())

    # ---- what it knows ----

    def value(self, value: Value) -> ast.expr:
        node = self.plain.producer.get(value)
        if value not in self._values and node is not None and isinstance(node.op, Constant):
            self._values[value] = own(self._table(node.op))
        elif value not in self._values and node is not None and isinstance(node.op, OwnTensor):
            self._values[value] = own_tensor(node.op.label, node.weights[0])
        return self._values[value]

    def _table(self, op: Constant) -> str:
        """The non-persistent buffer that holds a table."""
        for known, label in self.scope.tables:
            if repr(known) == repr(op):  # 1 is not 1.0
                return label
        self.scope.tables.append((op, self.scope.members.take("constant")))
        return self.scope.tables[-1][1]

    def reached(self, module: Module) -> ast.expr:
        """A module as the method names it."""
        if module in self._modules:
            return ast.Name(self._modules[module])
        base = self.scope.module.path
        path = module.path[len(base) + 1 :] if base else module.path
        return own(path) if is_identifier(path) else call(own("get_submodule"), literal(path))

    def _read_sizes(self) -> list[ast.stmt]:
        """The symbols of sizes, read off the inputs."""
        return [
            assign(ast.Name(text), _read(symbol, self.plain.graph.inputs, self.arguments))
            for symbol, text in self.sizes.items()
        ]

    # ---- what it computes ----

    def _body(self) -> Iterator[ast.stmt]:
        steps = self.plain.steps(self.instance)
        for is_always, group in groupby(steps, self._is_always):
            statements = [s for step in group for s in self._step(step)]
            if is_always or not statements:
                yield from statements
            else:  # what only training needs does not run at inference
                targets = list(dict.fromkeys(n.id for s in statements for n in _targets(s)))
                nothing: list[ast.stmt] = [assign(ast.Name(t), literal(None)) for t in targets]
                yield ast.If(own("training"), statements, nothing)

    def _is_always(self, step: Step) -> bool:
        always = self.plain.always
        return step in always if isinstance(step, Node) else any(n in always for i in step.walk() for n in i.nodes)

    def _step(self, step: Step) -> list[ast.stmt]:
        if isinstance(step, Instance):
            outs, made = self.plain.leaving(step), self._run(step)
        elif isinstance(step.op, Constant | OwnTensor):
            return []
        else:
            outs, made = list(step.outputs), _OfNode(self, step).expression()
        targets: list[ast.expr] = [ast.Name(self._variable()) for _ in outs]
        self._values.update(zip(outs, targets, strict=True))
        return [assign(targets[0] if len(targets) == 1 else ast.Tuple(targets), made)]

    def _variable(self) -> str:
        self._count += 1
        return self._names.take(f"v{self._count}", f"v{self._count}_value")

    def _run(self, instance: Instance) -> ast.Call:
        """The call that runs a scope."""
        needed, method = self.plain.needed(instance), self.plain.method(instance)
        module = self.reached(instance.module)
        args = [
            *map(self.value, needed.values),
            *(ast.Name(self.sizes[s]) for s in needed.symbols),
            *(self.reached(m) for m in needed.modules),
        ]
        return call(module if method == "forward" else ast.Attribute(module, method), *args)

    # ---- what it gives ----

    def _given(self) -> list[Value]:
        if not self.is_top:
            return self.plain.leaving(self.instance)
        return [o.value for o in self.plain.graph.outputs if not o.when_training]

    def _return(self) -> ast.stmt:
        outputs = self.plain.graph.outputs if self.is_top else []
        always = [self._output(o) for o in outputs if not o.when_training]
        always = always if self.is_top else list(map(self.value, self._given()))
        training = [self._output(o) for o in outputs if o.when_training]
        given = _one_or_several(always)
        if training:
            given = ast.IfExp(own("training"), ast.Tuple([*always, *training]), given)
        return ast.Return(given)

    def _output(self, output: GraphOutput) -> ast.expr:
        value = self.value(output.value)
        reference = self.plain.precision.reference
        if reference is None or not self.plain.precision.is_made(output):
            return value
        return call(ast.Attribute(value, "to"), ast.Attribute(self.value(reference), "dtype"))

    def _returns(self) -> ast.expr:
        tensor = name("Tensor")
        count = len(self._given())
        if self.is_top and any(o.when_training for o in self.plain.graph.outputs):
            some = ast.Subscript(ast.Name("tuple"), ast.Tuple([tensor, literal(...)]))
            return ast.BinOp(tensor, ast.BitOr(), some)
        return tensor if count == 1 else ast.Subscript(ast.Name("tuple"), ast.Tuple([tensor] * count))


def _one_or_several(values: Sequence[ast.expr]) -> ast.expr:
    return values[0] if len(values) == 1 else ast.Tuple(list(values))


def _targets(statement: ast.stmt) -> Iterator[ast.Name]:
    assert isinstance(statement, ast.Assign)
    return (n for n in ast.walk(statement.targets[0]) if isinstance(n, ast.Name))


def _symbols_of(node: Node) -> tuple[str, ...]:
    """The symbols of sizes in what an operator says in ``forward``."""
    said = node.torch
    is_module = node.module is not None and said.module is not None
    found: dict[str, None] = {}
    waiting: list[Any] = [said.run if is_module else said.function]
    while waiting:
        match waiting.pop():
            case Dim() as size:
                found.update(dict.fromkeys(sorted(symbols(size))))
            case tuple() as items:
                waiting += items
            case part if part is not None and is_dataclass(part):
                waiting += [getattr(part, f.name) for f in fields(part)]
    return tuple(found)


def _read(symbol: str, inputs: Sequence[GraphInput], names: Sequence[str]) -> ast.expr:
    """A symbol as a size of an input, or as what such a size is made from: ``x.shape[1] // 2`` for ``2 * T``.

    Raises:
        Unreadable: no input tells it.
    """
    axes = [
        (size, ast.Subscript(ast.Attribute(ast.Name(label), "shape"), literal(axis)))
        for given, label in zip(inputs, names, strict=True)
        for axis, size in enumerate(given.value.shape)
        if isinstance(size, Dim) and symbols(size) == {symbol}
    ]
    for size, read in sorted(axes, key=lambda a: show(a[0]) != symbol):
        rest = evaluate(size, {symbol: 0})
        factor = evaluate(size, {symbol: 1}) - rest
        if factor and size == factor * dim(symbol) + rest:
            part = ast.BinOp(read, ast.Sub(), literal(rest)) if rest else read
            return part if factor == 1 else ast.BinOp(part, ast.FloorDiv(), literal(factor))
    raise Unreadable(f"no input has {symbol} as a size")
