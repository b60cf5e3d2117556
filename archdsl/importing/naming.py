"""Names of values, and declarations for layers whose place in the text is not their place in the state dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archdsl.importing.calls import Unsupported, Value
from archdsl.importing.flow import Text
from archdsl.importing.steps import Scope
from archdsl.importing.tree import (
    Chain,
    Declared,
    Do,
    For,
    If,
    Item,
    Labelled,
    Let,
    Name,
    Own,
    Several,
    Statement,
    mapped,
)


def named(
    text: Text, statements: tuple[Statement, ...], given: Mapping[Value, str], scope: Scope
) -> tuple[Statement, ...]:
    """Statements in which each value that needs a name has one. ``given`` are the names of the inputs."""
    table = dict(given)
    taken = {*labels_in(statements), *(s.name for s in statements if isinstance(s, Own)), *given.values()}
    number = 0
    for value in text.named:
        if value in table:
            continue
        number += 1
        while f"v{number}" in taken:
            number += 1
        table[value] = f"v{number}"

    def change(part: Any) -> Any:
        match part:
            case Name(what=Value() as value):
                return Name(table[value])
            case Do(item=item, names=names) if any(isinstance(n, Value) for n in names):
                needed = len(names) > 1 or any(n in text.named for n in names)
                shown = tuple(table[n] if isinstance(n, Value) else n for n in names) if needed else ()
                return Do(mapped(item, change), shown, part.starts)
        return None

    return mapped(statements, change)


def labels_in(part: Any) -> Iterator[str]:
    """The labels of statements and of branches in them, in text order, without those of groups with a label."""
    match part:
        case Let(label=label):
            yield label
        case Labelled(label=label):
            yield label.text
        case For() | If() | Chain() | Own():
            return
        case tuple():
            for item in part:
                yield from labels_in(item)
        case _ if hasattr(part, "__dataclass_fields__") and not isinstance(part, Value):
            for name in part.__dataclass_fields__:
                yield from labels_in(getattr(part, name))


def declared(scope: Scope, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Statements in front of which the layers are declared that run in another order than that of the state dict.

    Raises:
        Unsupported: they are numbers that cannot be declared.
    """
    if scope.facts is None:
        return statements
    seen: dict[str, int] = {}
    lists: set[str] = set()
    for label in labels_in(statements):
        head, dot, _ = label.partition(".")
        if dot:
            lists.add(head)
        seen[head] = seen.get(head, 0) + 1
    twice = lists | {head for head, count in seen.items() if count > 1}
    order = [name for name in scope.children if name in seen]
    if list(seen) == order and not twice:
        return statements
    wrong = [i for i, (a, b) in enumerate(zip(seen, order, strict=False)) if a != b]
    wrong += [order.index(head) for head in twice if head in order]
    early = {*order[: max(wrong) + 1], *twice}
    items: dict[str, Item] = {}

    def change(part: Any) -> Any:
        if isinstance(part, Chain):
            return part
        if not isinstance(part, Labelled):
            return None
        label = part.label.text
        head, dot, number = label.partition(".")
        if head not in early:
            return part
        items.setdefault(label, part.item)
        return Declared(f"{head}[{number}]" if dot else head)

    changed = mapped(statements, change)
    return (*_lets(scope, [h for h in order if h in early], lists, items), *changed)


def _lets(scope: Scope, heads: list[str], lists: set[str], items: Mapping[str, Item]) -> Iterator[Let]:
    for head in heads:
        if not head.isidentifier():
            raise Unsupported("its numbered modules run in another order", path=scope.path)
        if head not in lists:
            yield Let(head, items[head])
            continue
        members = {int(k.partition(".")[2]): item for k, item in items.items() if k.startswith(f"{head}.")}
        if sorted(members) != list(range(len(members))):
            raise Unsupported(f"not all members of `{head}` run", path=scope.path)
        yield Let(head, Several(tuple(members[i] for i in sorted(members))))
