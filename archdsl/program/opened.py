"""Arguments and values of a block, with a name for what differs between its instances.

A whole number is a symbol, another number an `OpenFloat`, an activation an `OpenLayer`, a list has its elements opened
one by one. What is true in some instances, or given in some, forks the text: it runs once for each way.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archdsl.dims import Dim, Size, symbol
from archdsl.evaluate.values import NONE, BlockLayer, Builtin, Env, NoLayer, OpLayer, Value, is_list
from archdsl.graph import Instance, values_in
from archdsl.init import Init
from archdsl.program.conditions import Condition, Flag, names_of
from archdsl.program.formulas import Formulas
from archdsl.program.ir import Kind, Local, Parameter
from archdsl.program.layers import are_activations, open_layer, operator
from archdsl.program.numbers import Argument, OpenFloat, names_in
from archdsl.record import exactly
from archdsl.syntax import tree


class Split(Exception):
    """Instances differ in something that one run of the text cannot leave open.

    ``keys`` has one value for each instance; ``condition`` is what they answer with them, if it is one.
    ``names`` are the open numbers that it depends on, where these are known.
    """

    def __init__(
        self,
        keys: Sequence[Hashable],
        reason: str,
        condition: Condition | None = None,
        names: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(reason)
        self.keys: tuple[Hashable, ...] = tuple(keys)
        self.condition = condition
        self.names: frozenset[str] = names_of(condition) if condition is not None else names


class Unsuitable(Exception):
    """The block cannot be built on symbols; the message says why."""


@dataclass(frozen=True)
class Source:
    """Where a use of a class finds the value of a parameter: an argument, or (axis) a size of a value on the stream.

    ``is_flag``: whether the argument is given at all.
    """

    argument: str | None = None
    is_flag: bool = False
    value: int = 0
    axis: int = 0

    def of(self, instance: Instance) -> Argument:
        """Its value in an instance."""
        if self.argument is None:
            return list(values_in(instance.stream))[self.value].shape[self.axis]
        given = _argument(instance.arguments[self.argument])
        return given is not None if self.is_flag and not isinstance(given, bool) else given


def _argument(value: Any) -> Argument:
    """A value of the language as an argument of a class."""
    if is_list(value):
        return tuple(map(_argument, value))
    if isinstance(value, NoLayer):
        return None
    return operator(value) if isinstance(value, OpLayer) else value


@dataclass
class Opened:
    """The arguments and the stream of a block for some of its instances: those whose numbers are ``among``.

    What differs between any instances has a name. ``lanes`` are the values of these names in each.
    """

    instances: Sequence[Instance]
    among: Sequence[int]
    taken: set[str]
    parameters: dict[Parameter, Source] = field(default_factory=dict)
    lanes: list[dict[str, Argument]] = field(default_factory=list)
    locals: list[Local] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)
    stream: Any = None

    def __post_init__(self) -> None:
        self.lanes = [{} for _ in self.instances]
        self._known: dict[tuple[Any, ...], Dim] = {}
        self._values = 0
        self._flags: list[tuple[Flag, list[bool]]] = []
        for name in self.instances[0].arguments:
            self.arguments[name] = self._opened(name, [i.arguments[name] for i in self.instances])
        if self.instances[0].scope.kind != "model":
            self.stream = self._opened_stream([i.stream for i in self.instances], [0])
        for flag, answers in self._flags:
            keys = [answers[k] for k in self.among]
            if len(set(keys)) > 1:
                raise Split(keys, f"`{flag.name}` differs", flag)

    # ---- arguments ----

    def _opened(self, name: str, values: list[Any]) -> Any:
        """An argument: with what differs between the instances open."""
        if len(set(map(word, values))) == 1:
            if any(values_of(v) for v in values):
                raise Unsuitable(f"`{name}` is a value")
            return values[0]
        known = [v for v in values if not isinstance(v, NoLayer)]
        if len(known) < len(values) and len(set(map(word, known))) == 1:
            parameter = Parameter(self._name(name), "bool")
            self.parameters[parameter] = Source(name, is_flag=True)
            return self._flag(Flag(parameter.name), [not isinstance(v, NoLayer) for v in values], values)
        parameter, value = self._open(name, values)
        self.parameters[parameter] = Source(name)
        return value

    def _open(self, wish: str, values: list[Any]) -> tuple[Parameter, Any]:
        """Values that differ, with a name for them."""
        given = [not isinstance(v, NoLayer) for v in values]
        known = [v for v in values if not isinstance(v, NoLayer)]
        kind = _kind(known)
        if kind is None or (kind in ("list", "bool") and not all(given)):
            shapes = [_structure(v) for v in values]
            keys = shapes if len(set(shapes)) > 1 else [word(v) for v in values]
            raise Split(keys, f"`{wish}` differs", names=frozenset([wish]))
        name = self._name(wish)
        if kind == "list":
            return self._opened_list(name, values)
        parameter = Parameter(name, kind, is_optional=not all(given))
        if kind == "bool":
            return parameter, self._flag(Flag(name), values, values)
        self._record(name, [_argument(v) for v in values])
        if kind == "int":
            made: Any = symbol(name)
            self._known.setdefault(tuple(values), made)
        elif kind == "float":
            made = OpenFloat(known[0], name)
        else:
            first = self.instances[0]
            made = open_layer(name, first.scope.text, first.env)
        if not all(given):
            self._flags.append((Flag(name, is_presence=True), given))
        return parameter, made if given[self.among[0]] else NONE

    def _opened_list(self, name: str, values: list[Any]) -> tuple[Parameter, Any]:
        items: list[Parameter] = []
        opened: list[Any] = []
        for place, column in enumerate(zip(*values, strict=True)):
            if len(set(map(word, column))) == 1:
                items.append(Parameter("", _kind([column[0]]) or "int"))
                opened.append(column[0])
            else:
                item, value = self._open(f"{name}_{place}", list(column))
                items.append(item)
                opened.append(value)
        return Parameter(name, "list", items=tuple(items)), opened

    def _flag(self, flag: Flag, answers: list[bool], values: list[Any]) -> Any:
        """What the instances that are built for have; if they do not agree, the text is forked in the end."""
        self._record(flag.name, answers)
        self._flags.append((flag, answers))
        return values[self.among[0]]

    def _name(self, wish: str) -> str:
        while wish in self.taken:
            wish += "_"
        self.taken.add(wish)
        return wish

    def _record(self, name: str, values: Sequence[Argument]) -> None:
        for lane, value in zip(self.lanes, values, strict=True):
            lane[name] = value

    # ---- what is computed ----

    @property
    def names(self) -> frozenset[str]:
        """The names of all that is open."""
        return frozenset(self.lanes[self.among[0]])

    def local(self, node: tree.Node, env: Env, values: Mapping[int, Any]) -> Any:
        """What a call gives in each instance, by number, as a local of the class; it is known in those built for.

        Raises:
            Split: it is no number, or is not known when the class is made.
        """
        known = frozenset[str]().union(*(p.names for p in self.parameters), (local.name for local in self.locals))
        formula = Formulas(()).formula(node, env)
        kind = _kind([*values.values()])
        is_number = kind == "float" or (kind == "int" and min(values.values()) >= 1)
        if formula is None or not is_number or not names_in(tuple(m for _, m in formula.names)) <= known:
            names = names_in(tuple(m for _, m in formula.names)) if formula is not None else frozenset[str]()
            keys = [values[k] for k in self.among]
            raise Split(keys, f"`{node.span.text}` is another number", names=names)
        local = next((x for x in self.locals if x.formula == formula), None)
        if local is None:
            let = _let_of(node, self.instances[0].scope.text)
            local = Local(self._name(let or "number"), "int" if kind == "int" else "float", formula, let is not None)
            self.locals.append(local)
            for k, value in values.items():
                self.lanes[k][local.name] = value
        return symbol(local.name) if kind == "int" else OpenFloat(values[self.among[0]], local.name)

    # ---- the stream ----

    def _opened_stream(self, streams: list[Any], count: list[int]) -> Any:
        """The streams of all instances as one; ``count`` counts the values in it."""
        words = [_structure(s) for s in streams]
        if len(set(words)) > 1:
            raise Split(words, "other values arrive")
        first = streams[0]
        if is_list(first):
            return [self._opened_stream([s[k] for s in streams], count) for k in range(len(first))]
        if not isinstance(first, Value):
            raise Unsuitable("no value arrives")
        number = count[0]
        count[0] += 1
        shape = tuple(
            self._size([s.shape[a] for s in streams], number, a, len(first.shape)) for a in range(len(first.shape))
        )
        self._values += 1
        return Value(-self._values, shape, first.dtype)

    def _size(self, sizes: list[Size], number: int, axis: int, rank: int) -> Size:
        if all(s == sizes[0] for s in sizes):
            return sizes[0]
        stated = self._stated(number, axis)
        key = tuple(sizes) if stated is None or tuple(sizes) in self._known else (stated, *sizes)
        if key not in self._known:
            wish = NAMES.get(stated, stated.lower()) if stated is not None else f"size{axis}"
            if axis == (1 if rank > 3 else rank - 1) and stated in (None, "C", "D"):
                wish = "in_channels" if rank > 3 else "dim"
            name = self._name(f"{wish}{number or ''}")
            if all(isinstance(s, int) and s >= 1 for s in sizes):
                self.parameters[Parameter(name, "int")] = Source(None, value=number, axis=axis)
            self._record(name, sizes)
            self._known[key] = symbol(name)
        return self._known[key]

    def _stated(self, number: int, axis: int) -> str | None:
        """The name that the text gives a size of what arrives; None if it gives none."""
        text = self.instances[0].scope.text
        shapes = [s.shape for s in text.statements if isinstance(s, tree.Input)] if isinstance(text, tree.Body) else []
        dim = shapes[number].dims[axis] if number < len(shapes) and axis < len(shapes[number].dims) else None
        return dim.text if isinstance(dim, tree.Name) else None


NAMES = {"C": "dim", "H": "height", "W": "width", "T": "length"}
"""What the sizes are called that papers give a letter."""


def _kind(values: Sequence[Any]) -> Kind | None:
    """What values that differ are as an argument of a class; None if they cannot be one."""
    kinds = {type(v) for v in values}
    if kinds == {bool}:
        return "bool"
    if kinds == {int} and min(values) >= 0:
        return "int"
    if float in kinds and kinds <= {int, float}:
        return "float"
    if are_activations(values):
        return "layer"
    return "list" if all(map(is_list, values)) and len({len(v) for v in values}) == 1 else None


def _let_of(node: tree.Node, text: tree.Node) -> str | None:
    """The name that the text gives an expression; None if it gives none."""
    for let in tree.walk(text):
        if isinstance(let, tree.Let) and let.value is node and isinstance(let.pattern, tree.Name):
            return let.pattern.text
    return None


def _structure(value: Any) -> Hashable:
    """A key that is equal for values of the same types."""
    if is_list(value):
        return tuple(map(_structure, value))
    if isinstance(value, Value):
        return len(value.shape), value.dtype
    return type(value) if isinstance(value, int | float | Dim) else word(value)


def values_of(value: Any) -> list[Value]:
    """The values in an argument."""
    return list(values_in(list(value) if is_list(value) else value))


def word(value: Any) -> Hashable:
    """A key that is equal for arguments that mean the same."""
    if value is None or isinstance(value, bool | int | float | str | Dim):
        return type(value), value
    if is_list(value):
        return tuple(map(word, value))
    if isinstance(value, Init):
        return exactly(value)
    if isinstance(value, OpLayer | BlockLayer):
        what = value.op if isinstance(value, OpLayer) else value.definition
        named = tuple((n, word(g.value)) for n, g in value.named.items())
        return id(what), tuple(word(g.value) for g in value.positional), named
    return "none" if isinstance(value, NoLayer) else value.name if isinstance(value, Builtin) else id(value)
