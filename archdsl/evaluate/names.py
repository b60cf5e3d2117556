"""The names of a definition, read off its text: what it binds, and where it reads names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any

from archdsl.diagnostics.elsewhere import PREFIXES, member, stands_for
from archdsl.diagnostics.names import UnknownName
from archdsl.diagnostics.nearest import certain, did_you_mean, respelt
from archdsl.syntax import tree

LONGEST = 200
"""Characters behind a name that may say what it was meant for."""
SUGGESTIONS = 100
"""Faults after which nothing near is looked for any more: nobody reads so far, and looking takes its time."""


def unknown_name(node: tree.Node, name: str, known: Collection[str], definition: tree.Node | None) -> UnknownName:
    """The diagnostic of a name that nothing defines; ``definition`` is the text around it.

    Without names that are ``known`` nothing near it is looked for.
    """
    if definition is not None and name in _labels(definition):
        advice = f"`{name}` is the label of a layer; to name its result, add `as {name}` there"
        return UnknownName(span=node.span, name=name, advice=advice)
    if not known:
        return UnknownName(span=node.span, name=name)
    behind = node.span.source.text[node.span.end : node.span.end + LONGEST]
    if name in PREFIXES and (meant := member(behind)) is not None:
        return UnknownName(span=node.span, name=name, advice=f"remove the prefix: {_unprefixed(meant, known)}")
    advice = stands_for(name, behind.startswith("(")) if certain(name, known) is None else None
    advice = advice or did_you_mean(name, known)
    if advice is None and name.isupper() and len(name) <= 2:
        advice = f"to name a size, state a shape, such as `input x: [N, {name}, …]`"
    return UnknownName(span=node.span, name=name, advice=advice, edits=respelt(node.span, name, known))


def _unprefixed(name: str, known: Collection[str]) -> str:
    """What is written for a function of another library that stands behind its module's name."""
    surely = certain(name, known)
    if surely is not None:
        return f"write `{surely}`"
    return stands_for(name) or did_you_mean(name, known) or f"`{name}` is not one of them"


@lru_cache(maxsize=4)
def _labels(definition: tree.Node) -> set[str]:
    return {
        node.label.text
        for node in tree.walk(definition)
        if isinstance(node, tree.Labelled) and isinstance(node.label, tree.Name)
    }


class Names:
    """The names of a definition: what it binds, and where it reads names."""

    def __init__(self, definition: tree.Block | tree.Fn | tree.Claim) -> None:
        self.bound: set[str] = {p.name.text for p in definition.params}
        self.families: list[re.Pattern[str]] = []
        """What computed names may bind: `c{i}` binds names such as `c3`."""
        self.read: list[tree.Name] = []
        no_reads: set[tree.Node | None] = {p.name for p in definition.params}
        no_reads.add(getattr(definition, "name", None))
        for node in tree.walk(definition):
            if isinstance(node, tree.Name):
                if node not in no_reads:
                    self.read.append(node)
                continue
            for name in _not_read(node):
                no_reads.add(name)
                if not isinstance(node, tree.Argument | tree.Attribute | tree.Labelled | tree.Output):
                    self._bind(name)
            if isinstance(node, tree.Broken):
                self.families += broken_families(node)
            if isinstance(node, tree.Shape):
                self.bound |= {d.text for d in node.dims if isinstance(d, tree.Name) and d.text[:1].isupper()}

    def _bind(self, name: tree.Node) -> None:
        if isinstance(name, tree.Name):
            self.bound.add(name.text)
        elif isinstance(name, tree.Computed):
            self.families.append(family(name))


def broken_families(node: tree.Broken) -> list[re.Pattern[str]]:
    """The names that computed names in a statement that could not be read may come out as."""
    text = node.span.source.text
    computed = [name for name in node.names if text[name.span.end : name.span.end + 1] == "{"]
    return [re.compile(rf"{name.text}\w*") for name in computed]


def family(name: tree.Computed) -> re.Pattern[str]:
    """The names that a computed name may come out as."""
    return re.compile("".join(re.escape(part) if isinstance(part, str) else r"\w*" for part in name.parts))


def _not_read(node: tree.Node) -> list[tree.Node]:
    """The names below a node that it binds, or that only say which: labels, names of arguments, element types."""
    found = _NOT_READ.get(type(node))
    return [name for below in found(node) if below is not None for name in _leaves(below)] if found else []


_NOT_READ: dict[type[tree.Node], Callable[[Any], Sequence[tree.Node | None]]] = {
    tree.Let: lambda node: [node.pattern],
    tree.Step: lambda node: [node.target],
    tree.For: lambda node: node.patterns,
    tree.Clause: lambda node: node.patterns,
    **dict.fromkeys(
        (tree.Input, tree.Output, tree.TensorParam, tree.TensorBuffer, tree.Argument, tree.Attribute),
        lambda node: [node.name],
    ),
    **dict.fromkeys((tree.Declare, tree.Labelled), lambda node: [node.label]),
    tree.Shape: lambda node: [node.dtype],
    tree.Broken: lambda node: node.names,
}


def _leaves(pattern: tree.Node) -> Iterator[tree.Node]:
    if isinstance(pattern, tree.Unpack):
        for item in pattern.items:
            yield from _leaves(item)
    else:
        yield pattern
