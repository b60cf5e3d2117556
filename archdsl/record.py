"""Frozen value classes that cost little to define.

`dataclasses.dataclass` writes and compiles source for each class: a third of a millisecond, which some two hundred
operators and diagnostics would make half of a start. A record is a dataclass too (`fields`, `replace` and `match` work
on it), but its methods are shared: they read the fields when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from functools import cache
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def record(cls: type[T], /) -> type[T]: ...
@overload
def record(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[Any] | None = None, /, *, kw_only: bool = False) -> Any:
    """A class as a frozen dataclass, equal to another of its class with equal fields."""

    def define(cls: type[Any]) -> type[Any]:
        for name, method in _METHODS.items():
            if name not in cls.__dict__ and getattr(cls, name) is getattr(object, name):
                setattr(cls, name, method)
        return dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)

    return define if cls is None else define(cls)


@cache
def _shape(cls: type[Any]) -> tuple[tuple[str, ...], dict[str, Any], dict[str, Callable[[], Any]]]:
    """Names given by position, then all names with their defaults, and factories of defaults."""
    known = fields(cls)
    defaults = {f.name: f.default for f in known}
    factories = {f.name: f.default_factory for f in known if f.default_factory is not MISSING}
    return tuple(f.name for f in known if not f.kw_only), defaults, factories


def _init(self: Any, *args: Any, **named: Any) -> None:
    positional, defaults, factories = _shape(type(self))
    values = self.__dict__
    is_twice = False
    if args:
        values.update(zip(positional, args, strict=False))
    if named:
        is_twice = not named.keys().isdisjoint(values)
        values.update(named)
    if len(values) < len(defaults):
        _fill(self, defaults, factories)
    if is_twice or len(args) > len(positional) or len(values) > len(defaults):
        raise TypeError(f"{type(self).__name__} takes {', '.join(defaults) or 'no arguments'}")
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _fill(self: Any, defaults: dict[str, Any], factories: dict[str, Callable[[], Any]]) -> None:
    """Give the fields that were not stated their defaults."""
    for name, default in defaults.items():
        if name in self.__dict__:
            continue
        if default is MISSING and name not in factories:
            raise TypeError(f"{type(self).__name__} needs its {name}")
        self.__dict__[name] = factories[name]() if name in factories else default


def exactly(value: Any) -> Hashable:
    """A value (a record, perhaps) as a key that tells apart what is equal but not the same: 1, 1.0 and true."""
    kind = type(value)
    if isinstance(value, tuple):
        return kind, tuple(map(exactly, value))
    if kind.__init__ is _init:
        return kind, tuple(map(exactly, _values(value)))
    return kind, repr(value) if kind is float else value


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(map(self.__dict__.__getitem__, _shape(type(self))[1]))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in _shape(type(self))[1])
    return f"{type(self).__name__}({shown})"


def _eq(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self is other or _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash((type(self), _values(self)))


def _frozen(self: Any, name: str, *_: Any) -> None:
    raise FrozenInstanceError(f"{type(self).__name__}.{name} is frozen")


_METHODS: dict[str, Callable[..., Any]] = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _frozen,
    "__delattr__": _frozen,
}
