"""The values of the language, and the environments that bind them.

Besides numbers, strings and lists an expression may be a tensor of a network, a layer, a function or an initial value:
``SpecValue`` is the closed union. Layers are closures: they say what to run and hold the environment that it needs; to
run them is the elaborator's task. What a fault made unknown is ``ERROR``.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from enum import Enum
from operator import itemgetter
from typing import ClassVar, Final, TypeAlias, TypeGuard

from archdsl.dims import Dim, Size
from archdsl.evaluate.faults import UsesErrorValue
from archdsl.evaluate.memory import Memory
from archdsl.evaluate.names import Names
from archdsl.evaluate.quotient import Quotient
from archdsl.init import Init
from archdsl.op import DType, Facets, Op, Tensor
from archdsl.record import record
from archdsl.source import Span
from archdsl.syntax import tree

# ---- tensors, functions, ranges ----------------------------------------------------------------------------


@record(eq=False, slots=True)
class Value:
    """A tensor that flows in a network. Equal only to itself; ``id`` counts from 0 in order of making."""

    id: int
    shape: tuple[Size, ...]
    dtype: DType = "float32"

    @property
    def type(self) -> Tensor:
        return Tensor(self.shape, self.dtype)

    def __repr__(self) -> str:
        return f"%{self.id}: [{', '.join(map(str, self.shape))}]"


@record(eq=False)
class Function:
    """A ``fn`` of the language."""

    definition: tree.Fn
    file: FileScope

    def __str__(self) -> str:
        return describe(self)


@record(eq=False)
class Builtin:
    """A function of numbers and lists. ``op`` is the operator of the same name on values, if there is one."""

    name: str
    run: Callable[..., SpecValue]
    op: type[Op] | None = None

    def __str__(self) -> str:
        return describe(self)


@record(eq=False)
class Measure:
    """What a claim measures of a layer: ``params``, ``macs``, …"""

    name: str
    run: Callable[[SpecValue, tree.Node], SpecValue]
    """Takes what is measured, and the place that says so."""

    def __str__(self) -> str:
        return describe(self)


@record
class SymbolicRange:
    """``start..stop`` with an end that is a symbolic size: only a comprehension can run over it, at run time."""

    start: Size
    stop: Size

    def __str__(self) -> str:
        return describe(self)


class ErrorValue(Enum):
    """Stands for what a fault made unknown: whatever touches it is left out without another message."""

    ERROR = "error"


ERROR: Final = ErrorValue.ERROR


# ---- layers ------------------------------------------------------------------------------------------------


@record(eq=False)
class Layer:
    """Anything that can be applied to the stream."""

    has_module: ClassVar[bool] = False
    """A declaration gave its module a place already."""

    def __str__(self) -> str:
        return describe(self)


@record(eq=False)
class NoLayer(Layer):
    """``none``: does nothing and does not count."""


NONE: Final = NoLayer()


@record(eq=False)
class Given:
    """An argument as it was given: its value, where, and the environment in which it stood."""

    value: SpecValue
    site: tree.Node
    env: Env
    name: tree.Name | None = None
    """Where it is named; None where it was given by position."""

    @property
    def span(self) -> Span:
        """The whole argument."""
        return self.name.span.to(self.site.span) if self.name is not None else self.site.span


@record(eq=False)
class Applicable(Layer):
    """A layer that takes arguments, some of them perhaps given already: calling it again adds more."""

    positional: tuple[Given, ...] = ()
    named: Mapping[str, Given] = field(default_factory=dict[str, Given])

    def given(self, positional: tuple[Given, ...], named: Mapping[str, Given]) -> Applicable:
        return replace(self, positional=self.positional + positional, named={**self.named, **named})


@record(eq=False)
class OpLayer(Applicable):
    """An operator: ``conv``, ``conv(64, 3)``."""

    op: type[Op] = Op

    @property
    def name(self) -> str:
        return self.op.name


@record(eq=False, kw_only=True)
class BlockLayer(Applicable):
    """A block or model of the language, in the file that defines it."""

    definition: tree.Block
    file: FileScope

    @property
    def name(self) -> str:
        return self.definition.name.text


@record(eq=False)
class BodyLayer(Layer):
    """A group, seq, combinator or residual kept for later: runs in an environment of its own."""

    node: tree.Body | tree.Seq | tree.Combine | tree.Residual
    env: Env


@record(eq=False)
class ChainLayer(Layer):
    """A chain that is headed by a layer, kept for later."""

    head: Layer
    head_site: tree.Node
    rest: tuple[tree.ChainItem, ...]
    env: Env


@record(eq=False)
class LabelledLayer(Layer):
    """``label: layer`` kept for later."""

    label: str
    label_site: tree.Node
    layer: Layer
    site: tree.Node


# ---- the union ---------------------------------------------------------------------------------------------

Number: TypeAlias = int | float | Dim
"""Plain, or a symbolic size. True and false count as 1 and 0, as in Python."""
SpecList: TypeAlias = "list[SpecValue] | range"
Called: TypeAlias = Layer | Function | Builtin | Measure | type[Init]
"""What takes arguments."""
SpecValue: TypeAlias = "Number | Quotient | str | SpecList | SymbolicRange | Value | Called | Init | ErrorValue"
"""A value of the language."""
Stream: TypeAlias = "SpecValue | None"
"""What ``it`` is: None where nothing has arrived."""


# ---- environments ------------------------------------------------------------------------------------------


class Missing(Enum):
    """What the lookup of a name gives that nothing binds."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


class Env:
    """Names bound in one body and, through ``parent``, around it.

    An environment is lexical: a definition sees its parameters and its file, never its caller. ``freeze`` gives the
    environment as it is at a point of the text: closures and events keep such a view. It costs nothing, since what is
    bound later stands beside what was bound before, with the moment at which it was.
    """

    __slots__ = ("_bound", "_until", "owner", "parent", "stream")

    def __init__(self, parent: Env | None, owner: object = None, names: Mapping[str, Binding] | None = None) -> None:
        self._bound = _Bindings(names or {})
        self._until = _ALWAYS
        self.parent: Env | None = parent
        self.owner: object = owner if owner is not None or parent is None else parent.owner
        """The instance whose text the names stand in (None: a file)."""
        self.stream: Stream = None
        """What ``it`` was, in a frozen view."""

    @property
    def names(self) -> dict[str, Binding]:
        """The names that are bound here, in the order in which they first were."""
        here = {name: self._of(values) for name, values in self._bound.values.items()}
        return {name: value for name, value in here.items() if value is not MISSING}

    def bind(self, name: str, value: Binding) -> None:
        if self._until != _ALWAYS:  # a view that goes on by itself
            self._bound, self._until = _Bindings(self.names), _ALWAYS
        self._bound.add(name, value)

    def lookup(self, name: str) -> Binding | Missing:
        """The innermost value of a name; ``MISSING`` if nothing around binds it."""
        env: Env | None = self
        while env is not None:
            values = env._bound.values.get(name)
            if values is not None and (value := env._of(values)) is not MISSING:
                return value
            env = env.parent
        return MISSING

    def _of(self, values: list[tuple[int, Binding]]) -> Binding | Missing:
        """The last of a name's values that was bound before the moment of this view."""
        moment, value = values[-1]
        if moment < self._until:
            return value
        before = bisect_left(values, self._until, key=itemgetter(0))
        return values[before - 1][1] if before else MISSING

    def freeze(self, stream: Stream) -> Env:
        """This environment at this point, with what is on the stream."""
        frozen = Env.__new__(Env)
        frozen._bound, frozen._until = self._bound, min(self._until, self._bound.moment)
        frozen.parent, frozen.owner, frozen.stream = self.parent, self.owner, stream
        return frozen

    def visible(self) -> set[str]:
        """All names that can be seen, for suggestions."""
        names: set[str] = set()
        env: Env | None = self
        while env is not None:
            names.update(env.names)
            env = env.parent
        return names


class _Bindings:
    """The values that each name of a body has had, with the moments at which they were bound: 0, 1, 2, …"""

    __slots__ = ("moment", "values")

    def __init__(self, names: Mapping[str, Binding]) -> None:
        self.moment = 0
        self.values: dict[str, list[tuple[int, Binding]]] = {}
        for name, value in names.items():
            self.add(name, value)

    def add(self, name: str, value: Binding) -> None:
        self.values.setdefault(name, []).append((self.moment, value))
        self.moment += 1


_ALWAYS = sys.maxsize
"""A moment after all others."""


Definition: TypeAlias = tree.Block | tree.Fn
Mentions: TypeAlias = Mapping[Definition, list[Definition]]
"""Definitions of a file, with those that each names."""


class FileScope:
    """One file as its definitions see it: its own names and those it uses from others.

    ``env`` maps names to definitions; top-level ``let``s are evaluated when first asked for.
    """

    def __init__(self, file: tree.File) -> None:
        self.file = file
        self.env: Env = Env(None)
        self.places: dict[str, tree.Name] = {}
        """Where each name was bound."""
        self.circles: Mapping[Definition, Mentions] | None = None
        """For definitions that lead back to themselves, those on the way with what each names; None: not asked yet."""
        self._names: dict[tree.Node, Names] = {}
        self.used: list[FileScope] = []
        """The files that this one uses."""
        self.memory: Memory[SpecValue] = Memory()
        """What functions and comprehensions gave in models of this file."""
        self.facets: dict[object, Facets] = {}
        """What operators said of themselves in models of this file, by their arguments and types of their inputs."""

    def names_in(self, definition: tree.Block | tree.Fn | tree.Claim) -> Names:
        """The names that a definition of the file binds and reads, found once."""
        found = self._names.get(definition)
        if found is None:
            found = self._names[definition] = Names(definition)
        return found


@record(frozen=False, eq=False)
class LazyLet:
    """A name that a ``let`` of a file binds: evaluated when first asked for."""

    definition: tree.Let
    name: str
    file: FileScope
    value: SpecValue | Missing = MISSING


Binding: TypeAlias = "SpecValue | LazyLet"
"""What a name is bound to."""


Written: TypeAlias = Mapping[str, tuple[tree.Node, Env]]
"""Arguments as they were written, each with the environment in which it stood."""

Sides: TypeAlias = tuple[tree.Node, tree.Node]
"""What is written on the two sides of an operator."""


# ---- what a value is ---------------------------------------------------------------------------------------


def require_known(value: Stream) -> None:
    """Nothing is said of what a fault made unknown, nor of a list or layer that holds it.

    Raises:
        UsesErrorValue: this is such a thing.
    """
    match value:
        case ErrorValue():
            raise UsesErrorValue
        case list():
            for item in value:
                require_known(item)
        case Applicable():
            for given in (*value.positional, *value.named.values()):
                require_known(given.value)
        case _:
            pass


def describe(value: Stream) -> str:
    """A value of the language in words, for messages.

    Raises:
        UsesErrorValue: a fault that is reported already made it unknown.
    """
    require_known(value)
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float() | Dim() | Quotient():
            return f"the number {value}"
        case str():
            return f'the string "{value}"'
        case list() | range():
            return f"a list of {len(value)}"
        case Value():
            return f"a value of shape {shape_text(value.shape)}"
        case OpLayer() | BlockLayer():
            return f"the layer `{value.name}`"
        case NoLayer():
            return "`none`"
        case Layer():
            return "a layer"
        case Function():
            return f"the function `{value.definition.name.text}`"
        case Builtin() | Measure():
            return f"the function `{value.name}`"
        case Init() | type():
            return f"the initial value `{value.name}`"
        case SymbolicRange():
            return f"the range {value.start}..{value.stop}"
        case None:
            return "nothing"
        case ErrorValue():  # refused above
            return "something unknown"


MAX_FORMULA = 200
"""Characters shown of a size."""


def shape_text(shape: tuple[Size, ...]) -> str:
    """``[N, 64, 56, 56]``."""
    return f"[{', '.join(map(size_text, shape))}]"


def size_text(size: Size) -> str:
    """A size in a message: of a formula that fills a page, its beginning."""
    text = str(size)
    return text if len(text) <= MAX_FORMULA else f"{text[:MAX_FORMULA]} …"


def require_good(arguments: Iterable[Given]) -> None:
    """Nothing is called with what a fault made unknown.

    Raises:
        UsesErrorValue: an argument is.
    """
    if any(given.value is ERROR for given in arguments):
        raise UsesErrorValue


def is_number(value: object) -> TypeGuard[Number]:
    """A plain number or a symbolic size (true and false count as 1 and 0, as in Python)."""
    return isinstance(value, int | float | Dim)


def is_size(value: object) -> TypeGuard[Size]:
    return isinstance(value, Dim) or (isinstance(value, int) and not isinstance(value, bool))


def is_list(value: object) -> TypeGuard[SpecList]:
    return isinstance(value, list | range)
