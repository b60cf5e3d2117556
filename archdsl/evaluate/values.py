"""What an expression of the language may be, besides numbers, strings and lists: layers, values, functions.

Layers are closures: they say what to run and hold the environment that it needs. Running them is ``run.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archdsl.dims import Dim
from archdsl.evaluate.env import MISSING, Env, FileScope
from archdsl.evaluate.quotient import Quotient
from archdsl.graph import Module, Value
from archdsl.init import Init
from archdsl.op import Op
from archdsl.source import Span
from archdsl.syntax import tree


@dataclass(frozen=True, eq=False)
class Layer:
    """Anything that can be applied to the stream."""

    def __str__(self) -> str:
        return describe(self)


@dataclass(frozen=True, eq=False)
class NoLayer(Layer):
    """``none``: does nothing and does not count."""


NONE = NoLayer()


@dataclass(frozen=True, eq=False)
class Given:
    """An argument as it was given: its value, where, and the environment in which it stood."""

    value: Any
    site: tree.Node
    env: Env
    name: tree.Name | None = None
    """Where it is named; None where it was given by position."""

    @property
    def span(self) -> Span:
        """The whole argument."""
        return self.name.span.to(self.site.span) if self.name is not None else self.site.span


@dataclass(frozen=True, eq=False)
class Applicable(Layer):
    """A layer that takes arguments, some of them perhaps given already: calling it again adds more."""

    positional: tuple[Given, ...] = ()
    named: dict[str, Given] = field(default_factory=dict)

    def given(self, positional: tuple[Given, ...], named: dict[str, Given]) -> Applicable:
        more = {"positional": self.positional + positional, "named": {**self.named, **named}}
        return type(self)(**{**vars(self), **more})


@dataclass(frozen=True, eq=False)
class OpLayer(Applicable):
    """An operator: ``conv``, ``conv(64, 3)``."""

    op: type[Op] = Op

    @property
    def name(self) -> str:
        return self.op.name


@dataclass(frozen=True, eq=False, kw_only=True)
class BlockLayer(Applicable):
    """A block or model of the language, in the file that defines it."""

    definition: tree.Block
    file: FileScope

    @property
    def name(self) -> str:
        return self.definition.name.text


@dataclass(frozen=True, eq=False)
class BodyLayer(Layer):
    """A group, seq, combinator or residual kept for later: runs in an environment of its own."""

    node: tree.Body | tree.Seq | tree.Combine | tree.Residual
    env: Env


@dataclass(frozen=True, eq=False)
class ChainLayer(Layer):
    """A chain that is headed by a layer, kept for later."""

    head: Layer
    head_site: tree.Node
    rest: tuple[tree.ChainItem, ...]
    env: Env


@dataclass(frozen=True, eq=False)
class LabelledLayer(Layer):
    """``label: layer`` kept for later."""

    label: str
    label_site: tree.Node
    layer: Layer
    site: tree.Node


@dataclass(frozen=True, eq=False)
class DeclaredLayer(Layer):
    """``let label: layer``: the module has its place; its runs share its weights."""

    name: str
    module: Module
    layer: Layer
    site: tree.Node


@dataclass(frozen=True, eq=False)
class Function:
    """A ``fn`` of the language."""

    def __str__(self) -> str:
        return describe(self)

    definition: tree.Fn
    file: FileScope


@dataclass(frozen=True, eq=False)
class Builtin:
    """A function of numbers and lists. ``op`` is the operator of the same name on values, if there is one."""

    name: str
    run: Callable[..., Any]
    op: type[Op] | None = None

    def __str__(self) -> str:
        return describe(self)


@dataclass(frozen=True, eq=False)
class Measure:
    """What a claim measures of a layer: ``params``, ``macs``, …"""

    name: str
    run: Callable[[Any, tree.Node], Any]
    """Takes what is measured, and the place that says so."""


@dataclass(frozen=True)
class SymbolicRange:
    """``start..stop`` with an end that is a symbolic size: only a comprehension can run over it, at run time."""

    start: int | Dim
    stop: int | Dim

    def __str__(self) -> str:
        return describe(self)


class Bad:
    """Stands for what a fault made unknown: whatever touches it is left out without another message."""


BAD = Bad()


class Poison(Exception):
    """Something ``BAD`` was touched: its fault is reported already."""


def require_known(value: Any) -> None:
    """Nothing is said of what a fault made unknown, nor of a list or layer that holds it.

    Raises:
        Poison: this is such a thing.
    """
    match value:
        case Bad():
            raise Poison
        case list():
            for item in value:
                require_known(item)
        case Applicable():
            for given in (*value.positional, *value.named.values()):
                require_known(given.value)
        case _:
            pass


def describe(value: Any) -> str:
    """A value of the language in words, for messages.

    Raises:
        Poison: a fault that is reported already made it unknown.
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
        case Init():
            return f"the initial value `{value.name}`"
        case type():
            return f"the initial value `{value.name}`"
        case SymbolicRange():
            return f"the range {value.start}..{value.stop}"
        case None:
            return "nothing"
    return "something else"


MAX_FORMULA = 200
"""Characters shown of a size."""


def shape_text(shape: tuple) -> str:
    """``[N, 64, 56, 56]``."""
    return f"[{', '.join(map(size_text, shape))}]"


def size_text(size: Any) -> str:
    """A size in a message: of a formula that fills a page, its beginning."""
    text = str(size)
    return text if len(text) <= MAX_FORMULA else f"{text[:MAX_FORMULA]} …"


def is_number(value: Any) -> bool:
    """A plain number or a symbolic size (true and false count as 1 and 0, as in Python)."""
    return isinstance(value, int | float | Dim)


def is_size(value: Any) -> bool:
    return isinstance(value, Dim) or (isinstance(value, int) and not isinstance(value, bool))


def is_list(value: Any) -> bool:
    return isinstance(value, list | range)


@dataclass(eq=False)
class LazyLet:
    """A name that a ``let`` of a file binds: evaluated when first asked for."""

    definition: tree.Let
    name: str
    file: FileScope
    value: Any = MISSING
