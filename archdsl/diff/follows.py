"""Whether an argument follows from the shapes that arrive: ``conv(C // 4, 1)`` changes with what is before it.

Such an argument changes without an edit there. The names in its expression are followed to what binds them: arguments
of blocks to where they are given, ``let``s to their expressions.
"""

from __future__ import annotations

from archdsl.evaluate.values import Env, Value
from archdsl.graph import Instance
from archdsl.syntax import tree

DEEPEST = 50
"""Blocks and lets through which a name is followed."""


def reads_shape(expression: tree.Node, env: Env, depth: int = 0) -> bool:
    """Whether an expression reads a value of the network or a size of its shape."""
    return depth < DEEPEST and any(_is_size(name.text, env, depth) for name in _names(expression))


def _names(expression: tree.Node) -> list[tree.Name]:
    left_out = {n.name for n in tree.walk(expression) if isinstance(n, tree.Argument | tree.Attribute)}
    return [n for n in tree.walk(expression) if isinstance(n, tree.Name) and n not in left_out]


def _is_size(name: str, env: Env, depth: int) -> bool:
    found: Env | None = env
    while found is not None and name not in found.names:
        found = found.parent
    if found is None or not isinstance(found.owner, Instance):
        return False
    value, owner = found.names[name], found.owner
    if isinstance(value, Value):
        return True
    if name in owner.written:
        return reads_shape(*owner.written[name], depth + 1)
    if any(param.name.text == name for param in owner.scope.params):
        return False
    lets = [let for let in _lets(owner) if any(isinstance(n, tree.Name) and n.text == name for n in _bound(let))]
    if lets:
        return any(reads_shape(let.value, found, depth + 1) for let in lets)
    return name[:1].isupper()  # a size that a shape of the text binds


def _lets(owner: Instance) -> list[tree.Let]:
    return [node for node in tree.walk(owner.scope.text) if isinstance(node, tree.Let)]


def _bound(let: tree.Let) -> list[tree.Node]:
    return list(tree.walk(let.pattern))
