"""Which calls and comprehensions depend on plain numbers only, so that they need be evaluated once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from archdsl.dims import Dim
from archdsl.evaluate.env import MISSING, Env
from archdsl.evaluate.values import Builtin, Function, LazyLet
from archdsl.init import Init
from archdsl.syntax import tree


def key_of_call(definition: tree.Fn, values: Mapping[str, Any]) -> Hashable | None:
    """A key for what a fn gives on these arguments; None where they are not plain."""
    key = _key_of(values.values())
    return None if key is None else (definition, key)


def key_of_comprehension(node: tree.Comprehension, env: Env) -> Hashable | None:
    """A key for what a comprehension gives where these names are bound; None where one is not plain."""
    names = _names_read(node)
    if names is None:
        return None
    key = _key_of(env.lookup(name) for name in names)
    return None if key is None else (node, key)


@lru_cache(maxsize=4096)
def _names_read(node: tree.Comprehension) -> tuple[str, ...] | None:
    """The names in a comprehension, its own variables among them; None if it reads the stream or runs something."""
    names: dict[str, None] = {}
    for inner in tree.walk(node):
        if isinstance(inner, _NOT_PLAIN) or (isinstance(inner, tree.Name) and inner.text == "it"):
            return None
        if isinstance(inner, tree.Name):
            names[inner.text] = None
    return tuple(names)


_NOT_PLAIN = (tree.Computed, tree.Chain, tree.Labelled, tree.Body, tree.Seq, tree.Combine, tree.Residual)


def _key_of(values: Iterable[Any]) -> tuple[Hashable, ...] | None:
    """Values as a key that tells apart what is equal but not the same (1, 1.0 and true)."""
    keys = []
    for value in values:
        key = _key(value)
        if key is None:
            return None
        keys.append(key)
    return tuple(keys)


def _key(value: Any) -> Hashable | None:
    if isinstance(value, int | str) and not isinstance(value, Dim):
        return type(value), value
    if isinstance(value, float):
        return float, repr(value)
    if isinstance(value, list):
        inside = _key_of(value)
        return None if inside is None else (type(value), inside)
    if isinstance(value, range):
        return value
    if isinstance(value, Function | LazyLet):
        return id(value.definition), getattr(value, "name", "")
    if isinstance(value, Builtin) or value is MISSING or (isinstance(value, type) and issubclass(value, Init)):
        return id(value)
    return None
