"""Which calls and comprehensions depend on plain numbers only, so that they need be evaluated once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache

from archdsl.evaluate.values import MISSING, Binding, Builtin, Env, Function, LazyLet, Missing, SpecValue
from archdsl.syntax import tree


def key_of_call(definition: tree.Fn, values: Mapping[str, Binding]) -> Hashable | None:
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


def _key_of(values: Iterable[Binding | Missing]) -> tuple[Hashable, ...] | None:
    """Values as a key that tells apart what is equal but not the same (1, 1.0 and true)."""
    keys: list[Hashable] = []
    for value in values:
        key = _key(value)
        if key is None:
            return None
        keys.append(key)
    return tuple(keys)


def _key(value: Binding | Missing) -> Hashable | None:
    if isinstance(value, int | str):
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
    if isinstance(value, Builtin) or value is MISSING or isinstance(value, type):
        return id(value)
    return None


def plain_count(value: SpecValue) -> int | None:
    """How many numbers and strings a value is made of; None if it holds anything that belongs to one network."""
    if isinstance(value, list):
        total = 0
        for item in value:
            inside = plain_count(item)
            if inside is None:
                return None
            total += inside
        return total
    return 1 if isinstance(value, int | float | str | range) else None
