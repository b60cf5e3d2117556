"""The syntax tree of `.arch`: what the text says, before anything is known of names or shapes.

A closed set of frozen nodes: passes ``match`` on them. Two nodes are equal only if they are the same node, so a
node identifies its place in the text (the emitter aligns instances of a block by it). Every node bears its span.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from archdsl.source import Source, Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    span: Span

    def __repr__(self) -> str:
        inner = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.name != "span")
        return f"{type(self).__name__}({inner})"


# ---- names -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name(Node):
    """An identifier: ``conv``, ``it``, ``C``."""

    text: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Computed(Node):
    """A computed name or label: ``skip{i}``, ``"block{s}-{i}"``. Texts and expressions in turn."""

    parts: tuple[str | Expr, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unpack(Node):
    """``[a, b]`` on the left of ``=`` or after ``as``."""

    items: tuple[Pattern, ...]


Pattern: TypeAlias = "Name | Computed | Unpack"
Label: TypeAlias = "Name | Computed"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shape(Node):
    """``[N, 3, H, W] int64``; ``dtype`` is None where it is not stated."""

    dims: tuple[Expr, ...]
    dtype: Name | None


# ---- expressions -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Number(Node):
    value: int | float | bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class String(Node):
    value: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NoneLayer(Node):
    """``none``: a layer that does nothing and does not count."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Chain(Node):
    """``a -> b -> c``; at least two items."""

    items: tuple[ChainItem, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Labelled(Node):
    """``conv1: conv(64, 7)``, ``m: concat(axis=2)``."""

    label: Label
    item: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ternary(Node):
    then: Expr
    condition: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Logic(Node):
    """``a and b and c`` or ``a or b or c``."""

    op: Literal["and", "or"]
    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Not(Node):
    operand: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compare(Node):
    left: Expr
    op: str
    right: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Range(Node):
    """``start..stop``, without ``stop``."""

    start: Expr
    stop: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Arithmetic(Node):
    """``first op term op term …`` with operators of one precedence, applied from the left."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Power(Node):
    base: Expr
    exponent: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Negative(Node):
    operand: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Argument(Node):
    """An argument of a call; ``name`` is None where it is given by position."""

    name: Name | None
    value: ChainExpr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(Node):
    callee: Expr
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attribute(Node):
    value: Expr
    name: Name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Slice(Node):
    start: Expr | None
    stop: Expr | None
    step: Expr | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Index(Node):
    value: Expr
    subscripts: tuple[Expr | Slice, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ListOf(Node):
    """``[a, b]`` or ``(a, b)``."""

    items: tuple[ChainExpr, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Clause(Node):
    """``for p, q in iterable if condition`` of a comprehension."""

    patterns: tuple[Pattern, ...]
    iterable: Expr
    condition: Expr | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comprehension(Node):
    element: ChainExpr
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Body(Node):
    """``{ … }``. As an expression it is a group."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Seq(Node):
    body: Body


CombineKind: TypeAlias = Literal["add", "mul", "concat", "stack"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Combine(Node):
    """``concat(axis=1) { … }``; without a body it merges the list on the stream."""

    kind: CombineKind
    arguments: tuple[Argument, ...]
    body: Body | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Step(Node):
    """A chain that moves the stream, perhaps with ``as target: shape``."""

    chain: ChainExpr
    target: Pattern | None
    shape: Shape | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Input(Node):
    name: Label
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Output(Node):
    name: Label
    shape: Shape | None
    value: ChainExpr | None
    when_training: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Let(Node):
    pattern: Pattern
    value: ChainExpr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Declare(Node):
    """``let label: layer``: a module declared here and run where the label is called."""

    label: Label
    layer: ChainItem


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TensorParam(Node):
    name: Label
    shape: Shape
    init: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TensorBuffer(Node):
    name: Label
    shape: Shape
    value: ChainExpr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Defaults(Node):
    """``with conv(bias=false), linear(init=zeros)``."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Assert(Node):
    condition: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class For(Node):
    patterns: tuple[Pattern, ...]
    iterable: Expr
    body: Body


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class If(Node):
    condition: Expr
    then: Body
    otherwise: Body | If | None


Statement: TypeAlias = (
    "Step | Input | Output | Let | Declare | TensorParam | TensorBuffer | Defaults | Assert | For | If"
)


# ---- definitions -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Param(Node):
    name: Name
    default: Expr | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Version(Node):
    number: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Use(Node):
    names: tuple[Name, ...]
    path: String


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Block(Node):
    """``block B(…) { … }``, ``model M(…) { … }``, or with ``= chain`` an alias or a member of a family."""

    kind: Literal["block", "model"]
    name: Name
    params: tuple[Param, ...]
    is_alias: bool
    body: Body | ChainExpr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fn(Node):
    name: Name
    params: tuple[Param, ...]
    value: ChainExpr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Claim(Node):
    params: tuple[Param, ...]
    text: String
    body: Body


Definition: TypeAlias = "Version | Use | Block | Fn | Let | Claim"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comment(Node):
    """A comment with its ``#``; ``##`` is documentation of what follows."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """One parsed source: its definitions and its comments, both in text order."""

    source: Source
    definitions: tuple[Definition, ...]
    comments: tuple[Comment, ...]


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in text order."""
    for name in type(node).__slots__:
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple) and not isinstance(value, Span):
            yield from _nodes(value)


def _nodes(values: tuple) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from _nodes(value)


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in text order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(children(current))))
