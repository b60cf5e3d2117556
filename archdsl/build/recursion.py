"""Does a definition lead back to itself? Found in the text, before anything is expanded."""

from __future__ import annotations

from archdsl.build.env import MISSING, FileScope
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
    shadowed = {p.name.text for p in definition.params}
    found = {}
    no_reference: set[tree.Node | None] = {definition.name}
    for node in tree.walk(definition):
        if isinstance(node, tree.Argument | tree.Attribute):
            no_reference.add(node.name)
        if not isinstance(node, tree.Name) or node.text in shadowed or node in no_reference:
            continue
        value = file.env.lookup(node.text)
        if value is not MISSING and isinstance(value, BlockLayer | Function):
            found[node.text] = (node.text, value.definition, value.file)
    return list(found.values())
