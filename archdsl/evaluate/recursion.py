"""Does a definition lead back to itself? Found in the text, before anything is expanded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archdsl.evaluate.values import BlockLayer, Definition, FileScope, Function, Mentions


def recursion(definition: Definition, file: FileScope) -> list[str]:
    """Names along a way from a definition of a file back to it; empty if there is none.

    Files never use each other in a circle, so the way stays in the file. All of its circles are found at once.
    """
    if file.circles is None:
        definitions = (d for d in file.file.definitions if isinstance(d, Definition))
        mentions: Mentions = {d: _mentions(d, file) for d in definitions}
        file.circles = {d: circle for circle in _circles(mentions) for d in circle}
    circle = file.circles.get(definition)
    return _route(definition, circle) if circle is not None else []


def _mentions(definition: Definition, file: FileScope) -> list[Definition]:
    names = file.names_in(definition)
    values = (file.env.lookup(name.text) for name in names.read if name.text not in names.bound)
    found = (v.definition for v in values if isinstance(v, BlockLayer | Function) and v.file is file)
    return list(dict.fromkeys(found))


def _circles(mentions: Mentions) -> Iterator[Mentions]:
    """The definitions that lead to each other, together (Kosaraju's strongly connected components)."""
    naming: dict[Definition, list[Definition]] = {d: [] for d in mentions}
    for definition, named in mentions.items():
        for other in named:
            naming[other].append(definition)
    seen: set[Definition] = set()
    for start in reversed(list(_finished(mentions, mentions, set()))):
        circle = set(_finished([start], naming, seen))
        if len(circle) > 1 or (circle and start in mentions[start]):
            yield {d: [n for n in mentions[d] if n in circle] for d in circle}


def _finished(starts: Iterable[Definition], following: Mentions, seen: set[Definition]) -> Iterator[Definition]:
    """What can be reached, depth first, each after all that it leads to; what was seen is left out."""
    for start in starts:
        stack = [(start, False)]
        while stack:
            current, is_done = stack.pop()
            if is_done:
                yield current
            elif current not in seen:
                seen.add(current)
                stack.append((current, True))
                stack += [(n, False) for n in following[current]]


def _route(definition: Definition, circle: Mentions) -> list[str]:
    """The shortest way from a definition back to it, inside its circle."""
    before: dict[Definition, Definition] = {}
    layer = [definition]
    while definition not in before:
        reached = [(n, d) for d in layer for n in circle[d] if n not in before]
        before.update(reversed(reached))
        layer = list(dict.fromkeys(n for n, _ in reached))
    way: list[Definition] = [definition]
    while len(way) == 1 or way[-1] is not definition:
        way.append(before[way[-1]])
    return [definition.name.text for definition in reversed(way)]
