"""The syntax tree of `.arch`: what the text says, before anything is known of names or shapes.

A closed set of frozen nodes: passes ``match`` on them. Two nodes are equal only if they are the same node, so a
node identifies its place in the text (the emitter aligns instances of a block by it). Every node bears its span.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, Self, TypeAlias, TypeVar, dataclass_transform

from archdsl.record import record
from archdsl.source import Source, Span

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False)
def node(cls: type[T]) -> type[T]:
    """A class whose annotations are its fields, after its base's; defining one costs less than a dataclass does."""
    cls.__match_args__ = (*getattr(cls.__base__, "__match_args__", ()), *cls.__annotations__)  # pyright: ignore[reportAttributeAccessIssue]
    return cls


@node
class Node:
    __slots__ = ("__dict__", "_below")

    span: Span

    def __init__(self, *values: Any) -> None:
        names = self.__match_args__
        if len(values) != len(names):
            raise TypeError(f"{type(self).__name__} takes {', '.join(names)}")
        self.__dict__.update(zip(names, values, strict=True))

    def at(self, span: Span) -> Self:
        """The same said at another place."""
        _, *rest = self.__dict__.values()
        return type(self)(span, *rest)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is frozen")

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items() if name != "span")
        return f"{type(self).__name__}({inner})"


# ---- names -------------------------------------------------------------------------------------------------


@node
class Name(Node):
    """An identifier: ``conv``, ``it``, ``C``."""

    text: str


@node
class Computed(Node):
    """A computed name or label: ``skip{i}``, ``"block{s}-{i}"``. Texts and expressions in turn."""

    parts: tuple[str | Expr, ...]


@node
class Unpack(Node):
    """``[a, b]`` on the left of ``=`` or after ``as``."""

    items: tuple[Pattern, ...]


Pattern: TypeAlias = "Name | Computed | Unpack"
Label: TypeAlias = "Name | Computed"


@node
class Shape(Node):
    """``[N, 3, H, W] int64``; ``dtype`` is None where it is not stated."""

    dims: tuple[Expr, ...]
    dtype: Name | None


# ---- expressions -------------------------------------------------------------------------------------------


@node
class Number(Node):
    value: int | float | bool


@node
class String(Node):
    value: str


@node
class NoneLayer(Node):
    """``none``: a layer that does nothing and does not count."""


@node
class Chain(Node):
    """``a -> b -> c``; at least two items."""

    items: tuple[ChainItem, ...]


@node
class Labelled(Node):
    """``conv1: conv(64, 7)``, ``m: concat(axis=2)``."""

    label: Label
    item: Expr


@node
class Ternary(Node):
    then: Expr
    condition: Expr
    otherwise: Expr


@node
class Logic(Node):
    """``a and b and c`` or ``a or b or c``."""

    op: Literal["and", "or"]
    terms: tuple[Expr, ...]


@node
class Not(Node):
    operand: Expr


@node
class Compare(Node):
    left: Expr
    op: Literal["==", "!=", "<", "<=", ">", ">="]
    right: Expr


@node
class Range(Node):
    """``start..stop``, without ``stop``."""

    start: Expr
    stop: Expr


@node
class Arithmetic(Node):
    """``first op term op term …`` with operators of one precedence, applied from the left."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


@node
class Power(Node):
    base: Expr
    exponent: Expr


@node
class Negative(Node):
    operand: Expr


@node
class Argument(Node):
    """An argument of a call; ``name`` is None where it is given by position."""

    name: Name | None
    value: ChainExpr


@node
class Call(Node):
    callee: Expr
    arguments: tuple[Argument, ...]


@node
class Attribute(Node):
    value: Expr
    name: Name


@node
class Slice(Node):
    start: Expr | None
    stop: Expr | None
    step: Expr | None


@node
class Index(Node):
    value: Expr
    subscripts: tuple[Expr | Slice, ...]


@node
class ListOf(Node):
    """``[a, b]`` or ``(a, b)``."""

    items: tuple[ChainExpr, ...]


@node
class Clause(Node):
    """``for p, q in iterable if condition`` of a comprehension."""

    patterns: tuple[Pattern, ...]
    iterable: Expr
    condition: Expr | None


@node
class Comprehension(Node):
    element: ChainExpr
    clauses: tuple[Clause, ...]


@node
class Body(Node):
    """``{ … }``. As an expression it is a group."""

    statements: tuple[Statement, ...]


@node
class Seq(Node):
    body: Body


CombineKind: TypeAlias = Literal["add", "mul", "concat", "stack"]


@node
class Combine(Node):
    """``concat(axis=1) { … }``; without a body it merges the list on the stream."""

    kind: CombineKind
    arguments: tuple[Argument, ...]
    body: Body | None


@node
class Residual(Node):
    body: Body
    shortcut: Body | None


Expr: TypeAlias = (
    Name
    | Computed
    | Number
    | String
    | NoneLayer
    | Ternary
    | Logic
    | Not
    | Compare
    | Range
    | Arithmetic
    | Power
    | Negative
    | Call
    | Attribute
    | Index
    | ListOf
    | Comprehension
    | Body
    | Seq
    | Combine
    | Residual
    | Chain
)
ChainItem: TypeAlias = "Expr | Labelled"
ChainExpr: TypeAlias = "Expr | Labelled"


# ---- statements --------------------------------------------------------------------------------------------


@node
class Step(Node):
    """A chain that moves the stream, perhaps with ``as target: shape``."""

    chain: ChainExpr
    target: Pattern | None
    shape: Shape | None


@node
class Input(Node):
    name: Label
    shape: Shape


@node
class Output(Node):
    name: Label
    shape: Shape | None
    value: ChainExpr | None
    when_training: bool


@node
class Let(Node):
    pattern: Pattern
    value: ChainExpr


@node
class Declare(Node):
    """``let label: layer``: a module declared here and run where the label is called."""

    label: Label
    layer: ChainItem


@node
class TensorParam(Node):
    name: Label
    shape: Shape
    init: Expr


@node
class TensorBuffer(Node):
    name: Label
    shape: Shape
    value: ChainExpr


@node
class Defaults(Node):
    """``with conv(bias=false), linear(init=zeros)``."""

    calls: tuple[Call, ...]


@node
class Assert(Node):
    condition: Expr


@node
class For(Node):
    patterns: tuple[Pattern, ...]
    iterable: Expr
    body: Body


@node
class If(Node):
    condition: Expr
    then: Body
    otherwise: Body | If | None


@node
class Broken(Node):
    """A statement that could not be read; ``names`` are those that it seems to bind."""

    names: tuple[Name, ...]


Statement: TypeAlias = (
    "Step | Input | Output | Let | Declare | TensorParam | TensorBuffer | Defaults | Assert | For | If | Broken"
)


# ---- definitions -------------------------------------------------------------------------------------------


@node
class Param(Node):
    name: Name
    default: Expr | None


@node
class Version(Node):
    number: int


@node
class Use(Node):
    names: tuple[Name, ...]
    path: String


@node
class Block(Node):
    """``block B(…) { … }``, ``model M(…) { … }``, or with ``= chain`` an alias or a member of a family."""

    kind: Literal["block", "model"]
    name: Name
    params: tuple[Param, ...]
    is_alias: bool
    body: Body | ChainExpr


@node
class Fn(Node):
    name: Name
    params: tuple[Param, ...]
    value: ChainExpr


@node
class Claim(Node):
    params: tuple[Param, ...]
    text: String
    body: Body


@node
class Lost(Node):
    """A definition that could not be read; ``names`` are those that it gives the file."""

    names: tuple[Name, ...]


Definition: TypeAlias = "Version | Use | Block | Fn | Let | Claim | Lost"


@node
class Comment(Node):
    """A comment with its ``#``; ``##`` is documentation of what follows."""

    text: str


@record(eq=False, slots=True)
class File:
    """One parsed source: its definitions and its comments, both in text order."""

    source: Source
    definitions: tuple[Definition, ...]
    comments: tuple[Comment, ...]


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node, in text order: found once, since checks walk a tree many times."""
    try:
        return node._below
    except AttributeError:
        found = tuple(_nodes(node.__dict__.values()))
        object.__setattr__(node, "_below", found)
        return found


def _nodes(values: Iterable[Any]) -> list[Node]:
    found: list[Node] = []
    for value in values:
        if isinstance(value, Node):
            found.append(value)
        elif type(value) is tuple:  # a span is a tuple of another type
            found += _nodes(value)
    return found


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in text order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack += reversed(children(current))
