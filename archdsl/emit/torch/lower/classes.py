"""Classes of a program as classes of the emitted file."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from itertools import groupby
from typing import NamedTuple

from archdsl.dims import Dim
from archdsl.emit.torch.docs import doc_above
from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.initial import direct_tensor, init_call, shape_of
from archdsl.emit.torch.lower import classir
from archdsl.emit.torch.lower.bodies import COUNTERS, Method, NotLowered, Site, Sizes, contents, presence
from archdsl.emit.torch.lower.classir import ClassIR
from archdsl.emit.torch.lower.containers import CHAINS, Containers, Holding, labels, member
from archdsl.emit.torch.lower.expressions import Scope, number, with_arguments
from archdsl.emit.torch.lower.formulas import Functions, said
from archdsl.emit.torch.lower.idioms import idiomatic
from archdsl.emit.torch.lower.initial_loops import InitialLoops, is_maybe, kind_of, where_it_is
from archdsl.emit.torch.lower.sizes import Turn, condition_test, labelled, sized
from archdsl.emit.torch.lower.tables import Tables, tensor_of
from archdsl.emit.torch.lower.wrappers import Wrappers
from archdsl.emit.torch.names import RESERVED, Names, class_name_at, identifier, is_identifier, network_name, snake
from archdsl.emit.torch.terms import assign, call, dotted, exact, literal, name, own
from archdsl.init import Init
from archdsl.op import Op, Weight
from archdsl.program.conditions import Condition, names_of, opposite
from archdsl.program.hints import Hint
from archdsl.program.ir import (
    Choose,
    Class,
    Group,
    Label,
    Layer,
    Member,
    Optional,
    OwnTensor,
    Parameter,
    Part,
    Program,
    Repeated,
    Training,
    flattened,
    parts,
)
from archdsl.program.layers import OpenLayer
from archdsl.program.numbers import Argument, OpenArgument, OpenFloat, names_in
from archdsl.syntax import tree


class Made(NamedTuple):
    """A module as an expression, and the statements that must stand before and behind it: its initial values, too."""

    value: ast.expr
    before: tuple[ast.stmt, ...] = ()
    after: tuple[ast.stmt, ...] = ()


class Signed(NamedTuple):
    """A parameter in the signature of a class, and its default if it has one."""

    parameter: Parameter
    has_default: bool
    default: Argument = None


BASES = {**dict.fromkeys(CHAINS, "nn.Sequential"), Holding.NUMBERED: "nn.ModuleList"}
"""What a class is derived from."""


class Lowering:
    """Lowers programs into one file: classes with the same text are one."""

    def __init__(self) -> None:
        self._names = Names({*RESERVED, *HELPERS, *keyword.kwlist})
        self._sizes = Sizes()
        self._wrappers = Wrappers(self._names)
        self._functions = Functions(self._names)
        self._containers = Containers(self._wrappers, self._sizes)
        self._by_text: dict[str, str] = {}
        self._classes: dict[Class, str] = {}
        self._methods: dict[tuple[Class, int], str] = {}
        self._signatures: dict[Class, tuple[Signed, ...]] = {}
        self._keywords: dict[Class, Mapping[str, str]] = {}
        """The arguments of constructors, by parameter."""
        self._given: dict[Class, list[Mapping[str, Argument]]] = {}
        """The arguments of all uses of a class."""
        self._definitions: list[ast.ClassDef] = []
        self.helpers: dict[str, None] = {}
        self._arguments: dict[str, str] = {}

    def add(self, program: Program) -> tuple[str, Mapping[str, str]]:
        """Lowers a program: the name of the network's class, and of its arguments by the model's parameters."""
        self._program = program
        self._initial = InitialLoops(program, self._containers)
        self._arguments = {}
        for part in (part for cls in program.classes for part in parts(cls.members)):
            self._given.setdefault(part.of, []).append(dict(part.arguments))
        return self.named(program.top), self._arguments

    def name(self, wish: str) -> str:
        """A name for another definition of the file."""
        return self._names.take(wish, f"{wish}_network")

    @property
    def definitions(self) -> list[ast.stmt]:
        """All classes of the file, each after those that it uses."""
        return [*self._functions.definitions, *self._wrappers.definitions, *self._definitions]

    # ---- classes ----

    def named(self, cls: Class) -> str:
        """The name of a class in the file; classes with the same text have one."""
        if cls not in self._classes:
            made = idiomatic(self._lowered(cls))
            key = made.key()
            if key not in self._by_text:
                self._by_text[key] = self._label(cls)
                self._definitions.append(made.definition(self._by_text[key]))
            self._classes[cls] = self._by_text[key]
        return self._classes[cls]

    def _label(self, cls: Class) -> str:
        name = _name_of(cls)
        if cls is self._program.top:
            wishes = (w for w in (self._program.name, name) if w[:1].isupper() and is_identifier(w))
            return self._names.take(next(wishes, network_name(name)))
        users = (c.name for c in self._program.classes if any(p.of is cls for p in parts(c.members)))
        user = next((u for u in users if u is not None and is_identifier(u)), "")
        return self._names.take(*([name] if name not in RESERVED else []), f"{user}{name}" if user else name)

    def _lowered(self, cls: Class) -> ClassIR:
        numbers = _Numbers(cls, Names(labels(cls.members)), self._functions)
        holding = self._containers.of(cls)
        is_chain = holding in CHAINS
        own_tensors = [m for m in cls.members if isinstance(m, OwnTensor)]
        modules = [m for m in cls.members if not isinstance(m, OwnTensor)]
        made = [_under(tensor.when, self._own_tensor(tensor, numbers), numbers) for tensor in own_tensors]
        statements = [statement for of_one in made for statement in of_one]
        positional: list[ast.expr] = []
        before: list[ast.stmt] = []
        if holding in (Holding.NUMBERED, Holding.CHAIN):
            positional, before = self._chain(modules, numbers) if is_chain else self._each(modules, numbers, False)
            positional = positional if is_chain else [ast.List(positional)]
        else:
            statements += self._set_all(modules, ast.Name("self"), numbers, is_chain)
        constant = partial(tensor_of, functions=self._functions, number=numbers.open)
        tables = Tables(Names(labels(cls.members)), constant, numbers.condition)
        methods, hints = ((), {}) if is_chain else self._bodies(cls, tables, numbers)
        numbers.keep(methods)
        buffers = [m.label for m in own_tensors if m.weight.buffer and is_identifier(m.label)]
        stated = [*numbers.statements()]
        computed = (numbers.computed(), []) if positional else ([], numbers.computed())
        self._signatures[cls] = signature = self._signature(cls, numbers)
        self._keywords[cls] = numbers.names
        return ClassIR(
            BASES.get(holding, "nn.Module"),
            (*buffers, *tables.labels),
            tuple(positional),
            (*computed[1], *stated, *statements, *tables.statements(), *self._initial_loop(numbers)),
            methods,
            doc_above(cls.scope.definition.span) if cls.scope.definition is not None else None,
            tuple(map(numbers.argument, signature)),
            (*computed[0], *before),
            hints,
        )

    def _signature(self, cls: Class, numbers: _Numbers) -> tuple[Signed, ...]:
        """The parameters of a class's constructor: sizes, arguments in the order of the text, those with defaults."""
        written = {p.name.text: p.default for p in cls.scope.params}
        settings = {s.parameter: s for s in self._program.settings} if cls is self._program.top else {}
        signed = []
        for parameter in numbers.signature:
            setting = settings.get(parameter)
            if setting is not None:
                self._arguments[setting.label] = numbers.names[parameter.name]
                signed.append(Signed(parameter, setting.is_default, setting.value))
            else:
                relied = list(self._relied_on(cls, parameter, written.get(parameter.name)))
                signed.append(Signed(parameter, bool(relied), relied[0] if relied else None))
        return tuple(sorted(signed, key=lambda s: (s.has_default, s.parameter.name in written)))

    def _relied_on(self, cls: Class, parameter: Parameter, written: tree.Expr | None) -> Iterator[Argument]:
        """The default that the text has for a parameter, for each use of the class that relies on it."""
        for given in self._given.get(cls, ()):
            value = given.get(parameter.name)
            match written:
                case tree.Number(value=default) if exact(value, default):
                    yield value
                case tree.Name(text=text) if isinstance(value, Op) and value.name == text:
                    yield value
                case tree.Name(text=text) if isinstance(value, bool) and value is (text != "none"):
                    yield value

    def _bodies(
        self, cls: Class, tables: Tables, numbers: _Numbers
    ) -> tuple[tuple[ast.FunctionDef, ...], Mapping[str, Mapping[str, Hint]]]:
        """A method for each body, with hints for their variables; bodies with the same text share one."""
        tensors = {m.label: m.weight for m in cls.members if isinstance(m, OwnTensor)}
        site = Site(
            cls,
            stored=numbers.stored,
            flag=numbers.flag,
            reach=lambda place, names: self._containers.reach(cls, place, names),
            modules=lambda place, loop, names: self._containers.modules(cls, place, loop, names),
            tensor=lambda label: own_tensor(label, tensors[label]),
            table=tables.table,
            method=self.method,
            use=self._use,
        )
        taken = Names(labels(cls.members))
        methods: dict[str, ast.FunctionDef] = {}
        hints: dict[str, Mapping[str, Hint]] = {}
        for body in range(len(cls.bodies)):
            method = Method(body, site, self._sizes)
            made = method.definition("")
            known = methods.setdefault(ast.dump(made), made)
            if known is made:
                made.name = taken.take("forward", "forward_again")
                hints[made.name] = method.hints
            self._methods[cls, body] = known.name
        return tuple(methods.values()), hints

    def method(self, cls: Class, body: int) -> str:
        """The name of the method for a body of a class."""
        if self._containers.of(cls) in CHAINS:
            return "forward"
        self.named(cls)
        return self._methods[cls, body]

    def _use(self, callee: str) -> None:
        if callee in HELPERS:
            for other in HELPERS[callee].needs:
                self._use(other)
            self.helpers[callee] = None

    # ---- members ----

    def _made(
        self, part: Member, numbers: _Numbers, target: ast.expr | None = None, in_chain: bool = False
    ) -> Made | None:
        """A member; None for a function, which is no module of its own.

        ``target`` is the attribute that will hold it.
        """
        match part:
            case Layer():
                return self._layer(part, numbers, target, in_chain)
            case Part(of=of) if self._containers.is_inlined(of) and self._containers.of(of) is Holding.CHAIN:
                values, before = self._chain(of.members, numbers)
                return Made(call("nn.Sequential", *values), tuple(before))
            case Part(of=of) if self._containers.is_inlined(of):
                return self._labelled_chain(part, numbers, target)
            case Part(of=of, arguments=arguments):
                label, given = self.named(of), dict(arguments)
                made = call(label)
                for parameter, has_default, default in self._signatures[of]:
                    is_given = parameter.name in given
                    value = numbers.value(given[parameter.name]) if is_given else numbers.own(parameter)
                    if not has_default:
                        made.args.append(value)
                    elif not is_given or not exact(given[parameter.name], default):
                        made.keywords.append(ast.keyword(self._keywords[of][parameter.name], value))
                return Made(made)
            case Optional(member=inner):
                return self._made(inner, numbers, target, in_chain)
            case Group(members=members) if self._containers.of(part) is Holding.LIST:
                values, before = self._each(members, numbers, in_chain=False)
                return Made(call("nn.ModuleList", ast.List(values)), tuple(before))
            case Group(members=members) if target is not None:
                return Made(call("nn.Module"), after=tuple(self._set_all(members, target, numbers)))
        raise NotLowered(f"{part.label} is no module")

    def _layer(self, layer: Layer, numbers: _Numbers, target: ast.expr | None, in_chain: bool) -> Made | None:
        """A layer. One that is no attribute of its class is a variable first, if it has initial values of its own."""
        module = layer.facets.torch.module
        if module is None:
            return Made(self._wrappers.function_call(layer.facets)) if in_chain else None
        if isinstance(layer.facets.op, OpenLayer):
            return Made(call(numbers.value(layer.facets.op)))
        callee = (self._wrappers.layer_class(layer.facets) if in_chain else None) or str(module.callee)
        self._use(callee)
        value = with_arguments(name(callee), module.args, numbers.scope(self._use))
        drawn = self._initial.drawn(numbers.cls, layer)
        weights = [w for w in layer.facets.weights if not w.by_torch and drawn.get(w.name) != w.init]
        if not weights:
            return Made(value)
        own_target = _attribute(target)
        place = own_target or ast.Name(numbers.local(layer.facets.op.name))
        values = [_initial(w, kind_of(layer), place, numbers) for w in weights]
        if kind_of(layer) in self._initial.of(numbers.cls):
            numbers.late += values
            values = []
        return Made(value, (), tuple(values)) if own_target else Made(place, (assign(place, value), *values))

    def _labelled_chain(self, part: Part, numbers: _Numbers, target: ast.expr | None) -> Made:
        """An ``nn.Sequential`` that gets its members one by one; a variable first, as a layer with initial values."""
        own_target = _attribute(target)
        place = own_target or ast.Name(numbers.local(str(part.label)))
        members = tuple(self._set_all(part.of.members, place, numbers, in_chain=True))
        value = call("nn.Sequential")
        return Made(value, (), members) if own_target else Made(place, (assign(place, value), *members))

    def _each(
        self, members: Iterable[Member], numbers: _Numbers, in_chain: bool
    ) -> tuple[list[ast.expr], list[ast.stmt]]:
        """Numbered members, and the statements before them."""
        made = [m for part in members if (m := self._made(part, numbers, in_chain=in_chain)) is not None]
        return [m.value for m in made], [s for m in made for s in m.before]

    def _chain(self, members: Sequence[Member], numbers: _Numbers) -> tuple[list[ast.expr], list[ast.stmt]]:
        """The members of a chain, and the statements before them."""
        if any(isinstance(m, Optional) for m in members):
            return self._listed(members, numbers)
        return self._each(members, numbers, in_chain=True)

    def _listed(self, members: Sequence[Member], numbers: _Numbers) -> tuple[list[ast.expr], list[ast.stmt]]:
        """Members of a chain, some of them under conditions, as a list that is filled first."""
        target = ast.Name(numbers.local("layers"))
        statements: list[ast.stmt] = []
        last: tuple[Condition, ast.If] | None = None
        for condition, group in groupby(members, lambda m: m.condition if isinstance(m, Optional) else None):
            values, added = self._each(group, numbers, in_chain=True)
            if condition is None and not statements:
                statements += [*added, _list(target, values)]
                continue
            statements = statements or [_list(target, [])]
            added.append(_extended(target, values))
            if condition is None:
                statements += added
                last = None
            elif last is not None and last[0] == opposite(condition):
                last[1].orelse = added
                last = None
            else:
                last = condition, ast.If(numbers.condition(condition), added, [])
                statements.append(last[1])
        return [ast.Starred(target)], statements

    def _set_all(
        self, members: Iterable[Member], path: ast.expr, numbers: _Numbers, in_chain: bool = False
    ) -> Iterator[ast.stmt]:
        for place, part in enumerate(members):
            if isinstance(part, Repeated):
                yield self._loop(part, path, numbers, in_chain)
                continue
            made = self._made(part, numbers, member(path, part.label, Holding.NAMED, numbers.names), in_chain)
            if made is None:
                continue
            is_next = in_chain and part.label == str(place)
            append = ast.Expr(call(ast.Attribute(path, "append"), made.value))
            held = append if is_next else _set(path, part.label, made.value, numbers.names)
            if isinstance(part, Optional) and _is_asked(numbers.cls, part):
                kind = ast.BinOp(name("nn.Module"), ast.BitOr(), literal(None))
                yield ast.AnnAssign(ast.Attribute(path, str(part.label)), kind, literal(None), 0)
            condition = part.condition if isinstance(part, Optional) else None
            yield from _under(condition, [*made.before, held, *made.after], numbers)

    def _loop(self, part: Repeated, path: ast.expr, numbers: _Numbers, in_chain: bool) -> ast.stmt:
        """Members that a loop makes."""
        count = numbers.value(part.count)
        with numbers.turn(part.variable) as variable:
            body = list(self._set_all(part.members, path, numbers, in_chain))
        return ast.For(ast.Name(variable), call("range", count), body, [])

    def _initial_loop(self, numbers: _Numbers) -> list[ast.stmt]:
        return [*self._initial.statements(numbers.cls, numbers.locals), *numbers.late]

    def _own_tensor(self, tensor: OwnTensor, numbers: _Numbers) -> Iterator[ast.stmt]:
        label, weight = tensor.label, tensor.weight
        if tensor.held is not None:
            scope = numbers.scope(self._use)
            statements, result = contents(
                tensor.contents, tensor.held, scope, partial(tensor_of, functions=self._functions, number=numbers.open)
            )
            yield from statements
            yield ast.Expr(call(own("register_buffer"), literal(label), result))
            return
        sizes = [numbers.value(size) for size in weight.shape]
        values = numbers.arguments(weight.init)
        direct = direct_tensor(type(weight.init), sizes, values)
        parameter = call("nn.Parameter", direct or call("torch.empty", *shape_of(sizes)))
        if is_identifier(label):
            yield assign(own(label), parameter)
        else:
            yield ast.Expr(call(own("register_parameter"), literal(label), parameter))
        if direct is None:
            yield ast.Expr(init_call(type(weight.init), own_tensor(label, weight), values))


class _Numbers:
    """The parameters of a class: those that its constructor uses, and those that its methods read."""

    def __init__(self, cls: Class, labels: Names, functions: Functions) -> None:
        self.cls = cls
        self._labels = labels
        self._functions = functions
        self._used: set[str] = set()
        self._stored: dict[str, str] = {}
        self._flags: dict[Condition, str] = {}
        self._stored_for: dict[str, set[str]] = {}
        self.locals = Names(RESERVED)
        self.late: list[ast.stmt] = []
        """Initial values that are set behind a loop, which sets others."""
        self.names: dict[str, str] = {}
        for parameter in cls.parameters:
            self._name(parameter, self.locals.take(snake(identifier(parameter.name, "value")), "value"))
        self._formulas = {local.name: local for local in cls.locals}
        self._computed: dict[str, ast.expr] = {}

    def _use(self, names: Iterable[str], is_stored: bool = False) -> None:
        """Parameters and locals that the class needs. What the text gives no name is computed where it is used."""
        for label in sorted(names):
            self._used.add(label)
            if label not in self._formulas or label in self.names:
                continue
            local = self._formulas[label]
            value = said(local.formula, self._functions, self.open)
            if value is None:
                raise NotLowered(f"no formula for {label}")
            if local.is_named or is_stored or not isinstance(value, ast.Call):
                self.names[label] = self.locals.take(snake(identifier(label, "value")), "value")
                self._computed[self.names[label]] = value
            else:
                self.names[label] = ast.unparse(value)

    def _name(self, parameter: Parameter, label: str) -> None:
        """The name of a parameter, and those of its elements."""
        self.names[parameter.name] = label
        for place, item in enumerate(parameter.items):
            if item.name:
                self._name(item, f"{label}[{place}]")

    @property
    def signature(self) -> tuple[Parameter, ...]:
        """The parameters that the class needs."""
        return tuple(p for p in self.cls.parameters if p.names & self._used)

    def argument(self, signed: Signed) -> classir.Argument:
        """A parameter as an argument of the constructor."""
        default = self.value(signed.default) if signed.has_default else None
        return classir.Argument(self.names[signed.parameter.name], annotation(signed.parameter), default)

    def scope(self, use: Callable[[str], None]) -> Scope:
        """The names that expressions of the constructor are written in."""
        return Scope(open=self.open, use=use)

    def own(self, parameter: Parameter) -> ast.expr:
        """A parameter of the class in its constructor, or a local."""
        self._use([parameter.name])
        return ast.parse(self.names[parameter.name], mode="eval").body

    def value(self, value: Argument) -> ast.expr:
        """A number in the constructor, or what else an argument may be."""
        match value:
            case OpenLayer(argument=argument) | OpenArgument(name=argument):
                self._use([argument])
                return name(self.names[argument])
            case Op():
                module = value.torch(()).module
                assert module is not None
                return name(str(module.callee))
            case tuple():
                return ast.Tuple([self.value(item) for item in value])
            case None:
                return literal(None)
        return number(value, Scope(open=self.open))

    def local(self, wish: str) -> str:
        """A variable of the constructor."""
        return self.locals.take(identifier(wish, "layer"))

    @contextmanager
    def turn(self, variable: str) -> Iterator[str]:
        """Python's variable for that of a loop."""
        label = next(n for n in COUNTERS if n not in self.names.values())
        self.names[variable] = Turn(label)
        yield label
        del self.names[variable]

    def condition(self, condition: Condition) -> ast.expr:
        """A condition in the constructor."""
        self._use(names_of(condition))
        return condition_test(condition, self.names)

    def arguments(self, init: Init) -> dict[str, ast.expr]:
        """The arguments of a distribution."""
        return {f.name: self.value(getattr(init, f.name)) for f in fields(init)}

    def stored(self, label: str) -> str:
        """A parameter as methods read it."""
        if label not in self.names:
            self._use([label], is_stored=True)
        whole, bracket, rest = self.names[label].partition("[")
        if whole not in self._stored:
            self._stored[whole] = self._labels.take(whole, f"{whole}_value")
        self._stored_for.setdefault(whole, set()).add(label)
        return f"self.{self._stored[whole]}{bracket}{rest}"

    def flag(self, condition: Condition, wish: str) -> ast.expr:
        """The answer to a condition, as methods read it."""
        if condition not in self._flags:
            self._flags[condition] = self._labels.take(wish)
        return own(self._flags[condition])

    def computed(self) -> list[ast.stmt]:
        """The variables that the constructor computes first."""
        return [assign(ast.Name(label), value) for label, value in self._computed.items()]

    def keep(self, methods: Iterable[ast.FunctionDef]) -> None:
        """Of what methods may read, store what they do read."""
        read = {n.attr for method in methods for n in ast.walk(method) if isinstance(n, ast.Attribute)}
        self._stored = {whole: attribute for whole, attribute in self._stored.items() if attribute in read}
        self._use((label for whole in self._stored for label in self._stored_for[whole]), is_stored=True)

    def statements(self) -> Iterator[ast.stmt]:
        for condition, attribute in self._flags.items():
            yield assign(own(attribute), self.condition(condition))
        for label, attribute in self._stored.items():
            yield assign(own(attribute), ast.Name(label))

    def open(self, value: Dim | OpenFloat) -> ast.expr:
        found = names_in(value)
        self._use(found)
        if not found <= self.names.keys():
            raise NotLowered(f"{value} is not known when the network is made")
        return sized(value, self.names)


def _attribute(target: ast.expr | None) -> ast.expr | None:
    """A target if it is an attribute of a variable, whose type is known."""
    return target if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) else None


def annotation(parameter: Parameter) -> str:
    """The type of an argument."""
    if parameter.kind == "list":
        return f"tuple[{', '.join(map(annotation, parameter.items))}]"
    kind = "type[nn.Module]" if parameter.kind == "layer" else parameter.kind
    return f"{kind} | None" if parameter.is_optional else kind


def _list(target: ast.Name, values: list[ast.expr]) -> ast.stmt:
    """The start of a list of modules."""
    return ast.AnnAssign(target, ast.parse("list[nn.Module]", mode="eval").body, ast.List(values), 1)


def _extended(target: ast.Name, values: list[ast.expr]) -> ast.stmt:
    """A list with more items."""
    if len(values) == 1:
        return ast.Expr(call(ast.Attribute(target, "append"), values[0]))
    return ast.AugAssign(target, ast.Add(), ast.List(values))


def _name_of(cls: Class) -> str:
    """The name of a block, or one for what stands under a label."""
    return identifier(cls.name, "Part") if cls.name is not None else class_name_at(cls.path)


def _is_asked(cls: Class, part: Optional) -> bool:
    """Do methods of a class ask whether it has a member?"""
    chosen = (s.condition for body in cls.bodies for s in flattened(body.steps) if isinstance(s, Choose))
    asked = (presence(cls, c) for c in chosen if not isinstance(c, Training))
    return any(found is not None and found[0] == part.label for found in asked)


def _under(condition: Condition | None, made: Iterable[ast.stmt], numbers: _Numbers) -> list[ast.stmt]:
    """What makes a member, under its condition if it has one."""
    return [ast.If(numbers.condition(condition), [*made], [])] if condition is not None else [*made]


def _set(parent: ast.expr, label: Label, value: ast.expr, names: Mapping[str, str]) -> ast.stmt:
    if isinstance(label, str) and is_identifier(label):
        return assign(ast.Attribute(parent, label), value)
    return ast.Expr(call(ast.Attribute(parent, "add_module"), labelled(label, names), value))


def own_tensor(label: str, weight: Weight) -> ast.expr:
    """A tensor of the class itself."""
    if is_identifier(label):
        return own(label)
    return call(own("get_buffer" if weight.buffer else "get_parameter"), literal(label))


def _initial(weight: Weight, kind: str, layer: ast.expr, numbers: _Numbers) -> ast.stmt:
    """Sets the initial values of a weight."""
    target = dotted(layer, weight.name)
    statement = ast.Expr(init_call(type(weight.init), target, numbers.arguments(weight.init)))
    return where_it_is(target, statement) if is_maybe(kind, weight.name) else statement
