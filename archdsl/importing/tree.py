"""The tree of a spec's text, before it is printed: frozen, so that equal parts are equal.

Numbers that may differ between the instances of a block are `Literal`s. Where instances are made one, a literal becomes
`Open` (a number of the block), and then `Code`, an expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeAlias

from archdsl.dims import Dim
from archdsl.importing.calls import Value
from archdsl.record import record

# ---- numbers -----------------------------------------------------------------------------------------------


@record
class Literal:
    """A number, flag, text, list of these, or None; ``kind`` keeps 1, 1.0 and true apart."""

    value: Any
    kind: str

    @property
    def text(self) -> str:
        return value_text(self.value)


def literal(value: Any) -> Literal:
    """A value as it is written."""
    value = tuple(value) if isinstance(value, list) else value
    return Literal(value, type(value).__name__)


@record
class Word:
    """A layer as a value: an activation, or ``none``."""

    text: str


@record
class Open:
    """A number that differs between instances: number ``index`` of those."""

    index: int


@record
class Code:
    """An expression of the language."""

    text: str


Quantity: TypeAlias = Literal | Open | Code

# ---- items -------------------------------------------------------------------------------------------------


@record
class Apply:
    """An operator or a block with arguments. ``name`` is open where instances have other activations."""

    name: str | Open | Code
    arguments: tuple[tuple[str, Quantity], ...] = ()


@record
class Label:
    """A label in parts: texts, and the numbers in it."""

    parts: tuple[str | Quantity, ...]

    @property
    def text(self) -> str:
        return "".join(p if isinstance(p, str) else p.text if isinstance(p, Literal) else "{i}" for p in self.parts)


@record
class Labelled:
    """``label: item``."""

    label: Label
    item: Item


@record
class Body:
    """Statements."""

    statements: tuple[Statement, ...] = ()


@record
class Chain:
    """``seq { … }``."""

    body: Body


@record
class Group:
    """``{ … }`` under a label, or a branch."""

    body: Body


@record
class Merge:
    """``concat { … }``, ``mul { … }``: branches, and how they are joined."""

    name: str
    arguments: tuple[tuple[str, Quantity], ...]
    branches: tuple[Body, ...]


@record
class Residual:
    """``residual { … } shortcut { … }``."""

    body: Body
    shortcut: Body


@record
class It:
    """What is on the stream."""


@record
class Name:
    """A value by its name; until it has one, the value itself."""

    what: Value | str


@record
class Infix:
    """``left symbol right``; ``[]`` for an index."""

    symbol: str
    left: Item
    right: Item


@record
class CutText:
    """``start:stop:step``."""

    start: Quantity
    stop: Quantity
    step: Quantity


@record
class Index:
    """``it[…]``."""

    cuts: tuple[Quantity | CutText, ...]


@record
class Several:
    """``[a, b]``."""

    items: tuple[Item, ...]


@record
class Number:
    """A number as an operand."""

    quantity: Quantity


@record
class Parenthesis:
    """Statements that are one value, in parentheses."""

    body: Body


@record
class Declared:
    """A layer that a ``let`` declared."""

    text: str


@record
class Pass:
    """``it``, to be taken apart into names."""


Item: TypeAlias = (
    Apply | Labelled | Chain | Group | Merge | Residual | It | Name | Infix | Index | Several | Number | Parenthesis
    | Declared | Pass | Code
)  # fmt: skip

# ---- statements --------------------------------------------------------------------------------------------


@record
class Do:
    """An item of a chain. ``names`` are the values that it makes; ``starts`` a chain of its own."""

    item: Item
    names: tuple[Value | str, ...] = ()
    starts: bool = False


@record
class Let:
    """``let label: item``."""

    label: str
    item: Item


@record
class Own:
    """``param name: [shape] = initial``."""

    kind: str
    name: str
    shape: tuple[Quantity, ...]
    initial: str


@record
class Given:
    """``input name: shape``, or another line that is printed as it is."""

    text: str


@record
class Range:
    """``0..count``."""

    count: Quantity


@record
class Rows:
    """A list that a loop runs over."""

    rows: Literal


@record
class For:
    """A loop."""

    variables: tuple[str, ...]
    source: Range | Rows
    body: Body


@record
class Condition:
    """A condition that holds in some instances: number ``index`` of those."""

    index: int


@record
class If:
    """Statements that some instances have."""

    condition: Condition | Code
    body: Body


Statement: TypeAlias = Do | Let | Own | Given | For | If

# ---- all parts of a tree -----------------------------------------------------------------------------------


def mapped(part: Any, change: Callable[[Any], Any]) -> Any:
    """A tree in which each part is what ``change`` gives for it, or itself with changed parts if that is None."""
    new = change(part)
    if new is not None:
        return new
    if isinstance(part, tuple):
        items = tuple(mapped(item, change) for item in part)
        return items if any(a is not b for a, b in zip(items, part, strict=True)) else part
    if isinstance(part, Literal) or not is_dataclass(part) or isinstance(part, Value | type):
        return part
    parts = {f.name: getattr(part, f.name) for f in fields(part)}
    changed = {name: m for name, inner in parts.items() if (m := mapped(inner, change)) is not inner}
    return replace(part, **changed) if changed else part


def walk(part: Any) -> Iterator[Any]:
    """All parts of a tree, outer ones first."""
    yield part
    if isinstance(part, tuple):
        for item in part:
            yield from walk(item)
    elif is_dataclass(part) and not isinstance(part, Literal | Value | type):
        for f in fields(part):
            yield from walk(getattr(part, f.name))


def label_of(text: str) -> Label:
    """A label with its numbers apart."""
    parts: list[str | Quantity] = []
    for piece in _pieces(text):
        is_number = piece.isdigit() and (piece == "0" or piece[0] != "0")
        parts.append(literal(int(piece)) if is_number else piece)
    return Label(tuple(parts))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or text[end].isdigit() != text[start].isdigit():
            yield text[start:end]
            start = end


def value_text(value: Any) -> str:
    """A value as the language writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case Word():
            return value.text
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case float() if value == float("inf"):
            return "1e999"
        case float() if value == float("-inf"):
            return "-1e999"
        case float() | int() | Dim():
            return str(value)
        case Literal():
            return value.text
    return f'"{value}"'
