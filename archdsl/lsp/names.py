"""Which name means what: every name of a file, with what it names. Static: nothing is built.

A name is one of the file (a definition or a ``use``), or one of a definition (a parameter, an input, ``let``, ``as``,
the variable of a loop, the symbol of a size). All that one definition calls by one name is one thing here, also where
the text binds it anew: so renaming it keeps the meaning of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from archdsl.evaluate.workspace import library_root
from archdsl.ops import OPS_BY_NAME
from archdsl.source import Span
from archdsl.syntax import tree

Role = Literal["definition", "reference", "label", "argument", "attribute", "dtype"]


class Symbol(NamedTuple):
    """What a name names. ``file`` is where it is defined ("" for an operator), ``scope`` the definition's place in it
    (-1: the file's own names)."""

    file: str
    scope: int
    name: str


class Occurrence(NamedTuple):
    """A name in a text. ``symbol`` is None for what names no value: labels, arguments of operators, attributes."""

    span: Span
    symbol: Symbol | None
    role: Role


def occurrences(file: tree.File, path: Path) -> list[Occurrence]:
    """All names of a file, in text order."""
    found = list(_Names(file, path).all())
    found.sort(key=lambda o: o.span.start)
    return found


def used_file(use: tree.Use, path: Path) -> Path | None:
    """The file that a ``use`` names: beside the file, else in the library."""
    for root in (path.parent, library_root()):
        candidate = root / use.path.value
        if candidate.is_file():
            return candidate.resolve()
    return None


class _Names:
    def __init__(self, file: tree.File, path: Path) -> None:
        self._file = file
        self._path = path
        self._own: dict[str, Symbol] = {}
        self._blocks: dict[str, tree.Block | tree.Fn] = {}
        for definition in file.definitions:
            for name, symbol in self._defined(definition):
                self._own.setdefault(name.text, symbol)
            if isinstance(definition, tree.Block | tree.Fn):
                self._blocks.setdefault(definition.name.text, definition)

    def _defined(self, definition: tree.Definition) -> Iterator[tuple[tree.Name, Symbol]]:
        """The names that a definition gives the file."""
        match definition:
            case tree.Block() | tree.Fn():
                yield definition.name, Symbol(str(self._path), -1, definition.name.text)
            case tree.Let():
                for name in _pattern(definition.pattern):
                    yield name, Symbol(str(self._path), -1, name.text)
            case tree.Lost():
                for name in definition.names:
                    yield name, Symbol(str(self._path), -1, name.text)
            case tree.Use():
                target = used_file(definition, self._path) or self._path
                for name in definition.names:
                    yield name, Symbol(str(target), -1, name.text)

    def all(self) -> Iterator[Occurrence]:
        for definition in self._file.definitions:
            role: Role = "reference" if isinstance(definition, tree.Use) else "definition"
            own = list(self._defined(definition))
            yield from (Occurrence(name.span, symbol, role) for name, symbol in own)
            if not isinstance(definition, tree.Use | tree.Version | tree.Lost):
                yield from self._within(definition, {id(name) for name, _ in own})

    def _within(self, definition: tree.Definition, done: set[int]) -> Iterator[Occurrence]:
        bound = dict.fromkeys(id(name) for name in _bound(definition) if id(name) not in done)
        names = {name.text for name in _bound(definition) if id(name) in bound}
        names |= {n.text for n in _sizes(definition) if n.text not in names and n.text not in self._own}
        plain = dict(_plain(definition))
        scope = definition.span.start
        for node in tree.walk(definition):
            if isinstance(node, tree.Call):
                yield from self._arguments(node, names)
            if not isinstance(node, tree.Name) or id(node) in done:
                continue
            if id(node) in plain:
                if plain[id(node)] != "argument":
                    yield Occurrence(node.span, None, plain[id(node)])
            elif node.text in names:
                role: Role = "definition" if id(node) in bound else "reference"
                yield Occurrence(node.span, Symbol(str(self._path), scope, node.text), role)
            else:
                yield Occurrence(node.span, self._outer(node.text), "reference")

    def _outer(self, name: str) -> Symbol | None:
        if name in self._own:
            return self._own[name]
        return Symbol("", -1, name) if name in OPS_BY_NAME else None

    def _arguments(self, call: tree.Call, local: set[str]) -> Iterator[Occurrence]:
        """Names of arguments: those of a block of this file are its parameters."""
        callee = call.callee.text if isinstance(call.callee, tree.Name) and call.callee.text not in local else None
        block = self._blocks.get(callee or "")
        for argument in call.arguments:
            if argument.name is not None:
                known = block is not None and any(p.name.text == argument.name.text for p in block.params)
                scope = block.span.start if block is not None else -1
                symbol = Symbol(str(self._path), scope, argument.name.text) if known else None
                yield Occurrence(argument.name.span, symbol, "argument")


def _pattern(pattern: tree.Pattern) -> Iterator[tree.Name]:
    return (node for node in tree.walk(pattern) if isinstance(node, tree.Name))


def _bound(definition: tree.Node) -> Iterator[tree.Name]:
    """The names that a definition binds."""
    for node in tree.walk(definition):
        match node:
            case tree.Param():
                yield node.name
            case tree.Let():
                yield from _pattern(node.pattern)
            case tree.Step(target=tree.Name() | tree.Unpack() as target):
                yield from _pattern(target)
            case tree.For() | tree.Clause():
                for pattern in node.patterns:
                    yield from _pattern(pattern)
            case tree.Input(name=tree.Name() as name) | tree.TensorParam(name=tree.Name() as name):
                yield name
            case tree.TensorBuffer(name=tree.Name() as name) | tree.Declare(label=tree.Name() as name):
                yield name
            case tree.Broken():
                yield from node.names


def _sizes(definition: tree.Node) -> Iterator[tree.Name]:
    """Capitalised names that stand alone in a shape: they are bound to the size found there."""
    for node in tree.walk(definition):
        if isinstance(node, tree.Shape):
            yield from (d for d in node.dims if isinstance(d, tree.Name) and d.text[:1].isupper())


def _plain(definition: tree.Node) -> Iterator[tuple[int, Role]]:
    """Names that name no value, by their nodes."""
    for node in tree.walk(definition):
        match node:
            case tree.Labelled(label=tree.Name() as name) | tree.Output(name=tree.Name() as name):
                yield id(name), "label"
            case tree.Argument(name=tree.Name() as name):
                yield id(name), "argument"
            case tree.Attribute():
                yield id(node.name), "attribute"
            case tree.Shape(dtype=tree.Name() as name):
                yield id(name), "dtype"
