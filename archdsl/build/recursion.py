"""Does a definition lead back to itself? Found in the text, before anything is expanded."""

from __future__ import annotations

from archdsl.build.env import MISSING, FileScope
from archdsl.build.names import Names
from archdsl.build.values import BlockLayer, Function
from archdsl.syntax import tree


def recursion(definition: tree.Block | tree.Fn, file: FileScope) -> list[str]:
    """Names along a way from a definition back to it; empty if there is none."""
    seen: set[tree.Node] = set()
    stack = [(definition, file, [definition.name.text])]
    while stack:
        current, scope, route = stack.pop()
        for name, inner, home in _mentions(current, scope):
            if inner is definition:
                return [*route, name]
            if inner not in seen:
                seen.add(inner)
                stack.append((inner, home, [*route, name]))
    return []


def _mentions(definition: tree.Block | tree.Fn, file: FileScope) -> list[tuple[str, tree.Block | tree.Fn, FileScope]]:
    """Definitions that a definition names, with the files that hold them."""
    names = Names(definition)
    found = {}
    for name in names.read:
        value = file.env.lookup(name.text) if name.text not in names.bound else MISSING
        if value is not MISSING and isinstance(value, BlockLayer | Function):
            found[name.text] = (name.text, value.definition, value.file)
    return list(found.values())
